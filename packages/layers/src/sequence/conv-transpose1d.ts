import { convTranspose2d, type Tensor } from "@nn/tensor";
import type { Activation } from "../activation.ts";
import { Convolution, type ConvolutionOptions } from "../convolution.ts";
import { asImage, sides, type Ends } from "../one-dimension.ts";

export interface ConvTranspose1dOptions extends ConvolutionOptions {
  stride?: number;
  /** What the convolution that goes the other way is padded with: cut off here. "same" gives stride·L steps. */
  padding?: Ends;
  /** Extra steps at the end, fewer than the stride. */
  outputPadding?: number;
  dilation?: number;
}
type Geometry = Required<Pick<ConvTranspose1dOptions, "stride" | "padding" | "outputPadding" | "dilation">>;

/** The input gradient of a Conv1d as a layer of its own: [N, in, L] → [N, out, L']. Weight [in, out/groups, k]. */
export class ConvTranspose1d extends Convolution<Geometry> {
  constructor(inChannels: number, outChannels: number, kernelSize: number, { stride = 1, padding = 0, outputPadding = 0, dilation = 1, ...rest }: ConvTranspose1dOptions = {}) {
    super(inChannels, outChannels, [kernelSize], { stride, padding, outputPadding, dilation }, rest, true);
  }
  protected override convolve(x: Tensor, act: Activation | "none"): Tensor {
    const { stride, padding, outputPadding, dilation, groups } = this.options;
    const options = { bias: this.bias, stride: [1, stride], padding: sides(padding), outputPadding: [0, outputPadding], dilation: [1, dilation], groups } as const;
    const y = asImage("ConvTranspose1d", x, (image) => convTranspose2d(image, this.weight.unsqueeze(2), options));
    return act === "none" ? y : y[act]();
  }
}
