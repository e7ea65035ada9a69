import { AlexNetSmall, MeanImage, averageCrops } from "@nn/vision";
import { Flatten, Linear, Sequential, crossEntropy } from "@nn/layers";
import { getEngine, manualSeed, noGrad, randn, tensor, trace } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";

beforeEach(() => manualSeed(1));

describe("AlexNetSmall", () => {
  it.each([[32, 3], [56, 6], [64, 7]])("reads pictures of %i², leaving %i²", (size, side) => {
    const model = new AlexNetSmall({ classes: 5, size });
    expect(noGrad(() => model.call(randn([2, 3, size, size]))).shape).toEqual([2, 5]);
    expect(model.parameterCount()).toBe(4_864 + 55_392 + 110_720 + 147_584 + 512 * (128 * side ** 2 + 1) + 5 * 513);
  });

  it("runs on compiled kernels only, forward and backward", () => {
    const { kernels } = trace(() => crossEntropy(new AlexNetSmall({ size: 32 }).call(randn([2, 3, 32, 32])), tensor(Int32Array.of(0, 1))).backward());
    expect(kernels.filter((k) => !k.endsWith(getEngine().isa))).toEqual([]);
  });

  it("refuses pictures without a pixel left", () => {
    expect(() => new AlexNetSmall({ size: 14 })).toThrow("size is 14");
    expect(noGrad(() => new AlexNetSmall({ size: 15 }).call(randn([1, 3, 15, 15]))).shape).toEqual([1, 10]);
  });
});

describe("MeanImage", () => {
  const net = () => new Sequential(new Flatten(), new Linear(12, 2));

  it("subtracts its mean, scales, and is saved with it", () => {
    const mean = randn([3, 2, 2]), x = randn([4, 3, 2, 2]);
    const model = new MeanImage(net(), [3, 2, 2], { mean: mean.dataSync() as Float32Array, scale: 0.5 });
    const expected = noGrad(() => model.net.call(x.sub(mean).mul(0.5)));
    expect([...noGrad(() => model.call(x)).dataSync()]).toEqual([...expected.dataSync()]);
    expect([...model.stateDict().keys()].sort()).toEqual(["mean", "net.1.bias", "net.1.weight"]);
    expect(model.parameterCount()).toBe(26); // the mean is not trained
    const other = new MeanImage(net(), [3, 2, 2], { scale: 0.5 });
    other.loadStateDict(model.stateDict());
    expect([...noGrad(() => other.call(x)).dataSync()]).toEqual([...expected.dataSync()]);
  });
});

describe("averageCrops", () => {
  it("is the log of the mean of the crops' softmax", () => {
    const model = new Sequential(new Flatten(), new Linear(12, 3)), crops = randn([2, 10, 3, 2, 2]);
    const scores = averageCrops(model, crops);
    for (let i = 0; i < 2; i++) {
      const each = Array.from({ length: 10 }, (_, k) => noGrad(() => model.call(crops.at(i).at(k).unsqueeze(0)).softmax(1)).dataSync());
      for (let c = 0; c < 3; c++) expect(Math.exp(scores.at(i).at(c).item())).toBeCloseTo(each.reduce((sum, p) => sum + p[c]!, 0) / 10, 6);
    }
    expect(() => averageCrops(model, randn([2, 3, 2, 2]))).toThrow("expected crops [N,K,C,h,w], got [2,3,2,2]");
  });
});
