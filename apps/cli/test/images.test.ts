import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readImage } from "../src/images.ts";
import { temporary } from "./command.ts";
import { png } from "./pngs.ts";

const [width, height] = [5, 3]; // odd, so that lines of few bits end inside a byte
const wanted = { channels: 1, height, width };
const read = (file: Uint8Array, channels = 1) => {
  const path = join(temporary(), "picture");
  writeFileSync(path, file);
  return readImage(path, { ...wanted, channels });
};
const pixels = <T>(value: (i: number) => T): T[] => Array.from({ length: width * height }, (_, i) => value(i));

describe("readImage", () => {
  it.each([1, 2, 4, 8, 16])("grey PNG of %i bits", async (depth) => {
    const top = 2 ** depth - 1;
    const values = pixels((i) => Math.floor((i * top) / 14));
    const { data, shape } = await read(png(values, width, height, { colour: 0, depth }));
    expect(shape).toEqual([1, height, width]);
    expect([...data]).toEqual(values.map((v) => Math.round((v * 255) / top)));
  });

  it.each([1, 2, 4, 8])("PNG with a palette, %i bits", async (depth) => {
    const palette = Array.from({ length: Math.min(2 ** depth, 9) }, (_, k) => [10 * k, 20 * k, 5 * k + 1] as const);
    const values = pixels((i) => i % palette.length);
    const { data } = await read(png(values, width, height, { colour: 3, depth, palette }), 3);
    expect([...data]).toEqual([0, 1, 2].flatMap((c) => values.map((v) => palette[v]![c]!)));
  });

  it("RGB PNG; a palette in it is only a suggestion", async () => {
    const values = pixels((i) => [i, 2 * i, 100 - i]).flat();
    const { data } = await read(png(values, width, height, { colour: 2, depth: 8, palette: [[9, 9, 9]] }), 3);
    expect([...data]).toEqual([...pixels((i) => i), ...pixels((i) => 2 * i), ...pixels((i) => 100 - i)]);
  });

  it("colour becomes grey by luma, alpha is dropped", async () => {
    const { data } = await read(png(pixels(() => [200, 100, 50, 7]).flat(), width, height, { colour: 6, depth: 8 }));
    expect([...data]).toEqual(pixels(() => Math.round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)));
    expect([...(await read(png(pixels((i) => [i, 0]).flat(), width, height, { colour: 4, depth: 8 }))).data]).toEqual(pixels((i) => i));
  });

  it("PPM, with comments where the format allows them", async () => {
    const { data } = await read(Buffer.concat([Buffer.from(`P6 # made by hand\n# width\n${width} ${height}\n# levels\n255\n`), Buffer.from(pixels((i) => [i, 0, 1]).flat())]), 3);
    expect([...data]).toEqual([...pixels((i) => i), ...pixels(() => 0), ...pixels(() => 1)]);
  });

  it("refuses another size by the header, before anything is decoded", async () => {
    const head = png([], 60_000, 50_000, { colour: 6, depth: 16 }).subarray(0, 33); // 24 GB of pixels
    await expect(read(head)).rejects.toThrow(/is 60000×50000, the model wants 5×3/);
    await expect(read(Buffer.from("P5\n60000 50000\n255\n"))).rejects.toThrow(/is 60000×50000, the model wants 5×3/);
  });

  it("refuses files that are damaged, inconsistent or of a rare kind", async () => {
    const grey = png(pixels((i) => i), width, height, { colour: 0, depth: 8 });
    await expect(read(grey.subarray(0, 45))).rejects.toThrow(/^png: /);
    await expect(read(Buffer.concat([grey, Buffer.alloc(2 ** 21)]))).rejects.toThrow(/2097\d+ bytes are too many for 5×3 pixels/);
    await expect(read(png(pixels(() => 1), width, height, { colour: 3, depth: 8, palette: [[9, 9, 9]] }))).rejects.toThrow(/colour 1 is not in its palette of 1/);
    await expect(read(png(pixels(() => 1), width, height, { colour: 0, depth: 4, interlace: 1 }))).rejects.toThrow(/interlaced with 4 bits/);
    const second = png([], 9, 9, { colour: 0, depth: 8 }).subarray(8, 33); // another IHDR
    await expect(read(Buffer.concat([grey.subarray(0, 33), second, grey.subarray(33)]))).rejects.toThrow(/^png: /);
    await expect(read(Buffer.from("GIF89a"))).rejects.toThrow(/neither PNG nor PGM\/PPM/);
    await expect(read(Buffer.from(`P5\n${width} ${height}\n65535\n`))).rejects.toThrow(/255 levels/);
    await expect(read(Buffer.from(`P5\n${width} ${height}\n255\n1234`))).rejects.toThrow(/4 bytes of pixels, 15 expected/);
  });
});
