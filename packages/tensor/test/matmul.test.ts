import { describe, expect, test } from "vitest";
import { dot, einsum, getEngine, linear, ones, ops, outer, randn, tensor, trace, withEngine, zeros, type Tensor } from "../src/index.ts";
import { expectKernelIsReference, onEveryEngine, relativeError } from "./engines.ts";

describe("matmul", () => {
  const a: Tensor = tensor([[1, 2], [3, 4]]);
  const b: Tensor = tensor([[5, 6], [7, 8]]);
  const v: Tensor = tensor([1, -1]);

  test("matrices and vectors", () => {
    expect(a.matmul(b).toArray()).toEqual([[19, 22], [43, 50]]);
    expect(a.matmul(v).toArray()).toEqual([-1, -1]);
    expect(v.matmul(a).toArray()).toEqual([-2, -2]);
    expect(v.matmul(v).toArray()).toBe(2);
  });

  test("batches broadcast", () => {
    const stack: Tensor = tensor([[[1, 0], [0, 1]], [[0, 1], [1, 0]]]);
    expect(stack.matmul(b).toArray()).toEqual([[[5, 6], [7, 8]], [[7, 8], [5, 6]]]);
    expect(b.matmul(stack).toArray()).toEqual([[[5, 6], [7, 8]], [[6, 5], [8, 7]]]);
    expect(stack.unsqueeze(1).matmul(stack).shape).toEqual([2, 2, 2, 2]);
  });

  test("an empty sum is zero, no rows give no rows", () => {
    expect(zeros([2, 0]).matmul(zeros([0, 3])).toArray()).toEqual([[0, 0, 0], [0, 0, 0]]);
    expect((zeros([0, 3]) as Tensor).matmul(ones([3, 2])).shape).toEqual([0, 2]);
  });

  test("integers stay integers", () => {
    const i: Tensor = tensor([[1, 2], [3, 4]], { dtype: "i32" });
    const y = i.matmul(i);
    expect(y.dtype).toBe("i32");
    expect(y.toArray()).toEqual([[7, 10], [15, 22]]);
  });

  test("refuses what does not fit", () => {
    expect(() => (zeros([2, 3]) as Tensor).matmul(zeros([4, 5]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: matmul: inner sizes differ: f32[2,3] @ f32[4,5] (3 vs 4)]`);
    expect(() => (zeros([2, 3]) as Tensor).matmul(zeros([4, 3]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: matmul: inner sizes differ: f32[2,3] @ f32[4,3] (3 vs 4)
        hint: is b transposed? try a.matmul(b.t())]
    `);
    expect(() => (zeros([2, 2, 3]) as Tensor).matmul(zeros([3, 3, 4]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: matmul: batches [2] and [3] do not broadcast: f32[2,2,3] @ f32[3,3,4]
        hint: all but the last two dimensions must be equal or 1]
    `);
    expect(() => (zeros([]) as Tensor).matmul(zeros([3]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: matmul: needs at least one dimension on each side: f32[] @ f32[3]
        hint: to scale by a number use mul]
    `);
  });

  test("reads any strides without a copy, and a batch over one matrix is one product", () => {
    const engine = getEngine();
    const x: Tensor = randn([3, 4, 5], { seed: 1 });
    const w: Tensor = randn([7, 5], { seed: 2 });
    expect(trace(() => x.matmul(w.t())).kernels).toEqual([`gemm_${engine.isa}`]);
    expect(trace(() => (randn([9, 6], { seed: 3 }) as Tensor).slice(1, 0, 6, 2).matmul(randn([3, 2], { seed: 4 }))).kernels.filter((k) => k.startsWith("copy"))).toEqual([]);
  });
});

describe("linear", () => {
  const x: Tensor = tensor([[1, 2], [-3, 4]]);
  const weight: Tensor = tensor([[1, 0], [0, 1], [1, 1]]); // [out, in]
  const bias: Tensor = tensor([0, -5, 1]);

  test("y = act(x·Wᵀ + b)", () => {
    expect(linear(x, weight).toArray()).toEqual([[1, 2, 3], [-3, 4, 1]]);
    expect(linear(x, weight, { bias }).toArray()).toEqual([[1, -3, 4], [-3, -1, 2]]);
    expect(linear(x, weight, { bias, act: "relu" }).toArray()).toEqual([[1, 0, 4], [0, 0, 2]]);
    expect(linear(x.at(0), weight, { bias }).toArray()).toEqual([1, -3, 4]);
    expect(linear(x.reshape([2, 1, 2]), weight).shape).toEqual([2, 1, 3]);
    const y = linear(x, weight, { bias, act: "sigmoid" }).dataSync();
    expect(relativeError(y, [1, -3, 4, -3, -1, 2].map((z) => 1 / (1 + Math.exp(-z))))).toBeLessThan(1e-6);
  });

  test("bias and activation are one launch", () => {
    const { kernels } = trace(() => linear(x, weight, { bias, act: "tanh" }));
    expect(kernels).toEqual([`gemm_${getEngine().isa}`]);
  });

  test("gradient through the activation is read off the result", () => {
    const act = (name: "relu" | "sigmoid" | "tanh", values: number[]) => ops.activationGrad({ grad: ones([values.length]), result: tensor(values) }, { act: name }).dataSync();
    expect(Array.from(act("relu", [0, 2]))).toEqual([0, 1]);
    expect(Array.from(act("sigmoid", [0.5, 0.25]))).toEqual([0.25, 0.1875]);
    expect(Array.from(act("tanh", [0, 0.5]))).toEqual([1, 0.75]);
  });

  test("refuses what does not fit", () => {
    expect(() => linear(zeros([5, 4]), zeros([3, 6]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: linear: expected f32[…,6], got f32[5,4]
        hint: weight [3,6] is [out, in]]
    `);
    expect(() => linear(zeros([5, 3]), zeros([3, 6]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: linear: expected f32[…,6], got f32[5,3]
        hint: weight [3,6] is [out, in]; is it transposed?]
    `);
    expect(() => linear(zeros([5, 2, 3]), zeros([4, 6]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: linear: expected f32[…,6], got f32[5,2,3]
        hint: x.flatten(1) has this shape]
    `);
    expect(() => linear(zeros([5, 4]), zeros([3, 4]), { bias: zeros([4]) })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: linear: bias must be [3], got f32[4]]`);
    expect(() => linear(zeros([5, 4]), zeros([3, 4]), { act: "gelu" as "relu" })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: linear: act is "gelu"
        hint: one of none, relu, sigmoid, tanh; apply others as an op of their own]
    `);
    expect(() => linear(zeros([5, 4], { dtype: "i32" }), zeros([3, 4], { dtype: "i32" }))).toThrowErrorMatchingInlineSnapshot(`
      [DTypeError: linear: needs floating-point inputs, got i32[5,4] and i32[3,4]
        hint: x.cast("f32")]
    `);
  });
});

describe("composites", () => {
  const a: Tensor = tensor([[1, 2], [3, 4]]);
  const b: Tensor = tensor([[5, 6], [7, 8]]);

  test("dot and outer", () => {
    expect(dot(tensor([1, 2, 3]), tensor([4, 5, 6])).item()).toBe(32);
    expect(outer(tensor([1, 2]), tensor([3, 4, 5])).toArray()).toEqual([[3, 4, 5], [6, 8, 10]]);
    expect(() => dot(a, b)).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: dot: takes two vectors, got f32[2,2] and f32[2,2]
        hint: for matrices use matmul]
    `);
  });

  test("einsum", () => {
    expect(einsum("ij,jk->ik", a, b).toArray()).toEqual([[19, 22], [43, 50]]);
    expect(einsum("ij,jk", a, b).toArray()).toEqual([[19, 22], [43, 50]]);
    expect(einsum("ii->", a).item()).toBe(5);
    expect(einsum("ii->i", a).toArray()).toEqual([1, 4]);
    expect(einsum("ij->ji", a).toArray()).toEqual([[1, 3], [2, 4]]);
    expect(einsum("ij,ij->", a, b).item()).toBe(70);
    expect(einsum("...ij,jk->...ik", a.unsqueeze(0), b).toArray()).toEqual([[[19, 22], [43, 50]]]);
    expect(einsum("i,ij,j->", tensor([1, 2]), a, tensor([1, -1])).item()).toBe(-3);
  });

  test("einsum refuses what does not fit", () => {
    expect(() => einsum("ij,jk->ik", a, zeros([3, 2]))).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: einsum: "ij,jk->ik": label "j" is 2 and 3 in f32[2,2], f32[3,2]
        hint: one label, one size]
    `);
    expect(() => einsum("ijk->i", a)).toThrowErrorMatchingInlineSnapshot(`
      [ShapeError: einsum: "ijk->i": "ijk" has 3 labels, operand 1 is f32[2,2]
        hint: one label per dimension]
    `);
    expect(() => einsum("ij->k", a)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: einsum: "ij->k": "k" of the result is in no operand]`);
    expect(() => einsum("ij;jk", a, b)).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: einsum: "ij;jk" is not an equation
        hint: letters, commas and one arrow, as in "ij,jk->ik"]
    `);
    expect(() => einsum("ij,jk->ik", a)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: einsum: "ij,jk->ik": names 2 operands, got 1]`);
  });
});

onEveryEngine("gemm", (engine) => {
  for (const [m, k, n] of [[1, 1, 1], [1, 7, 1], [3, 17, 5], [13, 33, 47], [65, 70, 31], [5, 300, 129], [130, 64, 257]] as const) {
    test(`${m}×${k} @ ${k}×${n}, plain and transposed`, () => {
      expectKernelIsReference(engine, "gemm", () => (randn([m, k], { seed: 1 }) as Tensor).matmul(randn([k, n], { seed: 2 })));
      expectKernelIsReference(engine, "gemm", () => (randn([k, m], { seed: 1 }) as Tensor).t().matmul((randn([n, k], { seed: 2 }) as Tensor).t()));
    });
  }
  test("batches, broadcast batches and strided vectors", () => {
    expectKernelIsReference(engine, "gemm", () => (randn([2, 3, 5, 7], { seed: 1 }) as Tensor).matmul(randn([3, 7, 4], { seed: 2 })));
    expectKernelIsReference(engine, "gemm", () => (randn([3, 2, 7], { seed: 1 }) as Tensor).permute([1, 0, 2]).matmul(randn([7, 4], { seed: 2 })));
    expectKernelIsReference(engine, "gemm", () => (randn([2, 1, 1, 7], { seed: 1 }) as Tensor).matmul(randn([3, 7, 4], { seed: 2 })));
    expectKernelIsReference(engine, "gemm", () => (randn([14], { seed: 1 }) as Tensor).slice(0, 0, 14, 2).matmul(randn([7, 5], { seed: 2 })));
  });
  test("linear on odd sizes, every activation", () => {
    for (const act of ["none", "relu", "sigmoid", "tanh"] as const) {
      expectKernelIsReference(engine, "gemm", () => linear(randn([11, 19], { seed: 1 }), randn([33, 19], { seed: 2 }), { bias: randn([33], { seed: 3 }), act }));
      expectKernelIsReference(engine, "map", () => ops.activationGrad({ grad: randn([7, 3], { seed: 1 }), result: (randn([7, 3], { seed: 2 }) as Tensor).sigmoid() }, { act }));
    }
  });
  // Freivalds 1977: C·t = A·(B·t) for a random t, in linear time.
  test("a big product, by Freivalds' check", () => {
    withEngine(engine, () => {
      const [m, k, n] = [509, 700, 611];
      const a = randn([m, k], { seed: 1 }).dataSync();
      const b = randn([k, n], { seed: 2 }).dataSync();
      const c = (randn([m, k], { seed: 1 }) as Tensor).matmul(randn([k, n], { seed: 2 })).dataSync();
      const t = randn([n], { seed: 3 }).dataSync();
      const times = (x: ArrayLike<number>, rows: number, cols: number, v: ArrayLike<number>) =>
        Float64Array.from({ length: rows }, (_, i) => {
          let s = 0;
          for (let j = 0; j < cols; j++) s += x[i * cols + j]! * v[j]!;
          return s;
        });
      expect(relativeError(times(c, m, n, t), times(a, m, k, times(b, k, n, t)))).toBeLessThan(1e-5);
    });
  });
});
