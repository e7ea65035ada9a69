/** Shapes at compile time. The type checker runs this file; at run time each line must also do what its type says. */
import { ShapeError, noGrad, ones, randn, type FitsBroadcast, type Tensor } from "@nn/tensor";
import { Linear, Sequential } from "@nn/layers";
import { describe, expect, expectTypeOf, it } from "vitest";

const shaped = <S extends readonly number[]>(t: Tensor<S>, shape: readonly number[]): void => expect([...t.shape]).toEqual(shape);

describe("shapes in types", () => {
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
    const rows = a.sum(1);
    expectTypeOf(rows).toEqualTypeOf<Tensor<[2]>>();
    shaped(rows, [2]);
    const kept = a.mean(-1, { keepdim: true });
    expectTypeOf(kept).toEqualTypeOf<Tensor<[2, 1]>>();
    shaped(kept, [2, 1]);
    expectTypeOf(a.sum()).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(a.t()).toEqualTypeOf<Tensor<[3, 2]>>();
    expectTypeOf(a.reshape([3, 2])).toEqualTypeOf<Tensor<[3, 2]>>();
    expectTypeOf(a.permute([1, 0])).toEqualTypeOf<Tensor<[3, 2]>>();
    expectTypeOf(a.exp().mul(2)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(a.outer).toBeFunction();
  });

  it("refuse what cannot fit, at compile time and at run time", () => {
    const a = ones([2, 3]);
    // @ts-expect-error [2,3] and [4] do not broadcast
    expect(() => a.add(ones([4]))).toThrow(ShapeError);
    // @ts-expect-error inner sizes differ
    expect(() => a.matmul(ones([2, 3]))).toThrow(ShapeError);
    // @ts-expect-error the last size must be 5
    expect(() => new Linear(5, 2).call(a)).toThrow(ShapeError);
  });

  it("name both shapes in the error", () => {
    type Argument = Parameters<typeof add23>[0];
    const add23 = (other: Tensor<[4]> & FitsBroadcast<[2, 3], [4]>) => other;
    expectTypeOf<Argument["__shapeError"]>().toEqualTypeOf<"[2,3] and [4] do not broadcast">();
    expect(add23).toBeTypeOf("function");
  });

  it("let unknown sizes pass, and come back with as()", () => {
    const n: number = 4;
    const x = randn([n, 3]);
    expectTypeOf(x).toEqualTypeOf<Tensor<[number, 3]>>();
    expectTypeOf(x.matmul(ones([3, 2]))).toEqualTypeOf<Tensor<[number, 2]>>();
    const wide: Tensor = x;
    expectTypeOf(wide.add(x)).toEqualTypeOf<Tensor<number[]>>();
    expectTypeOf(wide.as([4, 3])).toEqualTypeOf<Tensor<[4, 3]>>();
    expect(() => wide.as([5, 3])).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: as: the shape is [4,3], not [5,3]
        hint: as() checks a shape, reshape() changes it]
    `);
  });

  it("go through layers", () => {
    const layer = new Linear(3, 8);
    expectTypeOf(layer).toEqualTypeOf<Linear<3, 8>>();
    const y = noGrad(() => layer.call(ones([2, 3])));
    expectTypeOf(y).toEqualTypeOf<Tensor<[2, 8]>>();
    shaped(y, [2, 8]);
    expectTypeOf(new Sequential(layer).call).returns.toEqualTypeOf<Tensor>();
  });
});
