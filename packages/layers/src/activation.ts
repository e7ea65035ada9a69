/** Activations without parameters as modules. Linear and Conv2d compute ReLU, sigmoid and tanh in their own kernel where Sequential puts them side by side. */
import { step, type Shape, type Tensor } from "@nn/tensor";
import { Module } from "./module.ts";

export type Activation = "relu" | "sigmoid" | "tanh";

/** A layer that can apply an activation to its result before it is stored. */
export interface FusesActivation {
  forwardActivated(x: Tensor, act: Activation): Tensor;
}

/** A module of one value in, one value out. */
export abstract class ElementWise extends Module {
  abstract override forward<S extends Shape>(x: Tensor<S>): Tensor<S>;
}

/** x: the activation of a linear unit. */
export class Identity extends ElementWise {
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x;
  }
}
/** 1 if x > 0, else 0. It passes no gradient and throws where one is asked for: for perceptrons and for evaluation. */
export class Step extends ElementWise {
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return step(x as Tensor) as Tensor as Tensor<S>;
  }
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
/** x·Φ(x) (Hendrycks & Gimpel 2016), or its approximation by tanh. */
export class GELU extends ElementWise {
  readonly approximate: "none" | "tanh";
  constructor({ approximate = "none" }: { approximate?: "none" | "tanh" } = {}) {
    super();
    this.approximate = approximate;
  }
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.gelu({ approximate: this.approximate });
  }
  override describe(): string {
    return this.approximate === "none" ? "" : `approximate=${this.approximate}`;
  }
}
/** x·σ(x) (Elfwing 2017) */
export class SiLU extends ElementWise {
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.silu();
  }
}
/** x·tanh(softplus(x)) (Misra 2019) */
export class Mish extends ElementWise {
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.mish();
  }
}
/** log(1 + e^(βx))/β, exact for all x: PyTorch's threshold is not needed. */
export class Softplus extends ElementWise {
  readonly beta: number;
  constructor({ beta = 1 } = {}) {
    super();
    this.beta = beta;
  }
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return this.beta === 1 ? x.softplus() : x.mul(this.beta).softplus().div(this.beta);
  }
  override describe(): string {
    return this.beta === 1 ? "" : `beta=${this.beta}`;
  }
}
/** x/(1+|x|) */
export class Softsign extends ElementWise {
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.softsign();
  }
}
/** x cut to [minVal, maxVal]. */
export class Hardtanh extends ElementWise {
  readonly limits: { readonly minVal: number; readonly maxVal: number };
  constructor({ minVal = -1, maxVal = 1 } = {}) {
    super();
    this.limits = { minVal, maxVal };
  }
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.hardtanh(this.limits);
  }
  override describe(): string {
    return `minVal=${this.limits.minVal}, maxVal=${this.limits.maxVal}`;
  }
}
/** min(max(0, x+3), 6)/6 (Howard 2019) */
export class Hardsigmoid extends ElementWise {
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.hardsigmoid();
  }
}
/** x·hardsigmoid(x) (Howard 2019) */
export class Hardswish extends ElementWise {
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.hardswish();
  }
}
