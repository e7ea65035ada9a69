import { Random } from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { ArrayDataset, DataLoader, bucketed, ndarray, padCollate, type NdArray } from "../src/index.ts";

/** Sequences of the given lengths, of their own number each, with a label and their length. */
const numbered = (lengths: readonly number[]) => new ArrayDataset(lengths.map((n, i) => [new Int32Array(n).fill(i + 1), i % 2, n] as const));
const random = new Random(3);
const lengths = Array.from({ length: 1003 }, (_, i) => 1 + Math.floor(60 * random.uniform(i) ** 2));
/** Steps of a batch that hold no sample. */
const wasted = (order: ArrayLike<number>, batchSize: number): number => {
  let sum = 0;
  for (let from = 0; from < order.length; from += batchSize) {
    const batch = Array.from(order).slice(from, from + batchSize).map((i) => lengths[i]!);
    sum += batch.length * Math.max(...batch) - batch.reduce((a, b) => a + b, 0);
  }
  return sum;
};
const pass = { seed: 7, epoch: 2 };

describe("bucketed", () => {
  test("visits every sample once; an order belongs to seed and epoch", () => {
    const sampler = bucketed(lengths);
    const order = sampler.order(pass, 32);
    expect([...order].sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
    expect(bucketed(lengths).order(pass, 32)).toEqual(order);
    for (const other of [{ seed: 8, epoch: 2 }, { seed: 7, epoch: 3 }]) expect(sampler.order(other, 32)).not.toEqual(order);
  });

  test("pads a small part of what shuffling pads, less with larger pools", () => {
    const shuffled = wasted(bucketed(lengths, { pool: 1 }).order(pass, 32), 32);
    const [twenty, all] = [wasted(bucketed(lengths).order(pass, 32), 32), wasted(bucketed(lengths, { pool: Infinity }).order(pass, 32), 32)];
    expect(twenty).toBeLessThan(shuffled / 5);
    expect(all).toBeLessThanOrEqual(twenty);
  });

  test("batches come in no order of length, and the short last one is of any lengths", () => {
    const order = bucketed(lengths, { pool: Infinity }).order(pass, 32);
    const means = Array.from({ length: 31 }, (_, b) => order.subarray(32 * b, 32 * b + 32).reduce((sum, i) => sum + lengths[i]!, 0) / 32);
    const rising = means.slice(1).filter((m, b) => m > means[b]!).length;
    expect(rising).toBeGreaterThan(8);
    expect(rising).toBeLessThan(22);
    const last = [...order.subarray(31 * 32)].map((i) => lengths[i]!);
    expect(last).toHaveLength(11);
    expect(Math.max(...last) - Math.min(...last)).toBeGreaterThan(20);
  });

  test("knows fewer samples than a batch, and none", () => {
    expect([...bucketed([5, 3]).order(pass, 4)].sort()).toEqual([0, 1]);
    expect([...bucketed([]).order(pass, 4)]).toEqual([]);
  });

  test.each([0, 1.5, NaN, -1])("refuses pools of %d batches", (pool) => {
    expect(() => bucketed([1], { pool })).toThrow(`bucketed: pool is ${pool}`);
  });
});

describe("padCollate", () => {
  test("pads to the longest of each batch; single numbers are stacked", async () => {
    const seen: unknown[] = [];
    for await (const batch of new DataLoader(numbered([2, 3, 0, 1]), { batchSize: 3, collate: padCollate() })) seen.push(batch.map((t) => t.toArray()));
    expect(seen).toEqual([
      [[[1, 1, 0], [2, 2, 2], [0, 0, 0]], [0, 1, 0], [2, 3, 0]],
      [[[4]], [1], [1]],
    ]);
  });

  test("fills each field with a value of its own; further dimensions are kept", () => {
    const sample = (n: number): { x: NdArray; y: NdArray } => ({ x: ndarray(new Float32Array(2 * n).fill(n), [n, 2]), y: ndarray(new Int32Array(n).fill(n)) });
    const { x, y } = padCollate({ value: { y: -100 } })([sample(1), sample(2)]);
    expect(x).toEqual(ndarray(Float32Array.of(1, 1, 0, 0, 2, 2, 2, 2), [2, 2, 2]));
    expect(y).toEqual(ndarray(Int32Array.of(1, -100, 2, 2), [2, 2]));
    expect(padCollate({ value: 9 })([[ndarray(Uint8Array.of(1))], [ndarray(new Uint8Array(2))]])[0]!.data).toEqual(Uint8Array.of(1, 9, 0, 0));
  });

  test("refuses samples that differ in more than their length", () => {
    const sample = (n: number, width: number): [NdArray] => [ndarray(new Float32Array(n * width), [n, width])];
    expect(() => padCollate()([sample(1, 2), sample(3, 4)])).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: collate: field '0' has samples of shape [3,2] and [3,4], which do not stack
        hint: crop or pad them to one size, or give the loader a \`collate\` of your own]
    `);
    expect(() => padCollate()([])).toThrow("there are no samples");
  });
});

test("bucketed and padded batches go on in mid-epoch with the very same batches", async () => {
  const data = numbered(lengths.slice(0, 100));
  const loaderOf = (seed: number) => new DataLoader(data, { batchSize: 8, seed, sampler: bucketed(lengths.slice(0, 100), { pool: 3 }), collate: padCollate() });
  const batches = async (loader: ReturnType<typeof loaderOf>, stop = Infinity): Promise<unknown[]> => {
    const seen: unknown[] = [];
    for await (const [x, , n] of loader) if (seen.push([x.toArray(), n.toArray()]) >= stop) break;
    return seen;
  };
  const all = await batches(loaderOf(5));
  expect(all).toHaveLength(13);
  const first = loaderOf(5), second = loaderOf(6);
  await batches(first, 4);
  second.load(first.state());
  expect(await batches(second)).toEqual(all.slice(4));
});
