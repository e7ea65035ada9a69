import { describe, expect, test } from "vitest";
import { arange, concat, contiguous, flatten, getEngine, ops, pad, randn, split, squeeze, stack, sumTo, tensor, trace, unsqueeze, type Tensor } from "../src/index.ts";
import { isChannelsLast } from "../src/layout.ts";

const x: Tensor = tensor([[1, 2, 3], [4, 5, 6]]);
const kernel = (name: string): string => `${name}_${getEngine().isa}`;

describe("views share the storage and run nothing", () => {
  const views: [string, () => Tensor, unknown][] = [
    ["reshape", () => x.reshape([3, -1]), [[1, 2], [3, 4], [5, 6]]],
    ["permute", () => x.permute([1, 0]), [[1, 4], [2, 5], [3, 6]]],
    ["transpose", () => x.transpose(0, -1), [[1, 4], [2, 5], [3, 6]]],
    ["t", () => x.t(), [[1, 4], [2, 5], [3, 6]]],
    ["slice", () => x.slice(1, 1), [[2, 3], [5, 6]]],
    ["slice with a step", () => x.slice(-1, 0, undefined, 2), [[1, 3], [4, 6]]],
    ["slice backwards", () => x.slice(1, undefined, undefined, -2), [[3, 1], [6, 4]]],
    ["slice from the end", () => x.slice(1, -2, -1), [[2], [5]]],
    ["expand", () => x.slice(1, 0, 1).expand([2, 2, 3]), [[[1, 1, 1], [4, 4, 4]], [[1, 1, 1], [4, 4, 4]]]],
    ["flip", () => x.flip([0, 1]), [[6, 5, 4], [3, 2, 1]]],
    ["at", () => x.at(-1), [4, 5, 6]],
    ["unsqueeze", () => unsqueeze(x, -1), [[[1], [2], [3]], [[4], [5], [6]]]],
    ["squeeze", () => squeeze(x.slice(0, 0, 1)), [1, 2, 3]],
    ["squeeze one", () => squeeze(x.slice(0, 0, 1).reshape([1, 1, 3]), 0), [[1, 2, 3]]],
    ["flatten", () => flatten(x), [1, 2, 3, 4, 5, 6]],
    ["split", () => split(x, 2, 1)[1]!, [[3], [6]]],
    ["split by sizes", () => split(x, [1, 2], -1)[1]!, [[2, 3], [5, 6]]],
  ];
  test.each(views)("%s", (_, view, expected) => {
    const { result, kernels } = trace(view);
    expect(kernels).toEqual([]);
    expect(result.storage).toBe(x.storage);
    expect(result.toArray()).toEqual(expected);
  });
  test("slices of nothing and beyond the ends", () => {
    expect(x.slice(1, 2, 1).shape).toEqual([2, 0]);
    expect(x.slice(1, 2, 1).toArray()).toEqual([[], []]);
    expect(x.slice(0, -9, 9).shape).toEqual([2, 3]);
    expect(x.slice(0, 9, undefined, -1).toArray()).toEqual([[4, 5, 6], [1, 2, 3]]);
  });
});

describe("copies", () => {
  test("reshape copies only where memory order does not allow a view", () => {
    const { result, kernels } = trace(() => x.t().reshape([2, 3]));
    expect(result.toArray()).toEqual([[1, 4, 2], [5, 3, 6]]);
    expect(kernels).toEqual([kernel("copy")]);
  });
  test("contiguous returns the tensor itself, or a row-major copy", () => {
    expect(contiguous(x)).toBe(x);
    const y = contiguous(x.t());
    expect(y.strides).toEqual([2, 1]);
    expect(y.toArray()).toEqual([[1, 4], [2, 5], [3, 6]]);
    expect(y.storage).not.toBe(x.storage);
  });
  test("channels-last and back", () => {
    const image = randn([2, 3, 4, 5], { seed: 1 }) as Tensor;
    const last = ops.contiguous({ x: image }, { channelsLast: true });
    expect(isChannelsLast(last)).toBe(true);
    expect(last.dataSync()).toEqual(image.dataSync());
    expect(Array.from(last.permute([0, 2, 3, 1]).dataSync())).toEqual(Array.from(last.storage.backend.engine.f32(last.storage.pointer, 120)));
  });
  test("pad", () => {
    expect(pad(x, [[1, 0], [0, 2]], 9).toArray()).toEqual([[9, 9, 9, 9, 9], [1, 2, 3, 9, 9], [4, 5, 6, 9, 9]]);
    expect(pad(x, [[1, 1]]).toArray()).toEqual([[0, 1, 2, 3, 0], [0, 4, 5, 6, 0]]); // the last dimensions if fewer are named
    expect(pad(tensor([true]), [[0, 1]], 1).toArray()).toEqual([true, true]);
    expect(pad(x.t(), [[0, 0], [1, 0]]).toArray()).toEqual([[0, 1, 4], [0, 2, 5], [0, 3, 6]]);
  });
  test.each(["f32", "f64", "i32", "u8", "bool"] as const)("every type moves: %s", (dtype) => {
    const y = tensor([[1, 0], [1, 1]], { dtype });
    const bits = dtype === "bool" ? [[true, true, false], [false, true, false]] : [[1, 1, 0], [0, 1, 0]];
    const { result, kernels } = trace(() => pad(y.t(), [[0, 0], [0, 1]]));
    expect(result.toArray()).toEqual(bits);
    expect(result.dtype).toBe(dtype);
    expect(kernels.filter((k) => k.startsWith("reference"))).toEqual([]);
  });
  test("concat and stack", () => {
    const { result, kernels } = trace(() => concat([x, x.flip(1)], 1));
    expect(result.toArray()).toEqual([[1, 2, 3, 3, 2, 1], [4, 5, 6, 6, 5, 4]]);
    expect(kernels).toEqual([kernel("copy"), kernel("copy")]);
    expect(concat([tensor([1]), tensor([2.5], { dtype: "f64" })]).dtype).toBe("f64");
    expect(stack([tensor([1, 2]), tensor([3, 4])], -1).toArray()).toEqual([[1, 3], [2, 4]]);
    expect(stack([tensor(1), tensor(2)]).toArray()).toEqual([1, 2]);
  });
  test("concat and pad stay channels-last", () => {
    const image = ops.contiguous({ x: randn([2, 3, 4, 5], { seed: 1 }) }, { channelsLast: true });
    expect(isChannelsLast(concat([image, image], 1))).toBe(true);
    expect(isChannelsLast(pad(image, [[1, 1], [2, 2]]))).toBe(true);
  });
  test("more than eight interleaved dimensions", () => {
    const many = arange(1024).reshape(new Array<number>(10).fill(2)) as Tensor;
    const reversed = contiguous(many.permute([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]));
    const mirrored = (i: number): number => parseInt([...i.toString(2).padStart(10, "0")].reverse().join(""), 2);
    expect(Array.from(reversed.dataSync())).toEqual(Array.from({ length: 1024 }, (_, i) => mirrored(i)));
  });
  test("sumTo undoes broadcasting", () => {
    expect(sumTo(x, [2, 3])).toBe(x);
    expect(sumTo(x, [3]).toArray()).toEqual([5, 7, 9]);
    expect(sumTo(x, [2, 1]).toArray()).toEqual([[6], [15]]);
    expect(sumTo(x, []).item()).toBe(21);
    expect(sumTo(x.reshape([1, 2, 3]) as Tensor, [1, 1]).toArray()).toEqual([[21]]);
  });
  test("slice with a step has a gradient of its own", () => {
    expect(ops.unslice({ x: tensor([1, 2]) }, { dim: 0, start: 3, step: -2, size: 5 }).toArray()).toEqual([0, 2, 0, 1, 0]);
  });
});

test("errors teach", () => {
  expect(() => x.reshape([4, 2])).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: reshape: f32[2,3] has 6 elements, [4,2] needs 8
      hint: give one size as -1 to have it computed]
  `);
  expect(() => x.reshape([2, -2])).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: reshape: [2,-2] is not a shape
      hint: sizes are whole numbers; one -1 stands for the rest]
  `);
  expect(() => ops.permute({ x }, { dims: [0, 0] })).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: permute: [0,0] is not an order of the 2 dimensions of f32[2,3]
      hint: name each dimension once]
  `);
  expect(() => x.transpose(0, 2)).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: transpose: dimension 2 of f32[2,3] does not exist
      hint: use -2 … 1]
  `);
  expect(() => (x.reshape([1, 2, 3]) as Tensor).t()).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: t: takes a matrix, got f32[1,2,3]
      hint: use transpose(dim0, dim1) or permute(dims)]
  `);
  expect(() => x.slice(2, 0)).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: slice: dimension 2 of f32[2,3] does not exist
      hint: use -2 … 1]
  `);
  expect(() => x.slice(0, 0, 1, 0)).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: slice: step must not be 0
      hint: 1 takes every element, 2 every other one, -1 runs backwards]
  `);
  expect(() => x.expand([2, 4])).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: expand: f32[2,3] does not expand to [2,4]
      hint: only dimensions of size 1 repeat, and new ones come in front]
  `);
  expect(() => ops.pad({ x }, { pads: [[1, 1]] })).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: pad: f32[2,3] has 2 dimensions, pads name 1
      hint: one [before, after] per dimension, first dimension first]
  `);
  expect(() => pad(x, [[-1, 0]])).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: pad: [-1,0] must be whole numbers of at least 0
      hint: cut elements off with slice(dim, start, end)]
  `);
  expect(() => concat([x, x.t()])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: concat: sizes differ outside dimension 0: first f32[2,3], number 1 f32[3,2]]`);
  expect(() => ops.concat({ xs: [x, x.cast("i32")] }, { dim: 0 })).toThrowErrorMatchingInlineSnapshot(`
    [DTypeError: concat: types differ: first f32[2,3], number 1 i32[2,3]
      hint: cast("f32") them first]
  `);
  expect(() => stack([x, x.t()])).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: stack: shapes differ: first f32[2,3], number 1 f32[3,2]
      hint: concat joins along an existing dimension]
  `);
  expect(() => x.at(2)).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: at: index 2 is out of range for dimension 0 of size 2
      hint: use -2 … 1]
  `);
  expect(() => split(x, [1, 1], 1)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: split: sizes [1,1] add up to 2, dimension 1 of f32[2,3] is 3]`);
  expect(() => x.flip([0, 0])).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: flip: [0,0] names a dimension of f32[2,3] twice]`);
  expect(() => flatten(x, 1, 0)).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: flatten: startDim 1 lies behind endDim 0 of f32[2,3]]`);
});
