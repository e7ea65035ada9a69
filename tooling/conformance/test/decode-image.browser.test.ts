import { decodeImage, encodePng } from "@nn/data";
import { describe, expect, it } from "vitest";

/** A picture whose pixel (y, x) is [5x, 7y, 9]. */
const ramp = (width: number, height: number) =>
  encodePng(Uint8Array.from({ length: 3 * width * height }, (_, i) => [5 * (Math.floor(i / 3) % width), 7 * Math.floor(i / 3 / width), 9][i % 3]!), width, height);

describe("decodeImage in a page", () => {
  it("gives the very pixels of a PNG, in planes", async () => {
    const { data, shape } = await decodeImage(await ramp(20, 10));
    expect(shape).toEqual([3, 10, 20]);
    expect([...data]).toEqual([0, 1, 2].flatMap((c) => Array.from({ length: 200 }, (_, i) => [5 * (i % 20), 7 * Math.floor(i / 20), 9][c]!)));
  });

  it("square: shorter side to that size, then the middle; of a Blob too", async () => {
    const { data, shape } = await decodeImage(new Blob([(await ramp(40, 20)) as Uint8Array<ArrayBuffer>]), { square: 10 });
    expect(shape).toEqual([3, 10, 10]);
    // Output pixel x covers source pixels 10 + 2x and 11 + 2x of a row.
    for (const x of [2, 5, 8]) expect(Math.abs(data[50 + x]! - 5 * (10.5 + 2 * x))).toBeLessThanOrEqual(4);
  });

  it("refuses what the browser cannot show", async () => {
    await expect(decodeImage(Uint8Array.of(1, 2, 3))).rejects.toThrow("image: cannot be decoded");
    await expect(decodeImage(await ramp(2, 2), { square: 1.5 })).rejects.toThrow("square is 1.5");
  });
});
