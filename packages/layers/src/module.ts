/**
 * A module is a class with parameters and a `forward`. Children and parameters are named by the property that holds them,
 * found by reflection: no name is written twice, and PyTorch's checkpoints load by name.
 */
import { withModulePath, type Tensor } from "@nn/tensor";
import { Buffer, Parameter } from "./parameter.ts";
import { loadInto, type LoadReport, type StateDict } from "./state-dict.ts";

type Forward = (...args: never[]) => unknown;

let modules = 0;
/** The module that was called from outside, while it runs: paths begin there. */
let root: Module | null = null;

export abstract class Module {
  /** False switches dropout off and batch statistics to running ones; set by `train()` and `eval()`. */
  training = true;
  readonly #id = modules++;
  #path = "";
  #namedBy = -1;
  #call: Forward | null = null;

  abstract forward(...inputs: never[]): unknown;

  /** Runs `forward`, with this module's path named in every error thrown inside. Write `m.call(x)`. */
  get call(): this["forward"] {
    this.#call ??= ((...given: never[]) => {
      const inputs = (observer?.before?.(this, given) ?? given) as never[];
      const output = this.run(() => this.forward(...inputs));
      observer?.after({ path: this.#path, module: this, inputs, output });
      return output;
    }) as Forward;
    return this.#call as this["forward"];
  }

  /** Runs `f` as part of this module: errors name its path. */
  protected run<T>(f: () => T): T {
    const outer = root;
    const top = (root = outer ?? this);
    try {
      if (this.#namedBy !== top.#id) top.#nameAll(top.#id);
      if (this.#namedBy !== top.#id) this.#nameAll(top.#id); // it is in no property below the top
      return withModulePath(this.#path, f);
    } finally {
      root = outer;
    }
  }

  #nameAll(by: number): void {
    for (const [path, module] of this.namedModules()) {
      module.#path = path;
      module.#namedBy = by;
    }
  }

  /** Child modules by property; elements of arrays as `name.0`, `name.1`. */
  *namedChildren(): Generator<[string, Module]> {
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Module) yield [name, value];
      else if (Array.isArray(value)) for (const [i, item] of value.entries()) if (item instanceof Module) yield [`${name}.${i}`, item];
    }
  }

  /** This module (path "") and all below, depth first. */
  *namedModules(prefix = ""): Generator<[string, Module]> {
    yield [prefix, this];
    for (const [name, child] of this.namedChildren()) yield* child.namedModules(prefix === "" ? name : `${prefix}.${name}`);
  }

  *#named<T>(kind: new (...args: never[]) => T): Generator<[string, T]> {
    const seen = new Set<T>();
    for (const [path, module] of this.namedModules()) {
      for (const [name, value] of Object.entries(module)) {
        if (!(value instanceof kind) || seen.has(value)) continue; // shared parameters are listed once
        seen.add(value);
        yield [path === "" ? name : `${path}.${name}`, value];
      }
    }
  }

  namedParameters(): Generator<[string, Parameter]> {
    return this.#named<Parameter>(Parameter);
  }
  parameters(): Parameter[] {
    return [...this.namedParameters()].map(([, p]) => p);
  }
  /** Those that this module holds itself, without its children's. */
  ownParameters(): Parameter[] {
    return Object.values(this).filter((value) => value instanceof Parameter);
  }
  namedBuffers(): Generator<[string, Buffer]> {
    return this.#named<Buffer>(Buffer);
  }

  /** Parameters and buffers by name, e.g. `features.0.weight`. The tensors are the module's own, not copies. */
  stateDict(): StateDict {
    return new Map<string, Tensor>([...this.namedParameters(), ...this.namedBuffers()]);
  }

  /**
   * Copies values from `state` by name.
   *
   * @throws StateDictError if names or shapes differ (with `strict: false` only if shapes differ); nothing is changed then.
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>, options: { strict?: boolean } = {}): LoadReport {
    return loadInto(this.stateDict(), state, options);
  }

  /** Switches to training behaviour (or, with false, to evaluation). */
  train(on = true): this {
    for (const [, module] of this.namedModules()) module.training = on;
    return this;
  }
  eval(): this {
    return this.train(false);
  }

  /** Frees the gradients. */
  zeroGrad(): void {
    for (const p of this.parameters()) {
      p.grad?.dispose();
      p.grad = null;
    }
  }

  /** Number of trainable numbers. */
  parameterCount(): number {
    return this.parameters().reduce((n, p) => n + p.size, 0);
  }

  /** Constructor arguments worth printing, e.g. `3, 64, kernelSize=3`. */
  describe(): string {
    return "";
  }

  toString(indent = ""): string {
    const children = [...this.namedChildren()].map(([name, m]) => `\n${indent}  (${name}): ${m.toString(`${indent}  `)}`);
    const own = `${this.constructor.name}(${this.describe()}`;
    return children.length === 0 ? `${own})` : `${own}${children.join("")}\n${indent})`;
  }

  /** Ends all parameters and buffers: for programs that make many models. */
  dispose(): void {
    this.zeroGrad();
    for (const t of this.stateDict().values()) t.dispose();
  }
}

// — watching a model at work: what goes into every module and what comes out —

/** One call of one module. */
export interface ModuleCall {
  /** Place in the model, e.g. `features.0`; "" is the model itself. */
  readonly path: string;
  readonly module: Module;
  readonly inputs: readonly unknown[];
  readonly output: unknown;
}
export interface ModuleObserver {
  /** May replace the inputs of a call, such as one that needs no gradient by one that does. */
  before?(module: Module, inputs: readonly unknown[]): readonly unknown[];
  after(call: ModuleCall): void;
}

let observer: ModuleObserver | null = null;

/** True while somebody watches: containers then call every module by itself instead of fusing two. */
export const isObserved = (): boolean => observer !== null;

/** Runs `f` and tells of every module called in it: `before` outer ones first, `after` inner ones first. */
export function observeModules<T>(watching: ModuleObserver, f: () => T): T {
  const outer = observer;
  observer = watching;
  try {
    return f();
  } finally {
    observer = outer;
  }
}
