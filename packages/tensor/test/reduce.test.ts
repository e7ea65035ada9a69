import { describe, expect, test } from "vitest";
import "@nn/autograd";
import { getEngine, ops, randn, tensor, trace, withReference, type Tensor } from "../src/index.ts";

const x: Tensor = tensor([[3, 1, 2], [3, 5, -4]]);
const kernel = (name: string): string => `${name}_${getEngine().isa}`;
const image = (): Tensor => ops.contiguous({ x: randn([2, 3, 4, 5], { seed: 1 }) }, { channelsLast: true });
const close = (a: Tensor, b: Tensor): void => {
  expect(a.shape).toEqual(b.shape);
  const [p, q] = [a.dataSync(), b.dataSync()];
  q.forEach((v, i) => expect(Math.abs(p[i]! - v)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(v))));
};

describe("values", () => {
  test("sum", () => {
    expect(x.sum().item()).toBe(10);
    expect(x.sum(0).toArray()).toEqual([6, 6, -2]);
    expect(x.sum(-1, { keepdim: true }).toArray()).toEqual([[6], [4]]);
    expect(x.sum([0, 1], { keepdim: true }).toArray()).toEqual([[10]]);
    expect(tensor(7).sum().item()).toBe(7);
  });
  test("prod, max, min", () => {
    expect(x.prod(1).toArray()).toEqual([6, -60]);
    expect(x.max().item()).toBe(5);
    expect(x.max(0).toArray()).toEqual([3, 5, 2]);
    expect(x.min(1).toArray()).toEqual([1, -4]);
    expect(tensor([1, NaN, 3]).max().item()).toBeNaN();
    expect(tensor([1, NaN, 3]).min().item()).toBeNaN();
  });
  test("argmax and argmin: the first of equals, the first NaN before all", () => {
    expect(x.argmax().item()).toBe(4);
    expect(x.argmax(0).toArray()).toEqual([0, 1, 0]);
    expect(x.argmin(1, { keepdim: true }).toArray()).toEqual([[1], [2]]);
    expect(x.argmax(0).dtype).toBe("i32");
    expect(x.t().argmax().item()).toBe(3); // positions count in logical order: [[3,3],[1,5],[2,-4]]
    expect(tensor([1, NaN, 3, NaN]).argmax().item()).toBe(1);
    expect(tensor([1, NaN, 3, NaN]).argmin().item()).toBe(1);
  });
  test("cumsum", () => {
    expect(x.cumsum(1).toArray()).toEqual([[3, 4, 6], [3, 8, 4]]);
    expect(x.cumsum(0).toArray()).toEqual([[3, 1, 2], [6, 6, -2]]);
    expect(ops.cumsum({ x }, { dim: 1, reverse: true }).toArray()).toEqual([[6, 3, 2], [4, 1, -4]]);
  });
  test("mean, var, std", () => {
    expect(x.mean(0).toArray()).toEqual([3, 3, -1]);
    expect(x.var(1).toArray()).toEqual([1, expect.closeTo(22.333334, 5)]);
    expect(x.var(1, { correction: 0 }).toArray()).toEqual([expect.closeTo(2 / 3, 6), expect.closeTo(14.888889, 5)]);
    expect(x.std(1, { keepdim: true }).toArray()).toEqual([[1], [expect.closeTo(4.7258158, 5)]]);
    // One pass (E[x²] − E[x]²) would lose every digit here.
    expect(tensor([10000.5, 10001.5, 10002.5]).var().item()).toBeCloseTo(1, 5);
  });
  test("norm", () => {
    const v = tensor([[3, -4], [0, 0]]);
    expect(v.norm(1).toArray()).toEqual([5, 0]);
    expect(v.norm(1, { p: 1 }).toArray()).toEqual([7, 0]);
    expect(v.norm(1, { p: Infinity }).toArray()).toEqual([4, 0]);
    expect(v.norm(1, { p: -Infinity }).toArray()).toEqual([3, 0]);
    expect(v.norm(1, { p: 0 }).toArray()).toEqual([2, 0]);
    expect(v.norm(1, { p: 3 }).toArray()).toEqual([expect.closeTo(91 ** (1 / 3), 5), 0]);
  });
  test("logsumexp does not overflow and is −∞ for all −∞", () => {
    expect(tensor([1000, 1000]).logsumexp().item()).toBeCloseTo(1000 + Math.LN2, 4);
    expect(tensor([[0, 0], [-Infinity, -Infinity]]).logsumexp(1).toArray()).toEqual([expect.closeTo(Math.LN2, 6), -Infinity]);
    expect(tensor([-Infinity, 2]).logsumexp().item()).toBe(2);
    expect(tensor([Infinity, 2]).logsumexp().item()).toBe(Infinity);
    expect(tensor([NaN, 2]).logsumexp().item()).toBeNaN();
  });
  test("any and all", () => {
    const mask = tensor([[true, false], [false, false], [true, true]]);
    expect(mask.any(1).toArray()).toEqual([true, false, true]);
    expect(mask.all(1).toArray()).toEqual([false, false, true]);
    expect(tensor([0, NaN]).any().toArray()).toBe(true);
  });
  test("integers and masks count in i32, means are f32", () => {
    expect(tensor([true, false, true]).sum()).toMatchObject({ dtype: "i32" });
    expect(tensor([true, false, true]).sum().item()).toBe(2);
    expect(tensor(Uint8Array.of(200, 200)).sum().item()).toBe(400);
    expect(tensor(Int32Array.of(2 ** 24, 1)).sum().item()).toBe(2 ** 24 + 1);
    expect(tensor(Int32Array.of(1, 2)).mean().item()).toBe(1.5);
    expect(tensor(Int32Array.of(1, 2)).mean().dtype).toBe("f32");
  });
  test("no elements", () => {
    const none = tensor([], { shape: [0, 2] }) as Tensor;
    expect(none.sum(0).toArray()).toEqual([0, 0]);
    expect(none.prod(0).toArray()).toEqual([1, 1]);
    expect(none.mean(0).toArray()).toEqual([NaN, NaN]);
    expect(none.logsumexp(0).toArray()).toEqual([-Infinity, -Infinity]);
    expect(none.any().toArray()).toBe(false);
    expect(none.all().toArray()).toBe(true);
    expect(none.max(1).shape).toEqual([0]);
    expect(none.sum(1).shape).toEqual([0]);
  });
});

describe("memory order", () => {
  test("the bias gradient of a channels-last image needs no copy", () => {
    const { result, kernels } = trace(() => image().sum([0, 2, 3]));
    expect(kernels.slice(-1)).toEqual([kernel("reduce")]);
    expect(trace(() => ops.sum({ x: result }, {})).kernels).toEqual([kernel("reduce")]);
    close(result, withReference(() => image().sum([0, 2, 3])));
  });
  test.each([[[0]], [[1]], [[2]], [[3]], [[0, 2]], [[1, 3]], [[0, 1, 3]], [[0, 1, 2, 3]]])("channels-last and row-major over %j", (dims) => {
    const last = image();
    const { result, kernels } = trace(() => last.sum(dims));
    expect(new Set(kernels)).toEqual(new Set([kernel("reduce")]));
    close(result, withReference(() => last.sum(dims)));
    const rows = last.contiguous();
    close(rows.sum(dims), withReference(() => last.sum(dims)));
    close(last.max(dims, { keepdim: true }), withReference(() => last.max(dims, { keepdim: true })));
  });
  test.each([0, 1, 2, 3])("argmax and cumsum along %j", (dim) => {
    const last = image();
    const { result, kernels } = trace(() => last.argmax(dim));
    expect(kernels).toEqual([kernel("argMax")]);
    expect(result.toArray()).toEqual(withReference(() => last.argmax(dim)).toArray());
    const sums = trace(() => last.cumsum(dim));
    expect(sums.kernels).toEqual([kernel("cumsum")]);
    close(sums.result, withReference(() => last.cumsum(dim)));
  });
  test("holes, repeats and backward strides are copied first", () => {
    const base = randn([6, 10], { seed: 2 }) as Tensor;
    for (const view of [base.slice(1, 0, 10, 3), base.flip([0, 1]), base.slice(0, 0, 1).expand([4, 10])] as Tensor[]) {
      const { result, kernels } = trace(() => view.sum(1));
      expect(kernels).toEqual([kernel("copy"), kernel("reduce")]);
      close(result, withReference(() => view.sum(1)));
      close(view.max(0), withReference(() => view.max(0)));
    }
  });
});

describe("gradients", () => {
  const gradient = (f: (v: Tensor) => Tensor, data: number[]): unknown => {
    const v = tensor(data).requireGrad() as Tensor;
    f(v).backward();
    return v.grad!.toArray();
  };
  test("equal extremes share evenly", () => {
    expect(gradient((v) => v.max(), [3, 1, 3, 3])).toEqual([expect.closeTo(1 / 3, 6), 0, expect.closeTo(1 / 3, 6), expect.closeTo(1 / 3, 6)]);
    expect(gradient((v) => v.min(), [3, 1, 1])).toEqual([0, 0.5, 0.5]);
  });
  test("products with zeros", () => {
    expect(gradient((v) => v.prod(), [2, 0, 3])).toEqual([0, 6, 0]);
    expect(gradient((v) => v.prod(), [0, 0, 3])).toEqual([0, 0, 0]);
    expect(gradient((v) => v.prod(), [2, 4, 3, 1, 5])).toEqual([60, 30, 40, 120, 24]);
    expect(gradient((v) => v.prod(), [7])).toEqual([1]);
  });
  test("finite where the value has a kink", () => {
    expect(gradient((v) => v.norm(), [0, 0])).toEqual([0, 0]);
    expect(gradient((v) => v.norm(0, { p: 3 }), [0, 0])).toEqual([0, 0]);
    expect(gradient((v) => v.std(), [2, 2, 2])).toEqual([0, 0, 0]);
    expect(gradient((v) => v.logsumexp(), [-Infinity, -Infinity])).toEqual([0, 0]);
    expect(gradient((v) => v.logsumexp(), [-Infinity, 1])).toEqual([0, 1]);
  });
  test("cumsum flows backwards", () => {
    expect(gradient((v) => v.cumsum(0).mul(tensor([1, 10, 100])).sum(), [1, 1, 1])).toEqual([111, 110, 100]);
  });
});

test("errors teach", () => {
  const none = tensor([], { shape: [0, 2] }) as Tensor;
  expect(() => x.sum(2)).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: sum: dimension 2 of f32[2,3] does not exist
      hint: use -2 … 1]
  `);
  expect(() => none.max(0)).toThrowErrorMatchingInlineSnapshot(`
    [ArgumentError: max: f32[0,2] has no elements along [0]
      hint: max of nothing is undefined; sum is 0 and prod is 1]
  `);
  expect(() => none.argmin()).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: argmin: f32[0,2] has no elements to choose from along [0,1]]`);
  expect(() => x.cumsum(-3)).toThrowErrorMatchingInlineSnapshot(`
    [ShapeError: cumsum: dimension -3 of f32[2,3] does not exist
      hint: use -2 … 1]
  `);
});
