import { crc32, inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { encodePng } from "../src/index.ts";

/** The chunks of a PNG file, with their checksums checked. */
function chunks(png: Uint8Array): [string, Buffer][] {
  expect([...png.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
  const bytes = Buffer.from(png), found: [string, Buffer][] = [];
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at), body = bytes.subarray(at + 4, at + 8 + length);
    expect(bytes.readUInt32BE(at + 8 + length)).toBe(crc32(body));
    found.push([body.subarray(0, 4).toString("latin1"), body.subarray(4)]);
    at += 12 + length;
  }
  return found;
}

test.each([[1, 0], [2, 4], [3, 2], [4, 6]])("%i channels", async (channels, colorType) => {
  const width = 5, height = 3, pixels = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 37) % 256);
  const [ihdr, idat, iend, ...rest] = chunks(await encodePng(pixels, width, height));
  expect([ihdr![0], idat![0], iend![0], rest]).toEqual(["IHDR", "IDAT", "IEND", []]);
  expect([...ihdr![1]]).toEqual([0, 0, 0, width, 0, 0, 0, height, 8, colorType, 0, 0, 0]);
  const lines = inflateSync(idat![1]);
  for (let y = 0; y < height; y++) {
    expect(lines[y * (width * channels + 1)]).toBe(0);
    expect([...lines.subarray(y * (width * channels + 1) + 1, (y + 1) * (width * channels + 1))]).toEqual([...pixels.subarray(y * width * channels, (y + 1) * width * channels)]);
  }
});

test("refuses pixels that do not fill the picture", async () => {
  await expect(encodePng(new Uint8Array(10), 3, 3)).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: encodePng: 10 values are not 3×3 pixels of 1 to 4 channels]`);
  await expect(encodePng(new Uint8Array(0), 0, 0)).rejects.toThrow("0×0");
});
