import { describe, expect, test } from "vitest";
import { conv1d, conv2d, convTranspose2d, getEngine, ones, ops, randn, tensor, trace, zeros, type Tensor } from "../src/index.ts";
import { samePadding } from "../src/padding.ts";
import { isChannelsLast } from "../src/layout.ts";
import { expectKernelIsReference, onEveryEngine, relativeError } from "./engines.ts";

/** One image of one channel. */
const image = (rows: number[][]): Tensor => tensor([[rows]]);
const plane = (y: Tensor, n = 0, c = 0): unknown => y.at(n).at(c).toArray();

const x = image([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]);
const cross = image([[1, 0, 1], [0, 1, 0], [1, 0, 1]]);

describe("conv2d", () => {
  test("the notes' 5×5 example, stride 1, 2 and SAME", () => {
    expect(plane(conv2d(x, cross, { act: "relu" }))).toEqual([[4, 3, 4], [2, 4, 3], [2, 3, 4]]);
    expect(plane(conv2d(x, cross, { stride: 2, act: "relu" }))).toEqual([[4, 4], [2, 4]]);
    const same = plane(conv2d(x, cross, { padding: "same", act: "relu" })) as number[][];
    expect(same[0]).toEqual([2, 2, 3, 1, 1]);
    expect(same[4]).toEqual([0, 2, 2, 1, 1]);
  });

  test("is a correlation: the kernel is not flipped", () => {
    expect(plane(conv2d(x, image([[1, 2, 0], [0, 1, 0], [0, 0, -1]])))).toEqual([[3, 3, 1], [1, 3, 4], [-1, 3, 4]]);
    expect(plane(conv2d(x, image([[-1, 0, 0], [0, 1, 0], [0, 2, 1]])))).toEqual([[1, 3, 3], [1, 3, 2], [3, 3, 0]]);
  });

  // Three channels, two filters, padding 1, stride 2 (hanbt/learn_dl, cnn.py).
  const three: Tensor = tensor([[
    [[0, 1, 1, 0, 2], [2, 2, 2, 2, 1], [1, 0, 0, 2, 0], [0, 1, 1, 0, 0], [1, 2, 0, 0, 2]],
    [[1, 0, 2, 2, 0], [0, 0, 0, 2, 0], [1, 2, 1, 2, 1], [1, 0, 0, 0, 0], [1, 2, 1, 1, 1]],
    [[2, 1, 2, 0, 0], [1, 0, 0, 1, 0], [0, 2, 1, 0, 1], [0, 1, 2, 2, 2], [2, 1, 0, 0, 1]],
  ]]);
  const filters: Tensor = tensor([
    [[[-1, 1, 0], [0, 1, 0], [0, 1, 1]], [[-1, -1, 0], [0, 0, 0], [0, -1, 0]], [[0, 0, -1], [0, 1, 0], [1, -1, -1]]],
    [[[1, 1, -1], [-1, -1, 1], [0, -1, 1]], [[0, 1, 0], [-1, 0, -1], [-1, 1, 0]], [[-1, 0, 0], [-1, 0, 1], [-1, 0, 0]]],
  ]);
  const dy: Tensor = tensor([[[[0, 1, 1], [2, 2, 2], [1, 0, 0]], [[1, 0, 2], [0, 0, 0], [1, 2, 1]]]]);
  const geometry = { stride: [2, 2], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const;

  test("three channels and two filters", () => {
    const y = conv2d(three, filters, { bias: tensor([1, 0]), stride: 2, padding: 1 });
    expect(plane(y, 0, 0)).toEqual([[6, 7, 5], [3, -1, -1], [2, -1, 4]]);
    expect(plane(y, 0, 1)).toEqual([[2, -5, -8], [1, -4, -4], [0, -5, -5]]);
  });

  test("its gradients", () => {
    const dw = ops.conv2dWeightGrad({ x: three, grad: dy }, { ...geometry, kernelSize: [3, 3], bias: false }).dweight;
    expect(plane(dw)).toEqual([[8, 10, 9], [5, 6, 6], [6, 5, 4]]);
    const dx = ops.conv2dInputGrad({ grad: dy, weight: filters }, { ...geometry, inputSize: [5, 5] });
    expect((plane(dx) as number[][])[0]).toEqual([-1, 1, 1, -2, -1]);
    expect(dy.sum([0, 2, 3]).toArray()).toEqual([9, 7]);
  });

  test("groups split input and output channels alike", () => {
    const two: Tensor = tensor([[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]]);
    const w: Tensor = tensor([[[[1]]], [[[10]]]]);
    expect(conv2d(two, w, { groups: 2 }).toArray()).toEqual([[[[1, 2], [3, 4]], [[50, 60], [70, 80]]]]);
  });

  test("results are channels-last in memory, and such images are read without a copy", () => {
    const y = conv2d(randn([2, 3, 6, 6], { seed: 1 }), randn([4, 3, 3, 3], { seed: 2 }));
    expect(isChannelsLast(y)).toBe(true);
    const { kernels } = trace(() => conv2d(y, randn([5, 4, 1, 1], { seed: 3 }), { act: "relu" }));
    expect(kernels.filter((k) => !k.startsWith("random"))).toEqual([`conv2d_${getEngine().isa}`]);
  });

  test("an empty batch gives an empty batch", () => {
    expect(conv2d(zeros([0, 3, 5, 5]), zeros([4, 3, 3, 3])).shape).toEqual([0, 4, 3, 3]);
  });

  test("refuses what does not fit", () => {
    expect(() => conv2d(zeros([8, 96, 27, 27]), zeros([256, 48, 5, 5]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: conv2d: expected f32[N,48,H,W], got f32[8,96,27,27]
        hint: weight [256,48,5,5] fits this input with groups=2 (96 = 2 × 48)]
    `);
    expect(() => conv2d(zeros([8, 3, 27, 27]), zeros([256, 48, 5, 5]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: conv2d: expected f32[N,48,H,W], got f32[8,3,27,27]
        hint: weight [256,48,5,5] reads 48 channels; images are [N,C,H,W]]
    `);
    expect(() => conv2d(zeros([1, 3, 4, 9]), zeros([2, 3, 3, 3]), { dilation: 2 })).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: conv2d: kernel height 3 (5 with dilation 2) is larger than 4, the padded height of f32[1,3,4,9]
        hint: use a smaller kernel or more padding, e.g. padding: 'same']
    `);
    expect(() => conv2d(zeros([3, 4, 4]), zeros([2, 3, 3, 3]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: conv2d: input must be [N,C,H,W], got f32[3,4,4]
        hint: one image alone? add a batch dimension: unsqueeze(0)]
    `);
    expect(() => conv2d(zeros([1, 4, 4, 4]), zeros([3, 2, 3, 3]), { groups: 2 })).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: conv2d: 3 output channels do not split into groups=2
        hint: groups must divide input and output channels]
    `);
    expect(() => conv2d(zeros([1, 3, 4, 4]), zeros([2, 3, 3, 3]), { bias: zeros([3]) })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: conv2d: bias must be [2], one number per output channel, got f32[3]]`);
    expect(() => conv2d(zeros([1, 3, 4, 4]), zeros([2, 3, 3, 3]), { stride: 0 })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: conv2d: stride is 0
        hint: give a whole number ≥ 1, or two: [height, width]]
    `);
    expect(() => conv2d(zeros([1, 3, 4, 4]), zeros([2, 3, 3, 3]), { padding: -1 })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: conv2d: padding is -1
        hint: give a number, [height, width], [top, bottom, left, right], 'same' or 'valid']
    `);
    expect(() => conv2d(zeros([1, 3, 4, 4], { dtype: "u8" }), zeros([2, 3, 3, 3], { dtype: "u8" }))).toThrowErrorMatchingInlineSnapshot(`
      [DTypeError: conv2d: needs floating-point inputs, got u8[1,3,4,4] and u8[2,3,3,3]
        hint: x.cast("f32")]
    `);
  });
});

describe("padding", () => {
  test("SAME puts the odd extra after", () => {
    const rows: [number, number, number, number, number, number][] = [
      // in, kernel, stride, dilation, before, after
      [5, 3, 1, 1, 1, 1], [5, 3, 2, 1, 1, 1], [6, 3, 2, 1, 0, 1], [7, 2, 2, 1, 0, 1], [13, 4, 3, 1, 1, 2], [10, 3, 1, 2, 2, 2],
      [1, 3, 1, 1, 1, 1], [2, 1, 3, 1, 0, 0], [28, 5, 1, 1, 2, 2], [224, 11, 4, 1, 3, 4], [227, 11, 4, 1, 4, 4],
    ];
    for (const [size, kernel, stride, dilation, before, after] of rows) expect(samePadding(size, kernel, stride, dilation)).toMatchObject({ before, after });
  });

  test("SAME is zero-padding and VALID", () => {
    const a: Tensor = randn([2, 3, 6, 7], { seed: 1 });
    const w: Tensor = randn([4, 3, 3, 2], { seed: 2 });
    const padded = a.pad([[0, 1], [0, 1]]); // height 6: need 1; width 7: need 1
    expect(relativeError(conv2d(a, w, { stride: 2, padding: "same" }).dataSync(), conv2d(padded, w, { stride: 2, padding: "valid" }).dataSync())).toBeLessThan(1e-6);
  });
});

describe("conv1d and convTranspose2d", () => {
  test("conv1d slides along the last dimension", () => {
    const line: Tensor = tensor([[[1, 2, 3, 4]]]);
    const w: Tensor = tensor([[[1, 0, -1]]]);
    expect(conv1d(line, w).toArray()).toEqual([[[-2, -2]]]);
    expect(conv1d(line, w, { padding: [2, 0], bias: tensor([10]) }).toArray()).toEqual([[[9, 8, 8, 8]]]);
    expect(conv1d(line, w, { padding: "same", stride: 2 }).toArray()).toEqual([[[-2, 3]]]);
    expect(() => conv1d(zeros([3, 9]), zeros([4, 3, 3]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: conv1d: input must be [N,C,L], got f32[3,9]
        hint: one sequence alone? add a batch dimension: unsqueeze(0)]
    `);
  });

  test("convTranspose2d spreads each pixel over its window", () => {
    const y = convTranspose2d(image([[1, 2], [3, 4]]), ones([1, 1, 2, 2]), { stride: 2, bias: tensor([0.5]) });
    expect(plane(y)).toEqual([[1.5, 1.5, 2.5, 2.5], [1.5, 1.5, 2.5, 2.5], [3.5, 3.5, 4.5, 4.5], [3.5, 3.5, 4.5, 4.5]]);
    expect(plane(convTranspose2d(image([[1, 2], [3, 4]]), ones([1, 1, 2, 2])))).toEqual([[1, 3, 2], [4, 10, 6], [3, 7, 4]]);
    expect(convTranspose2d(zeros([1, 3, 4, 5]), zeros([3, 2, 3, 3]), { stride: 2, padding: 1, outputPadding: 1 }).shape).toEqual([1, 2, 8, 10]);
    expect(() => convTranspose2d(zeros([1, 3, 4, 5]), zeros([3, 2, 3, 3]), { stride: 2, outputPadding: 2 })).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: convTranspose2d: outputPadding 2 is not less than stride 2
        hint: pad the result for more rows or columns]
    `);
    expect(() => convTranspose2d(zeros([1, 2, 4, 5]), zeros([3, 2, 3, 3]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: convTranspose2d: expected f32[N,3,H,W], got f32[1,2,4,5]
        hint: the weight is [in, out/groups, kH, kW] here, the other way round than for conv2d]
    `);
  });
});

onEveryEngine("convolution kernels", (engine) => {
  const draw = (shape: number[], seed: number): Tensor => randn(shape, { seed });
  const cases = [
    { x: [2, 3, 9, 11], w: [7, 3, 3, 3], stride: 1, padding: 1, dilation: 1, groups: 1 },
    { x: [1, 17, 7, 5], w: [33, 17, 1, 1], stride: 1, padding: 0, dilation: 1, groups: 1 },
    { x: [2, 4, 10, 9], w: [6, 2, 3, 2], stride: [2, 3], padding: [1, 0, 2, 1], dilation: [2, 1], groups: 2 },
    { x: [1, 5, 8, 8], w: [5, 1, 3, 3], stride: 2, padding: "same", dilation: 1, groups: 5 },
    { x: [3, 3, 23, 23], w: [16, 3, 11, 11], stride: 4, padding: 2, dilation: 1, groups: 1 },
  ] as const;
  for (const { x: shape, w, ...options } of cases) {
    test(`[${shape.join(",")}] ⋆ [${w.join(",")}] ${JSON.stringify(options)}`, () => {
      for (const act of ["none", "relu"] as const) {
        expectKernelIsReference(engine, "conv2d", () => conv2d(draw([...shape], 1), draw([...w], 2), { ...options, bias: draw([w[0]], 3), act }));
      }
      // Rows and columns swapped in memory.
      expectKernelIsReference(engine, "conv2d", () => conv2d(draw([shape[0], shape[1], shape[3], shape[2]], 1).permute([0, 1, 3, 2]), draw([...w], 2), options));
    });
  }
  test("both gradients, odd sizes, groups, dilation and one-sided padding", () => {
    const attrs = { stride: [2, 1], padding: [1, 0, 2, 0], dilation: [1, 2], groups: 3 } as const;
    const y = ops.conv2d({ x: zeros([2, 9, 11, 13]), weight: zeros([6, 3, 3, 4]) }, { ...attrs, act: "none" }).shape;
    expectKernelIsReference(engine, "conv2dInputGrad", () => ops.conv2dInputGrad({ grad: draw([...y], 1), weight: draw([6, 3, 3, 4], 2) }, { ...attrs, inputSize: [11, 13] }));
    expectKernelIsReference(engine, "conv2dWeightGrad", () => ops.conv2dWeightGrad({ x: draw([2, 9, 11, 13], 1), grad: draw([...y], 2) }, { ...attrs, kernelSize: [3, 4], bias: false }).dweight);
    expectKernelIsReference(engine, "conv2dWeightGrad", () => ops.conv2dWeightGrad({ x: draw([2, 9, 11, 13], 1), grad: draw([...y], 2) }, { ...attrs, kernelSize: [3, 4], bias: true }).dbias);
  });
});
