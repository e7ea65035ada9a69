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

/** A value on the tape. Counted by live handles and by the nodes that read it; at zero its node is freed. */
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

  /** Long chains are freed by a loop, not by recursion: an unrolled network may be 10,000 nodes deep. */
  release(): void {
    if (--this.#references > 0) return;
    const dead: Node[] = this.node ? [this.node] : [];
    for (let node = dead.pop(); node; node = dead.pop()) {
      for (const slot of node.free()) if (slot && --slot.#references === 0 && slot.node) dead.push(slot.node);
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
  readonly output: Slot;
  /** Later nodes have larger numbers. */
  readonly sequence = sequence++;
  readonly site: Site | null;
  #saved: Map<string, Saved | Saved[]> | null;
  #freed = false;

  constructor(op: OpRecord, inputs: readonly (Tensor | undefined)[], attrs: object, outputs: readonly Tensor[]) {
    this.op = op;
    this.attrs = attrs;
    this.output = new Slot(this);
    this.inputs = inputs.map((t) => (t?.slot as Slot | null | undefined) ?? null);
    for (const slot of this.inputs) slot?.retain();
    const named = byName(op, inputs, outputs);
    this.avals = Object.fromEntries([...named].map(([name, t]) => [name, Array.isArray(t) ? t.map(avalOf) : avalOf(t)]));
    this.#saved = new Map();
    for (const name of op.saves) {
      const t = named.get(name);
      if (t) this.#saved.set(name, Array.isArray(t) ? t.map(save) : save(t));
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
      const slot = this.op.outputNames[0] === name ? this.output : s.slot;
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

  /** The node is unreachable: returns the input slots whose count the caller must lower. */
  free(): readonly (Slot | null)[] {
    if (this.#freed) return [];
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

function byName(op: OpRecord, inputs: readonly (Tensor | undefined)[], outputs: readonly Tensor[]): Map<string, Tensor | Tensor[]> {
  const named = new Map<string, Tensor | Tensor[]>();
  let at = 0;
  for (const name of op.inputNames) {
    if (name === op.list) {
      const n = inputs.length - op.inputNames.length + 1;
      named.set(name, inputs.slice(at, at + n) as Tensor[]);
      at += n;
    } else {
      const t = inputs[at++];
      if (t) named.set(name, t);
    }
  }
  op.outputNames.forEach((name, i) => named.set(name, outputs[i]!));
  return named;
}

/** True if a gradient can flow from the output to one of the inputs that want it. */
function differentiable(op: OpRecord, inputs: readonly (Tensor | undefined)[]): boolean {
  const nameAt = inputNames(op, inputs.length);
  return inputs.some((t, i) => t?.requiresGrad && typeof op.vjp[nameAt[i]!] === "function");
}

/** The input name at each flat position. */
export function inputNames(op: OpRecord, count: number): string[] {
  return op.inputNames.flatMap((name) => (name === op.list ? new Array<string>(count - op.inputNames.length + 1).fill(name) : [name]));
}

/** Puts the result of an op on the tape and ties it to the current training step. */
export function record(op: OpRecord, inputs: readonly (Tensor | undefined)[], attrs: object, outputs: readonly Tensor[]): void {
  for (const t of outputs) t.joinStep(stepScope());
  if (!isFloat(outputs[0]!.dtype) || !differentiable(op, inputs)) return;
  // The node's own output is saved before it has a slot: a node must not keep itself alive.
  const node = new Node(op, inputs, attrs, outputs);
  outputs[0]!.slot = node.output;
  if (node.site) checkFinite(outputs[0]!, `${op.name} made`, node.site);
}
