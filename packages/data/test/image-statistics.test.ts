import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cachedStatistics } from "@nn/data/node";
import { ImageSums, TensorDataset, imageStatistics, ndarray, pcaColour, type NdArray } from "@nn/data";
import { Random } from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { eigenSymmetric } from "../src/eigen.ts";
import { colourShift } from "../src/pca-colour.ts";

// Four pixels (R, G, B): (10,20,30), (30,40,30), (50,60,30), (70,80,30). R and G go together, B is constant:
// variance (30² + 10² + 10² + 30²)/4 = 500 each, covariance 500, so λ = 1000 along (1,1,0)/√2, and 0 twice.
const four: NdArray = ndarray(Uint8Array.of(10, 30, 50, 70, 20, 40, 60, 80, 30, 30, 30, 30), [1, 3, 2, 2]);
const statistics = () => {
  const sums = new ImageSums();
  sums.add(four);
  return sums.statistics();
};
const r = Math.SQRT1_2;

describe("statistics of images", () => {
  test("of a picture of four pixels", () => {
    const { count, mean, channelMean, covariance, eigenvalues, eigenvectors } = statistics();
    expect([count, mean.shape, [...mean.data], channelMean]).toEqual([1, [3, 2, 2], [...four.data], [40, 50, 30]]);
    expect(covariance).toEqual([500, 500, 0, 500, 500, 0, 0, 0, 0]);
    [1000, 0, 0].forEach((lambda, k) => expect(eigenvalues[k]).toBeCloseTo(lambda, 9));
    [r, r, 0].forEach((x, c) => expect(eigenvectors[0]![c]).toBeCloseTo(x, 12));
  });

  test("the same bits in any order and in batches of any size", async () => {
    const n = 37, random = new Random(3);
    const images = ndarray(Uint8Array.from({ length: n * 3 * 20 }, (_, i) => random.int(i, 256)), [n, 3, 4, 5]);
    const backwards = ndarray(Uint8Array.from({ length: n * 60 }, (_, i) => images.data[(n - 1 - Math.floor(i / 60)) * 60 + (i % 60)]!), [n, 3, 4, 5]);
    const all = await Promise.all([1, 5, 64].flatMap((batchSize) => [images, backwards].map((x) => imageStatistics(new TensorDataset(x), { batchSize }))));
    for (const other of all.slice(1)) expect(other).toEqual(all[0]);
    const mean = (k: number) => Array.from({ length: n }, (_, i) => images.data[i * 60 + k]!).reduce((a, b) => a + b, 0) / n;
    expect(all[0]!.mean.data[17]).toBe(Math.fround(mean(17)));
  });

  test("refuses images of two sizes, and none", () => {
    const sums = new ImageSums();
    expect(() => sums.statistics()).toThrow("there are no images");
    sums.add(four);
    expect(() => sums.add(ndarray(new Uint8Array(3), [1, 3, 1, 1]))).toThrow("images of [3,2,2] and [3,1,1]");
  });

  test("are kept in a file until what they depend on changes", async () => {
    const dir = await mkdtemp(join(tmpdir(), "nn-statistics-")), path = join(dir, "a", "kept.json");
    let computed = 0;
    const get = (key: string) => cachedStatistics(path, key, async () => (computed++, statistics()));
    const fresh = await get("one");
    expect(await get("one")).toEqual(fresh);
    expect(computed).toBe(1);
    await get("two");
    expect(computed).toBe(2);
    const text = await readFile(path, "utf8");
    for (const damaged of [text.slice(0, 50), "null", text.replace(/"bytes":"..../, '"bytes":"')]) {
      await writeFile(path, damaged);
      expect(await get("two")).toEqual(fresh);
    }
    expect(computed).toBe(5);
    await rm(dir, { recursive: true });
  });
});

describe("eigenSymmetric", () => {
  test("solves A·v = λ·v with unit vectors at right angles, largest λ first", () => {
    const a = [4, 1, -2, 1, 3, 0.5, -2, 0.5, 5];
    const { eigenvalues, eigenvectors } = eigenSymmetric(a);
    expect(eigenvalues).toEqual([...eigenvalues].sort((x, y) => y - x));
    eigenvectors.forEach((v, k) => {
      for (let i = 0; i < 3; i++) expect(v.reduce((sum, x, j) => sum + a[i * 3 + j]! * x, 0)).toBeCloseTo(eigenvalues[k]! * v[i]!, 12);
      eigenvectors.forEach((w, m) => expect(v.reduce((sum, x, j) => sum + x * w[j]!, 0)).toBeCloseTo(m === k ? 1 : 0, 12));
    });
    expect(eigenSymmetric([2, 0, 0, 3])).toEqual({ eigenvalues: [3, 2], eigenvectors: [[0, 1], [1, 0]] });
    expect(eigenSymmetric([0, 0, 0, 0]).eigenvalues).toEqual([0, 0]);
  });
});

describe("pcaColour", () => {
  test("adds p·α·λ, with λ on a scale of 0 to 1, or p·α·√λ", () => {
    const alphas = [0.1, 0.7, -0.3], by = (form: "variance" | "deviation", range: number) => colourShift(statistics(), alphas, { by: form, range });
    // λ = 1000 of bytes is 1000/255² of fractions: the shift 0.1·1000/255²·r is 0.1·1000/255·r in bytes.
    [(100 / 255) * r, (100 / 255) * r, 0].forEach((x, c) => expect(by("variance", 255)[c]).toBeCloseTo(x, 9));
    [100 * r, 100 * r, 0].forEach((x, c) => expect(by("variance", 1)[c]).toBeCloseTo(x, 9));
    [0.1 * Math.sqrt(1000) * r, 0.1 * Math.sqrt(1000) * r, 0].forEach((x, c) => expect(by("deviation", 255)[c]).toBeCloseTo(x, 5));
  });

  test("shifts all pixels of a channel alike, anew for each use, and with the right spread", () => {
    const colour = pcaColour(statistics(), { by: "deviation" });
    const image: NdArray = { data: four.data, shape: [3, 2, 2] };
    const shifts = Array.from({ length: 400 }, (_, i) => {
      const { data } = colour(image, new Random(i));
      const moved = [...data].map((v, k) => v - four.data[k]!);
      for (let c = 0; c < 3; c++) for (let k = 1; k < 4; k++) expect(moved[4 * c + k]).toBeCloseTo(moved[4 * c]!, 5);
      return moved[0]!;
    });
    const spread = Math.sqrt(shifts.reduce((sum, x) => sum + x * x, 0) / shifts.length);
    expect(spread).toBeCloseTo(0.1 * Math.sqrt(1000) * r, 0);
    expect(() => colour({ data: new Uint8Array(4), shape: [1, 2, 2] }, new Random(1))).toThrow("statistics of 3 channels for an image of [1,2,2]");
  });
});
