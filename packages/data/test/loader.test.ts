import { currentScope, getEngine, keep, manualSeed, scope, ScopeError, tensor, type Tensor } from "@nn/tensor";
import { afterEach, describe, expect, test } from "vitest";
import { DataLoader, mapDataset, ndarray, TensorDataset, type Dataset, type LoaderOptions, type NdArray } from "../src/index.ts";

type Numbers = [NdArray];
const numbers = (n: number) => new TensorDataset(ndarray(Int32Array.from({ length: n }, (_, i) => i)));
const make = (n: number, options: LoaderOptions<Numbers> = {}) => new DataLoader<Numbers>(numbers(n), { seed: 1, ...options });
const values = (t: Tensor) => t.toArray() as number[];

async function batches(loader: DataLoader<Numbers>, stopAfter = Infinity): Promise<number[][]> {
  const seen: number[][] = [];
  for await (const [x] of loader) if (seen.push(values(x)) >= stopAfter) break;
  return seen;
}

afterEach(() => {
  expect(currentScope()).toBeNull(); // whatever happened in a test, no scope is left open
  manualSeed(0);
});

describe("batches", () => {
  test("in order, with a short last one", async () => {
    expect(await batches(make(7, { batchSize: 3 }))).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    expect(await batches(make(7, { batchSize: 3, dropLast: true }))).toEqual([[0, 1, 2], [3, 4, 5]]);
    expect([make(7, { batchSize: 3 }).length, make(7, { batchSize: 3, dropLast: true }).length]).toEqual([3, 2]);
    expect(await batches(make(0))).toEqual([]);
  });

  test("shuffled: every sample once, another order in each epoch, the same orders for the same seed", async () => {
    const loader = make(50, { batchSize: 8, shuffle: true }), again = make(50, { batchSize: 16, shuffle: true });
    const epochs = [(await batches(loader)).flat(), (await batches(loader)).flat()];
    for (const epoch of epochs) expect([...epoch].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect([(await batches(again)).flat(), (await batches(again)).flat()]).toEqual(epochs);
    expect((await batches(make(50, { shuffle: true, seed: 2 }))).flat()).not.toEqual(epochs[0]);
  });

  test("manualSeed fixes the order of loaders without a seed", async () => {
    const orders = [];
    for (const seed of [5, 5, 6]) {
      manualSeed(seed);
      orders.push((await batches(new DataLoader<Numbers>(numbers(20), { shuffle: true }))).flat());
    }
    expect(orders[0]).toEqual(orders[1]);
    expect(orders[0]).not.toEqual(orders[2]);
  });

  test("records give records of tensors; dtypes are kept", async () => {
    const source: Dataset<{ x: NdArray; y: NdArray }> = { length: 2, get: (i) => ({ x: ndarray(Uint8Array.of(i)), y: { data: Float64Array.of(i / 2), shape: [] } }) };
    for await (const { x, y } of new DataLoader(source)) {
      expect([x.dtype, x.shape, y.dtype, y.shape, y.toArray()]).toEqual(["u8", [2, 1], "f64", [2], [0, 0.5]]);
    }
  });

  test("a sampler and a collate of one's own", async () => {
    const even = { length: 3, order: () => Int32Array.of(4, 2, 0) };
    const collate = (samples: Numbers[]): Numbers => [ndarray(Int32Array.of(samples.length))];
    expect(await batches(make(5, { sampler: even, batchSize: 2 }))).toEqual([[4, 2], [0]]);
    expect(await batches(make(5, { sampler: even, batchSize: 2, collate }))).toEqual([[2], [1]]);
  });

  test.each([0, 1, 5])("prefetch %i: at most that many batches ahead, the same results", async (prefetch) => {
    let asked = 0, most = 0, given = 0;
    const slow: Dataset<Numbers> = {
      length: 20,
      get: async (i) => {
        asked++;
        await new Promise((resolve) => setTimeout(resolve, 1));
        return [ndarray(Int32Array.of(i))];
      },
    };
    const seen: number[] = [];
    for await (const [x] of new DataLoader(slow, { batchSize: 2, prefetch })) {
      given++;
      most = Math.max(most, asked / 2 - given);
      seen.push(...(x.toArray() as number[][]).flat());
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(most).toBeLessThanOrEqual(prefetch + 1);
  });

  test("refuses bad options", () => {
    expect(() => make(3, { batchSize: 0 })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: DataLoader: batchSize: expected an integer from 1, got 0]`);
    expect(() => make(3, { prefetch: -1 })).toThrow("prefetch");
    expect(() => make(3, { seed: -1 })).toThrow("seed");
  });
});

describe("resuming", () => {
  const augmented = () => mapDataset(numbers(23), ([x], random) => [{ data: Int32Array.of(x.data[0]! * 1000 + random.int(0, 1000)), shape: [] as number[] }]);
  const loaderOf = (seed: number) => new DataLoader<Numbers>(augmented(), { batchSize: 5, shuffle: true, seed });

  test("from any batch of any epoch, the rest is the same to the bit", async () => {
    const straight = loaderOf(9);
    const all = [await batches(straight), await batches(straight), await batches(straight)];
    for (let epoch = 0; epoch < 2; epoch++) {
      for (let stop = 1; stop <= 5; stop++) {
        const first = loaderOf(9);
        for (let e = 0; e < epoch; e++) await batches(first);
        await batches(first, stop);
        const state = JSON.parse(JSON.stringify(first.state())) as ReturnType<typeof first.state>;
        expect(state).toMatchObject({ epoch, batch: stop });
        const second = loaderOf(1234); // the seed comes with the state
        second.load(state);
        expect(await batches(second)).toEqual(all[epoch]!.slice(stop));
        expect(await batches(second)).toEqual(all[epoch + 1]);
      }
    }
  });

  test("a finished epoch leads to the next one; so does one that was left", async () => {
    const loader = make(6, { batchSize: 2 });
    expect(loader.state()).toEqual({ seed: 1, epoch: 0, batch: 0, batchSize: 2, samples: 6 });
    await batches(loader);
    expect(loader.state()).toMatchObject({ epoch: 1, batch: 0 });
    await batches(loader, 1);
    expect(loader.state()).toMatchObject({ epoch: 1, batch: 1 });
    expect(await batches(loader)).toHaveLength(3);
    expect(loader.state()).toMatchObject({ epoch: 3, batch: 0 });
  });

  test("a state of other data is refused", () => {
    const loader = make(6, { batchSize: 2, name: "train" }), good = loader.state();
    expect(() => loader.load({ ...good, samples: 7 })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: DataLoader 'train': the saved position is of 7 samples in batches of 2, this loader has 6 in batches of 2]`);
    expect(() => loader.load({ ...good, batch: 4 })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: DataLoader 'train': the saved position is batch 4 of 3]`);
    expect(() => loader.load({ ...good, epoch: -1 })).toThrow("epoch");
    expect(() => loader.load({ ...good, seed: NaN })).toThrow("seed");
    expect(loader.state()).toEqual(good);
  });
});

describe("scopes", () => {
  test("what the body makes ends with it; keep moves it out; scope: false leaves it alone", async () => {
    const made: Tensor[] = [], kept: Tensor[] = [];
    for await (const [x] of make(4, { batchSize: 2 })) {
      expect(made.every((t) => t.released)).toBe(true);
      made.push(x, tensor([1]));
      kept.push(keep(tensor([2])));
    }
    expect(made.map((t) => t.released)).toEqual([true, true, true, true]);
    expect(kept.map((t) => t.released)).toEqual([false, false]);
    const free: Tensor[] = [];
    for await (const [x] of make(4, { batchSize: 2, scope: false })) free.push(x);
    expect(free.map((t) => t.released)).toEqual([false, false]);
    for (const t of [...kept, ...free]) t.dispose();
  });

  test("break, throw and return end the body's tensors", async () => {
    const made: Tensor[] = [];
    for await (const [x] of make(4, { batchSize: 2 })) {
      made.push(x);
      break;
    }
    const failing = async () => {
      for await (const [x] of make(4, { batchSize: 2 })) {
        made.push(x);
        throw new Error("in the body");
      }
    };
    await expect(failing()).rejects.toThrow("in the body");
    const loop = make(4, { batchSize: 2 })[Symbol.asyncIterator]();
    made.push((await loop.next()).value![0]);
    await loop.return!();
    expect(await loop.next()).toEqual({ done: true, value: undefined });
    expect(made.map((t) => t.released)).toEqual([true, true, true]);
  });

  test("memory is flat over 1,000 bodies, also when every tenth loop is left by an error", async () => {
    const loader = make(100, { batchSize: 10 });
    const epoch = async (fail: boolean) => {
      for await (const [x] of loader) {
        tensor([1, 2, 3]);
        if (fail && values(x)[0] === 50) throw new Error("left");
      }
    };
    await epoch(false);
    const before = getEngine().memory;
    for (let i = 0; i < 100; i++) await epoch(i % 10 === 9).catch(() => {});
    const after = getEngine().memory;
    expect([after.inUse, after.arenas]).toEqual([before.inUse, before.arenas]);
  });

  test("loops nest", async () => {
    const pairs: number[][] = [];
    for await (const [a] of make(2, { batchSize: 1 })) {
      for await (const [b] of make(2, { batchSize: 1 })) {
        pairs.push([...values(a), ...values(b)]);
        if (pairs.length === 1) break;
      }
      expect(a.released).toBe(false);
    }
    expect(pairs).toEqual([[0, 0], [1, 0], [1, 1]]);
  });

  test("interleaved loops are an error that names both", async () => {
    const a = make(4, { batchSize: 1, name: "a" })[Symbol.asyncIterator](), b = make(4, { batchSize: 1, name: "b" })[Symbol.asyncIterator]();
    await a.next();
    await b.next();
    const error = await a.next().then(() => undefined, (e: unknown) => e);
    expect(error).toBeInstanceOf(ScopeError);
    expect((error as Error).message).toMatch(/DataLoader 'a' .*DataLoader 'b'/s);
    await expect(b.next()).rejects.toThrow(ScopeError);
  });

  test("with scope: false on one of them they may interleave", async () => {
    const a = make(2, { batchSize: 1 })[Symbol.asyncIterator](), b = make(2, { batchSize: 1, scope: false })[Symbol.asyncIterator]();
    for (let i = 0; i < 2; i++) expect(values((await a.next()).value![0])).toEqual(values((await b.next()).value![0]));
    expect([(await a.next()).done, (await b.next()).done]).toEqual([true, true]);
  });

  test("a loop abandoned without return: an enclosing loop says so, an enclosing scope cleans up", async () => {
    const outer = async () => {
      for await (const _ of make(3, { batchSize: 1, name: "outer" })) await make(3, { name: "forgotten" })[Symbol.asyncIterator]().next();
    };
    await expect(outer()).rejects.toThrow(/DataLoader 'outer' .*DataLoader 'forgotten'/s);

    const loop = make(3, { name: "forgotten" })[Symbol.asyncIterator]();
    const first = await loop.next(); // opened here …
    const inner = currentScope();
    expect(inner?.name).toBe("the loop over DataLoader 'forgotten'");
    await loop.return!();
    expect(first.value![0].released).toBe(true);
    expect(scope(() => 1)).toBe(1);
  });

  test("a dataset that fails reports it when the batch is due, and closes the loop", async () => {
    const broken: Dataset<Numbers> = {
      length: 4,
      get: async (i) => {
        if (i === 2) throw new Error("sample 2 is unreadable");
        return [ndarray(Int32Array.of(i))];
      },
    };
    const seen: number[] = [];
    const run = async () => {
      for await (const [x] of new DataLoader(broken, { batchSize: 1, prefetch: 3 })) seen.push(...(x.toArray() as number[][]).flat());
    };
    await expect(run()).rejects.toThrow("sample 2 is unreadable");
    expect(seen).toEqual([0, 1]);
    for await (const _ of new DataLoader(broken, { batchSize: 1, prefetch: 3 })) break; // a failure ahead that nobody waits for stays silent
  });

  test("next() must wait for the batch before", async () => {
    const loop = make(4, { batchSize: 2 })[Symbol.asyncIterator]();
    const first = loop.next();
    await expect(loop.next()).rejects.toThrow("next() was called again before the batch had arrived");
    await first;
    await loop.return!();
  });
});
