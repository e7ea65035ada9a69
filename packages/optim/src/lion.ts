import type { Variable } from "@nn/tensor";
import { checkAdaptive } from "./check.ts";
import type { Group } from "./optimizer.ts";
import { RuleOptimizer } from "./rule-optimizer.ts";
import { defineRule } from "./rule.ts";

export interface LionOptions {
  /** Learning rate: every weight moves by this much. A tenth to a third of AdamW's. */
  lr: number;
  /** Share of m in the direction, and decay rate of m. */
  betas: readonly [number, number];
  /** λ, decoupled: 3 to 10 times AdamW's, as the rate is smaller. */
  weightDecay: number;
}

/** `w ← w − lr·(sign(β₁m + (1−β₁)g) + λw);  m ← β₂m + (1−β₂)g` */
const lion = (options: LionOptions) => {
  checkAdaptive("Lion", options);
  const { lr, betas: [beta1, beta2], weightDecay } = options;
  return defineRule({
    key: "lion",
    state: ["m"],
    numbers: () => ({ lr, beta1, beta2, fresh1: 1 - beta1, fresh2: 1 - beta2, decay: 1 - lr * weightDecay }),
    step(w, g, { m }, n) {
      const direction = m.mul(n.beta1).add(g.mul(n.fresh1)).sign();
      return { w: w.mul(n.decay).sub(direction.mul(n.lr)), m: m.mul(n.beta2).add(g.mul(n.fresh2)) };
    },
  });
};

/** Lion (Chen 2023, "Symbolic discovery of optimization algorithms"): signs of a momentum, one state per weight. */
export class Lion extends RuleOptimizer<LionOptions> {
  constructor(params: Iterable<Variable> | readonly Group<LionOptions>[], options: Partial<LionOptions> = {}) {
    super(params, { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0, ...options }, lion);
  }
}
