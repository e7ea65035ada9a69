import { fashionMnistSubset } from "@nn/data/node";
import { AlexNetFashion } from "@nn/vision";
import { alexnetFashion } from "@nn/vision/node";
import { startRun } from "@nn/train";
import { Subset } from "@nn/data";
import { Random, getEngine, noGrad, randn, trace } from "@nn/tensor";
import { describe, expect, it } from "vitest";

describe("AlexNetFashion", () => {
  it("has five convolutions, three dense layers and the shapes of its description", () => {
    const model = new AlexNetFashion();
    const names = [...model.stateDict().keys()].filter((n) => n.endsWith("weight"));
    expect(names).toEqual(["features.0.weight", "features.3.weight", "features.6.weight", "features.8.weight", "features.10.weight", "classifier.1.weight", "classifier.4.weight", "classifier.6.weight"]);
    expect(noGrad(() => model.call(randn([2, 1, 28, 28]))).shape).toEqual([2, 10]);
  });

  it("runs on compiled kernels only, forward and backward", () => {
    const model = new AlexNetFashion();
    const { kernels } = trace(() => model.call(randn([2, 1, 28, 28])).sum().backward());
    expect(kernels.filter((k) => !k.endsWith(getEngine().isa))).toEqual([]);
  });
});

describe("the recipe", () => {
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
