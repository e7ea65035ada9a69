import { describe, expect, test } from "vitest";
import { crossEntropy, getEngine, logSoftmax, nllLoss, ops, randn, softmax, tensor, trace, zeros, type Tensor } from "../src/index.ts";
import { isChannelsLast } from "../src/layout.ts";
import { expectKernelIsReference, onEveryEngine } from "./engines.ts";

const classes = (values: number[]): Tensor => tensor(values, { dtype: "i32" });
const rounded = (t: Tensor, digits = 6): number[] => Array.from(t.dataSync(), (v) => Number(v.toFixed(digits)));

describe("softmax", () => {
  const expected = [0.0900305732, 0.2447284711, 0.6652409558];

  test("of (1, 2, 3), and the same far from zero", () => {
    for (const shift of [0, 999]) {
      const y = softmax(tensor([1 + shift, 2 + shift, 3 + shift], { dtype: "f64" }), 0).dataSync();
      expected.forEach((e, i) => expect(y[i]).toBeCloseTo(e, 9));
    }
    const log = logSoftmax(tensor([1, 2, 3], { dtype: "f64" }), -1).dataSync();
    expected.forEach((e, i) => expect(log[i]).toBeCloseTo(Math.log(e), 8));
  });

  test("along any dimension", () => {
    expect(rounded(softmax(tensor([[0, 0], [0, Math.log(3)]]), 0))).toEqual([0.5, 0.25, 0.5, 0.75]);
    expect(rounded(softmax(tensor([[0, 0], [0, Math.log(3)]]), 1))).toEqual([0.5, 0.5, 0.25, 0.75]);
    expect(rounded(softmax(tensor([[0], [5]]), 1))).toEqual([1, 1]);
  });

  test("over the channels of a channels-last image is one launch and keeps the layout", () => {
    const x = ops.conv2d({ x: randn([2, 3, 4, 5], { seed: 1 }), weight: randn([6, 3, 1, 1], { seed: 2 }) }, { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1, act: "none" });
    const { result, kernels } = trace(() => softmax(x, 1));
    expect(kernels).toEqual([`softmax_${getEngine().isa}`]);
    expect(isChannelsLast(result)).toBe(true);
  });

  test("refuses a dimension that does not exist", () => {
    expect(() => softmax(zeros([3, 5]), 2)).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: softmax: dimension 2 of f32[3,5] does not exist
        hint: use -2 … 1]
    `);
  });
});

describe("crossEntropy", () => {
  test("worked examples", () => {
    expect(crossEntropy(tensor([[1, 2, 3]], { dtype: "f64" }), classes([2])).item()).toBeCloseTo(0.4076059644, 9);
    expect(crossEntropy(tensor([[2, 1, 0]], { dtype: "f64" }), classes([0]), { labelSmoothing: 0.1 }).item()).toBeCloseTo(0.5076059644, 9);
    expect(crossEntropy(tensor([1, 2, 3], { dtype: "f64" }), tensor(2, { dtype: "i32" })).item()).toBeCloseTo(0.4076059644, 9);
  });

  // Uniform logits over 4 classes: every loss is log 4.
  const uniform: Tensor = zeros([3, 4]);
  const log4 = Math.log(4);

  test("reduction, ignoreIndex and weight", () => {
    expect(rounded(crossEntropy(uniform, classes([0, -100, 3]), { reduction: "none" }))).toEqual([log4, 0, log4].map((v) => Number(v.toFixed(6))));
    expect(crossEntropy(uniform, classes([0, -100, 3]), { reduction: "sum" }).item()).toBeCloseTo(2 * log4, 5);
    expect(crossEntropy(uniform, classes([0, -100, 3])).item()).toBeCloseTo(log4, 5);
    expect(crossEntropy(uniform, classes([0, 2, 3]), { ignoreIndex: 2, reduction: "sum" }).item()).toBeCloseTo(2 * log4, 5);
    const weight: Tensor = tensor([1, 1, 1, 3]);
    expect(crossEntropy(uniform, classes([0, 1, 3]), { weight, reduction: "sum" }).item()).toBeCloseTo(5 * log4, 5);
    expect(crossEntropy(uniform, classes([0, 1, 3]), { weight }).item()).toBeCloseTo(log4, 5);
    expect(crossEntropy(uniform, classes([-100, -100, -100])).item()).toBeNaN();
  });

  test("probabilities as targets, and more dimensions", () => {
    const q: Tensor = tensor([[0.25, 0.75]]);
    expect(crossEntropy(tensor([[0, 0]]), q).item()).toBeCloseTo(Math.LN2, 6);
    expect(crossEntropy(tensor([[0, Math.log(3)]]), q).item()).toBeCloseTo(-0.25 * Math.log(0.25) - 0.75 * Math.log(0.75), 6);
    expect(crossEntropy(zeros([2, 4, 3, 5]), zeros([2, 3, 5], { dtype: "i32" }), { reduction: "none" }).shape).toEqual([2, 3, 5]);
  });

  test("is the negative log-likelihood of log-softmax", () => {
    const logits: Tensor = randn([5, 4], { seed: 1 });
    const target = classes([0, 3, -100, 2, 1]);
    const weight: Tensor = tensor([1, 2, 0.5, 1]);
    expect(nllLoss(logits.logSoftmax(1), target, { weight }).item()).toBeCloseTo(crossEntropy(logits, target, { weight }).item(), 5);
  });

  test("is one pass over the logits, forward and backward", () => {
    const logits: Tensor = randn([8, 10], { seed: 1 });
    const target = classes([0, 1, 2, 3, 4, 5, 6, 7]);
    const { result, kernels } = trace(() => ops.softmaxCrossEntropy({ logits, target }, { ignoreIndex: -100 }));
    expect(kernels).toEqual([`crossEntropy_${getEngine().isa}`]);
    const back = trace(() => ops.softmaxCrossEntropyGrad({ logits, target, dloss: result.loss, logSum: result.logSum }, { ignoreIndex: -100 }));
    expect(back.kernels).toEqual([`crossEntropyGrad_${getEngine().isa}`]);
  });

  test("its gradient is softmax − onehot", () => {
    const logits: Tensor = tensor([[1, 2, 3], [0, 0, 0]]);
    const grad = ops.softmaxCrossEntropyGrad({ logits, target: classes([2, -100]), dloss: tensor([2, 1]) }, { ignoreIndex: -100 });
    expect(rounded(grad)).toEqual([0.180061, 0.489457, -0.669518, 0, 0, 0]);
  });

  test("refuses what does not fit", () => {
    expect(() => crossEntropy(zeros([3, 5]), classes([0, 5, 1]))).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: crossEntropy: target 5 in row 1 is no class: logits have K = 5, classes 0 … 4
        hint: fix the labels, or mark rows to skip with ignoreIndex (now -100)]
    `);
    expect(() => crossEntropy(zeros([3, 5]), classes([0, 1, -1]))).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: crossEntropy: target -1 in row 2 is no class: logits have K = 5, classes 0 … 4
        hint: fix the labels, or mark rows to skip with ignoreIndex (now -100)]
    `);
    expect(() => crossEntropy(zeros([3, 5]), classes([0, 1]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: crossEntropy: target must be i32[3] for f32[3,5], got i32[2]
        hint: classes are dimension 1; probabilities instead of indices are floats of the logits' shape]
    `);
    expect(() => crossEntropy(zeros([3, 5]), zeros([5, 3]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: crossEntropy: probabilities must have the shape of the logits, f32[3,5], got f32[5,3]
        hint: class indices are i32: target.cast("i32")]
    `);
    expect(() => crossEntropy(zeros([3, 5]), classes([0, 1, 2]), { weight: zeros([3]) })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: crossEntropy: weight must be [5], one per class, got f32[3]]`);
    expect(() => crossEntropy(zeros([3, 5]), classes([0, 1, 2]), { labelSmoothing: 2 })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: crossEntropy: labelSmoothing is 2
        hint: a number from 0 to 1]
    `);
    expect(() => nllLoss(zeros([3, 5]), classes([0, 9, 2]))).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: nllLoss: target 9 in row 1 is no class: logits have K = 5, classes 0 … 4
        hint: fix the labels, or mark rows to skip with ignoreIndex (now -100)]
    `);
  });
});

onEveryEngine("softmax kernels", (engine) => {
  const draw = (shape: number[], seed: number): Tensor => randn(shape, { seed });
  for (const shape of [[1, 1], [3, 5], [7, 16], [5, 33], [2, 1029], [0, 3]]) {
    test(`[${shape.join(",")}]`, () => {
      for (const op of ["softmax", "logSoftmax"] as const) {
        expectKernelIsReference(engine, "softmax", () => ops[op]({ x: draw(shape, 1) }, { dim: 1 }));
        expectKernelIsReference(engine, "softmax", () => ops[op]({ x: draw(shape, 1) }, { dim: 0 }));
      }
      for (const log of [false, true]) {
        expectKernelIsReference(engine, "softmaxGrad", () => ops.softmaxGrad({ grad: draw(shape, 1), result: softmax(draw(shape, 2), 1) }, { dim: 1, log }), 1e-4);
      }
      const target = () => tensor(new Int32Array(shape[0]!).map((_, i) => (i % 3 === 2 ? -100 : (i * 7) % shape[1]!)), { shape: [shape[0]!] });
      expectKernelIsReference(engine, "crossEntropy", () => ops.softmaxCrossEntropy({ logits: draw(shape, 1), target: target() }, { ignoreIndex: -100 }).loss);
      expectKernelIsReference(engine, "crossEntropyGrad", () => ops.softmaxCrossEntropyGrad({ logits: draw(shape, 1), target: target(), dloss: draw([shape[0]!], 2) }, { ignoreIndex: -100 }));
    });
  }
});
