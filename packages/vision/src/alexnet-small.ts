import { Conv2d, Dropout, Flatten, Linear, LocalResponseNorm, MaxPool2d, Module, ReLU, Sequential, init } from "@nn/layers";
import { ArgumentError, type Tensor } from "@nn/tensor";

const relu = init.kaimingNormal();
const conv = (from: number, to: number, kernel: number): Conv2d => new Conv2d(from, to, kernel, { padding: (kernel - 1) / 2, init: relu, initBias: init.zero });
const dense = (from: number, to: number): Linear => new Linear(from, to, { init: relu, initBias: init.zero });
const norm = (): LocalResponseNorm => new LocalResponseNorm(5, { k: 2, alpha: 1e-4, beta: 0.75, form: "paper" });
const pool = (): MaxPool2d => new MaxPool2d(3, { stride: 2 });

/** Rows of the maps after an overlapping 3/2 pooling. */
const pooled = (n: number): number => Math.floor((n - 3) / 2) + 1;

/**
 * AlexNet's parts (ReLU, response normalisation, overlapping 3/2 pooling, dropout) for colour pictures of 32 to 64 pixels, such as CIFAR-10 and Tiny
 * ImageNet: four convolutions without stride and two dense layers, initialised after He 2015.
 */
export class AlexNetSmall extends Module {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor({ classes = 10, size = 56 }: { classes?: number; size?: number } = {}) {
    super();
    const side = pooled(pooled(pooled(size)));
    if (!(Number.isInteger(size) && side >= 1)) throw new ArgumentError("AlexNetSmall", `size is ${size}`, { hint: "pictures of 15 pixels or more" });
    this.features = new Sequential(
      conv(3, 64, 5), new ReLU(), pool(), norm(), //    56² → 27²
      conv(64, 96, 3), new ReLU(), pool(), norm(), //   27² → 13²
      conv(96, 128, 3), new ReLU(),
      conv(128, 128, 3), new ReLU(), pool(), //         13² → 6²
      new Flatten(),
    ); // prettier-ignore
    this.classifier = new Sequential(
      new Dropout(0.5), dense(128 * side * side, 512), new ReLU(),
      new Dropout(0.5), new Linear(512, classes, { init: init.normal(0.01), initBias: init.zero }),
    ); // prettier-ignore
  }

  /** [N, 3, size, size] → logits [N, classes] */
  forward(x: Tensor): Tensor {
    return this.classifier.call(this.features.call(x));
  }
}
