/** Functions to functions: `grad(f)`, `valueAndGrad(f)`, `hessianVector`. Nest them for higher orders. */
import { GradError, isFloat, refusePromise, scope, withRecording, type Tensor } from "@nn/tensor";
import { gradients, reachesOthers } from "./backward.ts";
import type { Slot } from "./tape.ts";

// Inside another grad, or where f reads parameters, the gradient must itself be recorded.
let depth = 0;

/**
 * `(x, …) → [f(x, …), ∂f/∂x]` for scalar-valued `f`; the gradient is a list if `f` takes several tensors.
 *
 * @throws ScopeError if `f` is async.
 */
export function valueAndGrad<A extends Tensor[]>(f: (...args: A) => Tensor): (...args: A) => { value: Tensor; grads: { [I in keyof A]: A[I] } } {
  return (...args) =>
    scope(() => {
      depth++;
      try {
        return withRecording(true, () => {
          // A fresh place on the tape per argument, connected to the outer tape if there is one.
          const xs = args.map((x) => {
            if (!isFloat(x.dtype)) throw new GradError("grad", `${x.dtype} inputs have no gradient`, { hint: 'x.cast("f32")' });
            return x.requiresGrad ? x.reshape(x.shape) : x.detach().requireGrad();
          }) as A;
          const value = refusePromise("grad", f(...xs));
          const outer = depth > 1 || args.some((x) => x.requiresGrad) || (value.slot !== null && reachesOthers(value.slot as Slot, new Set(xs.map((x) => x.slot as Slot))));
          const found = gradients(value, xs, { createGraph: outer });
          const grads = found.map((g, i) => g ?? args[i]!.mul(0)) as { [I in keyof A]: A[I] };
          return { value: outer ? value : value.detach(), grads };
        });
      } finally {
        depth--;
      }
    }, "grad()");
}

/** `x → ∂f/∂x` for scalar-valued `f` of one tensor. `grad(grad(f))` works, where the inner gradient is reduced to a scalar. */
export const grad = (f: (x: Tensor) => Tensor): ((x: Tensor) => Tensor) => {
  const both = valueAndGrad(f);
  return (x) => scope(() => both(x).grads[0]!, "grad()");
};

/** `(x, v) → H(x)·v` for scalar-valued `f`: a product with the Hessian costs two gradients and no matrix (Pearlmutter 1994). */
export const hessianVector = (f: (x: Tensor) => Tensor): ((x: Tensor, v: Tensor) => Tensor) => {
  const slope = grad(f);
  return (x, v) => grad((u) => slope(u).mul(v).sum())(x);
};
