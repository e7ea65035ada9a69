/** Reductions made of other ops. All are differentiable to any order. */
import { toFloat } from "../dtype.ts";
import { ArgumentError } from "../errors.ts";
import { stepScope } from "../memory.ts";
import { isRecording, noGrad } from "../recorder.ts";
import type { Tensor } from "../tensor.ts";
import { reducedDims } from "./axes.ts";

export type Dims = number | readonly number[];
export interface KeepDim {
  keepdim?: boolean;
}

const floating = (x: Tensor): Tensor => x.cast(toFloat(x.dtype));
const countAlong = (x: Tensor, dims: readonly number[]): number => dims.reduce((n, d) => n * (x.shape[d] ?? 1), 1);

/** Σ x / n; integers give f32, no elements give NaN. */
export function mean(x: Tensor, dim?: Dims, options: KeepDim = {}): Tensor {
  const dims = reducedDims("mean", x, dim);
  return floating(x).sum(dims, options).div(countAlong(x, dims));
}

/** Σ (x − mean)² / (n − correction), in two passes: no cancellation for large means. */
export function variance(x: Tensor, dim?: Dims, { correction = 1, keepdim = false }: KeepDim & { correction?: number } = {}): Tensor {
  const dims = reducedDims("var", x, dim);
  const f = floating(x);
  const centred = f.sub(mean(f, dims, { keepdim: true }));
  return centred.mul(centred).sum(dims, { keepdim }).div(Math.max(0, countAlong(x, dims) - correction));
}

/** √variance; its gradient is 0 where all values are equal, as PyTorch. */
export const std = (x: Tensor, dim?: Dims, options: KeepDim & { correction?: number } = {}): Tensor => rootOrZero(variance(x, dim, options), 2);

/** (Σ |x|ᵖ)^(1/p). p = ∞ and −∞: largest and smallest |x|; p = 0: number of non-zeros. The gradient at 0 is 0. */
export function norm(x: Tensor, dim?: Dims, { p = 2, keepdim = false }: KeepDim & { p?: number } = {}): Tensor {
  if (Number.isNaN(p)) throw new ArgumentError("norm", "p must be a number, got NaN");
  const dims = reducedDims("norm", x, dim);
  const f = floating(x);
  if (p === 2) return rootOrZero(f.mul(f).sum(dims, { keepdim }), 2);
  const size = f.abs();
  if (p === Infinity) return size.max(dims, { keepdim });
  if (p === -Infinity) return size.min(dims, { keepdim });
  if (p === 0) return f.ne(0).cast(f.dtype).sum(dims, { keepdim });
  if (p === 1) return size.sum(dims, { keepdim });
  if (p < 0) return size.pow(p).sum(dims, { keepdim }).pow(1 / p);
  const zero = size.eq(0);
  const powers = zero.where(0, zero.where(1, size).pow(p)); // 0ᵖ = 0, with a finite gradient
  return rootOrZero(powers.sum(dims, { keepdim }), p);
}

/** x^(1/p) for x ≥ 0 with gradient 0, not ∞, at 0. */
function rootOrZero(x: Tensor, p: number): Tensor {
  const zero = x.eq(0);
  const safe = zero.where(1, x);
  return zero.where(0, p === 2 ? safe.sqrt() : safe.pow(1 / p));
}

/** log Σ eˣ without overflow. All −∞ (or no elements) gives −∞ with gradient 0. */
export function logsumexp(x: Tensor, dim?: Dims, { keepdim = false }: KeepDim = {}): Tensor {
  const dims = reducedDims("logsumexp", x, dim);
  const f = floating(x);
  // Shifting by any number leaves the result as it is, so the shift is a constant: no gradient flows through it.
  const shift = constant(f, (v) => {
    const top = countAlong(v, dims) === 0 ? v.sum(dims, { keepdim: true }) : v.max(dims, { keepdim: true });
    return top.abs().eq(Infinity).where(0, top);
  });
  const total = f.sub(shift).exp().sum(dims, { keepdim: true });
  const none = total.eq(0);
  const y = none.where(-Infinity, none.where(1, total).log()).add(shift);
  return keepdim ? y : y.reshape(y.shape.filter((_, d) => !dims.includes(d)));
}

/** `f(x)` as a constant that ends with x's training step. */
function constant(x: Tensor, f: (x: Tensor) => Tensor): Tensor {
  const y = noGrad(() => f(x));
  if (isRecording() && (x.requiresGrad || x.step)) y.joinStep(stepScope());
  return y;
}

/** True where some element is not 0; false for no elements. */
export const any = (x: Tensor, dim?: Dims, options: KeepDim = {}): Tensor => x.ne(0).cast("f32").sum(reducedDims("any", x, dim), options).gt(0);

/** True where no element is 0; true for no elements. */
export const all = (x: Tensor, dim?: Dims, options: KeepDim = {}): Tensor => x.eq(0).cast("f32").sum(reducedDims("all", x, dim), options).eq(0);
