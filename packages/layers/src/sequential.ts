import type { Tensor } from "@nn/tensor";
import type { Activation, FusesActivation } from "./activation.ts";
import { Module } from "./module.ts";

/** Modules one after the other. Children are named "0", "1", … as in PyTorch. */
export class Sequential extends Module {
  readonly [index: number]: Module;
  readonly #modules: Module[];

  constructor(...modules: Module[]) {
    super();
    this.#modules = modules;
    Object.assign(this, modules);
  }

  get length(): number {
    return this.#modules.length;
  }
  [Symbol.iterator](): Iterator<Module> {
    return this.#modules.values();
  }

  forward(x: Tensor): Tensor {
    let y = x;
    for (let i = 0; i < this.#modules.length; i++) {
      const module = this.#modules[i]!;
      const act = fusable(module, this.#modules[i + 1]);
      if (act) {
        y = (module as Module & FusesActivation).forwardActivated(y, act);
        i++; // the activation is done
      } else {
        y = (module.call as (x: Tensor) => Tensor)(y);
      }
    }
    return y;
  }
}

function fusable(module: Module, next: Module | undefined): Activation | null {
  return "forwardActivated" in module && next && "fused" in next ? (next.fused as Activation) : null;
}

/** `new Sequential(…)` for those who like functions. */
export const sequential = (...modules: Module[]): Sequential => new Sequential(...modules);
