/** Normalisation over the last dimensions as users call it. */
import type { Shape } from "../layout.ts";
import type { Tensor } from "../tensor.ts";
import * as records from "./norm.ts";

export interface RmsNormOptions {
  /** `normalizedShape` */
  weight?: Tensor | null;
  /** Added to the mean square; default: the smallest step above 1 of x's dtype, as PyTorch. */
  eps?: number | null;
}
export interface LayerNormOptions {
  /** `normalizedShape` */
  weight?: Tensor | null;
  /** `normalizedShape` */
  bias?: Tensor | null;
  /** Added to the variance; default 1e-5. */
  eps?: number;
}

const asShape = (s: number | Shape): Shape => (typeof s === "number" ? [s] : s);

/** `(x − mean)/√(var + eps)·weight + bias` over the last dimensions, whose sizes `normalizedShape` gives (Ba 2016). @throws ShapeError */
export function layerNorm(x: Tensor, normalizedShape: number | Shape, { weight, bias, eps = 1e-5 }: LayerNormOptions = {}): Tensor {
  const { y, mean, rstd } = records.layerNorm({ x, ...(weight && { weight }), ...(bias && { bias }) }, { normalizedShape: asShape(normalizedShape), eps });
  mean.dispose();
  rstd.dispose();
  return y;
}

/** `x/√(mean(x²) + eps)·weight` over the last dimensions, whose sizes `normalizedShape` gives (Zhang & Sennrich 2019). @throws ShapeError */
export function rmsNorm(x: Tensor, normalizedShape: number | Shape, { weight, eps }: RmsNormOptions = {}): Tensor {
  const { y, rstd } = records.rmsNorm({ x, ...(weight && { weight }) }, { normalizedShape: asShape(normalizedShape), eps: eps ?? (x.dtype === "f64" ? 2 ** -52 : 2 ** -23) });
  rstd.dispose();
  return y;
}
