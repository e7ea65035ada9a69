/**
 * The tape: each recorded result holds its node (op, inputs, what was saved, sequence number). There is no global list:
 * a graph lives as long as a handle or a later node reaches it.
 */
import {
  GradError,
  Tensor,
  isFloat,
  stepScope,
  type Aval,
  type DType,
  type Layout,
  type OpRecord,
  type Storage,
  type TapeSlot,
} from "@nn/tensor";
import { anomalySite, checkFinite, type Site } from "./anomaly.ts";

/** A value on the tape. Counted by live handles and by the nodes that read it; when all outputs of a node are at zero, it is freed. */
export class Slot implements TapeSlot {
  readonly requiresGrad = true;
  grad: Tensor | null = null;
  /** What computed it; null for leaves and after the graph was consumed by its last owner. */
  node: Node | null;
  #references = 0;

  constructor(node: Node | null) {
    this.node = node;
    this.isLeaf = node === null;
  }
  readonly isLeaf: boolean;

  retain(): void {
    this.#references++;
  }

  /** Whether a handle or a later node holds this value. */
  get held(): boolean {
    return this.#references > 0;
  }

  /** Long chains are freed by a loop, not by recursion: an unrolled network may be 10,000 nodes deep. */
  release(): void {
    const dead: Slot[] = --this.#references > 0 ? [] : [this];
    for (let slot = dead.pop(); slot; slot = dead.pop()) {
      for (const input of slot.node?.freeIfUnheld() ?? []) if (input && --input.#references === 0) dead.push(input);
    }
  }
}

/** What a node keeps of a tensor: its storage (one reference of its own), its view, its place on the tape. */
interface Saved {
  readonly storage: Storage;
  readonly layout: Layout;
  readonly dtype: DType;
  readonly slot: TapeSlot | null;
  readonly version: number;
}

let sequence = 0;

/** One recorded application of an op. */
export class Node {
  readonly op: OpRecord;
  readonly attrs: object;
  /** Slots of the inputs, flat in the record's order; null where no gradient flows. */
  readonly inputs: readonly (Slot | null)[];
  /** Input and output shapes by name; a list-valued input has a list. */
  readonly avals: Readonly<Record<string, Aval | Aval[]>>;
  /** Slots of the differentiable outputs by name. */
  readonly outputs: ReadonlyMap<string, Slot>;
  /** Later nodes have larger numbers. */
  readonly sequence = sequence++;
  readonly site: Site | null;
  #saved: Map<string, Saved | Saved[]> | null;
  #freed = false;

  constructor(op: OpRecord, inputs: readonly (Tensor | undefined)[], attrs: object, outputs: readonly Tensor[]) {
    this.op = op;
    this.attrs = attrs;
    this.outputs = new Map(op.differentiable.map((name) => [name, new Slot(this)]));
    this.inputs = inputs.map((t) => (t?.slot as Slot | null | undefined) ?? null);
    for (const slot of this.inputs) slot?.retain();
    const named = byName(op, inputs, outputs);
    const avals: Record<string, Aval | Aval[]> = {};
    for (const name in named) avals[name] = Array.isArray(named[name]) ? named[name].map(avalOf) : avalOf(named[name]!);
    this.avals = avals;
    this.#saved = new Map();
    const unread = op.unread?.(attrs) ?? [];
    for (const name of op.saves) {
      const t = named[name];
      if (t && !unread.includes(name)) this.#saved.set(name, Array.isArray(t) ? t.map(save) : save(t));
    }
    this.site = anomalySite();
  }

  /** Reads back what was saved, as new handles in the current scope. With `connect` they keep their place on the tape. */
  saved(connect: boolean): Record<string, Tensor | Tensor[]> {
    if (!this.#saved) {
      throw new GradError("backward", `the graph of ${this.op.name} was already consumed by an earlier backward`, {
        hint: "call backward({ retainGraph: true }) the first time, or compute the loss again",
      });
    }
    const restore = (s: Saved, name: string): Tensor => {
      if (s.storage.version !== s.version) {
        throw new GradError("backward", `${this.op.name} saved '${name}', which was overwritten in place since (by ${s.storage.lastWrite})`, {
          hint: "finish backward before optimizer.step() or assign()",
        });
      }
      const t = new Tensor(s.storage.retain(), s.layout, s.dtype, this.op.name);
      const slot = this.outputs.get(name) ?? s.slot;
      if (connect && slot) t.slot = slot;
      return t;
    };
    const out: Record<string, Tensor | Tensor[]> = {};
    for (const [name, s] of this.#saved) out[name] = Array.isArray(s) ? s.map((one) => restore(one, name)) : restore(s, name);
    return out;
  }

  /** Lets go of what was saved; a later backward through this node is an error. */
  consume(): void {
    if (!this.#saved) return;
    for (const s of [...this.#saved.values()].flat()) {
      s.storage.release();
      s.slot?.release();
    }
    this.#saved = null;
  }

  /** If no output is held any more, frees the node and returns the input slots whose count the caller must lower. */
  freeIfUnheld(): readonly (Slot | null)[] {
    if (this.#freed || [...this.outputs.values()].some((slot) => slot.held)) return [];
    this.#freed = true;
    const slots: (Slot | null)[] = [...this.inputs];
    if (this.#saved) {
      for (const s of [...this.#saved.values()].flat()) {
        s.storage.release();
        slots.push(s.slot as Slot | null);
      }
      this.#saved = null;
    }
    return slots;
  }
}

const avalOf = ({ shape, dtype }: Tensor): Aval => ({ shape, dtype });

function save(t: Tensor): Saved {
  const storage = t.storage.retain();
  t.slot?.retain();
  return { storage, layout: { shape: t.shape, strides: t.strides, offset: t.offset }, dtype: t.dtype, slot: t.slot, version: storage.version };
}

function byName(op: OpRecord, inputs: readonly (Tensor | undefined)[], outputs: readonly Tensor[]): Record<string, Tensor | Tensor[]> {
  const named: Record<string, Tensor | Tensor[]> = {};
  let at = 0;
  for (const name of op.inputNames) {
    if (name === op.list) {
      const n = inputs.length - op.inputNames.length + 1;
      named[name] = inputs.slice(at, at + n) as Tensor[];
      at += n;
    } else {
      const t = inputs[at++];
      if (t) named[name] = t;
    }
  }
  op.outputNames.forEach((name, i) => (named[name] = outputs[i]!));
  return named;
}

/** True if a gradient can flow from the output to one of the inputs that want it. */
function differentiable(op: OpRecord, inputs: readonly (Tensor | undefined)[]): boolean {
  const nameAt = inputNames(op, inputs.length);
  return inputs.some((t, i) => t?.requiresGrad && typeof op.vjp[nameAt[i]!] === "function");
}

/** The input name at each flat position. */
export function inputNames(op: OpRecord, count: number): readonly string[] {
  if (op.list === null) return op.inputNames;
  return op.inputNames.flatMap((name) => (name === op.list ? new Array<string>(count - op.inputNames.length + 1).fill(name) : [name]));
}

/** Puts the result of an op on the tape and ties it to the current training step. */
export function record(op: OpRecord, inputs: readonly (Tensor | undefined)[], attrs: object, outputs: readonly Tensor[]): void {
  for (const t of outputs) t.joinStep(stepScope());
  const smooth = outputs.filter((t, i) => isFloat(t.dtype) && op.differentiable.includes(op.outputNames[i]!));
  if (smooth.length === 0 || !differentiable(op, inputs)) return;
  // The node's own outputs are saved before they have slots: a node must not keep itself alive.
  const node = new Node(op, inputs, attrs, outputs);
  for (const [name, slot] of node.outputs) outputs[op.outputNames.indexOf(name)]!.slot = slot;
  if (node.site) for (const t of smooth) checkFinite(t, `${op.name} made`, node.site);
}
