/** Convolutions as users call them: options in any notation, one-dimensional and transposed ones as conv2d. */
import { ShapeError } from "../errors.ts";
import { isChannelsLast } from "../layout.ts";
import { scope } from "../memory.ts";
import type { Tensor } from "../tensor.ts";
import type { Activation } from "./activation.ts";
import { conv2d as conv2dOp, conv2dInputGrad } from "./conv2d.ts";
import { contiguous } from "./movement.ts";
import { show } from "./shape-rules.ts";
import { effectiveSize, toPadding, toPair, type PaddingLike, type Pair, type PairLike } from "./window.ts";
import { composite } from "./composite.ts";

export interface Conv2dOptions {
  /** `[out]` */
  bias?: Tensor | null;
  stride?: PairLike;
  /** A number, `[height, width]`, `[top, bottom, left, right]`, `"same"` (⌈in / stride⌉ pixels; an odd extra goes after) or `"valid"` (none). */
  padding?: PaddingLike;
  dilation?: PairLike;
  groups?: number;
  /** Activation applied in the same pass. */
  act?: Activation;
}

/** Cross-correlation of `[N,C,H,W]` with weight `[out, C/groups, kH, kW]` → `[N, out, oH, oW]`, channels-last in memory. */
export function conv2d(x: Tensor, weight: Tensor, { bias, stride = 1, padding = 0, dilation = 1, groups = 1, act = "none" }: Conv2dOptions = {}): Tensor {
  const steps = toPair("conv2d", "stride", stride);
  const holes = toPair("conv2d", "dilation", dilation);
  const pads = toPadding("conv2d", padding, image(x), image(weight), steps, holes);
  const attrs = { stride: steps, padding: pads, dilation: holes, groups, act };
  const convolve = (x: Tensor): Tensor => conv2dOp({ x, weight, ...(bias ? { bias } : {}) }, attrs);
  // Kernels read channels-last images. The copy is made here, for the tape to keep it: the weight's gradient reads it again.
  return x.rank !== 4 || isChannelsLast(x) ? convolve(x) : scope(() => convolve(contiguous({ x }, { channelsLast: true })), "conv2d");
}

// Too few dimensions are refused by the op itself, with its message.
const image = (x: Tensor): Pair => [x.shape[2] ?? 1, x.shape[3] ?? 1];

export interface Conv1dOptions extends Omit<Conv2dOptions, "stride" | "padding" | "dilation"> {
  stride?: number;
  /** A number, `[before, after]`, `"same"` or `"valid"`. */
  padding?: number | Pair | "same" | "valid";
  dilation?: number;
}

/** Cross-correlation of `[N,C,L]` with weight `[out, C/groups, k]` → `[N, out, oL]`: a conv2d of images one pixel high. */
export const conv1d = composite("conv1d", (x: Tensor, weight: Tensor, { stride = 1, padding = 0, dilation = 1, ...rest }: Conv1dOptions = {}): Tensor => {
  if (x.rank !== 3) throw new ShapeError("conv1d", `input must be [N,C,L], got ${show(x)}`, x.rank === 2 ? { hint: "one sequence alone? add a batch dimension: unsqueeze(0)" } : {});
  if (weight.rank !== 3) throw new ShapeError("conv1d", `weight must be [out, in/groups, k], got ${show(weight)}`);
  const ends: PaddingLike = typeof padding === "string" ? padding : typeof padding === "number" ? [0, 0, padding, padding] : [0, 0, ...padding];
  const y = conv2d(x.unsqueeze(2), weight.unsqueeze(2), { ...rest, stride: [1, stride], padding: ends, dilation: [1, dilation] });
  return y.squeeze(2);
});

export interface ConvTranspose2dOptions extends Omit<Conv2dOptions, "padding" | "act"> {
  /** What the forward convolution was padded with: it is cut off the result. `"same"`: stride times the size comes out. */
  padding?: PaddingLike;
  /** Extra rows and columns at the end, less than the stride: which of the sizes that a strided convolution maps to this input is meant. */
  outputPadding?: PairLike;
}

/**
 * Transposed convolution of `[N,C,H,W]` with weight `[C, out/groups, kH, kW]`: the input gradient of the conv2d that goes the other way.
 * `oH = (H−1)·stride − top − bottom + dilation·(kH−1) + outputPadding + 1`
 */
export const convTranspose2d = composite("convTranspose2d", (x: Tensor, weight: Tensor, { bias, stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 }: ConvTranspose2dOptions = {}): Tensor => {
  if (x.rank !== 4 || weight.rank !== 4) throw new ShapeError("convTranspose2d", `takes [N,C,H,W] and weight [C, out/groups, kH, kW], got ${show(x)} and ${show(weight)}`);
  if (x.shape[1] !== weight.shape[0]) throw new ShapeError("convTranspose2d", `expected ${x.dtype}[N,${weight.shape[0]},H,W], got ${show(x)}`, { hint: "the weight is [in, out/groups, kH, kW] here, the other way round than for conv2d" });
  const steps = toPair("convTranspose2d", "stride", stride);
  const holes = toPair("convTranspose2d", "dilation", dilation);
  const extra = toPair("convTranspose2d", "outputPadding", outputPadding, 0);
  const kernel = image(weight);
  const large: Pair = [image(x)[0] * steps[0], image(x)[1] * steps[1]]; // with "same"
  const pads = toPadding("convTranspose2d", padding, large, kernel, steps, holes);
  const size = ([0, 1] as const).map((d) => {
    if (extra[d] >= steps[d]) throw new ShapeError("convTranspose2d", `outputPadding ${extra[d]} is not less than stride ${steps[d]}`, { hint: "pad the result for more rows or columns" });
    const n = extra[d] + (padding === "same" ? large[d] : (image(x)[d] - 1) * steps[d] - pads[2 * d]! - pads[2 * d + 1]! + effectiveSize(kernel[d], holes[d]));
    if (n < 1) throw new ShapeError("convTranspose2d", `padding [${pads.join(",")}] leaves nothing of ${show(x)}`, { hint: "use less padding" });
    return n;
  }) as [number, number];
  const y = conv2dInputGrad({ grad: x, weight }, { stride: steps, padding: pads, dilation: holes, groups, inputSize: size });
  if (bias && bias.shape.join() !== `${y.shape[1]}`) throw new ShapeError("convTranspose2d", `bias must be [${y.shape[1]}], one number per output channel, got ${show(bias)}`);
  return bias ? y.add(bias.reshape([y.shape[1]!, 1, 1])) : y;
});
