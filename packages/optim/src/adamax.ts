import type { Variable } from "@nn/tensor";
import { checkAdaptive } from "./check.ts";
import type { Group } from "./optimizer.ts";
import { RuleOptimizer } from "./rule-optimizer.ts";
import { defineRule } from "./rule.ts";

export interface AdamaxOptions {
  /** Learning rate. */
  lr: number;
  /** Decay rates of the running mean of g and of the running maximum of |g|. */
  betas: readonly [number, number];
  eps: number;
  /** λ of the L2 term added to the gradient. */
  weightDecay: number;
}

/** `m ← β₁m + (1−β₁)g;  u ← max(β₂u, |g| + ε);  w ← w − lr/(1−β₁ᵗ) · m/u` */
const adamax = (options: AdamaxOptions) => {
  checkAdaptive("Adamax", options);
  const { lr, betas: [beta1, beta2], eps, weightDecay } = options;
  return defineRule({
    key: "adamax",
    state: ["m", "u"],
    numbers: (t) => ({ beta1, beta2, fresh: 1 - beta1, rate: lr / (1 - beta1 ** t), eps, decay: weightDecay }),
    step(w, g, { m, u }, n) {
      const gradient = g.add(w.mul(n.decay));
      const nextM = m.mul(n.beta1).add(gradient.mul(n.fresh));
      const nextU = u.mul(n.beta2).maximum(gradient.abs().add(n.eps));
      return { w: w.sub(nextM.mul(n.rate).div(nextU)), m: nextM, u: nextU };
    },
  });
};

/** Adamax: Adam under the infinity norm (Kingma & Ba 2014, section 7.1). */
export class Adamax extends RuleOptimizer<AdamaxOptions> {
  constructor(params: Iterable<Variable> | readonly Group<AdamaxOptions>[], options: Partial<AdamaxOptions> = {}) {
    super(params, { lr: 2e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, ...options }, adamax);
  }
}
