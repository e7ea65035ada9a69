import { gradcheck, gradgradcheck } from "@nn/autograd";
import { conv2d, convTranspose2d, manualSeed, randn, trace, type Tensor } from "@nn/tensor";
import { ConvTranspose2d, ReLU, Sequential } from "@nn/layers";
import { ConvTranspose1d } from "@nn/layers/sequence";
import { beforeEach, describe, expect, it, test } from "vitest";

beforeEach(() => manualSeed(1));
const f64 = (shape: number[], seed: number): Tensor => randn(shape, { seed, dtype: "f64" });

describe("transposed convolutions", () => {
  it("have PyTorch's names, shapes, start values and options", () => {
    const layer = new ConvTranspose2d(4, 6, [3, 2], { stride: 2, padding: [1, 0], outputPadding: 1, groups: 2 });
    expect([...layer.stateDict()].map(([name, t]) => `${name} [${t.shape.join(",")}]`)).toEqual(["weight [4,3,3,2]", "bias [6]"]);
    expect(layer.call(randn([2, 4, 5, 7])).shape).toEqual([2, 6, 10, 15]);
    expect(String(layer)).toBe("ConvTranspose2d(4, 6, kernelSize=[3,2], stride=2, padding=[1,0], outputPadding=1, groups=2)");
    const flat = new ConvTranspose1d(4, 6, 3, { dilation: 2, bias: false });
    expect([...flat.stateDict()].map(([name, t]) => `${name} [${t.shape.join(",")}]`)).toEqual(["weight [4,6,3]"]);
    expect(flat.call(randn([2, 4, 5])).shape).toEqual([2, 6, 9]);
    expect(String(flat)).toBe("ConvTranspose1d(4, 6, kernelSize=3, dilation=2)");
    const largest = (p: Tensor): number => p.abs().max().item();
    const wide = new ConvTranspose2d(64, 100, 3);
    for (const p of [wide.weight, wide.bias!]) { // PyTorch's fan-in: output channels times the window
      expect(largest(p)).toBeLessThanOrEqual(1 / 30);
      expect(largest(p)).toBeGreaterThan(0.95 / 30);
    }
  });

  it("say what is wrong", () => {
    expect(() => new ConvTranspose2d(3, 4, 3, { groups: 2 })).toThrow("3 → 4 channels do not divide into 2 groups");
    expect(() => new ConvTranspose2d(3, 4, 3, { stride: 2, outputPadding: 2 }).call(randn([1, 3, 4, 4]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: convTranspose2d: outputPadding 2 is not less than stride 2
        hint: pad the result for more rows or columns]
    `);
    expect(() => new ConvTranspose1d(3, 4, 3).call(randn([3, 4]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: ConvTranspose1d: input must be [N,C,L], got [3,4]
        hint: one sequence alone? add a batch dimension: unsqueeze(0)]
    `);
    expect(() => new ConvTranspose1d(3, 4, 3).call(randn([1, 2, 4]))).toThrow("expected f32[N,3,H,W]");
  });

  it("take an activation behind them", () => {
    const layer = new ConvTranspose2d(3, 5, 2);
    const x = randn([2, 3, 4, 4]) as Tensor;
    expect(new Sequential(layer, new ReLU()).call(x).toArray()).toEqual(layer.call(x).relu().toArray());
  });

  it("run compiled kernels", () => {
    const calls: [{ call(x: Tensor): Tensor }, number[]][] = [[new ConvTranspose2d(3, 4, 4, { stride: 2, padding: 1 }), [2, 3, 5, 6]], [new ConvTranspose1d(3, 4, 4, { stride: 2 }), [2, 3, 5]]];
    for (const [layer, shape] of calls) {
      const { kernels } = trace(() => layer.call(randn(shape).requireGrad()).sum().backward());
      expect(kernels.filter((k) => k.startsWith("reference"))).toEqual([]);
      expect(kernels.map((k) => k.split("_")[0])).toContain("conv2dInputGrad");
    }
  });

  it("have gradients to second order", () => {
    const [two, one] = [new ConvTranspose2d(4, 6, [3, 2], { stride: [2, 3], padding: [1, 0, 0, 1], outputPadding: [1, 2], dilation: [2, 1], groups: 2 }), new ConvTranspose1d(2, 3, 3, { stride: 2, padding: "same" })];
    for (const [layer, shapes] of [[two, [[1, 4, 3, 3], [4, 3, 3, 2], [6]]], [one, [[2, 2, 4], [2, 3, 3], [3]]]] as const) {
      const f = (x: Tensor, weight: Tensor, bias: Tensor): Tensor => (Object.assign(layer, { weight, bias }).call(x));
      const inputs = shapes.map((shape, i) => f64([...shape], i + 1));
      gradcheck(f, inputs);
      gradgradcheck(f, inputs);
    }
  });
});

test.each([
  { image: [7, 8], kernel: [3, 2], stride: 2, dilation: 1, padding: 1 },
  { image: [9, 5], kernel: [3, 3], stride: [3, 2], dilation: 2, padding: [2, 1, 0, 3] },
  { image: [8, 9], kernel: [3, 4], stride: [2, 3], dilation: 1, padding: "same" }, // whole multiples of the stride
  { image: [8, 8], kernel: [1, 3], stride: 4, dilation: 1, padding: "same" },
] as const)("⟨conv(x), y⟩ = ⟨x, convTranspose(y)⟩: $image by $kernel moving $stride, padding $padding", ({ image, kernel, ...options }) => {
  const [x, weight] = [f64([2, 3, ...image], 1), f64([4, 3, ...kernel], 2)];
  const y = conv2d(x, weight, options);
  const dy = f64([...y.shape], 3);
  const smallest = convTranspose2d(dy, weight, options);
  // Pixels at the end that no window of a strided convolution reaches are what outputPadding is for; there are none with "same".
  const [rows, columns] = [x.shape[2]! - smallest.shape[2]!, x.shape[3]! - smallest.shape[3]!];
  const back = convTranspose2d(dy, weight, { ...options, outputPadding: [rows, columns] });
  expect(back.shape).toEqual(x.shape);
  if (options.padding === "same") expect([rows, columns]).toEqual([0, 0]);
  expect(x.mul(back).sum().item()).toBeCloseTo(y.mul(dy).sum().item(), 9);
});
