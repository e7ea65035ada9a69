import { AvgPool2d, Conv2d, Flatten, Linear, MaxPool2d, Module, Sequential, activation, type ActivationName } from "@nn/layers";
import { ArgumentError, type Tensor } from "@nn/tensor";

export interface LeNet5Options {
  channels?: number;
  classes?: number;
  /** 28 pads the images to the 32 pixels of the paper; default 28. */
  size?: 28 | 32;
  /** Default "tanh"; "relu" learns faster. */
  activation?: ActivationName;
  /** Default "avg"; "max" is today's. */
  pool?: "avg" | "max";
}

/**
 * LeNet-5 (LeCun 1998, "Gradient-Based Learning Applied to Document Recognition"): 6 and 16 maps of 5×5 filters, each halved by 2×2 pooling,
 * then 120, 84 and 10 units. As is usual today, its second convolution reads all six maps (the paper leaves some out to save weights), pooling
 * has no weights of its own, and the outputs are logits instead of distances to drawn digits.
 */
export class LeNet5 extends Module {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor({ channels = 1, classes = 10, size = 28, activation: name = "tanh", pool = "avg" }: LeNet5Options = {}) {
    super();
    if (size !== 28 && size !== 32) throw new ArgumentError("LeNet5", `size is ${String(size)}`, { hint: "28 or 32: other images need other dense layers" });
    const act = () => activation(name);
    const half = () => (pool === "avg" ? new AvgPool2d(2) : new MaxPool2d(2));
    this.features = new Sequential(
      new Conv2d(channels, 6, 5, { padding: size === 28 ? 2 : 0 }), act(), half(), // 28² → 14²
      new Conv2d(6, 16, 5), act(), half(), //                                        10² → 5²
      new Flatten(),
    ); // prettier-ignore
    this.classifier = new Sequential(new Linear(16 * 5 * 5, 120), act(), new Linear(120, 84), act(), new Linear(84, classes));
  }

  /** [N, channels, size, size] → logits [N, classes] */
  forward(x: Tensor): Tensor {
    return this.classifier.call(this.features.call(x));
  }
}
