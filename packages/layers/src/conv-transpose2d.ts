import { convTranspose2d, type Tensor } from "@nn/tensor";
import type { Activation } from "./activation.ts";
import type { Conv2dOptions, Pair } from "./conv2d.ts";
import { Convolution, type ConvolutionOptions } from "./convolution.ts";

export interface ConvTranspose2dOptions extends ConvolutionOptions {
  stride?: Pair;
  /** What the convolution that goes the other way is padded with: cut off here. "same" gives stride times the size. */
  padding?: Conv2dOptions["padding"];
  /** Extra rows and columns at the end, fewer than the stride. */
  outputPadding?: Pair;
  dilation?: Pair;
}
type Geometry = Required<Pick<ConvTranspose2dOptions, "stride" | "padding" | "outputPadding" | "dilation">>;

/** The input gradient of a Conv2d as a layer of its own, as generators use it (Radford 2015): [N, in, H, W] → [N, out, H', W']. Weight [in, out/groups, kH, kW]. */
export class ConvTranspose2d extends Convolution<Geometry> {
  constructor(inChannels: number, outChannels: number, kernelSize: Pair, { stride = 1, padding = 0, outputPadding = 0, dilation = 1, ...rest }: ConvTranspose2dOptions = {}) {
    super(inChannels, outChannels, typeof kernelSize === "number" ? [kernelSize, kernelSize] : kernelSize, { stride, padding, outputPadding, dilation }, rest, true);
  }
  protected override convolve(x: Tensor, act: Activation | "none"): Tensor {
    const y = convTranspose2d(x, this.weight, { ...this.options, bias: this.bias });
    return act === "none" ? y : y[act]();
  }
}
