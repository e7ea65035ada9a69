/**
 * The graph of a function of tensors, seen while it runs: a recorder in autograd's place hears of every op that depends on the
 * inputs. What does not depend on them (weights, masks, what was computed from weights alone) becomes a constant.
 */
import { ArgumentError, Tensor, currentModulePath, fromTyped, isFloat, withRecorder, type DType, type OpRecord, type Recorder, type Shape, type Storage, type TapeSlot, type TypedArray } from "@nn/tensor";

/** A value of the graph; constants have their numbers, and a name if they are a parameter or buffer. */
export interface TracedValue {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly constant?: { readonly name: string | null; readonly data: () => TypedArray };
}

/** One op; inputs and outputs are positions in `Trace.values`, inputs in the record's order. */
export interface TracedNode {
  readonly op: OpRecord;
  readonly attrs: Readonly<Record<string, unknown>>;
  /** Module that ran it, e.g. "features.0". */
  readonly path: string;
  readonly inputs: readonly (number | undefined)[];
  readonly outputs: readonly number[];
}

export interface Trace {
  readonly values: readonly TracedValue[];
  readonly nodes: readonly TracedNode[];
  readonly inputs: readonly number[];
  /** Names and values of what the function returned. */
  readonly outputs: readonly (readonly [name: string, value: number])[];
}

/** Marks a tensor as a value of the graph. */
class ValueSlot implements TapeSlot {
  readonly requiresGrad = true;
  readonly isLeaf = false;
  readonly grad = null;
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
  retain(): void {}
  release(): void {}
}

class Tracer implements Recorder {
  readonly onlyLooks = true;
  readonly values: TracedValue[] = [];
  readonly nodes: TracedNode[] = [];
  readonly #constants = new Map<Tensor, number>();
  readonly #named = new Map<Storage, [name: string, t: Tensor]>();
  readonly #isKnown: (op: string) => boolean;

  constructor(state: ReadonlyMap<string, Tensor>, isKnown: (op: string) => boolean) {
    for (const [name, t] of state) this.#named.set(t.storage, [name, t]);
    this.#isKnown = isKnown;
  }

  /** Puts a tensor into the graph. */
  add(t: Tensor): number {
    const value = this.values.push({ dtype: t.dtype, shape: [...t.shape] }) - 1;
    t.slot = new ValueSlot(value);
    return value;
  }

  record(op: OpRecord, inputs: readonly (Tensor | undefined)[], attrs: object, outputs: readonly Tensor[]): void {
    if (!inputs.some((t) => t?.slot instanceof ValueSlot)) return; // of parameters alone: a constant, should anybody read it
    if (this.#isKnown(op.name)) {
      const read = inputs.map((t) => t && this.valueOf(t));
      this.nodes.push({ op, attrs: { ...attrs }, path: currentModulePath(), inputs: read, outputs: outputs.map((t) => this.add(t)) });
    } else if (op.decompose) {
      const made = op.decompose(byName(op, inputs), attrs);
      const parts = made instanceof Tensor ? { [op.outputNames[0]!]: made } : made;
      op.outputNames.forEach((name, i) => {
        const slot = parts[name]?.slot;
        if (slot) outputs[i]!.slot = slot;
      });
    } else {
      throw new ArgumentError("exportOnnx", `op '${op.name}'${currentModulePath() === "" ? "" : ` in '${currentModulePath()}'`} has no ONNX form here`);
    }
  }

  valueOf(t: Tensor): number {
    if (t.slot instanceof ValueSlot) return t.slot.value;
    const known = this.#constants.get(t);
    if (known !== undefined) return known;
    const [name, owner] = this.#named.get(t.storage) ?? [null, null];
    const whole = owner !== null && owner.offset === t.offset && owner.shape.join() === t.shape.join() && owner.strides.join() === t.strides.join();
    const copy = whole ? null : t.dataSync();
    const constant = { name: whole ? name : null, data: () => copy ?? owner!.dataSync() };
    const value = this.values.push({ dtype: t.dtype, shape: [...t.shape], constant }) - 1;
    this.#constants.set(t, value);
    return value;
  }

  leaf(): never {
    throw new ArgumentError("exportOnnx", "the model asks for gradients in its forward pass");
  }
  backward(): never {
    return this.leaf();
  }
}

/** Inputs by name, as `decompose` takes them. */
function byName(op: OpRecord, inputs: readonly (Tensor | undefined)[]): Record<string, Tensor | Tensor[]> {
  if (op.list !== null) throw new ArgumentError("exportOnnx", `op '${op.name}' cannot be taken apart`);
  return Object.fromEntries(op.inputNames.flatMap((name, i) => (inputs[i] ? [[name, inputs[i]]] : [])));
}

/**
 * Runs `f` and notes what it does. Call it in a scope: all that `f` makes is left there.
 *
 * @param isKnown ops that become nodes; others are decomposed.
 * @throws ArgumentError for an op that is neither.
 */
export function traceGraph(f: (...inputs: Tensor[]) => unknown, inputs: readonly Tensor[], state: ReadonlyMap<string, Tensor>, isKnown: (op: string) => boolean): Trace {
  const tracer = new Tracer(state, isKnown);
  const outputs = withRecorder(tracer, () => {
    const own = inputs.map((t) => t.detach());
    own.forEach((t) => tracer.add(t));
    return namedTensors(f(...own)).map(([name, t]) => [name, tracer.valueOf(t)] as const);
  });
  return { values: tracer.values, nodes: tracer.nodes, inputs: inputs.map((_, i) => i), outputs };
}

/** The tensors of a result: one, a list, or a record. */
function namedTensors(result: unknown): [string, Tensor][] {
  if (result instanceof Tensor) return [["output", result]];
  const entries = typeof result === "object" && result !== null ? Object.entries(result) : [];
  const tensors = entries.filter((entry): entry is [string, Tensor] => entry[1] instanceof Tensor);
  if (tensors.length === 0 || tensors.length < entries.filter(([, value]) => value !== null).length) throw new ArgumentError("exportOnnx", "the model must return a tensor, a list or a record of tensors");
  return tensors.map(([name, t]) => [Array.isArray(result) ? `output${name}` : name, t]);
}

/**
 * Inputs of `rows` rows made of the first row of `x`, no two alike where that can be: what a model reads out of its inputs then shows,
 * for it differs from row to row. Whole numbers stay among those of the row, which may be ids.
 */
export function rowsLike(x: Tensor, rows: number): Tensor {
  const data = x.slice(0, 0, 1).dataSync(), all = new (data.constructor as Float32ArrayConstructor)(rows * data.length);
  for (let row = 0; row < rows; row++) {
    const at = all.subarray(row * data.length, (row + 1) * data.length);
    at.set(data);
    if (isFloat(x.dtype)) at.forEach((value, i) => (at[i] = value + row / 2));
    else at.fill(data.at(-1)!, 0, Math.min(row, data.length));
  }
  return fromTyped(all, [rows, ...x.shape.slice(1)], x.dtype, "exportOnnx");
}
