import { ArgumentError, maxout, type Shape, type Tensor } from "@nn/tensor";
import { Linear, type LinearOptions } from "./linear.ts";
import { Module } from "./module.ts";

/**
 * `yᵢ = max_{j<k} (Wᵢⱼ·x + bᵢⱼ)`: a learned convex activation of k linear pieces (Goodfellow 2013, "Maxout Networks"). The first of equal
 * pieces wins and learns alone. Rows i·k … i·k+k−1 of `linear.weight` are the pieces of unit i.
 */
export class Maxout extends Module {
  readonly linear: Linear;
  readonly pieces: number;

  constructor(inFeatures: number, outFeatures: number, pieces = 2, options: LinearOptions = {}) {
    super();
    if (!Number.isInteger(pieces) || pieces < 1) throw new ArgumentError("Maxout", `${pieces} pieces`, { hint: "a whole number of at least 1" });
    this.linear = new Linear(inFeatures, outFeatures * pieces, options);
    this.pieces = pieces;
  }

  /** [..., in] → [..., out] */
  forward(x: Tensor): Tensor {
    const z: Tensor = this.linear.call(x); // [..., out·k]
    const shape: Shape = [...z.shape.slice(0, -1), z.shape.at(-1)! / this.pieces, this.pieces];
    return maxout(z.reshape(shape));
  }
  override describe(): string {
    return `pieces=${this.pieces}`;
  }
}
