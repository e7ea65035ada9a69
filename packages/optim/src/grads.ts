/** What the kinds of clipping share: norms, replacing gradients, and what happens when one is not finite. */
import { GradError, RowGradient, type Tensor, type Variable } from "@nn/tensor";

export interface ClipOptions {
  /** A gradient with NaN or ∞: throw, or drop all gradients so that the next `step()` updates none of these parameters. Default "raise". */
  nonFinite?: "raise" | "skip";
}

export const withGrad = (params: Iterable<Variable>): Variable[] => [...params].filter((p) => p.grad !== null);

/** √Σg² over all gradients. */
export function normOf(list: readonly Variable[]): number {
  const norm = Math.sqrt(list.reduce((sum, p) => sum + p.grad!.square().sum().item(), 0));
  if (norm !== Infinity) return norm;
  // Squares overflow f32 from 2e19 on: that is an exploding gradient, but one that can be clipped.
  const most = Math.max(...list.map((p) => (p.grad!.size === 0 ? 0 : p.grad!.abs().max().item())));
  return Number.isFinite(most) ? most * Math.sqrt(list.reduce((sum, p) => sum + p.grad!.div(most).square().sum().item(), 0)) : norm;
}

/** Is `norm` finite? If not, applies the policy: throws, or drops the gradients of `list`. */
export function acceptNorm(op: string, list: readonly Variable[], norm: number, { nonFinite = "raise" }: ClipOptions): boolean {
  if (Number.isFinite(norm)) return true;
  if (nonFinite === "raise") throw new GradError(op, `the gradient norm is ${norm}`, { hint: "lower the learning rate, or find the op with detectAnomaly()" });
  for (const p of list) {
    p.grad!.dispose();
    p.grad = null;
  }
  return false;
}

/** `next` becomes the gradient of `p`; the old one ends. */
export function replaceGrad(p: Variable, next: Tensor): void {
  const old = p.grad!;
  p.grad = (old instanceof RowGradient ? old.with(next) : next).moveTo(null);
  old.dispose();
}
