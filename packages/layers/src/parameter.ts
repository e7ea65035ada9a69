/** State of modules: parameters are trained, buffers are not. Both are written in place and saved. */
import { Variable, type Shape, type Tensor } from "@nn/tensor";
import "@nn/autograd";

/** A trainable tensor; `backward` leaves its gradient in `grad`. */
export class Parameter<S extends Shape = Shape> extends Variable<S> {
  constructor(value: Tensor<S>, options?: { take?: boolean }) {
    super(value, options);
    this.requireGrad();
  }
}

/** State that is saved but not trained, like running statistics. */
export class Buffer<S extends Shape = Shape> extends Variable<S> {}

/** Takes the freshly made `value` over as a parameter. */
export function param<S extends Shape>(value: Tensor<S>): Parameter<S> {
  const p = new Parameter(value, { take: true });
  value.dispose();
  return p;
}

export function buffer<S extends Shape>(value: Tensor<S>): Buffer<S> {
  const b = new Buffer(value, { take: true });
  value.dispose();
  return b;
}
