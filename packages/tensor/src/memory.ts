/**
 * Who owns bytes. A storage goes back to the pool when its last owner lets go: tensor handles, tape nodes, long-lived state.
 * Handles end with the scope they were made in, with the training step they belong to, with `dispose()`, or (last net) with the garbage collector.
 * Closing a scope ends the user's handles, never what a tape still needs: nodes hold storages of their own.
 */
import { OutOfMemoryError, type Pointer } from "@nn/kernels";
import { ScopeError, refusePromise } from "./errors.ts";
import type { Backend } from "./backend.ts";
import type { Tensor } from "./tensor.ts";

/** A reference-counted block of memory of one backend. Made with one reference. */
export class Storage {
  readonly backend: Backend;
  readonly pointer: Pointer;
  readonly bytes: number;
  /** Raised by every in-place write, so that a gradient rule never reads something newer than it saved. */
  version = 0;
  /** What wrote last in place, for messages. */
  lastWrite = "";
  #references = 1;

  constructor(backend: Backend, bytes: number) {
    this.backend = backend;
    this.bytes = bytes;
    try {
      this.pointer = backend.engine.alloc(bytes);
    } catch (error) {
      if (error instanceof OutOfMemoryError) error.message += `\n  largest owners: ${showOwners(owners())}`;
      throw error;
    }
  }

  get references(): number {
    return this.#references;
  }

  retain(): this {
    this.#references++;
    return this;
  }

  release(): void {
    if (--this.#references === 0) this.backend.engine.free(this.pointer);
  }

  /** Notes an in-place write by `writer`. */
  touch(writer: string): void {
    this.version++;
    this.lastWrite = writer;
  }
}

/** A group of handles that end together. */
export class Scope {
  readonly name: string;
  // A list, with those that have left swept out now and then: half the cost of a set, and most scopes hold a handful.
  #handles: Tensor[] = [];
  #left = 0;

  constructor(name: string) {
    this.name = name;
  }

  add(handle: Tensor): void {
    this.#handles.push(handle);
  }

  /** Notes that a handle has left: it names another scope and step by now, or has ended. */
  leave(): void {
    if (++this.#left < 8 || this.#left * 2 < this.#handles.length) return;
    this.#handles = this.#handles.filter((handle) => this.#holds(handle));
    this.#left = 0;
  }

  #holds(handle: Tensor): boolean {
    return !handle.released && (handle.scope === this || handle.step === this);
  }

  [Symbol.iterator](): Iterator<Tensor> {
    return this.#handles.filter((handle) => this.#holds(handle)).values();
  }

  /** Ends every handle still inside. */
  close(): void {
    const handles = this.#handles;
    this.#handles = [];
    this.#left = 0;
    for (const handle of handles) if (this.#holds(handle)) handle.end(this.name);
  }
}

const scopes: Scope[] = [];
export const currentScope = (): Scope | null => scopes.at(-1) ?? null;

/** Opens a scope by hand; prefer `scope(f)`. */
export function openScope(name: string): Scope {
  const scope = new Scope(name);
  scopes.push(scope);
  return scope;
}

/** Closes `scope`, which must be the innermost one. */
export function closeScope(scope: Scope): void {
  const top = scopes.at(-1);
  if (top !== scope) {
    throw new ScopeError(`${scope.name} is not the innermost open scope: ${top ? top.name : "none"} is`, {
      hint: "two interleaved loops? give one of them { scope: false } and end its tensors with `using` or dispose()",
    });
  }
  scopes.pop();
  scope.close();
}

/** Drops `scope` and every scope opened after it, e.g. when a loop was abandoned by an exception. */
export function abandonScope(scope: Scope): void {
  const at = scopes.indexOf(scope);
  if (at < 0) return;
  for (const inner of scopes.splice(at).reverse()) inner.close();
}

/**
 * Runs `f`; every tensor made inside ends when it returns, except those returned (also in arrays, maps and plain objects) and `keep`-ed.
 *
 * @throws ScopeError if `f` is async.
 */
export function scope<T>(f: () => T, name = "scope()"): T {
  const inner = openScope(name);
  try {
    const result = refusePromise(name, f());
    keepAll(result);
    return result;
  } finally {
    abandonScope(inner);
  }
}

/** Moves `t` out of the innermost scope (and the current training step) into the enclosing one. */
export function keep<T extends Tensor>(t: T): T {
  t.moveTo(scopes.at(-2) ?? null);
  return t;
}

function keepAll(value: unknown, depth = 0): void {
  if (value === null || typeof value !== "object" || depth > 8) return;
  if (isHandle(value)) {
    if (value.scope === currentScope()) value.moveTo(scopes.at(-2) ?? null, { leaveStep: false });
  } else if (Array.isArray(value) || value instanceof Set) {
    for (const item of value) keepAll(item, depth + 1);
  } else if (value instanceof Map) {
    for (const item of value.values()) keepAll(item, depth + 1);
  } else if (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null) {
    for (const item of Object.values(value)) keepAll(item, depth + 1);
  }
}

const isHandle = (value: object): value is Tensor => "moveTo" in value;

// Results that hang on a tape belong to the current step. `endStep` closes the step before it,
// so the loss and the outputs can still be read after `optimizer.step()`.
let currentStep = new Scope("the next optimizer.step()");
let previousStep = new Scope("the next optimizer.step()");

export const stepScope = (): Scope => currentStep;

/** Called by every optimizer after its update: results of the step before this one go back to the pool. */
export function endStep(): void {
  previousStep.close();
  const emptied = previousStep;
  previousStep = currentStep;
  currentStep = emptied;
}

// The last net: handles that belong to no scope and no step and were simply forgotten.
const forgotten = new FinalizationRegistry<Releasable>((owned) => owned.release());

export interface Releasable {
  release(): void;
}

export const watchForgotten = (handle: object, owned: Releasable): void => forgotten.register(handle, owned, handle);
export const unwatchForgotten = (handle: object): boolean => forgotten.unregister(handle);

// — reports —

/** Live tensors of one origin. Views and aliases of the same memory count once. */
export interface Owner {
  /** The op that made them and, while tracking, the line that called it. */
  readonly made: string;
  readonly tensors: number;
  readonly bytes: number;
}

// While tracking: where each live handle was made. Weak, so that watching changes nothing.
let lines: Map<WeakRef<Tensor>, string> | null = null;

/** Notes a new handle, if tracking is on. */
export function noteHandle(handle: Tensor): void {
  if (!lines) return;
  const own = /(packages|@nn)\/(tensor|autograd|layers|optim|train)\/(src|dist)\//;
  const line = (new Error().stack ?? "").split("\n").slice(1).find((l) => !own.test(l)) ?? "";
  const reference = new WeakRef(handle);
  lines.set(reference, line.trim());
}

function live(): Iterable<[Tensor, string]> {
  if (lines) return [...lines].flatMap(([reference, line]) => (reference.deref()?.released === false ? [[reference.deref()!, line] as [Tensor, string]] : []));
  const handles = new Set([...scopes, currentStep, previousStep].flatMap((s) => [...s]));
  return [...handles].map((t) => [t, ""] as [Tensor, string]);
}

/** Live tensors by origin, largest first: those of open scopes and of the current step, or all made since `track()`. */
function owners(): Owner[] {
  const seen = new Set<Storage>();
  const groups = new Map<string, { tensors: number; bytes: number }>();
  for (const [t, line] of live()) {
    const made = line === "" ? t.origin : `${t.origin} ${line}`;
    const group = groups.get(made) ?? { tensors: 0, bytes: 0 };
    groups.set(made, group);
    group.tensors++;
    if (!seen.has(t.storage)) group.bytes += t.storage.bytes;
    seen.add(t.storage);
  }
  return [...groups].map(([made, g]) => ({ made, ...g })).sort((a, b) => b.bytes - a.bytes);
}

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const showOwners = (list: readonly Owner[]): string =>
  list.length === 0 ? "none in open scopes" : list.slice(0, 5).map((o) => `${o.made}: ${megabytes(o.bytes)} in ${o.tensors}`).join("; ");

/** Who holds memory. */
export const memory = {
  /** From now on (or no longer) remembers the line that made each tensor. Slow; for finding leaks. */
  track(on = true): void {
    lines = on ? new Map() : null;
  },
  /** Survivors, largest first: while tracking by op and line, else those of open scopes and of the current step by op. */
  report(): Owner[] {
    return owners();
  },
};
