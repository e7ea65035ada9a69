/** A backend is an engine and a total table of kernels: for each op a kernel, or `fallback("why")`. */
import { createEngine, type Engine, type EngineOptions } from "@nn/kernels";
import type { Aval, OpRecord } from "./define.ts";
import type { Tensor } from "./tensor.ts";

/** Inputs by name (absent optional inputs are missing), attributes, and what `infer` promised. Returns the outputs. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the table in cpu/kernels.ts is checked op by op; dispatch needs one type for all
export type AnyKernel = Kernel<any, any, any>;

export interface Kernel<Inputs = Record<string, Tensor>, Attrs = object, Out = Aval> {
  readonly run: (inputs: Inputs, attrs: Attrs, out: Out) => Tensor | Record<string, Tensor>;
  /** Whether this kernel takes these inputs; otherwise the reference runs. */
  readonly accepts: (inputs: readonly Tensor[], outputs: readonly Aval[], attrs: Attrs) => boolean;
}

export interface Fallback {
  readonly fallback: string;
}

/** This op runs its plain reference here, for the reason given; COVERAGE.md prints it. */
export const fallback = (why: string): Fallback => ({ fallback: why });

export interface Backend {
  readonly name: string;
  readonly engine: Engine;
  readonly kernels: Readonly<Record<string, AnyKernel | Fallback>>;
}

let makeBackend: ((engine: Engine) => Backend) | null = null;
let current: Backend | null = null;

/** Called once by the package itself: the cpu table. */
export const provideBackend = (make: (engine: Engine) => Backend): void => void (makeBackend = make);

/** The backend new tensors are made on; created at first use. */
export function defaultBackend(): Backend {
  current ??= backendOf(createEngine());
  return current;
}

const backends = new WeakMap<Engine, Backend>();
function backendOf(engine: Engine): Backend {
  let backend = backends.get(engine);
  if (!backend) backends.set(engine, (backend = makeBackend!(engine)));
  return backend;
}

/** Chooses the engine for tensors made from now on: an engine, or options like `{ kind: "wasm", threads: 1 }`. */
export function setEngine(engine: Engine | EngineOptions): Engine {
  current = backendOf("alloc" in engine ? engine : createEngine(engine));
  return current.engine;
}

export const getEngine = (): Engine => defaultBackend().engine;

/** Runs `f` with `engine` as the default. */
export function withEngine<T>(engine: Engine, f: () => T): T {
  const before = current;
  current = backendOf(engine);
  try {
    return f();
  } finally {
    current = before;
  }
}

let referenceOnly = false;
/** Runs `f` with every op on its plain reference implementation: the oracle of the test suite. */
export function withReference<T>(f: () => T): T {
  const before = referenceOnly;
  referenceOnly = true;
  try {
    return f();
  } finally {
    referenceOnly = before;
  }
}

/** The kernel for `op`, or null if its reference must run. */
export function kernelFor(backend: Backend, op: OpRecord, inputs: readonly Tensor[], outputs: readonly Aval[], attrs: object): AnyKernel | null {
  if (referenceOnly) return null;
  const entry = backend.kernels[op.name];
  return entry && "run" in entry && entry.accepts(inputs, outputs, attrs) ? entry : null;
}

/** Accepts f32 (and masks or bytes where an op reads them), i.e. everything but f64 and integer arithmetic. */
export const singlePrecision = (inputs: readonly Tensor[], outputs: readonly Aval[]): boolean =>
  outputs.every((o) => o.dtype === "f32") && inputs.every((t) => t.dtype === "f32");

/** A kernel that takes f32 tensors, or what `accepts` says. */
export const kernel = <Inputs, Attrs, Out>(run: Kernel<Inputs, Attrs, Out>["run"], accepts: Kernel<Inputs, Attrs, Out>["accepts"] = singlePrecision): Kernel<Inputs, Attrs, Out> => ({ run, accepts });
