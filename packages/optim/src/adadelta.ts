import type { Variable } from "@nn/tensor";
import { checkRange } from "./check.ts";
import type { Group } from "./optimizer.ts";
import { RuleOptimizer } from "./rule-optimizer.ts";
import { defineRule } from "./rule.ts";

export interface AdadeltaOptions {
  /** Factor on the update; the paper has none (1). */
  lr: number;
  /** ρ of both running means; the paper's is 0.95. */
  rho: number;
  eps: number;
  /** λ of the L2 term added to the gradient. */
  weightDecay: number;
}

/** `S ← ρS + (1−ρ)g²;  Δ = √(U+ε)/√(S+ε) · g;  w ← w − lr·Δ;  U ← ρU + (1−ρ)Δ²` */
const adadelta = ({ lr, rho, eps, weightDecay }: AdadeltaOptions) => {
  checkRange("Adadelta", "lr", lr, 0);
  checkRange("Adadelta", "rho", rho, 0, 1);
  checkRange("Adadelta", "eps", eps, 0);
  checkRange("Adadelta", "weightDecay", weightDecay, 0);
  return defineRule({
    key: "adadelta",
    state: ["s", "u"],
    numbers: () => ({ lr, rho, fresh: 1 - rho, eps, decay: weightDecay }),
    step(w, g, { s, u }, n) {
      const gradient = g.add(w.mul(n.decay));
      const nextS = s.mul(n.rho).add(gradient.mul(gradient).mul(n.fresh));
      const delta = u.add(n.eps).sqrt().div(nextS.add(n.eps).sqrt()).mul(gradient);
      return { w: w.sub(delta.mul(n.lr)), s: nextS, u: u.mul(n.rho).add(delta.mul(delta).mul(n.fresh)) };
    },
  });
};

/** Adadelta (Zeiler 2012): steps in units of the weights, so that no rate need be tuned. It cures Adagrad's shrinking rate. */
export class Adadelta extends RuleOptimizer<AdadeltaOptions> {
  constructor(params: Iterable<Variable> | readonly Group<AdadeltaOptions>[], options: Partial<AdadeltaOptions> = {}) {
    super(params, { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0, ...options }, adadelta);
  }
}
