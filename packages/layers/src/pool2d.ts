import { adaptiveAvgPool2d, avgPool2d, maxPool2d, type Tensor } from "@nn/tensor";
import type { Pair } from "./conv2d.ts";
import { Module } from "./module.ts";

export interface PoolOptions {
  /** Default: the kernel size. */
  stride?: Pair;
  padding?: Pair;
  /** Round the output size up, as PyTorch does it. */
  ceilMode?: boolean;
}

/** Largest value of each window; padding counts as −∞. Windows may overlap (AlexNet: 3/2). */
export class MaxPool2d extends Module {
  readonly kernelSize: Pair;
  readonly options: PoolOptions & { dilation?: Pair };
  constructor(kernelSize: Pair, options: PoolOptions & { dilation?: Pair } = {}) {
    super();
    this.kernelSize = kernelSize;
    this.options = options;
  }
  /** [N, C, H, W] → [N, C, H', W'] */
  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernelSize, this.options);
  }
  /** Pools `relu(x)`. The two commute, so ReLU and its gradient work on the smaller image. */
  forwardRectified(x: Tensor): Tensor {
    return this.run(() => maxPool2d(x, this.kernelSize, { ...this.options, relu: true }));
  }
  override describe(): string {
    return describePool(this.kernelSize, this.options);
  }
}

/** Mean of each window. */
export class AvgPool2d extends Module {
  readonly kernelSize: Pair;
  readonly options: PoolOptions & { countIncludePad?: boolean };
  /** @param options `countIncludePad` (default true, as PyTorch): divide by the full window, else by the real elements, as TensorFlow. */
  constructor(kernelSize: Pair, options: PoolOptions & { countIncludePad?: boolean } = {}) {
    super();
    this.kernelSize = kernelSize;
    this.options = options;
  }
  /** [N, C, H, W] → [N, C, H', W'] */
  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernelSize, this.options);
  }
  override describe(): string {
    return describePool(this.kernelSize, this.options);
  }
}

/** Mean over windows chosen so that the result has `outputSize`. */
export class AdaptiveAvgPool2d extends Module {
  readonly outputSize: Pair;
  constructor(outputSize: Pair) {
    super();
    this.outputSize = outputSize;
  }
  forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }
  override describe(): string {
    return String(this.outputSize);
  }
}

const describePool = (kernelSize: Pair, options: PoolOptions): string => [`kernelSize=${kernelSize}`, ...Object.entries(options).map(([k, v]) => `${k}=${v}`)].join(", ");
