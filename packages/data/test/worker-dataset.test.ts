import { execFileSync } from "node:child_process";
import { DataLoader, type NdArray } from "@nn/data";
import { DataWorkerError, WorkerDataset, type WorkerDatasetOptions } from "@nn/data/node";
import { afterEach, describe, expect, test } from "vitest";
import { dataset, type Squares } from "./fixtures/squares.ts";

type Fields = [NdArray, NdArray];
const module = new URL("./fixtures/squares.ts", import.meta.url);
const opened: WorkerDataset<Fields>[] = [];
async function open(argument: Squares, options: WorkerDatasetOptions = {}): Promise<WorkerDataset<Fields>> {
  const made = await WorkerDataset.open<Fields>(module, { ...options, argument });
  opened.push(made);
  return made;
}
afterEach(() => opened.splice(0).forEach((made) => made.close()));

/** Squares, random numbers and thread of each sample of an epoch. */
async function epoch(samples: DataLoader<Fields>): Promise<{ square: number; random: number; thread: number }[]> {
  const seen = [];
  for await (const [x, y] of samples) {
    const [squares, rest] = [x.dataSync(), y.dataSync()];
    for (let i = 0; i < squares.length; i++) seen.push({ square: squares[i]!, random: rest[2 * i]!, thread: rest[2 * i + 1]! });
  }
  return seen;
}
const loaderOf = (samples: ConstructorParameters<typeof DataLoader<Fields>>[0]) => new DataLoader<Fields>(samples, { batchSize: 4, shuffle: true, seed: 5, prefetch: 3 });

describe("WorkerDataset", () => {
  test("gives what the module's dataset gives, whatever the number of threads, from all of them", async () => {
    const expected = await epoch(loaderOf(dataset({ length: 30 })));
    for (const workers of [1, 3]) {
      const loader = loaderOf(await open({ length: 30, slow: 2 }, { workers }));
      const seen = await epoch(loader);
      expect(seen.map(({ square, random }) => [square, random])).toEqual(expected.map(({ square, random }) => [square, random]));
      expect(new Set(seen.map(({ thread }) => thread)).size).toBe(workers);
      expect(seen.every(({ thread }) => thread > 0)).toBe(true);
      expect((await epoch(loader))[0]!.random).not.toBe(seen[0]!.random); // another epoch
    }
    const [x] = await opened[0]!.get(7, { seed: 0, epoch: 0 });
    expect([x.shape, [...x.data]]).toEqual([[1], [49]]);
  });

  test("samples that cannot be read end the loop, or are left out, counted and named", async () => {
    await expect(epoch(loaderOf(await open({ length: 9, corrupt: [4] })))).rejects.toThrow(DataWorkerError);
    const told: number[] = [];
    const skipping = await open({ length: 9, corrupt: [4, 6] }, { corrupt: "skip", onCorrupt: ({ index }) => told.push(index) });
    const loader = loaderOf(skipping);
    for (let e = 0; e < 2; e++) expect((await epoch(loader)).map(({ square }) => square).sort((a, b) => a - b)).toEqual([0, 1, 4, 9, 25, 49, 64]);
    expect(told.sort()).toEqual([4, 6]);
    expect(skipping.skipped.get(6)).toBe("6.png: cannot be decoded");
  });

  test("what goes wrong in a thread is told", async () => {
    await expect(open({ length: 9, fail: "no such folder" })).rejects.toThrow("a data worker failed: no such folder");
    await expect(WorkerDataset.open(new URL("./fixtures/none.ts", import.meta.url))).rejects.toThrow(DataWorkerError);
    await expect(WorkerDataset.open(new URL("./fixtures/empty.ts", import.meta.url))).rejects.toThrow("exports no function `dataset`");
    await expect(open({ length: 9 }, { workers: 0 })).rejects.toThrow("workers is 0");
    const leaving = await open({ length: 9, exit: 5 }, { workers: 1 });
    await expect(epoch(loaderOf(leaving))).rejects.toThrow("a data worker ended with code 3");
    await expect(leaving.gather([1], { seed: 0, epoch: 0 })).rejects.toThrow("ended with code 3");
    const closed = await open({ length: 9 });
    closed.close();
    await expect(closed.gather([1], { seed: 0, epoch: 0 })).rejects.toThrow("closed");
  });

  test("idle threads keep no program running", () => {
    const program = `import { WorkerDataset } from "@nn/data/node";
      const d = await WorkerDataset.open(new URL(${JSON.stringify(module.href)}), { argument: { length: 3, slow: 20 } });
      const [x] = await d.gather([2], { seed: 0, epoch: 0 });
      console.log(x.data[0]);`;
    const out = execFileSync(process.execPath, ["--conditions=@nn/source", "--input-type=module", "-e", program], { cwd: import.meta.dirname, timeout: 30_000, encoding: "utf8" });
    expect(out).toBe("4\n");
  });

  test("the loader counts what it waited for", async () => {
    const loader = new DataLoader<Fields>(await open({ length: 8, slow: 60 }, { workers: 1 }), { batchSize: 2, prefetch: 4 });
    let begin = performance.now();
    for await (const _ of loader) break; // the first batch is waited for
    expect(loader.waited).toBeGreaterThan(50);
    expect(loader.waited).toBeLessThanOrEqual(performance.now() - begin);
    const first = loader.waited;
    begin = performance.now();
    let step = 0;
    for await (const _ of loader) if (step++ === 0) await new Promise((resolve) => setTimeout(resolve, 1000)); // the others come meanwhile
    expect(loader.waited - first).toBeLessThan((performance.now() - begin) / 3);
  });
});
