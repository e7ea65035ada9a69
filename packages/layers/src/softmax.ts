import type { Shape, Tensor } from "@nn/tensor";
import { ElementWise } from "./activation.ts";

/** Of the lines along `dim`, the last dimension by default. */
abstract class Along extends ElementWise {
  readonly dim: number;
  constructor(dim = -1) {
    super();
    this.dim = dim;
  }
  override describe(): string {
    return `dim=${this.dim}`;
  }
}

/** e^(x − max)/Σ along `dim`. Before a loss use its logits: `crossEntropy` has softmax inside. */
export class Softmax extends Along {
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.softmax(this.dim);
  }
}

/** Its logarithm, exact where probabilities underflow. */
export class LogSoftmax extends Along {
  override forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return x.logSoftmax(this.dim);
  }
}
