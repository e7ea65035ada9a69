/** Trades time for memory: a part of the forward pass is computed again when its gradient is needed (Chen 2016). */
import { isRecording, noGrad, refusePromise, withRecording, zeros, type OpRecord, type Tensor } from "@nn/tensor";
import { innerGradients } from "./backward.ts";
import { record } from "./tape.ts";

/**
 * `f(...xs)` without keeping what its ops would save. Parameters that `f` reads get their gradients as usual.
 * `f` must compute the same again: seed its random ops.
 *
 * @throws GradError if the gradient itself is to be differentiated, ScopeError if `f` is async.
 */
export function checkpoint<A extends Tensor[]>(f: (...xs: A) => Tensor, ...xs: A): Tensor {
  if (!isRecording()) return f(...xs);
  const y = noGrad(() => refusePromise("checkpoint", f(...xs)));
  // Even where no x wants a gradient, parameters inside f may: the anchor keeps the node on the way back.
  const anchor = zeros([]).requireGrad();
  record(recomputed(f), [anchor, ...xs], {}, [y]);
  return y;
}

const recomputed = <A extends Tensor[]>(f: (...xs: A) => Tensor): OpRecord => ({
  name: "checkpoint",
  inputNames: ["xs"],
  optional: new Set(),
  list: "xs",
  outputNames: ["y"],
  differentiable: ["y"],
  captures: true,
  saves: ["xs"],
  infer: () => ({ shape: [], dtype: "f32" }),
  reference: () => {},
  vjp: {
    xs: (context) => {
      const [anchor, ...saved] = context["xs"] as Tensor[];
      const inputs = saved.map((x) => (x.dtype === "f32" || x.dtype === "f64" ? x.detach().requireGrad() : x)) as A;
      const y = withRecording(true, () => f(...inputs));
      const found = innerGradients(y, context["dy"] as Tensor, inputs.filter((x) => x.requiresGrad));
      const next = found.values();
      return [anchor!, ...inputs.map((x) => (x.requiresGrad ? (next.next().value ?? x.detach().mul(0)) : x))];
    },
  },
  samples: [],
});
