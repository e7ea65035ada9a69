import { describe, expect, it } from "vitest";

interface Answer {
  threads: number;
  why: string[];
  losses: number[];
  weights: Float32Array;
  error?: string;
}

function inWorker(threads: number): Promise<Answer> {
  const worker = new Worker(new URL("./threads.worker.ts", import.meta.url), { type: "module" });
  return new Promise<Answer>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Answer>) => (data.error === undefined ? resolve(data) : reject(new Error(data.error)));
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(threads);
  }).finally(() => worker.terminate());
}

const isolated = globalThis.crossOriginIsolated;

describe(`training in a worker of a page that is ${isolated ? "" : "not "}cross-origin isolated`, () => {
  it("uses the threads it is asked for, or says why it does not", async () => {
    const { threads, why, losses } = await inWorker(2);
    expect(threads).toBe(isolated ? 2 : 1);
    if (!isolated) expect(why.join()).toMatch(/not cross-origin isolated/);
    expect(losses.at(-1)!).toBeLessThan(losses[0]!);
  });

  it("gives the same bits for any number of threads", async () => {
    const [one, two, three] = [await inWorker(1), await inWorker(2), await inWorker(3)];
    expect(two.weights).toEqual(one.weights);
    expect(three.weights).toEqual(one.weights);
  });
});
