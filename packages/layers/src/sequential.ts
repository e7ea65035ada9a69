import { scope, type Tensor } from "@nn/tensor";
import { ReLU, type Activation, type FusesActivation } from "./activation.ts";
import { isObserved, Module } from "./module.ts";
import { MaxPool2d } from "./pool/pool2d.ts";

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
    if (isObserved()) return this.#modules.reduce((y, module) => (module.call as (x: Tensor) => Tensor)(y), x); // each by itself
    let y = x;
    for (let i = 0; i < this.#modules.length; i++) {
      const [module, next, after] = [this.#modules[i]!, this.#modules[i + 1], this.#modules[i + 2]];
      const call = module.call as (x: Tensor) => Tensor;
      const act = fusable(module, next);
      if (act && rectifies(next, after)) {
        // What lies between two fused layers is nobody's: it need not live to the end of the step.
        y = scope(() => after.forwardRectified(call(y)), "Sequential");
        i += 2;
      } else if (act) {
        y = (module as Module & FusesActivation).forwardActivated(y, act);
        i++; // the activation is done
      } else if (rectifies(module, next)) {
        y = next.forwardRectified(y);
        i++;
      } else {
        y = call(y);
      }
    }
    return y;
  }
}

const rectifies = (module: Module | undefined, next: Module | undefined): next is MaxPool2d => module instanceof ReLU && next instanceof MaxPool2d;

function fusable(module: Module, next: Module | undefined): Activation | null {
  return "forwardActivated" in module && next && "fused" in next ? (next.fused as Activation) : null;
}

/** `new Sequential(…)` for those who like functions. */
export const sequential = (...modules: Module[]): Sequential => new Sequential(...modules);
