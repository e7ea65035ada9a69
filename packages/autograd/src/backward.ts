/** Reverse mode: from a result back to what it was computed from, last op first. */
import { GradError, Tensor, addGradients, currentScope, denseGradient, full, isRecording, onesLike, scope, stepScope, withEngine, withRecording, zerosLike, type Aval, type BackwardOptions } from "@nn/tensor";
import { checkFinite } from "./anomaly.ts";
import type { Slot } from "./tape.ts";
import { inputNames, type Node } from "./tape.ts";

/** Receives the gradient of each leaf, or of each wanted slot. */
type Sink = (slot: Slot, gradient: Tensor) => void;

interface Sweep {
  readonly createGraph: boolean;
  readonly retainGraph: boolean;
  /** The slots whose gradients are asked for; null: those of all leaves. */
  readonly wanted: ReadonlySet<Slot> | null;
  readonly sink: Sink;
}

// The sweep that a checkpoint's inner sweep reports to.
let current: Sweep | null = null;

/** Adds to `grad` of every leaf `loss` depends on. */
export function backward(loss: Tensor, options: BackwardOptions = {}): void {
  const slot = slotOf(loss, "backward");
  const createGraph = options.createGraph ?? false;
  sweep(slot, () => seed(loss, options.gradient), { createGraph, retainGraph: options.retainGraph ?? createGraph, wanted: null, sink: accumulate });
}

/**
 * Gradients of `y` (weighted by `gradient`, default 1 for a scalar) with respect to `xs`, without touching any `grad`.
 * One of `xs` may have been computed from another: each gets its whole gradient.
 * With `createGraph` the results can be differentiated again.
 */
export function gradients(y: Tensor, xs: readonly Tensor[], options: BackwardOptions = {}): (Tensor | null)[] {
  const slots = xs.map((x) => slotOf(x, "gradients"));
  const found = new Map<Slot, Tensor>();
  const createGraph = options.createGraph ?? false;
  const home = currentScope();
  if (y.slot) {
    sweep(y.slot as Slot, () => seed(y, options.gradient), {
      createGraph,
      retainGraph: options.retainGraph ?? createGraph,
      wanted: new Set(slots),
      sink: (slot, g) => {
        // More than one part arrives where checkpoints share what they capture.
        const before = found.get(slot);
        const sum = before ? before.add(denseGradient(g)) : denseGradient(g);
        found.set(slot, sum.moveTo(home, { leaveStep: false }));
        if (!sum.step) sum.joinStep(stepScope());
      },
    });
  }
  return slots.map((slot) => found.get(slot) ?? null);
}

/**
 * Inside a running sweep: goes back from `y`, a part computed again. Gradients of `inputs` are returned,
 * those of anything else go where the outer sweep wants them.
 */
export function innerGradients(y: Tensor, gradient: Tensor, inputs: readonly Tensor[]): (Tensor | null)[] {
  const outer = current!;
  if (outer.createGraph) throw new GradError("checkpoint", "its gradient cannot be differentiated again", { hint: "call the function directly where higher orders are needed" });
  const slots = inputs.map((x) => x.slot as Slot);
  const found = new Map<Slot, Tensor>();
  const home = currentScope();
  if (y.slot) {
    sweep(y.slot as Slot, () => gradient, {
      createGraph: false,
      retainGraph: false,
      wanted: outer.wanted && new Set([...outer.wanted, ...slots]),
      sink: (slot, g) => (slots.includes(slot) ? void found.set(slot, g.moveTo(home)) : outer.sink(slot, g)),
    });
  }
  return slots.map((slot) => found.get(slot) ?? null);
}

function slotOf(t: Tensor, who: string): Slot {
  if (t.slot) return t.slot as Slot;
  throw new GradError(who, `this ${t.dtype}[${t.shape.join(",")}] (made by ${t.origin}) does not depend on anything that requires a gradient`, {
    hint: isRecording() ? "call requireGrad() on an input, or use a parameter" : "it was computed inside noGrad()",
  });
}

function seed(y: Tensor, gradient: Tensor | undefined): Tensor {
  if (gradient) {
    if (gradient.shape.join() !== y.shape.join()) throw new GradError("backward", `gradient has shape [${gradient.shape.join(",")}], the result [${y.shape.join(",")}]`);
    return gradient;
  }
  if (y.size !== 1) {
    throw new GradError("backward", `needs a scalar or an explicit gradient, got shape [${y.shape.join(",")}]`, { hint: "reduce first, e.g. loss.mean().backward(), or pass { gradient }" });
  }
  return withRecording(false, () => onesLike(y));
}

/** Leaves add up. */
function accumulate(slot: Slot, g: Tensor): void {
  const old = slot.grad;
  const sum = old ? addGradients(old, g) : g.alias();
  // State: it outlives scopes and steps, until zeroGrad() or the parameter itself goes.
  slot.grad = sum.moveTo(null);
  old?.dispose();
}

function sweep(root: Slot, dy: () => Tensor, options: Sweep): void {
  const before = current;
  current = options;
  try {
    scope(() => withRecording(options.createGraph, () => walk(root, dy(), options)), "backward()");
  } finally {
    current = before;
  }
}

function walk(root: Slot, dy: Tensor, { createGraph, retainGraph, wanted, sink }: Sweep): void {
  const pending = new Map<Slot, Tensor>([[root, dy.alias()]]);
  const give = (slot: Slot): void => {
    const g = pending.get(slot);
    if (!g) return;
    pending.delete(slot);
    sink(slot, g);
  };
  const { nodes, leads } = plan(root, wanted);
  for (const node of nodes) {
    const dys: Record<string, Tensor> = {};
    for (const [name, slot] of node.outputs) {
      const all = pending.get(slot);
      if (!all) continue;
      const g = denseGradient(all);
      pending.delete(slot);
      if (wanted?.has(slot)) sink(slot, g.alias());
      dys[name] = g;
    }
    const received = Object.values(dys);
    if (received.length === 0) continue;
    for (const [slot, part] of inputGradients(node, dys, leads, createGraph)) {
      const sum = pending.get(slot);
      pending.set(slot, sum ? addGradients(sum, part) : part);
      if (sum && !createGraph) {
        sum.dispose();
        part.dispose();
      }
    }
    if (!retainGraph) node.consume();
    if (!createGraph) for (const g of received) g.dispose();
  }
  for (const slot of [...pending.keys()]) if (wanted ? wanted.has(slot) : slot.isLeaf) give(slot);
}

/** True if `root` depends on a leaf that is none of `known`: then a gradient with respect to `known` is itself a function of that leaf. */
export const reachesOthers = (root: Slot, known: ReadonlySet<Slot>): boolean =>
  reachable(root, known).some((node) => node.inputs.some((slot) => slot?.isLeaf && !known.has(slot)));

/** The nodes to run, latest first, and which slots need a gradient: with `wanted` only what lies on the way to one of them. */
function plan(root: Slot, wanted: ReadonlySet<Slot> | null): { nodes: Node[]; leads: (slot: Slot) => boolean } {
  const nodes = reachable(root, null);
  if (!wanted) return { nodes, leads: () => true };
  const onTheWay = new Set<Node>();
  const leads = (slot: Slot): boolean => wanted.has(slot) || (slot.node !== null && onTheWay.has(slot.node));
  for (const node of [...nodes].reverse()) if (node.op.captures || node.inputs.some((slot) => slot && leads(slot))) onTheWay.add(node);
  return { nodes: nodes.filter((node) => onTheWay.has(node)), leads };
}

/** Nodes that `root` was computed from, latest first; not beyond `ends`. */
function reachable(root: Slot, ends: ReadonlySet<Slot> | null): Node[] {
  const seen = new Set<Node>();
  const stack: Slot[] = [root];
  for (let slot = stack.pop(); slot; slot = stack.pop()) {
    const node = slot.node;
    if (!node || seen.has(node) || ends?.has(slot)) continue;
    seen.add(node);
    for (const input of node.inputs) if (input) stack.push(input);
  }
  return [...seen].sort((a, b) => b.sequence - a.sequence);
}

/** Gradient of each input of `node` that wants one, each a handle of its own in the sweep's scope. */
function inputGradients(node: Node, dys: Readonly<Record<string, Tensor>>, leads: (slot: Slot) => boolean, createGraph: boolean): [Slot, Tensor][] {
  const names = inputNames(node.op, node.inputs.length);
  return scope(() => {
    const saved = node.saved(createGraph);
    const done = createGraph && node.op.decompose ? throughDecomposition(node, saved, dys) : new Map<string, Tensor | Tensor[]>();
    const context = {
      dys,
      get dy() {
        const first = node.op.differentiable[0]!;
        return dys[first] ?? zeros(node.avals[first] as Aval, Object.values(dys)[0]!);
      },
      attrs: node.attrs,
      avals: node.avals,
      get wanted() {
        return new Set(names.filter((_, i) => node.inputs[i] && leads(node.inputs[i])));
      },
      ...saved,
    };
    const out: [Slot, Tensor][] = [];
    node.inputs.forEach((slot, i) => {
      if (!slot || !(leads(slot) || node.op.captures)) return;
      const name = names[i]!;
      const rule = node.op.vjp[name];
      if (typeof rule !== "function") return;
      if (!done.has(name)) done.set(name, rule(context));
      const result = done.get(name)!;
      const g = Array.isArray(result) ? result[i - names.indexOf(name)]! : result;
      if (node.site) checkFinite(g, `the gradient of ${node.op.name} with respect to '${name}' is`, node.site);
      // A rule may hand back dy itself, or one tensor for two inputs.
      out.push([slot, g.alias()]);
    });
    return out;
  }, `backward of ${node.op.name}`);
}

const zeros = ({ shape, dtype }: Aval, beside: Tensor): Tensor => withEngine(beside.backend.engine, () => full([...shape], 0, { dtype }));

/** The gradients of `Σ output·dy` over the differentiable outputs, by input name, by way of the op's decomposition: they can be differentiated again. */
function throughDecomposition(node: Node, saved: Record<string, Tensor | Tensor[]>, dys: Readonly<Record<string, Tensor>>): Map<string, Tensor | Tensor[]> {
  const { op } = node;
  // Places of their own on the tape: one tensor may be two inputs, or one input be computed from another.
  const fork = (t: Tensor): Tensor => (t.requiresGrad ? t.reshape(t.shape) : t);
  const inputs = Object.fromEntries(op.inputNames.filter((n) => n in saved).map((n) => [n, Array.isArray(saved[n]) ? saved[n].map(fork) : fork(saved[n]!)]));
  const y = op.decompose!(inputs, node.attrs);
  const outputs = y instanceof Tensor ? { [op.outputNames[0]!]: y } : y;
  const total = Object.entries(dys).map(([name, dy]) => outputs[name]!.mul(dy).sum()).reduce((a, b) => a.add(b));
  const named = Object.entries(inputs).flatMap(([name, t]) => [t].flat().map((one) => ({ name, t: one })));
  const wanted = named.filter(({ t }) => t.requiresGrad);
  const found = new Map(gradients(total, wanted.map(({ t }) => t), { createGraph: true }).map((g, i) => [wanted[i]!.t, g]));
  const gradient = (t: Tensor): Tensor => found.get(t) ?? zerosLike(t);
  return new Map(Object.entries(inputs).map(([name, t]) => [name, Array.isArray(t) ? t.map(gradient) : gradient(t)]));
}
