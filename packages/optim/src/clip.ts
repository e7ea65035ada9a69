/** Gradient clipping (Pascanu 2012, "On the difficulty of training recurrent neural networks"). */
import { noGrad, type Tensor, type Variable } from "@nn/tensor";
import { checkRange } from "./check.ts";
import { acceptNorm, normOf, replaceGrad, withGrad, type ClipOptions } from "./grads.ts";

/**
 * Scales all gradients by `min(1, maxNorm / (norm + 1e-6))`, where norm is over all of them together. Returns the norm.
 *
 * @throws GradError if the norm is not finite; nothing is changed then. With `nonFinite: "skip"` all gradients are dropped instead,
 * so that `optimizer.step()` leaves these parameters alone.
 */
export function clipGradNorm(params: Iterable<Variable>, maxNorm: number, options: ClipOptions = {}): number {
  checkRange("clipGradNorm", "maxNorm", maxNorm, 0);
  const list = withGrad(params);
  return noGrad(() => {
    const norm = normOf(list);
    if (acceptNorm("clipGradNorm", list, norm, options)) scaleTo(list, norm, maxNorm);
    return norm;
  });
}

/**
 * `clipGradNorm` for each layer on its own: a parameter alone, or the parameters of a layer as a list. Returns the norms in that order.
 * The direction of the whole step changes; a layer with large gradients no longer slows the others.
 *
 * @throws GradError if one norm is not finite; nothing is changed then, and with "skip" all gradients are dropped.
 */
export function clipGradNormPerLayer(layers: Iterable<Variable | readonly Variable[]>, maxNorm: number, options: ClipOptions = {}): number[] {
  checkRange("clipGradNormPerLayer", "maxNorm", maxNorm, 0);
  const lists = [...layers].map((layer) => withGrad(Array.isArray(layer) ? (layer as readonly Variable[]) : [layer as Variable]));
  return noGrad(() => {
    const norms = lists.map(normOf);
    if (acceptNorm("clipGradNormPerLayer", lists.flat(), Math.hypot(...norms), options)) lists.forEach((list, i) => scaleTo(list, norms[i]!, maxNorm));
    return norms;
  });
}

/**
 * Clamps every element of every gradient to `[−limit, limit]`.
 *
 * @throws GradError if an element is not finite; nothing is changed then, and with "skip" all gradients are dropped.
 */
export function clipGradValue(params: Iterable<Variable>, limit: number, options: ClipOptions = {}): void {
  checkRange("clipGradValue", "limit", limit, 0);
  const list = withGrad(params);
  noGrad(() => {
    if (acceptNorm("clipGradValue", list, normOf(list), options)) for (const p of list) replaceGrad(p, p.grad!.clamp({ min: -limit, max: limit }));
  });
}

function scaleTo(list: readonly Variable[], norm: number, maxNorm: number): void {
  const factor = maxNorm / (norm + 1e-6);
  if (factor < 1) for (const p of list) replaceGrad(p, (p.grad as Tensor).mul(factor));
}
