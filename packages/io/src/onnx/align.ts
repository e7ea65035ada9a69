/**
 * Two traces of one model, with 2 and with 3 rows: what differs between them is what the batch decides. ONNX calls such sizes by
 * name, so one file serves every batch.
 */
import { ArgumentError, rowMajor, type DType, type TypedArray } from "@nn/tensor";
import { gather } from "../strided.ts";
import type { Trace, TracedNode, TracedValue } from "./trace.ts";

/** A size: a number, or so many per row of the batch. */
export type Dim = number | { readonly perRow: number };

/** Constants that follow the batch repeat one row: their data are that row. */
export interface GraphValue {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  readonly constant?: { readonly name: string | null; readonly data: () => TypedArray };
}
export interface AlignedGraph extends Omit<Trace, "values"> {
  readonly values: readonly GraphValue[];
}

function misfit(what: string): never {
  throw new ArgumentError("exportOnnx", `${what} depends on the batch in a way that ONNX cannot follow`, {
    hint: "numbers read out of the inputs become constants; { dynamicBatch: false } exports for the size of the example",
  });
}

/** Rows of the two traces. */
export const ROWS = [2, 3] as const;

export function align(two: Trace, three: Trace): AlignedGraph {
  if (two.nodes.length !== three.nodes.length || two.values.length !== three.values.length) misfit("which ops run");
  const values = two.values.map((a, i) => alignValue(a, three.values[i]!));
  const nodes = two.nodes.map((node, i) => alignNode(node, three.nodes[i]!, two, three));
  return { values, nodes, inputs: two.inputs, outputs: two.outputs };
}

function alignValue(a: TracedValue, b: TracedValue): GraphValue {
  if (a.dtype !== b.dtype || a.shape.length !== b.shape.length || (a.constant === undefined) !== (b.constant === undefined)) misfit("which values there are");
  const shape = a.shape.map((size, d): Dim => {
    const perRow = b.shape[d]! - size;
    return perRow === 0 ? size : size === perRow * ROWS[0] ? { perRow } : misfit(`a size of [${a.shape}]`);
  });
  if (!a.constant || !b.constant || a.constant.name !== null) return { ...a, shape };
  const once = onceAlong(shape);
  const base = gather(a.constant.data(), once, rowMajor(a.shape));
  for (const t of [a, b]) {
    const strides = rowMajor(once).map((stride, d) => (once[d] === t.shape[d] ? stride : 0));
    const repeated = gather(base, t.shape, strides), data = t.constant!.data();
    if (!data.every((x, i) => Object.is(x, repeated[i]))) misfit(`a constant [${a.shape}]`);
  }
  return { ...a, shape, constant: { name: null, data: () => base } };
}

/** A shape with 1 in place of what follows the batch. */
export const onceAlong = (shape: readonly Dim[]): number[] => shape.map((dim) => (typeof dim === "number" ? dim : 1));

function alignNode(a: TracedNode, b: TracedNode, two: Trace, three: Trace): TracedNode {
  if (a.op !== b.op || a.inputs.join() !== b.inputs.join()) misfit(`the op after '${a.op.name}'`);
  if (a.op.name === "reshape" || a.op.name === "expand") return a; // their results' shapes say it
  const differing = Object.keys({ ...a.attrs, ...b.attrs }).filter((key) => JSON.stringify(a.attrs[key]) !== JSON.stringify(b.attrs[key]));
  if (differing.length === 0) return a;
  // A slice that ends where the dimension ends.
  const dim = a.attrs["dim"] as number;
  const reachesEnd = a.op.name === "slice" && differing.join() === "end" && ([[a, two], [b, three]] as const).every(([node, trace]) => (node.attrs["end"] as number) >= trace.values[node.inputs[0]!]!.shape.at(dim)!);
  if (!reachesEnd) misfit(`'${differing.join("', '")}' of '${a.op.name}'`);
  return { ...a, attrs: { ...a.attrs, end: undefined } };
}
