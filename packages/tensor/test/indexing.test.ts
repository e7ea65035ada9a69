import { describe, expect, test } from "vitest";
import "@nn/autograd";
import { getEngine, indexAdd, ops, tensor, trace, type Tensor } from "../src/index.ts";

const x: Tensor = tensor([[1, 2, 3], [4, 5, 6]]);
const at = (values: readonly number[] | readonly (readonly number[])[]): Tensor => tensor(values, { dtype: "i32" });
const kernel = (name: string): string => `${name}_${getEngine().isa}`;

describe("gather", () => {
  test("along each dimension", () => {
    const { result, kernels } = trace(() => x.gather(1, at([[2, 0], [1, 1]])));
    expect(result.toArray()).toEqual([[3, 1], [5, 5]]);
    expect(kernels).toEqual([kernel("gather")]);
    expect(x.gather(0, at([[1, 0, 1]])).toArray()).toEqual([[4, 2, 6]]);
  });
  test("from a transposed x, and with an index smaller than x", () => {
    expect(x.t().gather(0, at([[2, 0], [0, 1]])).toArray()).toEqual([[3, 4], [1, 5]]);
    expect(x.gather(1, at([[2, 2, 0, 1]])).toArray()).toEqual([[3, 3, 1, 2]]);
  });
  test("integers keep their bits", () => {
    expect(at([2 ** 30 + 1, 7]).gather(0, at([0])).toArray()).toEqual([2 ** 30 + 1]);
  });
  test("scatterAdd sums repeated positions", () => {
    expect(x.scatterAdd(1, at([[0, 0], [2, 1]]), tensor([[10, 20], [30, 40]])).toArray()).toEqual([[31, 2, 3], [4, 45, 36]]);
  });
  test("its gradient is a scatter", () => {
    const v = x.detach().requireGrad();
    v.gather(1, at([[2, 2], [0, 1]])).mul(tensor([[1, 10], [100, 1000]])).sum().backward();
    expect(v.grad!.toArray()).toEqual([[0, 0, 11], [100, 1000, 0]]);
  });
});

describe("indexSelect", () => {
  test("rows, columns, and index tensors of any rank", () => {
    const { result, kernels } = trace(() => x.indexSelect(0, at([1, 0, 1])));
    expect(result.toArray()).toEqual([[4, 5, 6], [1, 2, 3], [4, 5, 6]]);
    expect(kernels).toEqual([kernel("gatherRows")]);
    expect(x.indexSelect(-1, at([2, 0])).toArray()).toEqual([[3, 1], [6, 4]]);
    expect(x.indexSelect(1, at([[0], [2]])).toArray()).toEqual([[[1], [3]], [[4], [6]]]);
    expect(x.indexSelect(0, tensor(1, { dtype: "i32" })).toArray()).toEqual([4, 5, 6]);
    expect(x.indexSelect(0, at([])).shape).toEqual([0, 3]);
  });
  test.each(["f64", "i32", "u8", "bool"] as const)("every type: %s", (dtype) => {
    const y = x.gt(2).cast(dtype).indexSelect(1, at([2, 0]));
    expect(y.dtype).toBe(dtype);
    expect(Array.from(y.dataSync())).toEqual([1, 0, 1, 1]);
  });
  test("the gradient adds repeated rows", () => {
    const v = x.detach().requireGrad();
    const { kernels } = trace(() => v.indexSelect(0, at([1, 1, 1])).sum().backward());
    expect(v.grad!.toArray()).toEqual([[0, 0, 0], [3, 3, 3]]);
    expect(kernels).toContain(kernel("scatterAddRows"));
    expect(indexAdd(x, 0, at([0, 0]), tensor([[1, 1, 1], [2, 2, 2]])).toArray()).toEqual([[4, 5, 6], [4, 5, 6]]);
  });
});

test("oneHot", () => {
  expect(at([2, 0]).oneHot(3).toArray()).toEqual([[0, 0, 1], [1, 0, 0]]);
  expect(at([2, 0]).oneHot(3).dtype).toBe("i32");
  expect(ops.oneHot({ x: at([[1]]) }, { numClasses: 2, dtype: "f32" }).toArray()).toEqual([[[0, 1]]]);
});

describe("order", () => {
  test("sort is stable and puts NaN where the largest belongs", () => {
    const v = tensor([2, NaN, 1, 2, -Infinity]);
    const up = v.sort();
    expect(up.values.toArray()).toEqual([-Infinity, 1, 2, 2, NaN]);
    expect(up.indices.toArray()).toEqual([4, 2, 0, 3, 1]);
    const down = v.sort(0, { descending: true });
    expect(down.values.toArray()).toEqual([NaN, 2, 2, 1, -Infinity]);
    expect(down.indices.toArray()).toEqual([1, 0, 3, 2, 4]);
    expect(tensor([[3, 1], [2, 5]]).sort(0).values.toArray()).toEqual([[2, 1], [3, 5]]);
  });
  test("topk", () => {
    const { values, indices } = x.topk(2);
    expect(values.toArray()).toEqual([[3, 2], [6, 5]]);
    expect(indices.toArray()).toEqual([[2, 1], [2, 1]]);
    expect(x.topk(1, 0, { largest: false }).values.toArray()).toEqual([[1, 2, 3]]);
    expect(x.topk(0).values.shape).toEqual([2, 0]);
  });
  test("gradients go back to where values came from", () => {
    const v = x.detach().requireGrad();
    v.topk(2).values.mul(tensor([1, 10])).sum().backward();
    expect(v.grad!.toArray()).toEqual([[0, 10, 1], [0, 10, 1]]);
  });
});

test("maskedFill", () => {
  expect(x.maskedFill(x.gt(4), -1).toArray()).toEqual([[1, 2, 3], [4, -1, -1]]);
});

test("errors teach", () => {
  expect(() => x.gather(1, tensor([[1]]))).toThrowErrorMatchingInlineSnapshot(`
    [DTypeError: gather: positions must be i32, got f32[1,1]
      hint: cast("i32"), or tensor(…, { dtype: "i32" })]
  `);
  expect(() => x.gather(1, at([1]))).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: gather: index i32[1] does not lie inside f32[2,3]
      hint: it needs 2 dimensions, none but dimension 1 larger than x's; indexSelect takes whole slices]
  `);
  expect(() => x.gather(1, at([[0, 3], [0, 0]]))).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: gather: index 3 at [0,1] is out of range for dimension 1 of size 3
      hint: the largest one is 2]
  `);
  expect(() => x.indexSelect(0, at([0, -1]))).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: indexSelect: index -1 at [1] is out of range for dimension 0 of size 2
      hint: positions do not count from the end here]
  `);
  expect(() => x.indexSelect(1, at([[0, 1], [5, 0]]))).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: indexSelect: index 5 at [1,0] is out of range for dimension 1 of size 3
      hint: the largest one is 2]
  `);
  expect(() => x.scatterAdd(1, at([[0, 1]]), tensor([[1]]))).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: scatterAdd: src f32[1,1] and index i32[1,2] differ in shape
      hint: one position per value]
  `);
  expect(() => at([0, 4]).oneHot(3)).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: oneHot: index 4 at [1] is out of range for dimension 1 of size 3
      hint: the largest one is 2]
  `);
  expect(() => x.topk(4)).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: topk: k = 4 of the 3 elements along dimension 1 of f32[2,3]
      hint: use 0 … 3]
  `);
  expect(() => ops.gatherGrad({ dy: x, index: at([[0]]) }, { dim: 0, shape: [2, 3] })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: gatherGrad: values f32[2,3] and index i32[1,1] differ in shape]`);
});
