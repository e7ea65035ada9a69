/**
 * What went wrong, where, with the values, and what to try.
 * Every message reads `<op> '<module path>': <what happened>` and may end in a hint line.
 */

/** Base of all errors this family throws on purpose. */
export class NnError extends Error {
  /** One thing to try. */
  readonly hint: string | undefined;

  constructor(message: string, { hint, cause }: { hint?: string; cause?: unknown } = {}) {
    super(hint === undefined ? message : `${message}\n  hint: ${hint}`, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.hint = hint;
  }
}

/** Errors of an op carry its name and the path of the module that called it. */
export class OpError extends NnError {
  readonly op: string;
  readonly modulePath: string;

  constructor(op: string, message: string, options: { hint?: string; cause?: unknown } = {}) {
    const path = currentModulePath();
    super(`${op}${path === "" ? "" : ` '${path}'`}: ${message}`, options);
    this.op = op;
    this.modulePath = path;
  }
}

/** Shapes do not fit. */
export class ShapeError extends OpError {}
/** An element type is not accepted here. */
export class DTypeError extends OpError {}
/** An argument that is neither shape nor dtype is out of range. */
export class ArgumentError extends OpError {}
/** Tensors of different engines or backends meet in one op. */
export class DeviceError extends OpError {}
/** A gradient cannot be computed, or would be wrong. */
export class GradError extends OpError {}
/** A tensor is used after its memory went back to the pool. */
export class ReleasedError extends OpError {}
/** Scopes are opened and closed out of order, or across an await. */
export class ScopeError extends NnError {}

/** A file or byte stream is not what it claims to be. */
export class FormatError extends NnError {
  readonly format: string;
  /** Byte offset at which reading failed. */
  readonly offset: number;
  readonly reason: string;

  constructor(format: string, offset: number, reason: string, options: { hint?: string; cause?: unknown } = {}) {
    super(`${format}: ${reason} (at byte ${offset})`, options);
    this.format = format;
    this.offset = offset;
    this.reason = reason;
  }
}

// The path of the module being called, e.g. "features.3". `Module.call` pushes and pops.
const modulePaths: string[] = [];

/** Path of the module whose `forward` is running, or "". */
export const currentModulePath = (): string => modulePaths.at(-1) ?? "";

/** Runs `f` with `path` named in every error thrown inside. */
export function withModulePath<T>(path: string, f: () => T): T {
  modulePaths.push(path);
  try {
    return f();
  } finally {
    modulePaths.pop();
  }
}

/** Throws if `value` is a promise: `what` must stay synchronous, or tensors of other code would land in its scope. */
export function refusePromise<T>(what: string, value: T): T {
  if (value instanceof Promise) {
    value.catch(() => {});
    throw new ScopeError(`${what} takes a synchronous function, got an async one`, {
      hint: "await outside: compute the loss inside, then `await loss.item()` after it returned",
    });
  }
  return value;
}
