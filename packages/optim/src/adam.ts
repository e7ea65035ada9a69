import type { Variable } from "@nn/tensor";
import { checkAdaptive } from "./check.ts";
import type { Group } from "./optimizer.ts";
import { RuleOptimizer } from "./rule-optimizer.ts";
import { defineRule } from "./rule.ts";

export interface AdamOptions {
  /** Learning rate. */
  lr: number;
  /** Decay rates of the running mean of g and g². */
  betas: readonly [number, number];
  eps: number;
  /** λ; added to the gradient (Adam) or applied to the weight itself (AdamW). */
  weightDecay: number;
  /** Divide by the largest v so far (Reddi 2018); see `AMSGrad`. */
  amsgrad: boolean;
  /** False: step along m itself, not m̂. With `betas: [0.9, 0.9999], eps: 0` that is Adam as some notes print it; its first steps are 1−β₁ as long. */
  correctNumerator: boolean;
}

/** `m, v` running means of `g, g²`;  `w ← w − lr · m̂/(√v̂ + ε)` with `m̂ = m/(1−β₁ᵗ)`, `v̂ = v/(1−β₂ᵗ)` */
const adam = (decoupled: boolean) => (options: AdamOptions) => {
  checkAdaptive(decoupled ? "AdamW" : "Adam", options);
  const { lr, betas: [beta1, beta2], eps, weightDecay, amsgrad, correctNumerator } = options;
  const guarded = eps === 0; // a weight that never had a gradient would be 0/0
  const decays = weightDecay !== 0;
  return defineRule({
    key: (decoupled ? "adamw" : "adam") + (amsgrad ? "+amsgrad" : "") + (guarded ? "+guarded" : "") + (decays ? "+decay" : ""),
    state: amsgrad ? ["m", "v", "vMax"] : ["m", "v"],
    numbers(t) {
      // m̂/(√v̂ + ε) with v̂ = v/(1−β₂ᵗ), as m̂·c/(√v + ε·c) with c = √(1−β₂ᵗ): one multiplication less per weight.
      const c = Math.sqrt(1 - beta2 ** t);
      return {
        beta1,
        beta2,
        fresh1: 1 - beta1,
        fresh2: 1 - beta2,
        rate: (lr * c) / (correctNumerator ? 1 - beta1 ** t : 1),
        eps: eps * c,
        decay: decoupled ? 1 - lr * weightDecay : weightDecay,
      };
    },
    step(w, g, { m, v, vMax }, n) {
      const gradient = decays && !decoupled ? g.add(w.mul(n.decay)) : g;
      const nextM = m.mul(n.beta1).add(gradient.mul(n.fresh1));
      const nextV = v.mul(n.beta2).add(gradient.mul(gradient).mul(n.fresh2));
      const top = amsgrad ? vMax.maximum(nextV) : nextV;
      const root = top.sqrt().add(n.eps);
      const quotient = nextM.mul(n.rate).div(root);
      const update = guarded ? root.eq(0).where(0, quotient) : quotient;
      return { w: (decays && decoupled ? w.mul(n.decay) : w).sub(update), m: nextM, v: nextV, vMax: top };
    },
  });
};

const defaults: AdamOptions = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, amsgrad: false, correctNumerator: true };

/** Adam (Kingma & Ba 2014); weight decay is an L2 term in the gradient. */
export class Adam extends RuleOptimizer<AdamOptions> {
  constructor(params: Iterable<Variable> | readonly Group<AdamOptions>[], options: Partial<AdamOptions> = {}) {
    super(params, { ...defaults, ...options }, adam(false));
  }
}

/** Adam with decoupled weight decay (Loshchilov & Hutter 2017); default decay 0.01. */
export class AdamW extends RuleOptimizer<AdamOptions> {
  constructor(params: Iterable<Variable> | readonly Group<AdamOptions>[], options: Partial<AdamOptions> = {}) {
    super(params, { ...defaults, weightDecay: 1e-2, ...options }, adam(true));
  }
}
