import type { Variable } from "@nn/tensor";
import { checkRange } from "./check.ts";
import { Optimizer, type Group } from "./optimizer.ts";
import { defineRule } from "./rule.ts";

export interface AdamOptions {
  /** Learning rate. */
  lr: number;
  /** Decay rates of the running mean of g and g². */
  betas: readonly [number, number];
  eps: number;
  /** λ; added to the gradient (Adam) or applied to the weight itself (AdamW). */
  weightDecay: number;
}

/** `m, v` running means of `g, g²`;  `w ← w − lr · m̂/(√v̂ + ε)` with `m̂ = m/(1−β₁ᵗ)`, `v̂ = v/(1−β₂ᵗ)` */
const adam = (decoupled: boolean) => ({ lr, betas: [beta1, beta2], eps, weightDecay }: AdamOptions) => {
  const name = decoupled ? "AdamW" : "Adam";
  checkRange(name, "lr", lr, 0);
  checkRange(name, "betas[0]", beta1, 0, 1);
  checkRange(name, "betas[1]", beta2, 0, 1);
  checkRange(name, "eps", eps, 0);
  checkRange(name, "weightDecay", weightDecay, 0);
  return defineRule({
    key: decoupled ? "adamw" : "adam",
    state: ["m", "v"],
    numbers: (t) => ({
      beta1,
      beta2,
      fresh1: 1 - beta1,
      fresh2: 1 - beta2,
      rate: lr / (1 - beta1 ** t),
      // √v̂ + ε with v̂ = v/(1−β₂ᵗ), as √v · scale + ε.
      scale: 1 / Math.sqrt(1 - beta2 ** t),
      eps,
      decay: decoupled ? 1 - lr * weightDecay : weightDecay,
    }),
    step(w, g, { m, v }, n) {
      const gradient = decoupled ? g : g.add(w.mul(n.decay));
      const nextM = m.mul(n.beta1).add(gradient.mul(n.fresh1));
      const nextV = v.mul(n.beta2).add(gradient.mul(gradient).mul(n.fresh2));
      const update = nextM.mul(n.rate).div(nextV.sqrt().mul(n.scale).add(n.eps));
      return { w: (decoupled ? w.mul(n.decay) : w).sub(update), m: nextM, v: nextV };
    },
  });
};

const defaults: AdamOptions = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 };

/** Adam (Kingma & Ba 2014); weight decay is an L2 term in the gradient. */
export class Adam extends Optimizer<AdamOptions> {
  constructor(params: Iterable<Variable> | readonly Group<AdamOptions>[], options: Partial<AdamOptions> = {}) {
    super(params, { ...defaults, ...options }, adam(false));
  }
}

/** Adam with decoupled weight decay (Loshchilov & Hutter 2017); default decay 0.01. */
export class AdamW extends Optimizer<AdamOptions> {
  constructor(params: Iterable<Variable> | readonly Group<AdamOptions>[], options: Partial<AdamOptions> = {}) {
    super(params, { ...defaults, weightDecay: 1e-2, ...options }, adam(true));
  }
}
