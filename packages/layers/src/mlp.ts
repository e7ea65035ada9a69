import { ArgumentError, type Tensor } from "@nn/tensor";
import { activation, type ActivationName } from "./activation-by-name.ts";
import { Dropout } from "./dropout.ts";
import { torchDefault, type Initializer } from "./init.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { Sequential } from "./sequential.ts";

export interface MLPOptions {
  /** After every layer but the last; default "relu". */
  activation?: ActivationName;
  /** After the last layer; default none: logits. */
  output?: ActivationName;
  /** Probability of dropout after each hidden activation; default 0. */
  dropout?: number;
  init?: Initializer;
  initBias?: Initializer;
}

/**
 * Fully connected layers of the given sizes, inputs first: `new MLP([784, 300, 10], { activation: "sigmoid", output: "sigmoid" })` is the
 * classical network for digits.
 */
export class MLP extends Module {
  readonly layers: Sequential;

  constructor(sizes: readonly number[], { activation: between = "relu", output, dropout = 0, init = torchDefault, initBias }: MLPOptions = {}) {
    super();
    if (sizes.length < 2) throw new ArgumentError("MLP", `sizes are [${sizes.join(",")}]`, { hint: "inputs first, outputs last: [784, 300, 10]" });
    const last = sizes.length - 2;
    this.layers = new Sequential(
      ...sizes.slice(1).flatMap((out, i) => {
        const act = i < last ? between : output;
        const linear = new Linear(sizes[i]!, out, { init, ...(initBias && { initBias }) });
        return [linear, ...(act ? [activation(act)] : []), ...(i < last && dropout > 0 ? [new Dropout(dropout)] : [])];
      }),
    );
  }

  /** [N, ...] → [N, out]; what follows the batch is flattened. */
  forward(x: Tensor): Tensor {
    return this.layers.call(x.rank > 2 ? x.flatten(1) : x);
  }
}
