/** Activations as modules. Linear and Conv2d compute ReLU, sigmoid and tanh in their own kernel where Sequential puts them side by side. */
import type { Shape, Tensor } from "@nn/tensor";
import { Module } from "./module.ts";

export type Activation = "relu" | "sigmoid" | "tanh";

/** A layer that can apply an activation to its result before it is stored. */
export interface FusesActivation {
  forwardActivated(x: Tensor, act: Activation): Tensor;
}

abstract class ElementWise extends Module {
  abstract override forward<S extends Shape>(x: Tensor<S>): Tensor<S>;
}

/** max(0, x) */
export class ReLU extends ElementWise {
  readonly fused = "relu" as const;
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.relu();
  }
}
/** 1/(1+e^(−x)) */
export class Sigmoid extends ElementWise {
  readonly fused = "sigmoid" as const;
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.sigmoid();
  }
}
export class Tanh extends ElementWise {
  readonly fused = "tanh" as const;
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.tanh();
  }
}
/** x·Φ(x) (Hendrycks & Gimpel 2016) */
export class GELU extends ElementWise {
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.gelu();
  }
}
/** x·σ(x) */
export class SiLU extends ElementWise {
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.silu();
  }
}
/** x if x > 0, else slope·x */
export class LeakyReLU extends ElementWise {
  readonly negativeSlope: number;
  constructor(negativeSlope = 0.01) {
    super();
    this.negativeSlope = negativeSlope;
  }
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.leakyRelu({ negativeSlope: this.negativeSlope });
  }
  override describe(): string {
    return String(this.negativeSlope);
  }
}
