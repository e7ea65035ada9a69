import { adaptiveAvgPool2d, avgPool2d, maxPool2d, type Tensor } from "@nn/tensor";
import type { Conv2dOptions, Pair } from "../conv2d.ts";
import { Module } from "../module.ts";

export interface PoolOptions {
  /** Default: the kernel size. */
  stride?: Pair;
  /** In any notation of convolutions; less than a window. */
  padding?: Conv2dOptions["padding"];
  /** Round the output size up, as PyTorch does it. */
  ceilMode?: boolean;
}
export interface MaxPoolOptions extends PoolOptions {
  dilation?: Pair;
}
export interface AvgPoolOptions extends PoolOptions {
  /** Divide by the full window, padding included (default, as PyTorch), or by the real elements in it, as TensorFlow. */
  countIncludePad?: boolean;
}

/** What pooling layers share: a window and how it moves. */
export abstract class Pool<Size, Options extends object> extends Module {
  readonly kernelSize: Size;
  readonly options: Options;

  constructor(kernelSize: Size, options = {} as Options) {
    super();
    this.kernelSize = kernelSize;
    this.options = options;
  }
  override describe(): string {
    return [`kernelSize=${this.kernelSize}`, ...Object.entries(this.options).map(([k, v]) => `${k}=${v}`)].join(", ");
  }
}

/** Largest value of each window; padding counts as −∞. Windows may overlap (AlexNet: 3/2). */
export class MaxPool2d extends Pool<Pair, MaxPoolOptions> {
  /** [N, C, H, W] → [N, C, H', W'] */
  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernelSize, this.options);
  }
  /** Pools `relu(x)`. The two commute, so ReLU and its gradient work on the smaller image. */
  forwardRectified(x: Tensor): Tensor {
    return this.run(() => maxPool2d(x, this.kernelSize, { ...this.options, relu: true }));
  }
}

/** Mean of each window. */
export class AvgPool2d extends Pool<Pair, AvgPoolOptions> {
  /** [N, C, H, W] → [N, C, H', W'] */
  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernelSize, this.options);
  }
}

/** What adaptive pooling layers share: windows are chosen so that the result has `outputSize`, from ⌊i·in/out⌋ to ⌈(i+1)·in/out⌉. */
export abstract class AdaptivePool<Size> extends Module {
  readonly outputSize: Size;

  constructor(outputSize: Size) {
    super();
    this.outputSize = outputSize;
  }
  override describe(): string {
    return String(this.outputSize);
  }
}

/** Mean of each of `outputSize` windows. */
export class AdaptiveAvgPool2d extends AdaptivePool<Pair> {
  /** [N, C, H, W] → [N, C, …outputSize] */
  forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }
}
