import { Random } from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { centerCrop, compose, ndarray, normalize, randomCrop, randomHorizontalFlip, toFloat, type NdArray, subtractImage, tenCrop, tenCropCorners } from "../src/index.ts";

const image = ndarray(Uint8Array.from({ length: 24 }, (_, i) => i + 1), [2, 3, 4]); // 2 channels of 3×4
const random = (seed: number) => Random.keyed(seed, 0, 0);
const seeds = Array.from({ length: 400 }, (_, i) => i);

test("toFloat and normalize", () => {
  const unit = toFloat()(ndarray(Uint8Array.of(0, 51, 255, 255), [2, 1, 2]), random(0));
  expect(unit).toEqual({ data: Float32Array.of(0, 0.2, 1, 1), shape: [2, 1, 2] });
  const normal = normalize([0.5, 0], [0.25, 2])(unit, random(0));
  expect([...normal.data]).toEqual([-2, expect.closeTo(-1.2, 6), 0.5, 0.5]);
  expect(() => normalize([0.5], [0.25])(unit, random(0))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: normalize: 1 means for an image of 2 channels]`);
  expect(() => normalize([0.5], [0])).toThrow("std above 0");
  expect(() => normalize([0], [1])(ndarray(Float32Array.of(1)), random(0))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: normalize: expected an image [channel, height, width], got [1]]`);
});

test("randomHorizontalFlip mirrors rows, half of the time", () => {
  expect([...randomHorizontalFlip(1)(image, random(0)).data.slice(0, 8)]).toEqual([4, 3, 2, 1, 8, 7, 6, 5]);
  expect(randomHorizontalFlip(0)(image, random(0))).toEqual(image);
  const flipped = seeds.filter((seed) => randomHorizontalFlip()(image, random(seed)).data[0] === 4).length;
  expect(Math.abs(flipped - 200)).toBeLessThan(50);
  expect(image.data[0]).toBe(1); // the input is untouched
});

describe("randomCrop", () => {
  /** Value of a padded image, as the definition says. */
  const padded = (c: number, y: number, x: number, fill: number) => (y < 0 || y >= 3 || x < 0 || x >= 4 ? fill : image.data[(c * 3 + y) * 4 + x]!);

  test("every result is a window of the padded image; every window comes", () => {
    const windows = new Map<string, NdArray>();
    for (let top = -2; top <= 2; top++) {
      for (let left = -2; left <= 2; left++) {
        const data = Uint8Array.from({ length: 24 }, (_, i) => padded(Math.floor(i / 12), Math.floor((i % 12) / 4) + top, (i % 4) + left, 99));
        windows.set(data.join(), { data, shape: [2, 3, 4] });
      }
    }
    const seen = new Set(seeds.map((seed) => randomCrop(2, { fill: 99 })(image, random(seed)).data.join()));
    for (const result of seen) expect(windows.has(result)).toBe(true);
    expect(seen.size).toBe(25);
  });

  test("a side of 256 has 33 windows of 224, not 32: with mirrors 33·33·2 = 2178 variants of a picture, not 2048", () => {
    const line = ndarray(Float32Array.from({ length: 256 }, (_, i) => i), [1, 256, 1]);
    const tops = Array.from({ length: 2000 }, (_, seed) => randomCrop(0, { size: [224, 1] })(line, random(seed)).data[0]!);
    expect(new Set(tops).size).toBe(33);
  });

  test("to a smaller size", () => {
    const crops = seeds.map((seed) => randomCrop(0, { size: [2, 2] })(image, random(seed)));
    expect(new Set(crops.map((c) => c.data.join())).size).toBe(2 * 3);
    expect(crops[0]!.shape).toEqual([2, 2, 2]);
    expect(() => randomCrop(0, { size: [5, 5] })(image, random(0))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: randomCrop: a window of 5×5 does not fit in 3×4 with padding 0]`);
  });

  test("padding larger than the image: a window may miss it", () => {
    const empty = seeds.some((seed) => randomCrop(9)(image, random(seed)).data.every((v) => v === 0));
    expect(empty).toBe(true);
  });
});

test("centerCrop", () => {
  expect(centerCrop([1, 2])(image, random(0))).toEqual({ data: Uint8Array.of(6, 7, 18, 19), shape: [2, 1, 2] });
  expect(() => centerCrop([4, 4])(image, random(0))).toThrow("does not fit");
});

test("compose: in order, and adding a transform at the end changes nothing before it", () => {
  const short = compose(randomCrop(2), randomHorizontalFlip()), long = compose(randomCrop(2), randomHorizontalFlip(), toFloat(1));
  for (const seed of seeds.slice(0, 20)) expect([...long(image, random(seed)).data]).toEqual([...short(image, random(seed)).data]);
  expect(compose()(image, random(0))).toBe(image);
});

describe("ten crops", () => {
  const image = { data: Int32Array.from({ length: 2 * 5 * 6 }, (_, i) => i), shape: [2, 5, 6] }; // pixel (c, y, x) is 30c + 6y + x

  test("of 224 in 256: corners, then the centre", () => {
    expect(tenCropCorners([256, 256], [224, 224])).toEqual([[0, 0], [0, 32], [32, 0], [32, 32], [16, 16]]);
    expect(tenCropCorners([256, 256], [227, 227])).toEqual([[0, 0], [0, 29], [29, 0], [29, 29], [14, 14]]);
  });

  test("are five windows and their mirror images", () => {
    const { data, shape } = tenCrop([3, 2])(image, new Random(0));
    expect(shape).toEqual([10, 2, 3, 2]);
    const rows = (k: number, c: number) => [...data.subarray((k * 2 + c) * 6, (k * 2 + c + 1) * 6)];
    expect([0, 1, 2, 3, 4].map((k) => rows(k, 0)[0])).toEqual([0, 4, 12, 16, 8]);
    expect(rows(4, 0)).toEqual([8, 9, 14, 15, 20, 21]);
    expect(rows(9, 0)).toEqual([9, 8, 15, 14, 21, 20]);
    expect([rows(3, 1), rows(8, 1)]).toEqual([[46, 47, 52, 53, 58, 59], [47, 46, 53, 52, 59, 58]]);
    expect(() => tenCrop([6, 2])(image, new Random(0))).toThrow("a window of 6×2 does not fit in 5×6");
  });
});

test("random crops of 224 in 256 begin at each of 33 places, both ways alike", () => {
  const crop = randomCrop(0, { size: [224, 224] });
  const image = { data: Int32Array.from({ length: 256 * 256 }, (_, i) => i), shape: [1, 256, 256] };
  const seen = Array.from({ length: 400 }, (_, i) => crop(image, new Random(i)).data[0]!);
  for (const at of [seen.map((v) => v >> 8), seen.map((v) => v & 255)]) expect([...new Set(at)].sort((a, b) => a - b)).toEqual(Array.from({ length: 33 }, (_, i) => i));
});

test("a mean image is subtracted pixel by pixel, before cropping", () => {
  const mean = { data: Float32Array.of(1, 2, 3, 4), shape: [1, 2, 2] };
  const { data } = subtractImage(mean)({ data: Uint8Array.of(0, 255, 3, 10), shape: [1, 2, 2] }, new Random(0));
  expect([...data]).toEqual([-1, 253, 0, 6]);
  expect(() => subtractImage(mean)({ data: Uint8Array.of(1), shape: [1, 1, 1] }, new Random(0))).toThrow("a mean image of [1,2,2] for an image of [1,1,1]");
});
