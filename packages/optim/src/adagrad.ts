import type { Variable } from "@nn/tensor";
import { checkRange } from "./check.ts";
import type { Group } from "./optimizer.ts";
import { RuleOptimizer } from "./rule-optimizer.ts";
import { defineRule } from "./rule.ts";

export interface AdagradOptions {
  /** Learning rate. */
  lr: number;
  /** The rate of update t is `lr / (1 + (t−1)·lrDecay)`. */
  lrDecay: number;
  eps: number;
  /** `√(G + ε)` instead of `√G + ε`: the notes' form (there with ε = 1e-8). */
  epsUnderRoot: boolean;
  /** G before the first step. */
  initialAccumulator: number;
  /** λ of the L2 term added to the gradient. */
  weightDecay: number;
}

/** `G ← G + g²;  w ← w − lr·g/(√G + ε)` */
const adagrad = ({ lr, lrDecay, eps, epsUnderRoot, initialAccumulator, weightDecay }: AdagradOptions) => {
  checkRange("Adagrad", "lr", lr, 0);
  checkRange("Adagrad", "lrDecay", lrDecay, 0);
  checkRange("Adagrad", "eps", eps, 0);
  checkRange("Adagrad", "initialAccumulator", initialAccumulator, 0);
  checkRange("Adagrad", "weightDecay", weightDecay, 0);
  return defineRule({
    key: "adagrad",
    state: ["sum"],
    numbers: (t) => ({
      rate: lr / (1 + (t - 1) * lrDecay),
      inside: initialAccumulator + (epsUnderRoot ? eps : 0), // both are constants beside the sum
      outside: epsUnderRoot ? 0 : eps,
      decay: weightDecay,
    }),
    step(w, g, { sum }, n) {
      const gradient = g.add(w.mul(n.decay));
      const next = sum.add(gradient.mul(gradient));
      return { w: w.sub(gradient.mul(n.rate).div(next.add(n.inside).sqrt().add(n.outside))), sum: next };
    },
  });
};

/** Adagrad (Duchi 2011, "Adaptive subgradient methods"): a rate per weight that only shrinks; for sparse inputs. */
export class Adagrad extends RuleOptimizer<AdagradOptions> {
  constructor(params: Iterable<Variable> | readonly Group<AdagradOptions>[], options: Partial<AdagradOptions> = {}) {
    super(params, { lr: 1e-2, lrDecay: 0, eps: 1e-10, epsUnderRoot: false, initialAccumulator: 0, weightDecay: 0, ...options }, adagrad);
  }
}
