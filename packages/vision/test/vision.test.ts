import { AlexNetFashion } from "@nn/vision";
import { getEngine, noGrad, randn, trace } from "@nn/tensor";
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
