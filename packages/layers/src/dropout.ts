import { ArgumentError, rand, scope, type Shape, type Tensor } from "@nn/tensor";
import { Module } from "./module.ts";

/**
 * Sets each element to 0 with probability p in training and scales the others by 1/(1−p), so that evaluation needs no change
 * ("inverted" dropout; Srivastava 2014 scales at test time instead). Each call takes the next stream of the global seed.
 */
export class Dropout extends Module {
  readonly p: number;
  constructor(p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1)) throw new ArgumentError("Dropout", `probability ${p} is not in [0, 1]`);
    this.p = p;
  }
  forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return this.training && this.p > 0 ? dropout(x, this.p) : x;
  }
  override describe(): string {
    return `p=${this.p}`;
  }
}

/** Dropout with a mask of the next random stream. The mask's own steps end at once. */
export function dropout<S extends Shape>(x: Tensor<S>, p: number): Tensor<S> {
  return scope(() => {
    const kept = rand(x.shape).ge(p).cast(x.dtype).mul(p === 1 ? 0 : 1 / (1 - p));
    return x.mul(kept as Tensor) as Tensor as Tensor<S>;
  }, "dropout");
}
