import { gradcheck, gradgradcheck, gradients } from "@nn/autograd";
import { concat, randn, tensor, trace, type Tensor } from "@nn/tensor";
import { MaxPool2d, type Module } from "@nn/layers";
import { AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveMaxPool1d, AdaptiveMaxPool2d, AvgPool1d, AvgPool2d, GlobalAvgPool, GlobalMaxPool, MaxPool1d, MaxPool2d as Same } from "@nn/layers/pool";
import { lengthMask } from "@nn/layers/sequence";
import { describe, expect, it, test } from "vitest";

const f64 = (shape: number[], seed: number): Tensor => randn(shape, { seed, dtype: "f64" });
/** Values in random order, an eighth apart: no ties, and none near. */
const apart = (shape: number[], seed: number): Tensor => f64([shape.reduce((a, b) => a * b)], seed).sort(0).indices.cast("f64").mul(0.125).reshape(shape);
const gradient = (f: (x: Tensor) => Tensor, x: Tensor): unknown => {
  const leaf = x.detach().requireGrad();
  return gradients(f(leaf).square().sum(), [leaf])[0]!.toArray();
};

describe("SAME padding equals its zeros (or −∞) put around, then VALID", () => {
  // [8,7] by 3×2 windows moving 2 and 3: rows get 0 and 1 more, columns none; [9,8]: 1 and 1, 0 and 0
  const cases = [
    { image: [2, 3, 8, 7], kernel: [3, 2], stride: [2, 3], pads: [0, 1, 0, 1] },
    { image: [1, 2, 9, 8], kernel: [3, 4], stride: [2, 1], pads: [1, 1, 1, 2] },
  ] as const;
  test.each(cases)("$image by $kernel moving $stride", ({ image, kernel, stride, pads }) => {
    const x = apart([...image], 1);
    const [top, bottom, left, right] = pads;
    const around = (v: Tensor, value: number): Tensor => v.pad([[0, 0], [0, 0], [top, bottom], [left, right]], value);
    const same = (layer: { forward(x: Tensor): Tensor }, by: (v: Tensor) => Tensor): void => {
      expect(layer.forward(x).toArray()).toEqual(by(x).toArray());
      expect(gradient((v) => layer.forward(v), x)).toEqual(gradient(by, x));
    };
    const plain = new MaxPool2d(kernel, { stride });
    same(new MaxPool2d(kernel, { stride, padding: "same" }), (v) => plain.call(around(v, -1e9)));
    same(new MaxPool2d(kernel, { stride, padding: pads }), (v) => plain.call(around(v, -1e9)));
    same(new MaxPool2d(kernel, { stride, padding: "valid" }), (v) => plain.call(v));
    const means = new AvgPool2d(kernel, { stride });
    same(new AvgPool2d(kernel, { stride, padding: "same" }), (v) => means.call(around(v, 0)));
  });

  it("counts real elements only where told, as TensorFlow's SAME does", () => {
    const x = tensor([[[1, 2, 3, 4]]], { dtype: "f64" }) as Tensor;
    expect(new AvgPool1d(3, { stride: 2, padding: "same" }).call(x).toArray()).toEqual([[[2, 7 / 3]]]);
    expect(new AvgPool1d(3, { stride: 2, padding: "same", countIncludePad: false }).call(x).toArray()).toEqual([[[2, 3.5]]]);
    expect(new MaxPool1d(3, { stride: 2, padding: [2, 0] }).call(x).toArray()).toEqual([[[1, 3]]]);
  });
});

describe("pooling layers", () => {
  const layers: readonly (readonly [Module & { forward(x: Tensor): Tensor }, readonly number[]])[] = [
    [new MaxPool1d(3, { stride: 2, padding: "same", dilation: 2 }), [2, 3, 9]], [new MaxPool1d(2, { ceilMode: true }), [2, 3, 7]],
    [new AvgPool1d(3, { padding: 1, stride: 2, countIncludePad: false }), [2, 3, 8]], [new AvgPool1d(3, { padding: [0, 2], ceilMode: true }), [2, 3, 8]],
    [new AdaptiveAvgPool1d(3), [2, 3, 7]], [new AdaptiveMaxPool1d(3), [2, 3, 7]],
    [new MaxPool2d([3, 2], { stride: 2, padding: [1, 0, 0, 1] }), [2, 3, 6, 7]], [new AvgPool2d(3, { stride: 2, padding: [1, 0, 2, 1] }), [2, 3, 6, 7]],
    [new AdaptiveAvgPool2d([2, 3]), [2, 3, 5, 7]], [new AdaptiveMaxPool2d([2, 3]), [2, 3, 5, 7]],
    [new GlobalAvgPool(), [2, 3, 4, 5]], [new GlobalMaxPool(), [2, 3, 4, 5]],
  ];
  test.each(layers.map(([layer, shape]) => [String(layer), layer, shape] as const))("%s has gradients to second order", (_, layer, shape) => {
    const x = apart([...shape], 4);
    gradcheck((v) => layer.forward(v), [x]);
    gradgradcheck((v) => layer.forward(v), [x]);
  });

  it("run compiled kernels", () => {
    for (const [layer, shape] of layers) {
      const x = randn([...shape], { seed: 2 }).requireGrad();
      expect(trace(() => layer.forward(x as Tensor).sum().backward()).kernels.filter((k) => k.startsWith("reference"))).toEqual([]);
    }
  });

  it("print what they are, and what is wrong", () => {
    expect(layers.slice(0, 3).map(([layer]) => String(layer))).toEqual(["MaxPool1d(kernelSize=3, stride=2, padding=same, dilation=2)", "MaxPool1d(kernelSize=2, ceilMode=true)", "AvgPool1d(kernelSize=3, padding=1, stride=2, countIncludePad=false)"]);
    expect([new AdaptiveMaxPool1d(3), new GlobalMaxPool(), new GlobalAvgPool({ dim: 1 })].map(String)).toEqual(["AdaptiveMaxPool1d(3)", "GlobalMaxPool()", "GlobalAvgPool(dim=1)"]);
    expect(Same).toBe(MaxPool2d);
    expect(() => new MaxPool1d(2).call(randn([3, 4]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: MaxPool1d: input must be [N,C,L], got [3,4]
        hint: one sequence alone? add a batch dimension: unsqueeze(0)]
    `);
    expect(() => new AdaptiveMaxPool2d(0).call(randn([1, 1, 3, 4]))).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: adaptiveMaxPool2d: outputSize is 0
        hint: a whole number ≥ 1, or two: [height, width]]
    `);
    expect(() => new GlobalMaxPool().call(randn([2, 3]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: GlobalMaxPool: [2,3] has no dimension 2 to pool over]`);
    expect(() => new GlobalMaxPool().call(randn([2, 3, 4, 5]), { lengths: [2, 3] })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: GlobalMaxPool: lengths count steps in one dimension, and [2,3,4,5] is pooled over [2,3]: give a mask]`);
    expect(() => new GlobalMaxPool({ dim: 1 }).call(randn([2, 4, 3]), { lengths: [2, 5] })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: lengthMask: length 5 of sequence 1 is not within 0 … 4
        hint: lengths count steps of the padded input]
    `);
    expect(() => new GlobalAvgPool({ dim: 1 }).call(randn([2, 4, 3]), { mask: lengthMask([1, 2], 3) })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: GlobalAvgPool: the mask must be [2,4] (batch, positions) for [2,4,3], got [2,3]]`);
  });
});

describe.each([["GlobalAvgPool", GlobalAvgPool], ["GlobalMaxPool", GlobalMaxPool]] as const)("padded batches of a %s", (_, Pool) => {
  const lengths = [2, 5, 1, 4];
  const alone = lengths.map((n, b) => f64([1, 3, n], 10 + b)); // [1,C,n]
  const dy = f64([4, 3], 20);
  /** As [B,T,C], [T,B,C] or [N,C,L], padded to `steps` with `value`. */
  const layouts = [{ dims: [0, 1, 2], dim: 2 }, { dims: [0, 2, 1], dim: 1 }, { dims: [2, 0, 1], dim: 0 }];

  test.each(layouts)("each sequence is as it would be alone, with its gradient; padding changes nothing, whatever it holds (time is dimension $dim)", ({ dims, dim }) => {
    const single = alone.map((x, b) => {
      const leaf = x.detach().requireGrad();
      const y = new Pool().call(leaf);
      return { y, dx: gradients(y, [leaf], { gradient: dy.slice(0, b, b + 1) })[0]! };
    });
    for (const [steps, value] of [[5, 0], [5, 9], [8, NaN], [8, Infinity]] as const) {
      for (const real of [{ lengths }, { lengths: tensor(lengths, { dtype: "i32" }) as Tensor }, { mask: lengthMask(lengths, steps) }]) {
        const x = concat(alone.map((s) => s.pad([[0, 0], [0, 0], [0, steps - s.shape[2]!]], value)), 0).detach().requireGrad();
        const y = new Pool({ dim }).call(x.permute(dims), real);
        const [dx] = gradients(y, [x], { gradient: dy });
        single.forEach((s, b) => {
          const close = (t: Tensor, expected: Tensor): void => t.dataSync().forEach((v, i) => expect(Math.abs(v - expected.dataSync()[i]!)).toBeLessThanOrEqual(1e-12));
          close(y.slice(0, b, b + 1), s.y);
          close(dx!.slice(0, b, b + 1).slice(2, 0, lengths[b]!), s.dx);
          if (lengths[b]! < steps) expect(dx!.slice(0, b, b + 1).slice(2, lengths[b]!).abs().max().item()).toBe(0);
        });
      }
    }
  });

  it("gives 0 for a sequence without any step, and passes it no gradient", () => {
    const x = f64([2, 3, 4], 1).requireGrad();
    const y = new Pool().call(x, { lengths: [0, 4] });
    expect(y.at(0).toArray()).toEqual([0, 0, 0]);
    const [dx] = gradients(y, [x], { gradient: f64([2, 3], 2) });
    expect(dx!.at(0).abs().max().item()).toBe(0);
    expect(dx!.at(1).abs().sum().item()).toBeGreaterThan(0);
  });

  it("has masked gradients to second order", () => {
    const f = (x: Tensor): Tensor => new Pool().call(x, { lengths: [3, 1] });
    gradcheck(f, [apart([2, 3, 5], 3)]);
    gradgradcheck(f, [apart([2, 3, 5], 3)]);
  });
});

test("lengthMask is true below each length", () => {
  expect(lengthMask([2, 0, 3], 3).toArray()).toEqual([[true, true, false], [false, false, false], [true, true, true]].map((row) => row.map((v) => v as unknown)));
  expect(() => lengthMask([2, 4], 3)).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: lengthMask: length 4 of sequence 1 is not within 0 … 3
      hint: lengths count steps of the padded input]
  `);
});
