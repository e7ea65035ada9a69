/** Adaptive gradient clipping. */
import { RowGradient, noGrad, tensor, type Tensor, type Variable } from "@nn/tensor";
import { checkRange } from "./check.ts";
import { acceptNorm, normOf, replaceGrad, withGrad, type ClipOptions } from "./grads.ts";

export interface AdaptiveClipOptions extends ClipOptions {
  /** λ: largest ratio of gradient to weight. */
  clipping?: number;
  /** Weights count as at least this long, so that zeros can start to move. */
  eps?: number;
}

/**
 * For each unit i of each parameter: `Gᵢ ← Gᵢ · min(1, λ·max(‖Wᵢ‖, ε)/‖Gᵢ‖)` (Brock 2021, "High-performance large-scale image recognition
 * without normalization"). A unit is a row `[i, …]`; vectors and scalars are one unit. The paper leaves the last layer out.
 *
 * @throws GradError if a gradient is not finite; nothing is changed then, and with `nonFinite: "skip"` all gradients are dropped.
 */
export function clipGradAdaptive(params: Iterable<Variable>, { clipping = 0.01, eps = 1e-3, ...options }: AdaptiveClipOptions = {}): void {
  checkRange("clipGradAdaptive", "clipping", clipping, 0);
  const list = withGrad(params);
  noGrad(() => {
    if (!acceptNorm("clipGradAdaptive", list, normOf(list), options)) return;
    for (const p of list) {
      const g = p.grad as Tensor;
      const weights = g instanceof RowGradient ? p.indexSelect(0, tensor(g.rows)) : p;
      const most = unitNorm(weights).maximum(eps).mul(clipping);
      // Short of 1 only where the gradient is too long; the bound keeps 0/0 out.
      replaceGrad(p, g.mul(most.div(unitNorm(g).maximum(1e-6)).minimum(1)));
    }
  });
}

/** [n, …] → [n, 1, …]; a vector → [1] */
function unitNorm(t: Tensor): Tensor {
  const dims = t.rank > 1 ? t.shape.map((_, d) => d).slice(1) : t.shape.map((_, d) => d);
  return t.square().sum(dims, { keepdim: true }).sqrt();
}
