/** Local response normalisation: pixels whose channels lie side by side in memory. Other layouts are copied once. */
import { kernel } from "../backend.ts";
import type { Aval } from "../define.ts";
import { sizeOf, type Shape } from "../layout.ts";
import type { LrnAttrs } from "../ops/lrn.ts";
import { empty, pointerOf, type Tensor } from "../tensor.ts";
import { channelsInnermost, withLayouts } from "./dense.ts";
import { run } from "./launch.ts";

/** The kernels' largest window. */
const widest = 256;

const accepts = (inputs: readonly Tensor[], _: readonly Aval[], { size }: LrnAttrs): boolean => size <= widest && inputs.every((t) => t.dtype === "f32");

const sizes = (shape: Shape) => ({ pixels: sizeOf(shape) / shape[1]!, c: shape[1]! });

export const localResponseNorm = kernel<{ x: Tensor }, LrnAttrs, Aval>(({ x }, { size, alpha, beta, k }, out) => {
  const layout = channelsInnermost(out.shape);
  const y = empty(out, "localResponseNorm", layout, x.backend);
  if (y.size > 0) withLayouts((as) => run(x.backend, "localResponseNorm", { ...sizes(out.shape), size, alpha, beta, k, x: pointerOf(as(x, layout)), y: pointerOf(y) }));
  return y;
}, accepts);

export const localResponseNormGrad = kernel<{ x: Tensor; grad: Tensor }, LrnAttrs, Aval>(({ x, grad }, { size, alpha, beta, k }, out) => {
  const layout = channelsInnermost(out.shape);
  const dx = empty(out, "localResponseNormGrad", layout, x.backend);
  if (dx.size > 0) {
    withLayouts((as) =>
      run(x.backend, "localResponseNormGrad", { ...sizes(out.shape), size, alpha, beta, k, x: pointerOf(as(x, layout)), dy: pointerOf(as(grad, layout)), dx: pointerOf(dx) }));
  }
  return dx;
}, accepts);
