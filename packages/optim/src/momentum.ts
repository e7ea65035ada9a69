import type { Variable } from "@nn/tensor";
import { checkRange } from "./check.ts";
import type { Group } from "./optimizer.ts";
import { RuleOptimizer } from "./rule-optimizer.ts";
import { defineRule } from "./rule.ts";

export interface MomentumEMAOptions {
  /** Learning rate. */
  lr: number;
  /** β of the running mean of g. */
  beta: number;
  /** λ of the L2 term added to the gradient. */
  weightDecay: number;
}

/** `V ← βV + (1−β)(g + λw);  w ← w − lr·V` */
const momentumEMA = ({ lr, beta, weightDecay }: MomentumEMAOptions) => {
  checkRange("MomentumEMA", "lr", lr, 0);
  checkRange("MomentumEMA", "beta", beta, 0, 1);
  checkRange("MomentumEMA", "weightDecay", weightDecay, 0);
  return defineRule({
    key: "momentumEMA",
    state: ["v"],
    numbers: () => ({ lr, beta, fresh: 1 - beta, decay: weightDecay }),
    step(w, g, { v }, n) {
      const next = v.mul(n.beta).add(g.add(w.mul(n.decay)).mul(n.fresh));
      return { w: w.sub(next.mul(n.lr)), v: next };
    },
  });
};

/**
 * Momentum as a running mean, without bias correction. It is classical momentum (`SGD` with `momentum`) at the rate `lr·(1−β)`:
 * at equal rates its first step is 1/(1−β) times smaller. `SGD` with `dampening` differs, its first velocity is the whole gradient.
 */
export class MomentumEMA extends RuleOptimizer<MomentumEMAOptions> {
  constructor(params: Iterable<Variable> | readonly Group<MomentumEMAOptions>[], options: Partial<MomentumEMAOptions> = {}) {
    super(params, { lr: 1e-2, beta: 0.9, weightDecay: 0, ...options }, momentumEMA);
  }
}
