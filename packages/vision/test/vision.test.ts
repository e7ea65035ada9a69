import { AlexNetFashion } from "@nn/vision";
import { Linear, MaxPool2d, crossEntropy } from "@nn/layers";
import { SGD } from "@nn/optim";
import { getEngine, noGrad, randn, tensor, trace, type Tensor } from "@nn/tensor";
import { describe, expect, it } from "vitest";

describe("AlexNetFashion", () => {
  it("has five convolutions, three dense layers and the shapes of its description", () => {
    const model = new AlexNetFashion();
    const names = [...model.stateDict().keys()].filter((n) => n.endsWith("weight"));
    expect(names).toEqual(["features.0.weight", "features.3.weight", "features.6.weight", "features.8.weight", "features.10.weight", "classifier.1.weight", "classifier.4.weight", "classifier.6.weight"]);
    expect(noGrad(() => model.call(randn([2, 1, 28, 28]))).shape).toEqual([2, 10]);
    // Weights 288 + 18,432 + 73,728 + 2 · 147,456 + 1152·512 + 512·256 + 2,560, biases 32 + 64 + 3 · 128 + 512 + 256 + 10.
    expect(model.parameterCount()).toBe(1_112_074);
  });

  it("halves the picture three times", () => {
    const sizes = noGrad(() => {
      let x: Tensor = randn([1, 1, 28, 28]);
      return [...new AlexNetFashion().features].flatMap((layer) => {
        x = (layer.call as (x: Tensor) => Tensor)(x);
        return layer instanceof MaxPool2d ? [x.shape.join()] : [];
      });
    });
    expect(sizes).toEqual(["1,32,13,13", "1,64,6,6", "1,128,3,3"]);
  });

  it("has the same dense layers whatever the switches", () => {
    for (const options of [{ lrn: true }, { overlapping: false }, { dropout: false }, { kernel: 5, activation: "tanh" as const, width: 8 }, { classes: 3, width: 16 }]) {
      const model = new AlexNetFashion(options);
      const { width = 32, classes = 10 } = { ...options };
      const dense = [...model.classifier].filter((layer) => layer instanceof Linear).map((layer) => layer.weight.shape);
      expect(dense).toEqual([[16 * width, 36 * width], [8 * width, 16 * width], [classes, 8 * width]]);
      expect(noGrad(() => model.call(randn([2, 1, 28, 28]))).shape).toEqual([2, classes]);
    }
  });

  it("refuses an even first filter", () => {
    expect(() => new AlexNetFashion({ kernel: 4 })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: AlexNetFashion: kernel is 4
        hint: an odd size, so that the padding keeps images at 28×28]
    `);
  });

  it("trains in flat memory", () => {
    const model = new AlexNetFashion();
    const optimizer = new SGD(model.parameters(), { lr: 1e-3 });
    const [x, y] = [randn([4, 1, 28, 28]), tensor(Int32Array.of(0, 1, 2, 3))];
    const used = Array.from({ length: 12 }, () => {
      crossEntropy(model.call(x), y).backward();
      optimizer.step();
      optimizer.zeroGrad();
      return getEngine().memory.inUse;
    });
    expect(new Set(used.slice(2)).size).toBe(1);
  });

  it("runs on compiled kernels only, forward and backward", () => {
    const model = new AlexNetFashion();
    const { kernels } = trace(() => model.call(randn([2, 1, 28, 28])).sum().backward());
    expect(kernels.filter((k) => !k.endsWith(getEngine().isa))).toEqual([]);
  });
});
