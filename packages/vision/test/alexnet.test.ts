import { alexnet, type AlexNetVariant } from "@nn/vision";
import { crossEntropy } from "@nn/layers";
import { summary } from "@nn/train";
import { getEngine, manualSeed, noGrad, randn, tensor, trace } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";

beforeEach(() => manualSeed(1));

describe("alexnet", () => {
  it.each<[AlexNetVariant, number]>([["krizhevsky2012", 60_965_224], ["one-tower", 62_378_344], ["torchvision", 61_100_840]])("%s has %i parameters", (variant, count) => {
    const model = alexnet({ variant });
    expect(model.parameterCount()).toBe(count);
    model.dispose();
  });

  it.each([224, 227] as const)("summary() of the paper's network for images of %i² is the paper's table", (size) => {
    const model = alexnet({ size });
    const s = summary(model, [1, 3, size, size]);
    expect(s.rows.map((r) => [r.layer.replace(/\(.*/, ""), r.output.slice(1).join("×"), r.parameters])).toEqual([
      ["Conv2d", "96×55×55", 34_944], ["ReLU", "96×55×55", 0], ["LocalResponseNorm", "96×55×55", 0], ["MaxPool2d", "96×27×27", 0],
      ["Conv2d", "256×27×27", 307_456], ["ReLU", "256×27×27", 0], ["LocalResponseNorm", "256×27×27", 0], ["MaxPool2d", "256×13×13", 0],
      ["Conv2d", "384×13×13", 885_120], ["ReLU", "384×13×13", 0],
      ["Conv2d", "384×13×13", 663_936], ["ReLU", "384×13×13", 0],
      ["Conv2d", "256×13×13", 442_624], ["ReLU", "256×13×13", 0], ["MaxPool2d", "256×6×6", 0],
      ["Linear", "4096", 37_752_832], ["ReLU", "4096", 0], ["Dropout", "4096", 0],
      ["Linear", "4096", 16_781_312], ["ReLU", "4096", 0], ["Dropout", "4096", 0],
      ["Linear", "1000", 4_097_000],
    ]); // prettier-ignore
    const macs = s.rows.filter((r) => r.parameters > 0).reduce((n, r) => n + r.flops / 2, 0);
    expect(macs / 1e6).toBeCloseTo(724.4, 1);
    expect(String(s)).toContain("Conv2d(96, 256, kernelSize=5, padding=2, groups=2)");
    expect(String(s)).toContain("60,965,224 parameters (232.6 MiB)");
    model.dispose();
  });

  it("has the names of torchvision's checkpoint", () => {
    const model = alexnet({ variant: "torchvision", width: 1 / 64 });
    const layers = ["features.0", "features.3", "features.6", "features.8", "features.10", "classifier.1", "classifier.4", "classifier.6"];
    expect([...model.stateDict().keys()]).toEqual(layers.flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]));
    expect(noGrad(() => model.eval().call(randn([1, 3, 256, 288]))).shape).toEqual([1, 1000]); // other sizes go through its adaptive pooling
  });

  it("starts as the paper says: weights N(0, 0.01²), biases 1 in conv2, 4, 5 and the hidden dense layers, else 0", () => {
    const model = alexnet({ width: 1 / 8 });
    const biases = [...model.namedParameters()].filter(([name]) => name.endsWith("bias")).map(([, p]) => [...new Set(p.dataSync())]);
    expect(biases).toEqual([[0], [1], [0], [1], [1], [1], [1], [0]]);
    for (const [name, p] of model.namedParameters()) {
      if (!name.endsWith("weight")) continue;
      const w = [...p.dataSync()], mean = w.reduce((a, b) => a + b, 0) / w.length;
      expect(Math.abs(mean)).toBeLessThan(5 * 0.01 / Math.sqrt(w.length));
      expect(Math.sqrt(w.reduce((a, b) => a + (b - mean) ** 2, 0) / w.length)).toBeCloseTo(0.01, 3);
    }
    expect([...alexnet({ width: 1 / 64, bias: 0.1 }).features][4]).toMatchObject({ bias: { size: 4 } });
  });

  it("dropout by the paper scales in evaluation, by default in training", () => {
    const [inverted, paper] = [alexnet({ width: 1 / 64, classes: 3 }), alexnet({ width: 1 / 64, classes: 3, dropout: { scaleAt: "evaluation" } })];
    paper.loadStateDict(inverted.stateDict());
    const h = randn([2, 4 * 36]);
    const out = (m: typeof paper) => noGrad(() => m.eval().classifier.call(h));
    const [a, b] = [out(inverted), out(paper)];
    expect([...a.dataSync()]).not.toEqual([...b.dataSync()]);
    // Halving the inputs of fc7 and fc8 by hand.
    const [w6, b6, w7, b7, w8, b8] = paper.classifier.parameters();
    const byHand = noGrad(() => h.matmul(w6!.t()).add(b6!).relu().mul(0.5).matmul(w7!.t()).add(b7!).relu().mul(0.5).matmul(w8!.t()).add(b8!));
    b.dataSync().forEach((v, i) => expect(v).toBeCloseTo(byHand.dataSync()[i]!, 6));
  });

  it("runs on compiled kernels only, forward and backward", () => {
    const model = alexnet({ width: 1 / 16, classes: 10 });
    const { kernels } = trace(() => crossEntropy(model.call(randn([2, 3, 224, 224])), tensor(Int32Array.of(0, 1))).backward());
    expect(kernels.filter((k) => !k.endsWith(getEngine().isa))).toEqual([]);
  });

  it("refuses what it is not", () => {
    expect(() => alexnet({ variant: "zfnet" as "torchvision" })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: alexnet: there is no variant "zfnet"
        hint: one of krizhevsky2012, one-tower, torchvision]
    `);
    expect(() => alexnet({ size: 256 as 224 })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: alexnet: size is 256
        hint: 224 (padded by 2) or 227]
    `);
    expect(() => alexnet({ width: 1 / 64 }).call(randn([1, 3, 128, 128]))).toThrow(/expected f32\[…,144\], got f32\[1,36\]/);
  });
});
