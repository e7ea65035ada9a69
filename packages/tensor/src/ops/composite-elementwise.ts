/** Element-wise functions made of other ops: no kernel and no gradient of their own. */
import type { Tensor } from "../tensor.ts";
import { ArgumentError } from "../errors.ts";
import { scalar } from "../scalar.ts";
import { div } from "./elementwise.ts";

export const square = (x: Tensor): Tensor => x.mul(x);
export const reciprocal = (x: Tensor): Tensor => div({ a: scalar(1, x), b: x });
export const rsqrt = (x: Tensor): Tensor => reciprocal(x.sqrt());
export const isinf = (x: Tensor): Tensor => x.abs().eq(Infinity);
export const isfinite = (x: Tensor): Tensor => x.abs().lt(Infinity);

/** x·σ(x) (Elfwing 2017; "swish" in Ramachandran 2017). */
export const silu = (x: Tensor): Tensor => x.mul(x.sigmoid());

/** Gaussian error linear unit (Hendrycks & Gimpel 2016): x·Φ(x), or its tanh approximation. */
export function gelu(x: Tensor, { approximate = "none" }: { approximate?: "none" | "tanh" } = {}): Tensor {
  if (approximate === "none") return x.mul(x.mul(Math.SQRT1_2).erf().add(1)).mul(0.5);
  const inner = x.mul(x).mul(0.044715).add(1).mul(x).mul(Math.sqrt(2 / Math.PI));
  return x.mul(inner.tanh().add(1)).mul(0.5);
}

/** log σ(x) */
export const logSigmoid = (x: Tensor): Tensor => x.neg().softplus().neg();

export const leakyRelu = (x: Tensor, { negativeSlope = 0.01 }: { negativeSlope?: number } = {}): Tensor => x.gt(0).where(x, x.mul(negativeSlope));

/** Exponential linear unit (Clevert 2015). The exponential sees only negative values: no overflow, no NaN gradient. */
export const elu = (x: Tensor, { alpha = 1 }: { alpha?: number } = {}): Tensor => {
  const negative = x.gt(0).where(0, x).expm1().mul(alpha);
  return x.gt(0).where(x, negative);
};

/** Self-normalising ELU (Klambauer 2017). */
export const selu = (x: Tensor): Tensor => elu(x, { alpha: 1.6732632423543772 }).mul(1.0507009873554805);

/** Limits values to [min, max]; the gradient passes inside and at the limits, as PyTorch. NaN stays NaN. */
export function clamp(x: Tensor, { min, max }: { min?: number; max?: number }): Tensor {
  if (min !== undefined && max !== undefined && min > max) throw new ArgumentError("clamp", `min ${min} is above max ${max}`);
  const low = min === undefined ? x : x.lt(min).where(min, x);
  return max === undefined ? low : low.gt(max).where(max, low);
}

/** `clamp` whose gradient is 0 at the limits too, as PyTorch. */
export const hardtanh = (x: Tensor, { minVal = -1, maxVal = 1 }: { minVal?: number; maxVal?: number } = {}): Tensor => x.le(minVal).where(minVal, x.ge(maxVal).where(maxVal, x));

/** Replaces elements where `mask` is true. */
export const maskedFill = (x: Tensor, mask: Tensor, value: number): Tensor => mask.where(value, x);
