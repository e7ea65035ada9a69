/** Normalisation per channel of [N, C, …]: over the batch, over groups of channels, over single maps. */
import { ArgumentError, ShapeError } from "../errors.ts";
import type { Tensor } from "../tensor.ts";
import { composite } from "./composite.ts";
import { layerNorm } from "./composite-norm.ts";
import { show } from "./shape-rules.ts";

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

/** @throws ShapeError unless x is [N, C, …] and all of `lines` are [C]. */
function channelsOf(op: string, x: Tensor, lines: Readonly<Record<string, Tensor | null | undefined>>): number {
  if (x.rank < 2) throw new ShapeError(op, `needs [N, C, …], got ${show(x)}`);
  const c = x.shape[1]!;
  for (const [name, t] of Object.entries(lines)) if (t && (t.rank !== 1 || t.shape[0] !== c)) throw new ShapeError(op, `${name} must be [${c}], one number per channel, got ${show(t)}`);
  return c;
}

/** [C] beside [N, C, …]. */
const perChannel = (line: Tensor, x: Tensor): Tensor => line.reshape([-1, ...new Array<number>(x.rank - 2).fill(1)]);

/** Mean and biased variance of every channel of x [N, C, …], over everything else: [C] each. @throws ShapeError */
export const channelMoments = composite("channelMoments", (x: Tensor): { mean: Tensor; variance: Tensor } => {
  channelsOf("channelMoments", x, {});
  const others = x.shape.map((_, d) => d).filter((d) => d !== 1);
  const mean = x.mean(others, { keepdim: true });
  const variance = x.sub(mean).square().mean(others);
  return { mean: mean.reshape([-1]), variance };
});

/**
 * `(x − mean)/√(variance + eps)·weight + bias` per channel of x [N, C, …] (Ioffe & Szegedy 2015).
 *
 * @throws ShapeError
 */
export const batchNorm = composite("batchNorm", (x: Tensor, { weight, bias, eps = 1e-5, statistics }: BatchNormOptions = {}): Tensor => {
  channelsOf("batchNorm", x, { weight, bias, mean: statistics?.mean, variance: statistics?.variance });
  const { mean, variance } = statistics ?? channelMoments(x);
  const rstd: Tensor = variance.add(eps).rsqrt();
  const scale: Tensor = weight ? rstd.mul(weight) : rstd;
  // Centred first: x·scale − mean·scale would lose digits where the mean is large.
  const y: Tensor = x.sub(perChannel(mean, x)).mul(perChannel(scale, x));
  return bias ? y.add(perChannel(bias, x)) : y;
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
