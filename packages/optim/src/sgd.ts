import type { Variable } from "@nn/tensor";
import { checkRange } from "./check.ts";
import type { Group } from "./optimizer.ts";
import { RuleOptimizer } from "./rule-optimizer.ts";
import { defineRule } from "./rule.ts";

export interface SGDOptions {
  /** Learning rate. */
  lr: number;
  /** μ of the velocity `v = μv + g`. */
  momentum: number;
  /** Share of the gradient kept out of the velocity, from the second step on. */
  dampening: number;
  /** λ of the L2 term added to the gradient. */
  weightDecay: number;
  /** Step along `g + μv` (Sutskever 2013, "On the importance of initialization and momentum in deep learning"). */
  nesterov: boolean;
}

/** `g ← g + λw;  v ← μv + (1−d)g;  w ← w − lr·v` */
const sgd = ({ lr, momentum, dampening, weightDecay, nesterov }: SGDOptions) => {
  checkRange("SGD", "lr", lr, 0);
  checkRange("SGD", "momentum", momentum, 0, 1);
  checkRange("SGD", "weightDecay", weightDecay, 0);
  if (momentum === 0) {
    return defineRule({
      key: "sgd",
      state: [],
      numbers: () => ({ lr, decay: weightDecay }),
      step: (w, g, _, n) => ({ w: w.sub(g.add(w.mul(n.decay)).mul(n.lr)) }),
    });
  }
  return defineRule({
    key: nesterov ? "sgd+nesterov" : "sgd+momentum",
    state: ["v"],
    // The first velocity is the undamped gradient, as PyTorch.
    numbers: (t) => ({ lr, momentum, decay: weightDecay, fresh: t === 1 ? 1 : 1 - dampening }),
    step(w, g, { v }, n) {
      const gradient = g.add(w.mul(n.decay));
      const next = v.mul(n.momentum).add(gradient.mul(n.fresh));
      const along = nesterov ? gradient.add(next.mul(n.momentum)) : next;
      return { w: w.sub(along.mul(n.lr)), v: next };
    },
  });
};

/** Stochastic gradient descent, with momentum, dampening, Nesterov and L2 decay as in PyTorch. */
export class SGD extends RuleOptimizer<SGDOptions> {
  constructor(params: Iterable<Variable> | readonly Group<SGDOptions>[], options: Partial<SGDOptions> = {}) {
    super(params, { lr: 1e-2, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false, ...options }, sgd);
  }
}
