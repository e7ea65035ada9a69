import type { Variable } from "@nn/tensor";
import { checkRange } from "./check.ts";
import type { Group } from "./optimizer.ts";
import { RuleOptimizer } from "./rule-optimizer.ts";
import { defineRule } from "./rule.ts";

export interface RMSpropOptions {
  /** Learning rate. */
  lr: number;
  /** ρ of the running mean of g². 0.9 is Hinton's; PyTorch has 0.99, the notes 0.999. */
  alpha: number;
  eps: number;
  /** `√(S + ε)` instead of `√S + ε`: the notes' form, whose steps stay finite without a second constant. */
  epsUnderRoot: boolean;
  /** Divide by the deviation of g, `√(S − ḡ²)`, instead of its root mean square (Graves 2013). */
  centered: boolean;
  /** μ of a velocity over the scaled gradients; 0 for none. */
  momentum: number;
  /** λ of the L2 term added to the gradient. */
  weightDecay: number;
}

/** `S ← ρS + (1−ρ)g²;  w ← w − lr·g/(√S + ε)`;  with momentum `b ← μb + g/(√S + ε);  w ← w − lr·b` */
const rmsprop = ({ lr, alpha, eps, epsUnderRoot, centered, momentum, weightDecay }: RMSpropOptions) => {
  checkRange("RMSprop", "lr", lr, 0);
  checkRange("RMSprop", "alpha", alpha, 0, 1);
  checkRange("RMSprop", "eps", eps, 0);
  checkRange("RMSprop", "momentum", momentum, 0, 1);
  checkRange("RMSprop", "weightDecay", weightDecay, 0);
  const heavy = momentum > 0;
  return defineRule({
    key: `rmsprop${centered ? "+centered" : ""}${heavy ? "+momentum" : ""}`,
    state: ["s", ...(centered ? (["mean"] as const) : []), ...(heavy ? (["b"] as const) : [])],
    numbers: () => ({ lr, alpha, fresh: 1 - alpha, inside: epsUnderRoot ? eps : 0, outside: epsUnderRoot ? 0 : eps, momentum, decay: weightDecay }),
    step(w, g, { s, mean, b }, n) {
      const gradient = g.add(w.mul(n.decay));
      const nextS = s.mul(n.alpha).add(gradient.mul(gradient).mul(n.fresh));
      const nextMean = centered ? mean.mul(n.alpha).add(gradient.mul(n.fresh)) : g;
      // Rounding can bring the variance of a constant gradient below 0.
      const square = centered ? nextS.sub(nextMean.mul(nextMean)).relu() : nextS;
      const scaled = gradient.div(square.add(n.inside).sqrt().add(n.outside));
      const nextB = heavy ? b.mul(n.momentum).add(scaled) : scaled;
      return { w: w.sub(nextB.mul(n.lr)), s: nextS, mean: nextMean, b: nextB };
    },
  });
};

/** RMSProp (Tieleman & Hinton 2012, lecture 6.5). Options as in PyTorch, but `alpha` is Hinton's. */
export class RMSprop extends RuleOptimizer<RMSpropOptions> {
  constructor(params: Iterable<Variable> | readonly Group<RMSpropOptions>[], options: Partial<RMSpropOptions> = {}) {
    super(params, { lr: 1e-2, alpha: 0.9, eps: 1e-8, epsUnderRoot: false, centered: false, momentum: 0, weightDecay: 0, ...options }, rmsprop);
  }
}
