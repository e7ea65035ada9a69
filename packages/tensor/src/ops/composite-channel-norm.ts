/** Normalisation per channel of [N, C, …]: over the batch, over groups of channels, over single maps. */
import { ArgumentError } from "../errors.ts";
import type { Tensor } from "../tensor.ts";
import * as records from "./batch-norm.ts";
import { channelsOf, normalise, perChannel } from "./batch-norm.ts";
import { composite } from "./composite.ts";
import { layerNorm } from "./composite-norm.ts";

export interface ChannelNormOptions {
  /** [C] */
  weight?: Tensor | null;
  /** [C] */
  bias?: Tensor | null;
  /** Added to the variance; default 1e-5. */
  eps?: number;
}
export interface BatchNormOptions extends ChannelNormOptions {
  /** Mean and variance [C] to normalise by; default: those of the batch itself. */
  statistics?: { readonly mean: Tensor; readonly variance: Tensor } | null;
}

/**
 * `(x − mean)/√(variance + eps)·weight + bias` per channel of x [N, C, …] (Ioffe & Szegedy 2015).
 *
 * @throws ShapeError
 */
export const batchNorm = composite("batchNorm", (x: Tensor, { weight, bias, eps = 1e-5, statistics }: BatchNormOptions = {}): Tensor => {
  if (statistics) {
    channelsOf("batchNorm", x, { weight, bias, ...statistics });
    return normalise(x, statistics.mean, statistics.variance, weight, bias, eps);
  }
  return records.batchNorm({ x, ...(weight && { weight }), ...(bias && { bias }) }, { eps }).y;
});

/**
 * Normalises each sample's channels in `groups` groups of neighbours, together with all their positions, then weight and bias per channel (Wu & He 2018).
 *
 * @throws ShapeError, ArgumentError if the channels do not divide
 */
export const groupNorm = composite("groupNorm", (x: Tensor, groups: number, { weight, bias, eps = 1e-5 }: ChannelNormOptions = {}): Tensor => {
  const c = channelsOf("groupNorm", x, { weight, bias });
  if (!(Number.isInteger(groups) && groups > 0 && c % groups === 0)) throw new ArgumentError("groupNorm", `${c} channels do not divide into ${groups} groups`);
  const n = x.shape[0]!;
  const size = (c / groups) * x.shape.slice(2).reduce((a, b) => a * b, 1);
  let y: Tensor = layerNorm(x.reshape([n * groups, size]), size, { eps }).reshape(x.shape);
  if (weight) y = y.mul(perChannel(weight, x));
  return bias ? y.add(perChannel(bias, x)) : y;
});

/** Normalises every map by itself: `groupNorm` with one channel to a group (Ulyanov 2016). @throws ShapeError */
export const instanceNorm = (x: Tensor, options: ChannelNormOptions = {}): Tensor => groupNorm(x, channelsOf("instanceNorm", x, {}), options);
