import type { Shape, Tensor } from "@nn/tensor";
import { ElementWise } from "./activation.ts";

/** e^(x − max)/Σ along `dim`. Before a loss use its logits: `crossEntropy` has softmax inside. */
export class Softmax extends ElementWise {
  readonly dim: number;
  constructor(dim = -1) {
    super();
    this.dim = dim;
  }
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.softmax(this.dim);
  }
  override describe(): string {
    return `dim=${this.dim}`;
  }
}

/** Its logarithm, exact where probabilities underflow. */
export class LogSoftmax extends ElementWise {
  readonly dim: number;
  constructor(dim = -1) {
    super();
    this.dim = dim;
  }
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.logSoftmax(this.dim);
  }
  override describe(): string {
    return `dim=${this.dim}`;
  }
}
