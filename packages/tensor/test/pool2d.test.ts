import { describe, expect, test } from "vitest";
import { adaptiveAvgPool2d, avgPool2d, maxPool2d, maxPool2dWithIndices, ones, ops, randn, tensor, zeros, type Tensor } from "../src/index.ts";
import { expectKernelIsReference, onEveryEngine } from "./engines.ts";

const image = (rows: number[][]): Tensor => tensor([[rows]]);
const plane = (y: Tensor): unknown => y.at(0).at(0).toArray();
const attrs = (kernelSize: [number, number], stride: [number, number]) => ({ kernelSize, stride, padding: [0, 0, 0, 0], dilation: [1, 1], ceilMode: false }) as const;

describe("maxPool2d", () => {
  const x = image([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]]);

  test("2×2, and where its gradient lands", () => {
    const { y, indices } = maxPool2dWithIndices(x, 2);
    expect(plane(y)).toEqual([[6, 8], [3, 4]]);
    expect(indices.dtype).toBe("i32");
    expect(plane(indices)).toEqual([[5, 7], [8, 15]]);
    const { taps } = ops.maxPool2d({ x }, { ...attrs([2, 2], [2, 2]), relu: false });
    expect(taps.dtype).toBe("u8");
    expect(plane(taps)).toEqual([[3, 3], [0, 3]]);
    const dx = ops.maxPool2dGrad({ grad: image([[1, 2], [2, 4]]), taps }, { ...attrs([2, 2], [2, 2]), inputSize: [4, 4] });
    expect(plane(dx)).toEqual([[0, 0, 0, 0], [0, 1, 0, 2], [2, 0, 0, 0], [0, 0, 0, 4]]);
  });

  test("overlapping windows add up", () => {
    const peak = image(Array.from({ length: 5 }, (_, i) => Array.from({ length: 5 }, (_, j) => (i === 2 && j === 2 ? 10 : 0))));
    const { taps } = ops.maxPool2d({ x: peak }, { ...attrs([3, 3], [2, 2]), relu: false });
    const dx = ops.maxPool2dGrad({ grad: ones([1, 1, 2, 2]), taps }, { ...attrs([3, 3], [2, 2]), inputSize: [5, 5] });
    expect(dx.at(0).at(0).at(2).at(2).item()).toBe(4);
    expect(dx.sum().item()).toBe(4);
  });

  test("padding is −∞, the first of equals wins, NaN wins", () => {
    expect(plane(maxPool2d(image([[-5, -6], [-7, -8]]), 2, { padding: 1 }))).toEqual([[-5, -6], [-7, -8]]);
    expect(plane(maxPool2dWithIndices(image([[3, 3], [3, 3]]), 2).indices)).toEqual([[0]]);
    expect(plane(maxPool2d(image([[1, NaN], [2, 3]]), 2))).toEqual([[NaN]]);
  });

  test("ceilMode counts windows that start inside", () => {
    expect(maxPool2d(zeros([1, 1, 6, 7]), 3, { stride: 2 }).shape).toEqual([1, 1, 2, 3]);
    expect(maxPool2d(zeros([1, 1, 6, 7]), 3, { stride: 2, ceilMode: true }).shape).toEqual([1, 1, 3, 3]);
    // A window that would start in the padding at the end does not count.
    expect(maxPool2d(zeros([1, 1, 4, 4]), 2, { stride: 3, padding: 1, ceilMode: true }).shape).toEqual([1, 1, 2, 2]);
  });

  test("refuses what does not fit", () => {
    expect(() => maxPool2d(zeros([2, 3, 4, 6]), 5)).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: maxPool2d: kernel height 5 is larger than 4, the padded height of f32[2,3,4,6]
        hint: use a smaller kernel or more padding, e.g. padding: 'same']
    `);
    expect(() => maxPool2d(zeros([2, 3, 4, 6]), 2, { padding: 2 })).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: maxPool2d: padding [2,2,2,2] is as large as the window 2×2
        hint: a window would hold padding alone; use at most kernelSize / 2]
    `);
    expect(() => maxPool2d(zeros([3, 4, 6]), 2)).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: maxPool2d: input must be [N,C,H,W], got f32[3,4,6]
        hint: one image alone? add a batch dimension: unsqueeze(0)]
    `);
    expect(() => maxPool2d(zeros([1, 1, 2, 9]), [2, 1], { padding: [1, 0], dilation: [3, 1], stride: 1 })).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: maxPool2d: window 0 of f32[1,1,2,9] holds padding alone
        hint: use less padding or dilation]
    `);
    expect(() => maxPool2d(zeros([2, 3, 4, 6], { dtype: "i32" }), 2)).toThrowErrorMatchingInlineSnapshot(`
      [DTypeError: maxPool2d: needs a floating-point input, got i32[2,3,4,6]
        hint: x.cast("f32")]
    `);
    expect(() => maxPool2d(zeros([2, 3, 4, 6]), 0)).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: maxPool2d: kernelSize is 0
        hint: give a whole number ≥ 1, or two: [height, width]]
    `);
  });
});

describe("avgPool2d", () => {
  const x = image([[1, 2, 3], [4, 5, 6], [7, 8, 9]]);

  test("divides by the window, or by real elements", () => {
    expect(plane(avgPool2d(x, 2, { stride: 1 }))).toEqual([[3, 4], [6, 7]]);
    expect(plane(avgPool2d(x, 2, { padding: 1 }))).toEqual([[0.25, 1.25], [2.75, 7]]);
    expect(plane(avgPool2d(x, 2, { padding: 1, countIncludePad: false }))).toEqual([[1, 2.5], [5.5, 7]]);
    expect(plane(avgPool2d(x, 2, { ceilMode: true }))).toEqual([[3, 4.5], [7.5, 9]]);
  });

  test("padding at the end alone counts too", () => {
    expect(plane(avgPool2d(x, 2, { padding: [0, 1, 0, 1] }))).toEqual([[3, 2.25], [3.75, 2.25]]);
  });

  test("its gradient spreads evenly", () => {
    const dx = ops.avgPool2dGrad({ grad: image([[4, 8], [12, 16]]) }, { ...attrs([2, 2], [1, 1]), countIncludePad: true, inputSize: [3, 3] });
    expect(plane(dx)).toEqual([[1, 3, 2], [4, 10, 6], [3, 7, 4]]);
  });

  test("adaptiveAvgPool2d covers the image evenly or with overlap", () => {
    expect(plane(adaptiveAvgPool2d(x, 1))).toEqual([[5]]);
    expect(plane(adaptiveAvgPool2d(x, 2))).toEqual([[3, 4], [6, 7]]);
    expect(plane(adaptiveAvgPool2d(x, 3))).toEqual([[1, 2, 3], [4, 5, 6], [7, 8, 9]]);
    expect(() => adaptiveAvgPool2d(x, 0)).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: adaptiveAvgPool2d: outputSize is 0
        hint: give a whole number ≥ 1, or two: [height, width]]
    `);
    expect(() => avgPool2d(zeros([3, 3]), 2)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: avgPool2d: input must be [N,C,H,W], got f32[3,3]]`);
  });
});

onEveryEngine("pooling kernels", (engine) => {
  const draw = (shape: number[], seed: number): Tensor => randn(shape, { seed });
  for (const c of [1, 3, 17, 35]) {
    test(`${c} channels: overlap, padding, ceilMode, strides`, () => {
      const x = () => draw([2, c, 9, 7], c);
      const options = [{ kernel: 2 }, { kernel: 3, stride: 2, padding: 1, ceilMode: true }, { kernel: [3, 2], stride: [1, 2], padding: [1, 0] }] as const;
      for (const { kernel, ...more } of options) {
        expectKernelIsReference(engine, "maxPool2d", () => maxPool2d(x(), kernel, more));
        expectKernelIsReference(engine, "maxPool2d", () => maxPool2d(x().permute([0, 1, 3, 2]), kernel, more));
        for (const countIncludePad of [true, false]) expectKernelIsReference(engine, "avgPool2d", () => avgPool2d(x(), kernel, { ...more, countIncludePad }));
      }
      expectKernelIsReference(engine, "maxPool2d", () => maxPool2d(x(), 2, { dilation: [2, 3], stride: 1, relu: true }));
      expectKernelIsReference(engine, "maxPool2d", () => maxPool2d(draw([1, c, 19, 17], c), 16, { stride: 1 })); // 256 taps
    });
    test(`${c} channels: gradients`, () => {
      const window = { ...attrs([3, 3], [2, 2]), padding: [1, 1, 1, 1] } as const;
      const back = () => {
        const { y, taps } = ops.maxPool2d({ x: draw([2, c, 9, 7], c) }, { ...window, relu: true });
        return { grad: draw([...y.shape], 5), taps };
      };
      expectKernelIsReference(engine, "maxPool2dGrad", () => ops.maxPool2dGrad(back(), { ...window, inputSize: [9, 7] }));
      expectKernelIsReference(engine, "poolGather", () => ops.poolGather({ x: draw([2, c, 9, 7], 6), taps: back().taps }, window));
      for (const countIncludePad of [true, false]) {
        expectKernelIsReference(engine, "avgPool2dGrad", () => ops.avgPool2dGrad({ grad: back().grad }, { ...window, countIncludePad, inputSize: [9, 7] }));
      }
    });
  }
});
