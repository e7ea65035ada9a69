import type { Variable } from "@nn/tensor";
import { checkAdaptive } from "./check.ts";
import type { Group } from "./optimizer.ts";
import { RuleOptimizer } from "./rule-optimizer.ts";
import { defineRule } from "./rule.ts";

export interface RAdamOptions {
  /** Learning rate. */
  lr: number;
  /** Decay rates of the running mean of g and g². */
  betas: readonly [number, number];
  eps: number;
  /** λ of the L2 term added to the gradient. */
  weightDecay: number;
}

/** `r = √((ρ−4)(ρ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρ))` with `ρ∞ = 2/(1−β₂) − 1`, `ρ = ρ∞ − 2tβ₂ᵗ/(1−β₂ᵗ)`; 0 while ρ ≤ 5, where the variance of v is not known. */
function rectification(beta2: number, t: number): number {
  const end = 2 / (1 - beta2) - 1;
  const rho = end - (2 * t * beta2 ** t) / (1 - beta2 ** t);
  return rho > 5 ? Math.sqrt(((rho - 4) * (rho - 2) * end) / ((end - 4) * (end - 2) * rho)) : 0;
}

/** `m, v` as Adam;  `w ← w − lr · m̂ · r√(1−β₂ᵗ)/(√v + ε)`, or `w ← w − lr · m̂` while r = 0 */
const radam = (options: RAdamOptions) => {
  checkAdaptive("RAdam", options);
  const { lr, betas: [beta1, beta2], eps, weightDecay } = options;
  return defineRule({
    key: "radam",
    state: ["m", "v"],
    numbers(t) {
      const r = rectification(beta2, t);
      const rate = lr / (1 - beta1 ** t);
      return {
        beta1,
        beta2,
        fresh1: 1 - beta1,
        fresh2: 1 - beta2,
        adaptive: rate * r * Math.sqrt(1 - beta2 ** t),
        // One of the two is 0, so that one program serves early and late steps.
        plain: r === 0 ? rate : 0,
        eps,
        decay: weightDecay,
      };
    },
    step(w, g, { m, v }, n) {
      const gradient = g.add(w.mul(n.decay));
      const nextM = m.mul(n.beta1).add(gradient.mul(n.fresh1));
      const nextV = v.mul(n.beta2).add(gradient.mul(gradient).mul(n.fresh2));
      return { w: w.sub(nextM.mul(n.adaptive.div(nextV.sqrt().add(n.eps)).add(n.plain))), m: nextM, v: nextV };
    },
  });
};

/** Rectified Adam (Liu 2019, "On the variance of the adaptive learning rate and beyond"): warm-up out of the statistics of v. */
export class RAdam extends RuleOptimizer<RAdamOptions> {
  constructor(params: Iterable<Variable> | readonly Group<RAdamOptions>[], options: Partial<RAdamOptions> = {}) {
    super(params, { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, ...options }, radam);
  }
}
