import { ArgumentError, rand, scope, type Shape, type Tensor } from "@nn/tensor";
import { Module } from "./module.ts";

export interface DropoutOptions {
  /**
   * "training" (default): what is kept is scaled by 1/(1−p), so that evaluation needs no change ("inverted" dropout).
   * "evaluation": nothing is scaled in training, everything by 1−p in evaluation, as in the paper.
   */
  scaleAt?: "training" | "evaluation";
}

/** Sets each element to 0 with probability p in training (Srivastava 2014). Each call takes the next stream of the global seed. */
export class Dropout extends Module {
  readonly p: number;
  readonly scaleAt: "training" | "evaluation";

  constructor(p = 0.5, { scaleAt = "training" }: DropoutOptions = {}) {
    super();
    if (!(p >= 0 && p <= 1)) throw new ArgumentError(this.constructor.name, `probability ${p} is not in [0, 1]`);
    this.p = p;
    this.scaleAt = scaleAt;
  }

  forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    const inverted = this.scaleAt === "training";
    if (this.p === 0) return x;
    if (this.training) return dropout(x, this.p, { shape: this.maskShape(x.shape), scale: inverted });
    return inverted ? x : x.mul(1 - this.p);
  }

  /** Elements that share a mask value have size 1. */
  protected maskShape(shape: Shape): Shape {
    return shape;
  }

  override describe(): string {
    return this.scaleAt === "training" ? `p=${this.p}` : `p=${this.p}, scaleAt=${this.scaleAt}`;
  }
}

/** Dropout of whole maps: `[N, C, …]` loses channels, because neighbours in a map tell the same story (Tompson 2015, "SpatialDropout"). */
export class Dropout2d extends Dropout {
  protected override maskShape(shape: Shape): Shape {
    if (shape.length < 3) throw new ArgumentError("Dropout2d", `needs [N, C, …] with at least three dimensions, got [${shape.join(",")}]`, { hint: "Dropout is for single features" });
    return [shape[0]!, shape[1]!, ...shape.slice(2).map(() => 1)];
  }
}

/** Dropout with a mask of the next random stream. The mask's own steps end at once. */
export function dropout<S extends Shape>(x: Tensor<S>, p: number, { shape = x.shape, scale = true }: { shape?: Shape; scale?: boolean } = {}): Tensor<S> {
  return scope(() => {
    const kept = rand(shape).ge(p).cast(x.dtype).mul(p === 1 ? 0 : scale ? 1 / (1 - p) : 1);
    return x.mul(kept as Tensor) as Tensor as Tensor<S>;
  }, "dropout");
}
