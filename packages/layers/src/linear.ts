import { ops, type FitsLast, type Shape, type Tensor, type WithLast } from "@nn/tensor";
import { torchDefault, uniform, type Initializer } from "./init.ts";
import { Module } from "./module.ts";
import { param, type Parameter } from "./parameter.ts";
import type { Activation, FusesActivation } from "./activation.ts";

export interface LinearOptions {
  bias?: boolean;
  init?: Initializer;
  initBias?: Initializer;
}

/** `y = x·Wᵀ + b`. The weight is [out, in] as in PyTorch, so its checkpoints load by name. */
export class Linear<I extends number = number, O extends number = number> extends Module implements FusesActivation {
  readonly weight: Parameter<[O, I]>;
  readonly bias: Parameter<[O]> | null;

  constructor(inFeatures: I, outFeatures: O, { bias = true, init = torchDefault, initBias = uniform(1 / Math.sqrt(inFeatures)) }: LinearOptions = {}) {
    super();
    this.weight = param(init([outFeatures, inFeatures]) as Tensor<[O, I]>);
    this.bias = bias ? param(initBias([outFeatures]) as Tensor<[O]>) : null;
  }

  /** [..., in] → [..., out] */
  forward<S extends Shape>(x: Tensor<S> & FitsLast<S, I>): Tensor<WithLast<S, O>> {
    return this.#apply(x as Tensor, "none") as Tensor<WithLast<S, O>>;
  }

  forwardActivated(x: Tensor, act: Activation): Tensor {
    return this.run(() => this.#apply(x, act));
  }

  #apply(x: Tensor, act: Activation | "none"): Tensor {
    return ops.linear({ x, weight: this.weight as Tensor, ...(this.bias && { bias: this.bias as Tensor }) }, { act });
  }

  override describe(): string {
    const [out, inside] = this.weight.shape as Shape;
    return `${inside}, ${out}${this.bias ? "" : ", bias=false"}`;
  }
}
