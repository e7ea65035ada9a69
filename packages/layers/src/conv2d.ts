import { conv2d, type Tensor } from "@nn/tensor";
import type { Activation } from "./activation.ts";
import { Convolution, type ConvolutionOptions } from "./convolution.ts";

/** One number for both directions, or [height, width]. */
export type Pair = number | readonly [number, number];

export interface Conv2dOptions extends ConvolutionOptions {
  stride?: Pair;
  /** Zeros around the image: a number, [height, width], [top, bottom, left, right], or a mode of the SAME/VALID rule. */
  padding?: Pair | readonly [number, number, number, number] | "same" | "valid";
  dilation?: Pair;
}
type Geometry = Required<Pick<Conv2dOptions, "stride" | "padding" | "dilation">>;

/** Cross-correlation `y[n,o] = b[o] + Σ_c w[o,c] ⋆ x[n,c]`, as every framework calls convolution: [N, in, H, W] → [N, out, H', W']. Weight [out, in/groups, kH, kW]. */
export class Conv2d extends Convolution<Geometry> {
  constructor(inChannels: number, outChannels: number, kernelSize: Pair, { stride = 1, padding = 0, dilation = 1, ...rest }: Conv2dOptions = {}) {
    super(inChannels, outChannels, typeof kernelSize === "number" ? [kernelSize, kernelSize] : kernelSize, { stride, padding, dilation }, rest);
  }
  protected override convolve(x: Tensor, act: Activation | "none"): Tensor {
    return conv2d(x, this.weight, { ...this.options, bias: this.bias, act });
  }
}
