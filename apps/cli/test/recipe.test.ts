import { Subset } from "@nn/data";
import { fashionMnistSubset } from "@nn/data/node";
import { Random } from "@nn/tensor";
import { startRun } from "@nn/train";
import { describe, expect, it } from "vitest";
import { alexnetFashion } from "../src/recipes/alexnet-fashion.ts";

describe("alexnet-fashion", () => {
  it("learns from the bundled pictures", async () => {
    const data = await alexnetFashion.data(null);
    expect([data.train.length, data.test.length]).toEqual([10_000, 2_000]);
    const few = { ...data, train: new Subset(data.train, Array.from({ length: 640 }, (_, i) => i * 15)), test: new Subset(data.test, Array.from({ length: 200 }, (_, i) => i * 10)) };
    const run = startRun(alexnetFashion, few as never, { ...alexnetFashion.defaults, epochs: 4 });
    await run.trainer.fit();
    expect((await run.evaluate()).accuracy).toBeGreaterThan(0.6);
  });

  it("prepares a picture as the test set does", async () => {
    const { test } = await fashionMnistSubset();
    const data = await alexnetFashion.data(null);
    const [first] = await data.test.get(0, { seed: 0, epoch: 0 });
    expect(alexnetFashion.prepare({ data: test.images.data.slice(0, 784), shape: [1, 28, 28] }, new Random(0)).data).toEqual(first.data);
  });
});
