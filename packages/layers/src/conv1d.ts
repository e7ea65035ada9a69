import { conv1d, type Tensor } from "@nn/tensor";
import type { Activation } from "./activation.ts";
import { Convolution, type ConvolutionOptions } from "./convolution.ts";

export interface Conv1dOptions extends ConvolutionOptions {
  stride?: number;
  /** Zeros at both ends: a number, [before, after], or a mode of the SAME/VALID rule. */
  padding?: number | readonly [number, number] | "same" | "valid";
  dilation?: number;
}
type Geometry = Required<Pick<Conv1dOptions, "stride" | "padding" | "dilation">>;

/**
 * Cross-correlation over time: `y[n,o] = b[o] + Σ_c w[o,c] ⋆ x[n,c]`, [N, in, L] → [N, out, L']. Weight [out, in/groups, k].
 * Input and result of the kernel lie time-major with channels innermost: `embedding.permute([0, 2, 1])` needs no copy.
 */
export class Conv1d extends Convolution<Geometry> {
  constructor(inChannels: number, outChannels: number, kernelSize: number, { stride = 1, padding = 0, dilation = 1, ...rest }: Conv1dOptions = {}) {
    super(inChannels, outChannels, [kernelSize], { stride, padding, dilation }, rest);
  }
  protected override convolve(x: Tensor, act: Activation | "none"): Tensor {
    return conv1d(x, this.weight, { ...this.options, bias: this.bias, act });
  }
}
