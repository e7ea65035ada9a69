/** Shapes at compile time. The type checker runs this file; at run time each line must also do what its type says. */
import { ShapeError, arange, concat, ones, randn, rand, tensor, zeros, type FitsBroadcast, type FitsLast, type FitsMatMul, type Tensor } from "@nn/tensor";
import { describe, expect, expectTypeOf, it } from "vitest";

const shaped = <S extends readonly number[]>(t: Tensor<S>, shape: readonly number[]): void => expect([...t.shape]).toEqual(shape);

describe("shapes in types", () => {
  it("come from literals, nested arrays and sizes", () => {
    const a = tensor([[1, 2, 3], [4, 5, 6]]);
    expectTypeOf(a).toEqualTypeOf<Tensor<[2, 3]>>();
    shaped(a, [2, 3]);
    expectTypeOf(tensor(1)).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(tensor(new Float32Array(6))).toEqualTypeOf<Tensor<[number]>>();
    expectTypeOf(tensor(new Float32Array(6), { shape: [3, 2] })).toEqualTypeOf<Tensor<[3, 2]>>();
    const rows: number[][] = [[1, 2], [3, 4]];
    expectTypeOf(tensor(rows)).toEqualTypeOf<Tensor<[number, number]>>();
    expectTypeOf(arange(4)).toEqualTypeOf<Tensor<[number]>>();
  });

  it("follow element-wise ops, products, reductions and movements", () => {
    const a = ones([2, 3]);
    const sum = a.add(ones([3]));
    expectTypeOf(sum).toEqualTypeOf<Tensor<[2, 3]>>();
    shaped(sum, [2, 3]);
    const stretched = ones([4, 1]).mul(ones([1, 5]));
    expectTypeOf(stretched).toEqualTypeOf<Tensor<[4, 5]>>();
    shaped(stretched, [4, 5]);
    const product = a.matmul(ones([3, 7]));
    expectTypeOf(product).toEqualTypeOf<Tensor<[2, 7]>>();
    shaped(product, [2, 7]);
    const batched = ones([5, 1, 2, 3]).matmul(ones([4, 3, 7]));
    expectTypeOf(batched).toEqualTypeOf<Tensor<[5, 4, 2, 7]>>();
    shaped(batched, [5, 4, 2, 7]);
    const column = a.matmul(ones([3]));
    expectTypeOf(column).toEqualTypeOf<Tensor<[2]>>();
    shaped(column, [2]);
    const rows = a.sum(1);
    expectTypeOf(rows).toEqualTypeOf<Tensor<[2]>>();
    shaped(rows, [2]);
    const kept = a.mean(-1, { keepdim: true });
    expectTypeOf(kept).toEqualTypeOf<Tensor<[2, 1]>>();
    shaped(kept, [2, 1]);
    expectTypeOf(a.sum()).toEqualTypeOf<Tensor<[]>>();
    shaped(a.sum(), []);
    expectTypeOf(a.argmax(0)).toEqualTypeOf<Tensor<[3]>>();
    shaped(a.argmax(0), [3]);
    expectTypeOf(a.t()).toEqualTypeOf<Tensor<[3, 2]>>();
    shaped(a.t(), [3, 2]);
    expectTypeOf(a.reshape([3, 2])).toEqualTypeOf<Tensor<[3, 2]>>();
    shaped(a.reshape([3, 2]), [3, 2]);
    expectTypeOf(a.reshape([-1, 2])).toEqualTypeOf<Tensor<[number, 2]>>();
    shaped(a.reshape([-1, 2]), [3, 2]);
    const turned = ones([2, 3, 4]).permute([2, 0, 1]);
    expectTypeOf(turned).toEqualTypeOf<Tensor<[4, 2, 3]>>();
    shaped(turned, [4, 2, 3]);
    expectTypeOf(a.exp().mul(2)).toEqualTypeOf<Tensor<[2, 3]>>();
    const outer = ones([2]).outer(ones([5]));
    expectTypeOf(outer).toEqualTypeOf<Tensor<[2, 5]>>();
    shaped(outer, [2, 5]);
  });

  it("refuse what cannot fit, at compile time and at run time", () => {
    const a = ones([2, 3]);
    // @ts-expect-error [2,3] and [4] do not broadcast
    expect(() => a.add(ones([4]))).toThrow(ShapeError);
    // @ts-expect-error inner sizes differ
    expect(() => a.matmul(ones([2, 3]))).toThrow(ShapeError);
    // @ts-expect-error a vector of 2 does not fit 3 columns
    expect(() => a.matmul(ones([2]))).toThrow(ShapeError);
    // @ts-expect-error outer takes vectors
    expect(() => a.outer(ones([3]))).toThrow(ShapeError);
  });

  it("name both shapes in the error", () => {
    expectTypeOf<FitsBroadcast<[2, 3], [4]>["__shapeError"]>().toEqualTypeOf<"[2,3] and [4] do not broadcast">();
    expectTypeOf<FitsMatMul<[2, 3], [2, 3]>["__shapeError"]>().toEqualTypeOf<"matmul: inner sizes differ: [2,3] @ [2,3]">();
    expectTypeOf<FitsLast<[2, 3], 5>["__shapeError"]>().toEqualTypeOf<"the last size of [2,3] must be 5">();
    expectTypeOf<FitsBroadcast<[2, 3], [3]>>().toBeUnknown();
  });

  it("let unknown sizes and ranks pass, and come back with as()", () => {
    const n: number = 4;
    const x = randn([n, 3]);
    expectTypeOf(x).toEqualTypeOf<Tensor<[number, 3]>>();
    expectTypeOf(x.matmul(ones([3, 2]))).toEqualTypeOf<Tensor<[number, 2]>>();
    shaped(x.add(ones([n, 1])), [4, 3]);
    const wide: Tensor = x;
    expectTypeOf(wide.add(x)).toEqualTypeOf<Tensor>();
    shaped(wide.matmul(ones([3, 2])), [4, 2]);
    expectTypeOf(wide.as([4, 3])).toEqualTypeOf<Tensor<[4, 3]>>();
    expect(() => wide.as([5, 3])).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: as: the shape is [4,3], not [5,3]
        hint: as() checks a shape, reshape() changes it]
    `);
  });

  it("give every tensor of unknown rank one type, so that a variable can hold one after the other", () => {
    const sizes: number[] = [2, 3];
    let h = zeros(sizes);
    for (const next of [h.flatten(), h.slice(0, 0, 1), h.sum([0]), h.var(0), h.add(h), h.matmul(h.transpose(0, 1)), concat([h, h]), rand(sizes), h.reshape(sizes), h.at(0), h.expand(h.shape)]) {
      h = next;
      expect(h.rank).toBeLessThanOrEqual(2);
    }
    expectTypeOf(h).toEqualTypeOf<Tensor>();
  });
});
