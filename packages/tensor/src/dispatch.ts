/** The one road of every op: infer shapes → view | kernel | reference → recorder. */
import { kernelFor, type Backend } from "./backend.ts";
import type { Aval, OpRecord, RefArray } from "./define.ts";
import { ArgumentError, DeviceError } from "./errors.ts";
import { rowMajor, sizeOf } from "./layout.ts";
import { abandonScope, currentScope, openScope, stepScope } from "./memory.ts";
import { getRecorder, isRecording } from "./recorder.ts";
import { Tensor, empty } from "./tensor.ts";
import { launch, launchesFor } from "./trace.ts";

type Inputs = Record<string, Tensor | Tensor[]>;
type Outputs<T> = T | Record<string, T>;

/** Takes over ops whose inputs are not real tensors; see program.ts. */
export interface Interceptor {
  apply(op: OpRecord, inputs: Inputs, attrs: object): Tensor;
}
let interceptor: Interceptor | null = null;
export function withInterceptor<T>(i: Interceptor, f: () => T): T {
  const before = interceptor;
  interceptor = i;
  try {
    return f();
  } finally {
    interceptor = before;
  }
}

/** Applies `op`. Inputs by name; lists as arrays. */
export function apply(op: OpRecord, inputs: Inputs, attrs: object): Outputs<Tensor> {
  if (interceptor) return interceptor.apply(op, inputs, attrs);
  if (currentScope()) return applyInScope(op, inputs, attrs);
  // In the open, kernels' temporaries still end here; results go to their training step or, last of all, to the garbage collector.
  const own = openScope(op.name);
  try {
    const outputs = applyInScope(op, inputs, attrs);
    for (const t of outputs instanceof Tensor ? [outputs] : Object.values(outputs)) t.moveTo(null, { leaveStep: false });
    return outputs;
  } finally {
    abandonScope(own);
  }
}

function applyInScope(op: OpRecord, inputs: Inputs, attrs: object): Outputs<Tensor> {
  const flat = flatten(op, inputs);
  const present = op.optional.size === 0 ? (flat as Tensor[]) : flat.filter((t) => t !== undefined);
  const backend = commonBackend(op, present);
  // A tensor says all that `infer` may ask of an input: its shape and dtype.
  const avals = op.infer(inputs, attrs);
  const outputs = run(op, backend, inputs, present, attrs, avals);
  if (isRecording()) note(op, flat, present, attrs, outputs instanceof Tensor ? [outputs] : op.outputNames.map((name) => outputs[name]!));
  return outputs;
}

function note(op: OpRecord, flat: readonly (Tensor | undefined)[], present: readonly Tensor[], attrs: object, outputs: readonly Tensor[]): void {
  if (present.some((t) => t.requiresGrad)) getRecorder()!.record(op, flat, attrs, outputs);
  // What was computed from results of this step ends with them.
  else if (present.some((t) => t.step)) for (const t of outputs) t.joinStep(stepScope());
}

function run(op: OpRecord, backend: Backend, inputs: Inputs, present: Tensor[], attrs: object, avals: Outputs<Aval>): Outputs<Tensor> {
  if (op.view) {
    const x = present[0]!;
    const layout = op.view(x, attrs);
    if (layout) return new Tensor(x.storage.retain(), layout, x.dtype, op.name);
  }
  const single = op.outputNames.length === 1;
  const list = single ? [avals as Aval] : op.outputNames.map((n) => (avals as Record<string, Aval>)[n]!);
  launchesFor(op.name);
  const kernel = kernelFor(backend, op, present, list, attrs);
  if (kernel) return kernel.run(inputs as Record<string, Tensor>, attrs, avals as Aval);

  // Plain loops in f64, then rounded to the result's dtype.
  const results = list.map((aval): RefArray => ({ data: new Float64Array(sizeOf(aval.shape)), shape: aval.shape }));
  const refInputs = mapInputs(op, inputs, (t): RefArray => ({ data: Float64Array.from(t.dataSync()), shape: t.shape }));
  const byName = Object.fromEntries(op.outputNames.map((n, i) => [n, results[i]!]));
  launch(`reference:${op.name}`, () => op.reference(refInputs, attrs, single ? results[0]! : byName));
  const tensors = list.map((aval, i) => rounded(results[i]!.data, aval, op.name, backend));
  return single ? tensors[0]! : Object.fromEntries(op.outputNames.map((n, i) => [n, tensors[i]!]));
}

function rounded(data: Float64Array, aval: Aval, origin: string, backend: Backend): Tensor {
  const t = empty(aval, origin, { shape: aval.shape, strides: rowMajor(aval.shape), offset: 0 }, backend);
  t.unsafeView().set(aval.dtype === "bool" ? data.map((v) => (v === 0 ? 0 : 1)) : data);
  return t;
}

/** Inputs in the record's order; undefined for absent optional ones. */
function flatten(op: OpRecord, inputs: Inputs): (Tensor | undefined)[] {
  const flat: (Tensor | undefined)[] = [];
  for (const name of op.inputNames) {
    const value = inputs[name];
    if (name === op.list) flat.push(...(value as Tensor[]));
    else flat.push(value as Tensor | undefined);
  }
  return flat;
}

function mapInputs<T>(op: OpRecord, inputs: Inputs, f: (t: Tensor) => T): Record<string, T | T[]> {
  const out: Record<string, T | T[]> = {};
  for (const name of op.inputNames) {
    const value = inputs[name];
    if (value !== undefined) out[name] = Array.isArray(value) ? value.map(f) : f(value);
  }
  return out;
}

function commonBackend(op: OpRecord, tensors: Tensor[]): Backend {
  const backend = (tensors[0] as Tensor | null | undefined)?.backend;
  for (const t of tensors) {
    if (!(t instanceof Tensor)) throw new ArgumentError(op.name, `needs tensors, got ${kindOf(t)}`, { hint: "tensor([[1, 2], [3, 4]]) makes one" });
    if (t.backend !== backend) {
      throw new DeviceError(op.name, `inputs live on ${describe(backend!)} and ${describe(t.backend)}`, { hint: "make all tensors under one engine: setEngine(…) before, or copy with tensor(await t.data())" });
    }
  }
  return backend!;
}

const kindOf = (value: unknown): string => (typeof value === "object" && value !== null ? value.constructor.name : String(value));
const describe = ({ name, engine }: Backend): string => `${name}/${engine.kind} (${engine.isa})`;

