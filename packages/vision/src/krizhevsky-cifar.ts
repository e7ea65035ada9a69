import { Conv2d, Flatten, Linear, LocalResponseNorm, MaxPool2d, Module, ReLU, Sequential, init } from "@nn/layers";
import type { Tensor } from "@nn/tensor";
import { LocallyConnected2d } from "./locally-connected.ts";

/** N(0, deviation²), biases 0. */
const from = (deviation: number) => ({ init: init.normal(deviation), initBias: init.zero });
const pool = (): MaxPool2d => new MaxPool2d(3, { stride: 2, ceilMode: true });
const norm = (): LocalResponseNorm => new LocalResponseNorm(9, { k: 1, alpha: 1e-3, beta: 0.75, form: "torch" });

/**
 * Krizhevsky's network for CIFAR-10 that makes 11 % errors (cuda-convnet 2012, "layers-conv-local-11pct"): two convolutions, two layers without
 * shared filters, one dense layer, 2,112,970 weights. It reads windows of 24×24, bytes less their mean, and starts as the authors' did.
 */
export class KrizhevskyCifar extends Module {
  readonly features = new Sequential(
    new Conv2d(3, 64, 5, { padding: 2, ...from(1e-4) }), new ReLU(), pool(), norm(), //   24² → 12²
    new Conv2d(64, 64, 5, { padding: 2, ...from(0.01) }), new ReLU(), norm(), pool(), //  12² → 6²
  ); // prettier-ignore
  readonly local = new Sequential(
    new LocallyConnected2d(64, 64, 3, [6, 6], { padding: 1, ...from(0.04) }), new ReLU(),
    new LocallyConnected2d(64, 32, 3, [6, 6], { padding: 1, ...from(0.04) }), new ReLU(), new Flatten(),
  ); // prettier-ignore
  readonly classifier = new Linear(32 * 6 * 6, 10, from(0.01));

  /** [N, 3, 24, 24] → logits [N, 10] */
  forward(x: Tensor): Tensor {
    return this.classifier.call(this.local.call(this.features.call(x)) as Tensor<[number, number]>) as Tensor;
  }
}
