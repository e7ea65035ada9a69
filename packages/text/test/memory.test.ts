import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createJobEngine } from "@nn/kernels/jobs";
import { corpusOf, trainFastText } from "@nn/text";
import { expect, it } from "vitest";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

// 50,000 words of 100 numbers: about 20 MB a model.
const text = Array.from({ length: 5000 }, (_, i) => `__label__${i % 4} ${Array.from({ length: 10 }, (_, k) => `w${10 * i + k}`).join(" ")}\n`).join("");

it.for(["native", "wasm"] as const)("models that nobody holds any more are collected, threads and all (%s)", { timeout: 60_000 }, async (kind, context) => {
  const settle = async (): Promise<number> => {
    for (let i = 0; i < 3; i++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 30)); // for threads to end
    }
    return process.memoryUsage().rss;
  };
  const train = (times: number): void => {
    for (let i = 0; i < times; i++) trainFastText(corpusOf(text), { dim: 100, epoch: 1, kind, threads: 2 });
  };
  try {
    createJobEngine({ kind }).endThreads();
  } catch (error) {
    context.skip((error as Error).message);
  }
  train(4);
  const before = await settle();
  for (let i = 0; i < 4; i++) {
    train(4);
    await settle();
  }
  expect(await settle()).toBeLessThan(before + 100e6); // 16 models are 330 MB
});
