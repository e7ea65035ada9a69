import { Subset } from "@nn/data";
import { fashionMnistSubset } from "@nn/data/node";
import { Random, tensor } from "@nn/tensor";
import { startRun } from "@nn/train";
import { describe, expect, it } from "vitest";
import { alexnetFashion } from "../src/recipes/alexnet-fashion.ts";
import { lenet5Fashion, mlpFashion, sigmoidSquares, softmaxFashion } from "../src/recipes/classics-fashion.ts";

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

describe("the classics", () => {
  it.each([[softmaxFashion, 0.6], [mlpFashion, 0.6], [lenet5Fashion, 0.5]] as const)("$name learns from a few hundred pictures", async (recipe, least) => {
    const data = await recipe.data(null);
    const few = { ...data, train: new Subset(data.train, Array.from({ length: 640 }, (_, i) => i * 15)), test: new Subset(data.test, Array.from({ length: 200 }, (_, i) => i * 10)) };
    const run = startRun(recipe, few, { ...recipe.defaults, epochs: 3 });
    await run.trainer.fit();
    const { accuracy, loss } = await run.evaluate();
    expect(accuracy).toBeGreaterThan(least);
    expect(loss).toBeLessThan(run.trainer.history[0]!.loss);
    expect(recipe.published!.length).toBeGreaterThan(0);
  });

  it("compares sigmoids with targets of 0.9 and 0.1", () => {
    // ½((0.9 − ½)² + (0.1 − ½)²) for each sample
    expect(sigmoidSquares(tensor([[0, 0], [0, 0]]), tensor(Int32Array.of(0, 1))).item()).toBeCloseTo(0.16, 6);
    const reached = Math.log(9); // σ(±log 9) = 0.9, 0.1
    expect(sigmoidSquares(tensor([[-reached, reached]]), tensor(Int32Array.of(1))).item()).toBeCloseTo(0, 6);
  });
});
