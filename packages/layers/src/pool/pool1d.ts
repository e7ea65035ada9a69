import { adaptiveAvgPool2d, avgPool2d, maxPool2d, type Tensor } from "@nn/tensor";
import { adaptiveMaxPool2d } from "./adaptive-max-pool.ts";
import { AdaptivePool, Pool } from "./pool2d.ts";
import { asImage, sides, type Ends } from "../one-dimension.ts";

export interface Pool1dOptions {
  /** Default: the kernel size. */
  stride?: number;
  /** In any notation of Conv1d; less than a window. */
  padding?: Ends;
  /** Round the output size up, as PyTorch does it. */
  ceilMode?: boolean;
}
export interface MaxPool1dOptions extends Pool1dOptions {
  dilation?: number;
}
export interface AvgPool1dOptions extends Pool1dOptions {
  /** Divide by the full window, padding included (default, as PyTorch), or by the real elements in it, as TensorFlow. */
  countIncludePad?: boolean;
}

const alongRow = (v: number): [number, number] => [1, v];
const window = (size: number, { stride = size, padding = 0, ceilMode = false }: Pool1dOptions) => ({ stride: alongRow(stride), padding: sides(padding), ceilMode });

/** Largest value of each window over time; padding counts as −∞. */
export class MaxPool1d extends Pool<number, MaxPool1dOptions> {
  /** [N, C, L] → [N, C, L'] */
  forward(x: Tensor): Tensor {
    const options = { ...window(this.kernelSize, this.options), dilation: alongRow(this.options.dilation ?? 1) };
    return asImage("MaxPool1d", x, (image) => maxPool2d(image, alongRow(this.kernelSize), options));
  }
}

/** Mean of each window over time. */
export class AvgPool1d extends Pool<number, AvgPool1dOptions> {
  /** [N, C, L] → [N, C, L'] */
  forward(x: Tensor): Tensor {
    const options = { ...window(this.kernelSize, this.options), countIncludePad: this.options.countIncludePad ?? true };
    return asImage("AvgPool1d", x, (image) => avgPool2d(image, alongRow(this.kernelSize), options));
  }
}

/** Mean of each of `outputSize` windows over time. */
export class AdaptiveAvgPool1d extends AdaptivePool<number> {
  /** [N, C, L] → [N, C, outputSize] */
  forward(x: Tensor): Tensor {
    return asImage("AdaptiveAvgPool1d", x, (image) => adaptiveAvgPool2d(image, alongRow(this.outputSize)));
  }
}

/** Largest value of each of `outputSize` windows over time. */
export class AdaptiveMaxPool1d extends AdaptivePool<number> {
  /** [N, C, L] → [N, C, outputSize] */
  forward(x: Tensor): Tensor {
    return asImage("AdaptiveMaxPool1d", x, (image) => adaptiveMaxPool2d(image, alongRow(this.outputSize)));
  }
}
