/** Gradient clipping (Pascanu 2012, "On the difficulty of training recurrent neural networks"). */
import { GradError, noGrad, type Variable } from "@nn/tensor";

/**
 * Scales all gradients by `min(1, maxNorm / (norm + 1e-6))`, where norm is over all of them together. Returns the norm.
 *
 * @throws GradError if the norm is not finite; nothing is changed then.
 */
export function clipGradNorm(params: Iterable<Variable>, maxNorm: number): number {
  const list = [...params].filter((p) => p.grad !== null);
  return noGrad(() => {
    const norm = Math.sqrt(list.reduce((sum, p) => sum + p.grad!.square().sum().item(), 0));
    if (!Number.isFinite(norm)) throw new GradError("clipGradNorm", `the gradient norm is ${norm}`, { hint: "lower the learning rate, or find the op with detectAnomaly()" });
    const factor = Math.min(1, maxNorm / (norm + 1e-6));
    if (factor < 1) for (const p of list) replaceGrad(p, factor);
    return norm;
  });
}

function replaceGrad(p: Variable, factor: number): void {
  const old = p.grad!;
  p.grad = old.mul(factor).moveTo(null);
  old.dispose();
}
