/** Shapes at compile time, through layers. The type checker runs this file; at run time each line must also do what its type says. */
import { ShapeError, noGrad, ones, tensor, type Tensor } from "@nn/tensor";
import { Conv2d, Dropout, Flatten, Linear, Module, ReLU, Sequential, crossEntropy, mseLoss } from "@nn/layers";
import { describe, expect, expectTypeOf, it } from "vitest";

const shaped = <S extends readonly number[]>(t: Tensor<S>, shape: readonly number[]): void => expect([...t.shape]).toEqual(shape);

describe("shapes in types, through layers", () => {
  it("Linear changes the last size and keeps the others", () => {
    const layer = new Linear(3, 8);
    expectTypeOf(layer).toEqualTypeOf<Linear<3, 8>>();
    const y = noGrad(() => layer.call(ones([2, 3])));
    expectTypeOf(y).toEqualTypeOf<Tensor<[2, 8]>>();
    shaped(y, [2, 8]);
    const deep = noGrad(() => layer.call(ones([4, 2, 3])).relu());
    expectTypeOf(deep).toEqualTypeOf<Tensor<[4, 2, 8]>>();
    shaped(deep, [4, 2, 8]);
  });

  it("Linear refuses another size, at compile time and at run time", () => {
    const layer = new Linear(5, 2);
    // @ts-expect-error the last size of [2,3] must be 5
    expect(() => layer.call(ones([2, 3]))).toThrow(ShapeError);
    // @ts-expect-error the layers do not fit each other
    expect(() => new Linear(5, 2).call(layer.call(ones([1, 5])))).toThrow(ShapeError);
  });

  it("Linear takes unknown sizes and ranks", () => {
    const layer = new Linear(2, 3);
    const rows: number[][] = [[1, 2], [3, 4]];
    const y = layer.call(tensor(rows));
    expectTypeOf(y).toEqualTypeOf<Tensor<[number, 3]>>();
    shaped(y, [2, 3]);
    const wide: Tensor = ones([4, 2]);
    expectTypeOf(layer.call(wide)).toEqualTypeOf<Tensor>();
    shaped(layer.call(wide), [4, 3]);
    const [inside, outside]: number[] = [2, 3];
    expectTypeOf(new Linear(inside!, outside!).call(ones([4, 2]))).toEqualTypeOf<Tensor<[4, number]>>();
    expect(() => layer.call(ones([4, 5]) as Tensor)).toThrow(ShapeError);
  });

  it("activations and dropout keep a shape; Sequential, convolutions and losses take any", () => {
    expectTypeOf(new ReLU().call(ones([2, 3]))).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(new Dropout(0).call(ones([2, 3]))).toEqualTypeOf<Tensor<[2, 3]>>();
    const model = new Sequential(new Conv2d(1, 2, 3), new Flatten(), new Linear(8, 4));
    const logits = model.call(ones([5, 1, 4, 4]));
    expectTypeOf(logits).toEqualTypeOf<Tensor>();
    shaped(logits, [5, 4]);
    shaped(crossEntropy(logits, tensor([0, 1, 2, 3, 0], { dtype: "i32" })), []);
    shaped(mseLoss(new Linear(4, 1).call(logits), ones([5, 1])), []);
  });

  it("a user's module reads without casts", () => {
    class Block extends Module {
      readonly inside = new Linear(2, 8);
      readonly outside = new Linear(8, 2);
      forward(x: Tensor): Tensor {
        let h = x.flatten(1);
        h = this.inside.call(h).relu();
        return this.outside.call(h).add(x);
      }
    }
    const block = new Block();
    expectTypeOf(block.call(ones([3, 2]))).toEqualTypeOf<Tensor>();
    shaped(block.call(ones([3, 2])), [3, 2]);
  });
});
