/** Watching a model at work: what goes into every module and what comes out. */
import type { Module } from "./module.ts";

/** One call of one module. */
export interface ModuleCall {
  /** Place in the model, e.g. `features.0`; "" is the model itself. */
  readonly path: string;
  readonly module: Module;
  readonly inputs: readonly unknown[];
  readonly output: unknown;
}
type Observer = (call: ModuleCall) => void;

let observer: Observer | null = null;

/** True while somebody watches: containers then call every module by itself instead of fusing two. */
export const isObserved = (): boolean => observer !== null;

/** Tells the observer, if there is one, of a call that just ended. */
export const notice = (call: ModuleCall): void => observer?.(call);

/** Runs `f`; `seen` hears of every module called in it, inner ones first. */
export function observeModules<T>(seen: Observer, f: () => T): T {
  const before = observer;
  observer = seen;
  try {
    return f();
  } finally {
    observer = before;
  }
}
