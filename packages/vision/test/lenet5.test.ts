import { LeNet5 } from "@nn/vision";
import { crossEntropy } from "@nn/layers";
import { Adam } from "@nn/optim";
import { avgPool2d, conv2d, getEngine, manualSeed, maxPool2d, noGrad, randn, tensor, trace, type Tensor } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";

beforeEach(() => manualSeed(1));

describe("LeNet5", () => {
  it("has the layers and parameters of the paper's shape", () => {
    const model = new LeNet5();
    expect([...model.stateDict()].map(([name, t]) => `${name} ${t.shape.join("×")}`)).toEqual([
      "features.0.weight 6×1×5×5", "features.0.bias 6", "features.3.weight 16×6×5×5", "features.3.bias 16",
      "classifier.0.weight 120×400", "classifier.0.bias 120", "classifier.2.weight 84×120", "classifier.2.bias 84", "classifier.4.weight 10×84", "classifier.4.bias 10",
    ]);
    expect(model.parameterCount()).toBe(156 + 2416 + 48_120 + 10_164 + 850);
  });

  it.each([["tanh", "avg", 28], ["relu", "max", 28], ["sigmoid", "avg", 32]] as const)("%s with %s pooling of %i² images computes what is written in the paper", (activation, pool, size) => {
    const model = new LeNet5({ activation, pool, size });
    const x: Tensor = randn([2, 1, size, size]);
    const [w1, b1, w2, b2, w3, b3, w4, b4, w5, b5] = model.parameters() as Tensor[];
    const act = (v: Tensor): Tensor => v[activation]();
    const half = (v: Tensor): Tensor => (pool === "avg" ? avgPool2d(v, 2) : maxPool2d(v, 2));
    const [got, expected] = noGrad(() => {
      let h = half(act(conv2d(x, w1!, { bias: b1!, padding: size === 28 ? 2 : 0 }))); // [2,6,14,14]
      h = half(act(conv2d(h, w2!, { bias: b2! }))).flatten(1); // [2,400]
      h = act(h.matmul(w3!.t()).add(b3!));
      h = act(h.matmul(w4!.t()).add(b4!));
      return [model.call(x), h.matmul(w5!.t()).add(b5!)];
    });
    expect(got.shape).toEqual([2, 10]);
    got.dataSync().forEach((v, i) => expect(v).toBeCloseTo(expected.dataSync()[i]!, 5));
  });

  it("learns twenty random pictures by heart, in flat memory, on compiled kernels", () => {
    const model = new LeNet5({ activation: "relu", pool: "max" });
    const x = randn([20, 1, 28, 28]), target = tensor(Int32Array.from({ length: 20 }, (_, i) => i % 10));
    const optimizer = new Adam(model.parameters(), { lr: 2e-3 });
    const used: number[] = [];
    let loss = Infinity;
    const step = (): void => {
      optimizer.zeroGrad();
      const l = crossEntropy(model.call(x), target);
      l.backward();
      optimizer.step();
      loss = l.item();
      used.push(getEngine().memory.inUse);
    };
    const { kernels } = trace(() => model.call(x).sum().backward());
    expect(kernels.filter((k) => !k.endsWith(getEngine().isa))).toEqual([]);
    for (let k = 0; k < 80; k++) step();
    expect(loss).toBeLessThan(0.05);
    expect(new Set(used.slice(3)).size).toBe(1);
  });

  it("refuses images of another size", () => {
    expect(() => new LeNet5({ size: 27 as 28 })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: LeNet5: size is 27
        hint: 28 or 32: other images need other dense layers]
    `);
    expect(() => new LeNet5().call(randn([1, 1, 32, 32]))).toThrow(/expected f32\[…,400\], got f32\[1,576\]/);
  });
});
