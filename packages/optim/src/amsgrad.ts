import type { Variable } from "@nn/tensor";
import { Adam, type AdamOptions } from "./adam.ts";
import type { Group } from "./optimizer.ts";

/**
 * `V ← max(V, v);  w ← w − lr · m̂/(√(V/(1−β₂ᵗ)) + ε)`: Adam whose rates never grow again (Reddi 2018, "On the convergence of Adam and beyond").
 * Bias corrections as in PyTorch's `amsgrad=True`; the paper has none. Where it is wanted beside decoupled decay: `new AdamW(params, { amsgrad: true })`.
 */
export class AMSGrad extends Adam {
  constructor(params: Iterable<Variable> | readonly Group<AdamOptions>[], options: Partial<Omit<AdamOptions, "amsgrad">> = {}) {
    super(params, { ...options, amsgrad: true });
  }
}
