import type { Variable } from "@nn/tensor";
import { checkRange } from "./check.ts";
import type { Group } from "./optimizer.ts";
import { RuleOptimizer } from "./rule-optimizer.ts";
import { defineRule } from "./rule.ts";

export interface HeavyBallOptions {
  /** Learning rate. */
  lr: number;
  /** μ of the velocity. */
  momentum: number;
  /** λ of the L2 term added to the gradient. */
  weightDecay: number;
}

/** `v ← μv − lr·(g + λw);  w ← w + v` */
const heavyBall = ({ lr, momentum, weightDecay }: HeavyBallOptions) => {
  checkRange("HeavyBall", "lr", lr, 0);
  checkRange("HeavyBall", "momentum", momentum, 0, 1);
  checkRange("HeavyBall", "weightDecay", weightDecay, 0);
  return defineRule({
    key: "heavyBall",
    state: ["v"],
    numbers: () => ({ lr, momentum, decay: weightDecay }),
    step(w, g, { v }, n) {
      const next = v.mul(n.momentum).sub(g.add(w.mul(n.decay)).mul(n.lr));
      return { w: w.add(next), v: next };
    },
  });
};

/**
 * Momentum whose velocity is a step and not a gradient (Polyak 1964; Krizhevsky 2012, with μ = 0.9 and λ = 0.0005; Caffe). At a constant
 * rate it is `SGD` with `momentum`; after a change of rate, what was in motion goes on at the old one.
 */
export class HeavyBall extends RuleOptimizer<HeavyBallOptions> {
  constructor(params: Iterable<Variable> | readonly Group<HeavyBallOptions>[], options: Partial<HeavyBallOptions> = {}) {
    super(params, { lr: 1e-2, momentum: 0.9, weightDecay: 0, ...options }, heavyBall);
  }
}
