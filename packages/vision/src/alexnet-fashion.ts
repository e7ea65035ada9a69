import { Conv2d, Dropout, Flatten, Linear, LocalResponseNorm, MaxPool2d, Module, Sequential, activation, init, type ActivationName, type PoolOptions } from "@nn/layers";
import { ArgumentError, type Tensor } from "@nn/tensor";

export interface AlexNetFashionOptions {
  /** Default 10. */
  classes?: number;
  /** Filters of the first convolution; the others have 2, 4, 4 and 4 times as many, the dense layers 16 and 8 times. Default 32. */
  width?: number;
  /** Side of the first filters, odd. Default 3. */
  kernel?: number;
  /** Default "relu". */
  activation?: ActivationName;
  /** Local response normalisation after the first two activations, with the paper's numbers. Default false. */
  lrn?: boolean;
  /** Pooling windows of 3 that overlap at stride 2, as in the paper; else 2 at stride 2. Default true. */
  overlapping?: boolean;
  /** Default true. */
  dropout?: boolean;
}

/**
 * AlexNet (Krizhevsky 2012) sized for 28×28 grey images: five convolutions, overlapping 3/2 max pooling, dropout before the
 * first two of three dense layers, ReLU throughout. 3×3 filters instead of 11×11 and 5×5, for the images are an eighth as large.
 * The options take apart what the paper put together.
 */
export class AlexNetFashion extends Module {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor({ classes = 10, width = 32, kernel = 3, activation: name = "relu", lrn = false, overlapping = true, dropout = true }: AlexNetFashionOptions = {}) {
    super();
    if (!(Number.isInteger(kernel) && kernel % 2 === 1 && kernel > 0)) throw new ArgumentError("AlexNetFashion", `kernel is ${kernel}`, { hint: "an odd size, so that the padding keeps images at 28×28" });
    // He's variance is made for halves that are cut off, Glorot's for slopes near 1 at zero.
    const weights = name === "tanh" || name === "sigmoid" ? init.xavierNormal() : init.kaimingNormal();
    const conv = (from: number, to: number, size = 3): Conv2d => new Conv2d(from, to, size, { padding: (size - 1) / 2, init: weights, initBias: init.zero });
    const dense = (from: number, to: number): Linear => new Linear(from, to, { init: weights, initBias: init.zero });
    const act = (): Module => activation(name);
    const norm = (): Module[] => (lrn ? [new LocalResponseNorm(5, { k: 2, form: "paper" })] : []);
    const pool = (options: PoolOptions = {}): MaxPool2d => (overlapping ? new MaxPool2d(3, { stride: 2, ...options }) : new MaxPool2d(2));
    const drop = (p: number): Module[] => (dropout ? [new Dropout(p)] : []);
    this.features = new Sequential(
      conv(1, width, kernel), act(), ...norm(), pool(), //      28² → 13² (plain pooling: 14²)
      conv(width, 2 * width), act(), ...norm(), pool(), //      13² → 6²  (7²)
      conv(2 * width, 4 * width), act(),
      conv(4 * width, 4 * width), act(),
      conv(4 * width, 4 * width), act(), pool({ padding: 1 }), //  6² → 3²
      new Flatten(),
    ); // prettier-ignore
    this.classifier = new Sequential(
      ...drop(0.4), dense(4 * width * 3 * 3, 16 * width), act(),
      ...drop(0.3), dense(16 * width, 8 * width), act(),
      new Linear(8 * width, classes, { init: init.normal(0.01), initBias: init.zero }),
    ); // prettier-ignore
  }

  /** [N, 1, 28, 28] → logits [N, classes] */
  forward(x: Tensor): Tensor {
    return this.classifier.call(this.features.call(x));
  }
}
