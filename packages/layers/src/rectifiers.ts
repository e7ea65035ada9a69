/** Rectifiers: ReLU's family, each with another way to treat x ≤ 0. */
import { ArgumentError, full, rand, scope, type Shape, type Tensor } from "@nn/tensor";
import { ElementWise } from "./activation.ts";
import { param, type Parameter } from "./parameter.ts";

/** min(max(0, x), 6) (Krizhevsky 2010) */
export class ReLU6 extends ElementWise {
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.relu6();
  }
}

/** x if x > 0, else slope·x (Maas 2013) */
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

/**
 * x if x > 0, else a·x with a learned slope, shared by all or one per channel (He 2015, "Delving Deep into Rectifiers"). Leave `weight` out of
 * weight decay: it would pull towards ReLU.
 */
export class PReLU extends ElementWise {
  readonly weight: Parameter; // [channels]

  /** @param channels 1 for a shared slope, or the number of channels (dimension 1). */
  constructor(channels = 1, { initial = 0.25 } = {}) {
    super();
    this.weight = param(full([channels], initial) as Tensor);
  }
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.prelu(this.weight);
  }
  override describe(): string {
    return `numParameters=${this.weight.size}`;
  }
}

export interface RReLUOptions {
  /** Range of the slopes: 1/8 … 1/3; with `reciprocal` of their inverses: 3 … 8. */
  lower?: number;
  upper?: number;
  /** The paper's form: x/a with a from U(3, 8), in evaluation x/5.5. Otherwise PyTorch's: a·x with a from U(1/8, 1/3), in evaluation its mean. */
  reciprocal?: boolean;
}

/** x if x > 0, else x times a slope drawn for each element in training and fixed in evaluation (Xu 2015, "Empirical Evaluation of Rectified Activations"). */
export class RReLU extends ElementWise {
  readonly lower: number;
  readonly upper: number;
  readonly reciprocal: boolean;

  constructor({ reciprocal = false, lower = reciprocal ? 3 : 1 / 8, upper = reciprocal ? 8 : 1 / 3 }: RReLUOptions = {}) {
    super();
    if (!(lower <= upper) || (reciprocal && lower <= 0)) throw new ArgumentError("RReLU", `slopes from ${lower} to ${upper}`, { hint: reciprocal ? "0 < lower ≤ upper" : "lower ≤ upper" });
    this.lower = lower;
    this.upper = upper;
    this.reciprocal = reciprocal;
  }
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    if (!this.training) {
      const mean = (this.lower + this.upper) / 2;
      return x.leakyRelu({ negativeSlope: this.reciprocal ? 1 / mean : mean });
    }
    return scope(() => {
      const a = rand(x.shape).mul(this.upper - this.lower).add(this.lower).cast(x.dtype) as Tensor;
      const scaled = this.reciprocal ? (x as Tensor).div(a) : (x as Tensor).mul(a);
      return x.gt(0).where(x as Tensor, scaled) as Tensor as Tensor<S>;
    }, "RReLU");
  }
  override describe(): string {
    return `lower=${Number(this.lower.toFixed(4))}, upper=${Number(this.upper.toFixed(4))}${this.reciprocal ? ", reciprocal=true" : ""}`;
  }
}

/** x if x > 0, else α(eˣ − 1) (Clevert 2015) */
export class ELU extends ElementWise {
  readonly alpha: number;
  constructor({ alpha = 1 } = {}) {
    super();
    this.alpha = alpha;
  }
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.elu({ alpha: this.alpha });
  }
  override describe(): string {
    return `alpha=${this.alpha}`;
  }
}

/** ELU scaled so that mean 0 and variance 1 stay (Klambauer 2017); start its layers from `init.lecunNormal()`. */
export class SELU extends ElementWise {
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.selu();
  }
}
