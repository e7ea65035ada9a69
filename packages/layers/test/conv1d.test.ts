import { manualSeed, randn, trace, type Tensor } from "@nn/tensor";
import { Conv1d, Embedding, LocalResponseNorm, ReLU, Sequential } from "@nn/layers";
import { beforeEach, describe, expect, it } from "vitest";

beforeEach(() => manualSeed(1));

describe("Conv1d", () => {
  it("has PyTorch's names, shapes and options", () => {
    const conv = new Conv1d(4, 6, 3, { stride: 2, padding: "same", groups: 2 });
    expect([...conv.stateDict()].map(([name, t]) => `${name} [${t.shape.join(",")}]`)).toEqual(["weight [6,2,3]", "bias [6]"]);
    expect(conv.call(randn([2, 4, 9]) as Tensor).shape).toEqual([2, 6, 5]);
    expect(String(conv)).toBe("Conv1d(4, 6, kernelSize=3, stride=2, padding=same, groups=2)");
    expect(new Conv1d(4, 6, 3, { padding: [1, 0], dilation: 2, bias: false }).call(randn([2, 4, 9]) as Tensor).shape).toEqual([2, 6, 6]);
    expect(() => new Conv1d(3, 4, 3, { groups: 2 })).toThrow("groups");
  });

  it("fuses an activation behind it", () => {
    const conv = new Conv1d(3, 5, 2);
    const x = randn([2, 3, 7]) as Tensor;
    expect(new Sequential(conv, new ReLU()).call(x).toArray()).toEqual(conv.call(x).relu().toArray());
  });

  it("reads an embedding in place and adds up its few gradients behind a maximum over time", () => {
    const table = new Embedding(30, 32);
    const conv = new Conv1d(32, 48, 3);
    const ids = randn([16, 40], { seed: 2 }).abs().mul(9).cast("i32") as Tensor;
    const { kernels } = trace(() => {
      const x = table.call(ids).permute([0, 2, 1]); // [N, dim, L]
      conv.forwardActivated(x, "relu").max(2).sum().backward();
    });
    expect(kernels.filter((k) => k.startsWith("copy"))).toEqual([]);
    expect(kernels.map((k) => k.split("_")[0])).toEqual(expect.arrayContaining(["gatherRows", "conv2d", "reduce", "conv2dWeightGrad", "conv2dInputGrad", "scatterAddRows"]));
  });
});

describe("LocalResponseNorm", () => {
  it("divides by the neighbourhood, α per channel or in all as the paper has it", () => {
    const x = randn([2, 7, 3, 3], { seed: 3 }) as Tensor;
    const paper = new LocalResponseNorm(5, { alpha: 1, k: 2, form: "paper" }).call(x);
    const torch = new LocalResponseNorm(5, { alpha: 5, k: 2 }).call(x);
    expect(torch.toArray()).toEqual(paper.toArray());
    const [a, b, c] = [0, 9, 18].map((i) => x.dataSync()[i]!); // the first pixel of channels 0, 1, 2
    expect(paper.dataSync()[0]).toBeCloseTo(a! / (2 + a! ** 2 + b! ** 2 + c! ** 2) ** 0.75, 6);
    expect(String(new LocalResponseNorm(5, { k: 2 }))).toBe("LocalResponseNorm(5, k=2)");
  });

  it("runs its kernels both ways, and the reference for windows beyond theirs", () => {
    const x = randn([2, 7, 3, 3], { seed: 3 }).requireGrad() as Tensor;
    const names = (size: number) => trace(() => new LocalResponseNorm(size).call(x).sum().backward()).kernels.map((k) => k.split("_")[0]);
    expect(names(5)).toEqual(expect.arrayContaining(["localResponseNorm", "localResponseNormGrad"]));
    expect(names(257)).toEqual(expect.arrayContaining(["reference:localResponseNorm", "reference:localResponseNormGrad"]));
  });
});
