import { BatchNorm1d, BatchNorm2d, GroupNorm, InstanceNorm } from "@nn/layers";
import { gradcheck, gradgradcheck } from "@nn/autograd";
import { batchNorm, getEngine, randn, scope, tensor, trace, type Tensor } from "@nn/tensor";
import { describe, expect, it } from "vitest";

const numbers = (t: Tensor): number[] => [...t.dataSync()].map((v) => +v.toFixed(5));

describe("batch norm", () => {
  it("normalises by the batch in training and follows it with running statistics", () => {
    const layer = new BatchNorm1d(2);
    const x = tensor([[1, 10], [3, 30]]);
    const y = [...layer.call(x).dataSync()];
    [-1, -1, 1, 1].forEach((v, i) => expect(y[i]).toBeCloseTo(v, 4)); // not quite: eps
    // mean 2 and 20; unbiased variance 2 and 200; a tenth of each.
    expect(numbers(layer.running_mean!)).toEqual([0.2, 2]);
    expect(numbers(layer.running_var!)).toEqual([1.1, 20.9]);
    expect(layer.num_batches_tracked!.item()).toBe(1);
  });

  it("normalises by the running statistics in evaluation, which leaves them alone", () => {
    const layer = new BatchNorm2d(3);
    layer.running_mean!.write([1, 2, 3]);
    layer.running_var!.write([4, 4, 4]);
    layer.eval();
    const x = tensor(Array.from({ length: 12 }, (_, i) => i)).reshape([1, 3, 2, 2]);
    expect(numbers(layer.call(x) as Tensor).slice(0, 5)).toEqual([-0.5, 0, 0.5, 1, 1]);
    expect(layer.num_batches_tracked!.item()).toBe(0);
  });

  it("averages all batches alike where momentum is null", () => {
    const layer = new BatchNorm1d(1, { momentum: null });
    for (const mean of [1, 2, 6]) layer.call(tensor([[mean - 1], [mean + 1]]));
    expect(layer.running_mean!.item()).toBeCloseTo(3, 5);
    expect(layer.running_var!.item()).toBeCloseTo(2, 5);
  });

  it("has PyTorch's names, and none it does not need", () => {
    expect([...new BatchNorm2d(4).stateDict().keys()]).toEqual(["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]);
    expect([...new BatchNorm2d(4, { affine: false, trackRunningStats: false }).stateDict().keys()]).toEqual([]);
    expect(String(new BatchNorm2d(4, { affine: false }))).toBe("BatchNorm2d(4, eps=0.00001, momentum=0.1, affine=false)");
  });

  it("says what is wrong with its input", () => {
    expect(() => new BatchNorm2d(3).call(randn([2, 3]))).toThrow("BatchNorm2d: needs [N, C, H, W], got [2,3]");
    expect(() => new BatchNorm1d(3).call(randn([1, 3]))).toThrow(/one value per channel in \[1,3\] has no variance.*eval/s);
    expect(() => new BatchNorm1d(3).call(randn([2, 4]))).toThrow("BatchNorm1d: expected 3 channels, got [2,4]");
  });

  it("takes two kernels each way, leaves channels-last images as they lie, and nothing behind", () => {
    const layer = new BatchNorm2d(64);
    const x = randn([3, 4, 4, 64], { seed: 1 }).permute([0, 3, 1, 2]).requireGrad() as Tensor;
    const { result, kernels } = trace(() => layer.call(x) as Tensor);
    expect(kernels.filter((k) => /^(reduce|channel)/.test(k)).map((k) => k.split("_")[0])).toEqual(["reduce", "channelSums", "channelScale"]);
    expect(result.permute([0, 2, 3, 1]).strides).toEqual([1024, 256, 64, 1]);
    const step = (): number => {
      layer.zeroGrad();
      x.grad?.dispose();
      x.grad = null;
      scope(() => (layer.call(x) as Tensor).square().sum().backward());
      return getEngine().memory.inUse;
    };
    expect(new Set(Array.from({ length: 8 }, step).slice(2)).size).toBe(1);
  });

  it("an empty batch gives an empty result and leaves the running statistics alone", () => {
    const layer = new BatchNorm1d(3);
    expect(layer.call(randn([0, 3])).shape).toEqual([0, 3]);
    expect(numbers(layer.running_var!)).toEqual([1, 1, 1]);
  });

  it("keeps its digits where the mean is large beside the spread", () => {
    const x = tensor([1e4, 1e4 + 1, 1e4 + 2, 1e4 + 3], { shape: [4, 1] }) as Tensor;
    [-1.3416, -0.4472, 0.4472, 1.3416].forEach((v, i) => expect(batchNorm(x).dataSync()[i]).toBeCloseTo(v, 4));
  });

  it("has gradients to second order, through the statistics of the batch", () => {
    const drawn = (shape: number[], seed: number): Tensor => randn(shape, { seed }).cast("f64");
    const [x, weight, bias] = [drawn([5, 3, 2], 1), drawn([3], 2), drawn([3], 3)];
    const f = (a: Tensor, w: Tensor, b: Tensor): Tensor => batchNorm(a, { weight: w, bias: b });
    gradcheck(f, [x, weight, bias]);
    gradgradcheck(f, [x, weight, bias]);
  });
});

it("group norm and instance norm do not see the batch: a sample gives what it gives alone", () => {
  const x = randn([3, 4, 5], { seed: 4 });
  for (const layer of [new GroupNorm(2, 4), new InstanceNorm(4)]) {
    const together = layer.call(x) as Tensor;
    const alone = layer.call(x.slice(0, 1, 2) as Tensor) as Tensor;
    expect(numbers(together.slice(0, 1, 2))).toEqual(numbers(alone));
  }
  expect(() => new GroupNorm(3, 4)).toThrow("4 channels do not divide into 3 groups");
  expect([String(new GroupNorm(2, 4)), String(new InstanceNorm(4))]).toEqual(["GroupNorm(2, 4, eps=0.00001)", "InstanceNorm(eps=0.00001)"]);
});
