import type { Variable } from "@nn/tensor";
import { checkAdaptive, checkRange } from "./check.ts";
import type { Group } from "./optimizer.ts";
import { RuleOptimizer } from "./rule-optimizer.ts";
import { defineRule } from "./rule.ts";

export interface NAdamOptions {
  /** Learning rate. */
  lr: number;
  /** Decay rates of the running mean of g and g². */
  betas: readonly [number, number];
  eps: number;
  /** ψ of `μₜ = β₁(1 − ½·0.96^(tψ))`, the momentum that grows to β₁. */
  momentumDecay: number;
  /** λ of the L2 term added to the gradient. */
  weightDecay: number;
}

const momentumAt = (beta1: number, decay: number, t: number): number => beta1 * (1 - 0.5 * 0.96 ** (t * decay));

// ∏ᵢ₌₁ᵗ μᵢ by t, for each (β₁, ψ): a rule is a function of t alone, so products are kept here and not in the state.
const products = new Map<string, number[]>();
function productUpTo(beta1: number, decay: number, t: number): number {
  const key = `${beta1} ${decay}`;
  const list = products.get(key) ?? [1];
  products.set(key, list);
  // It falls to 0 after some thousand steps and stays there.
  while (list.length <= t && list.at(-1)! > 0) list.push(list.at(-1)! * momentumAt(beta1, decay, list.length));
  return list[t] ?? 0;
}

/**
 * `m, v` as Adam;  `m̂ = μₜ₊₁m/(1−∏ᵢ₌₁ᵗ⁺¹μᵢ) + (1−μₜ)g/(1−∏ᵢ₌₁ᵗμᵢ)`,  `w ← w − lr · m̂/(√v̂ + ε)`.
 * PyTorch 1.13 without `foreach` multiplies μₜ twice into the first product; the paper, `foreach` and PyTorch 2 do not.
 */
const nadam = (options: NAdamOptions) => {
  checkAdaptive("NAdam", options);
  const { lr, betas: [beta1, beta2], eps, momentumDecay, weightDecay } = options;
  checkRange("NAdam", "momentumDecay", momentumDecay, 0);
  return defineRule({
    key: "nadam",
    state: ["m", "v"],
    numbers(t) {
      const [mu, nextMu, product] = [momentumAt(beta1, momentumDecay, t), momentumAt(beta1, momentumDecay, t + 1), productUpTo(beta1, momentumDecay, t)];
      return {
        beta1,
        beta2,
        fresh1: 1 - beta1,
        fresh2: 1 - beta2,
        rateM: (lr * nextMu) / (1 - product * nextMu),
        rateG: (lr * (1 - mu)) / (1 - product),
        scale: 1 / Math.sqrt(1 - beta2 ** t),
        eps,
        decay: weightDecay,
      };
    },
    step(w, g, { m, v }, n) {
      const gradient = g.add(w.mul(n.decay));
      const nextM = m.mul(n.beta1).add(gradient.mul(n.fresh1));
      const nextV = v.mul(n.beta2).add(gradient.mul(gradient).mul(n.fresh2));
      const along = nextM.mul(n.rateM).add(gradient.mul(n.rateG));
      return { w: w.sub(along.div(nextV.sqrt().mul(n.scale).add(n.eps))), m: nextM, v: nextV };
    },
  });
};

/** Adam with Nesterov momentum (Dozat 2016, "Incorporating Nesterov momentum into Adam"). */
export class NAdam extends RuleOptimizer<NAdamOptions> {
  constructor(params: Iterable<Variable> | readonly Group<NAdamOptions>[], options: Partial<NAdamOptions> = {}) {
    super(params, { lr: 2e-3, betas: [0.9, 0.999], eps: 1e-8, momentumDecay: 4e-3, weightDecay: 0, ...options }, nadam);
  }
}
