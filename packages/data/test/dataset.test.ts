import { ShapeError, tensor } from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { ArrayDataset, collate, gather, mapDataset, ndarray, Subset, TensorDataset, trainTestSplit, type Dataset, type NdArray } from "../src/index.ts";

const pass = { seed: 1, epoch: 0 };
const x = ndarray(Float32Array.of(0, 1, 10, 11, 20, 21, 30, 31), [4, 2]);
const y = ndarray(Int32Array.of(0, 1, 2, 3));

describe("TensorDataset", () => {
  test("rows and batches", () => {
    const data = new TensorDataset(x, y);
    expect(data.length).toBe(4);
    expect(data.get(2)).toEqual([{ data: Float32Array.of(20, 21), shape: [2] }, { data: Int32Array.of(2), shape: [] }]);
    expect(data.gather([3, 0, 3])).toEqual([{ data: Float32Array.of(30, 31, 0, 1, 30, 31), shape: [3, 2] }, { data: Int32Array.of(3, 0, 3), shape: [3] }]);
  });
  test("from tensors and typed arrays", () => {
    const data = new TensorDataset(tensor([[1, 2], [3, 4]]), tensor([5, 6], { dtype: "i32" }));
    expect(data.get(1)).toEqual([{ data: Float32Array.of(3, 4), shape: [2] }, { data: Int32Array.of(6), shape: [] }]);
    expect(new TensorDataset(Int32Array.of(4, 5)).get(1)).toEqual([{ data: Int32Array.of(5), shape: [] }]);
  });
  test("refuses arrays of different length, and indices that are not there", () => {
    expect(() => new TensorDataset(x, ndarray(Int32Array.of(1)))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: TensorDataset: first dimensions differ: [4,2] and [1]]`);
    expect(() => new TensorDataset()).toThrow(ShapeError);
    expect(() => ndarray(Float32Array.of(1), [2])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: ndarray: 1 elements do not fill [2]]`);
    expect(() => new TensorDataset(x).get(4)).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: Dataset: sample 4 of 4]`);
    expect(() => new TensorDataset(x).gather([-1])).toThrow("sample -1 of 4");
    expect(() => new TensorDataset(x).gather([0.5])).toThrow("sample 0.5 of 4");
  });
});

describe("ArrayDataset and collate", () => {
  test("records: whole numbers are labels, others f32; typed arrays keep their type", () => {
    const data = new ArrayDataset([{ image: [[1, 2], [3, 4]], label: 1, weight: 1, bytes: Uint8Array.of(7) }, { image: [[5, 6], [7, 8]], label: 0, weight: 0.5, bytes: Uint8Array.of(8) }]);
    expect(gather(data, [1, 0], pass)).toEqual({
      image: { data: Float32Array.of(5, 6, 7, 8, 1, 2, 3, 4), shape: [2, 2, 2] },
      label: { data: Int32Array.of(0, 1), shape: [2] },
      weight: { data: Float32Array.of(0.5, 1), shape: [2] },
      bytes: { data: Uint8Array.of(8, 7), shape: [2, 1] },
    });
  });
  test("tuples stay tuples", () => {
    expect(gather(new ArrayDataset([[[1.5], 2]]), [0], pass)).toEqual([{ data: Float32Array.of(1.5), shape: [1, 1] }, { data: Int32Array.of(2), shape: [1] }]);
  });
  test("samples that do not stack", () => {
    expect(() => collate([[ndarray(Float32Array.of(1))], [ndarray(Float32Array.of(1, 2))]])).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: collate: field '0' has samples of shape [1] and [2], which do not stack
        hint: crop or pad them to one size, or give the loader a \`collate\` of your own]
    `);
    expect(() => collate<NdArray[]>([[ndarray(Float32Array.of(1))], [ndarray(Int32Array.of(1))]])).toThrow("mixes f32 and i32");
    expect(() => collate([])).toThrow("no samples");
    expect(() => new ArrayDataset([{ x: [[1, 2], [3]] }])).toThrow(ShapeError);
    expect(() => new ArrayDataset([{ x: [[1], 2] as number[] }])).toThrow(ShapeError);
  });
});

describe("mapDataset", () => {
  test("random numbers belong to (seed, epoch, sample): the same alone, in a batch, or in a subset's map", async () => {
    const noisy = mapDataset(new TensorDataset(x, y), ([a, b], random) => [{ data: a.data.map((v) => v + random.uniform(0)) as Float32Array, shape: a.shape }, b]);
    const alone = (await noisy.get(2, pass))[0].data;
    const batch = (await gather(noisy, [0, 2], pass))[0].data;
    expect([...batch.slice(2)]).toEqual([...alone]);
    expect(await noisy.get(2, { seed: 1, epoch: 1 })).not.toEqual(await noisy.get(2, pass));
    expect(await noisy.get(2, { seed: 2, epoch: 0 })).not.toEqual(await noisy.get(2, pass));
    expect((await noisy.get(3, pass))[0].data[0]! - 30).not.toBeCloseTo(alone[0]! - 20, 5);
  });
  test("maps upon maps draw different numbers", () => {
    const drawn: number[] = [];
    const note = (d: Dataset<[NdArray]>) => mapDataset(d, (sample: [NdArray], random) => (drawn.push(random.bits(0)), sample));
    void note(new Subset(note(new TensorDataset(x)), [1, 2])).get(0, pass);
    expect(new Set(drawn).size).toBe(2);
  });
  test("asynchronous sources", async () => {
    const slow: Dataset<[NdArray]> = { length: 2, get: async (i) => [ndarray(Float32Array.of(i))] };
    expect(await gather(mapDataset(slow, ([a]) => [a]), [1, 0], pass)).toEqual([{ data: Float32Array.of(1, 0), shape: [2, 1] }]);
  });
});

describe("trainTestSplit", () => {
  const n = 1000, labels = Int32Array.from({ length: n }, (_, i) => (i % 10 === 0 ? 1 : i % 3 === 0 ? 2 : 0));
  const data = new TensorDataset(ndarray(Int32Array.from({ length: n }, (_, i) => i)), ndarray(labels));

  test("every sample once, the same for the same seed", () => {
    const [train, test] = trainTestSplit(data, { testSize: 0.25, seed: 3 });
    expect([train.length, test.length]).toEqual([750, 250]);
    expect([...train.indices, ...test.indices].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    expect(trainTestSplit(data, { testSize: 0.25, seed: 3 })[1].indices).toEqual(test.indices);
    expect(trainTestSplit(data, { testSize: 250, seed: 4 })[1].indices).not.toEqual(test.indices);
    expect(train.get(0, pass)).toEqual(data.get(train.indices[0]!));
    const drift = test.indices.reduce((a, b) => a + b, 0) / 250 - (n - 1) / 2;
    expect(Math.abs(drift)).toBeLessThan((4 * n) / Math.sqrt(12 * 250)); // spread over the whole, not its head or tail
  });

  test("stratified: each class in the same proportion, to one sample", () => {
    const [, test] = trainTestSplit(data, { testSize: 0.2, seed: 1, stratify: labels });
    expect(test.length).toBe(200);
    for (const label of [0, 1, 2]) {
      const all = labels.filter((l) => l === label).length, taken = test.indices.filter((i) => labels[i] === label).length;
      expect(Math.abs(taken - all * 0.2)).toBeLessThan(1);
    }
  });

  test("edges", () => {
    expect(trainTestSplit(data, { testSize: 0 }).map((d) => d.length)).toEqual([1000, 0]);
    expect(trainTestSplit(data, { testSize: 1000 }).map((d) => d.length)).toEqual([0, 1000]);
    expect(() => trainTestSplit(data, { testSize: 1001 })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: trainTestSplit: testSize 1001 of 1000 samples]`);
    expect(() => trainTestSplit(data, { testSize: NaN })).toThrow("testSize NaN");
    expect(() => trainTestSplit(data, { stratify: [1] })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: trainTestSplit: 1 classes for 1000 samples]`);
  });
});
