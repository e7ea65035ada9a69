import { Conv2d, Dropout, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential, init } from "@nn/layers";
import type { Tensor } from "@nn/tensor";

const relu = init.kaimingNormal();
const conv = (from: number, to: number): Conv2d => new Conv2d(from, to, 3, { padding: 1, init: relu, initBias: init.zero });
const dense = (from: number, to: number): Linear => new Linear(from, to, { init: relu, initBias: init.zero });

/**
 * AlexNet (Krizhevsky 2012) sized for 28×28 grey images: five convolutions, overlapping 3/2 max pooling, dropout before the
 * first two of three dense layers, ReLU throughout. 3×3 filters instead of 11×11 and 5×5, for the images are an eighth as large.
 */
export class AlexNetFashion extends Module {
  readonly features = new Sequential(
    conv(1, 32), new ReLU(), new MaxPool2d(3, { stride: 2 }), //    28² → 13²
    conv(32, 64), new ReLU(), new MaxPool2d(3, { stride: 2 }), //   13² → 6²
    conv(64, 128), new ReLU(),
    conv(128, 128), new ReLU(),
    conv(128, 128), new ReLU(), new MaxPool2d(3, { stride: 2, padding: 1 }), //  6² → 3²
    new Flatten(),
  ); // prettier-ignore
  readonly classifier: Sequential;

  constructor(classes = 10) {
    super();
    this.classifier = new Sequential(
      new Dropout(0.4), dense(128 * 3 * 3, 512), new ReLU(),
      new Dropout(0.3), dense(512, 256), new ReLU(),
      new Linear(256, classes, { init: init.normal(0.01), initBias: init.zero }),
    ); // prettier-ignore
  }

  /** [N, 1, 28, 28] → logits [N, classes] */
  forward(x: Tensor): Tensor {
    return this.classifier.call(this.features.call(x));
  }
}
