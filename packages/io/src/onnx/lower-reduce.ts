import type { DType } from "@nn/tensor";
import type { Dim } from "./align.ts";
import type { Graph } from "./graph.ts";
import type { Call, Lowering } from "./lowering.ts";

/** Dimensions to fold; undefined: all. */
const dimsOf = ({ attrs }: Call): readonly number[] | undefined => (attrs["dim"] === undefined ? undefined : [attrs["dim"] as number | readonly number[]].flat());
const keepdims = ({ attrs }: Call): number => (attrs["keepdim"] === true ? 1 : 0);

/** Small integers and masks are computed as i32, which every runtime can. */
const wide = (dtype: DType): DType => (dtype === "u8" || dtype === "bool" ? "i32" : dtype);
const fold = (type: string): Lowering => (g, call) => {
  const { inputs: { x }, outputs: [y] } = call;
  const dims = dimsOf(call);
  if (dims?.length === 0 || x!.shape.length === 0) return g.cast(x!, y!.dtype);
  const dtype = wide(x!.dtype);
  return g.cast({ name: g.node(type, [g.cast(x!, dtype)], { axes: dims, keepdims: keepdims(call) }), dtype }, y!.dtype);
};

/** Position of an extreme, as i32. */
const position = (type: string): Lowering => (g, call) => {
  const { inputs: { x }, outputs: [y], attrs } = call;
  const whole = attrs["dim"] === undefined || x!.shape.length === 0;
  const found = whole ? g.node(type, [g.node("Reshape", [x!.name, g.ints([-1])])], { axis: 0, keepdims: 0 }) : g.node(type, [x!.name], { axis: attrs["dim"] as number, keepdims: keepdims(call) });
  const index = g.cast({ name: found, dtype: "i64" }, "i32");
  return whole && y!.shape.length > 0 ? g.node("Reshape", [index, g.shape(y!.shape)]) : index;
};

/** The first k in order: values and places. */
function top(g: Graph, { inputs: { x }, attrs }: Call, k: Dim, largest: boolean): string[] {
  if (x!.shape.length === 0) return [x!.name, g.scalar(0, "i32")];
  const [values, places] = g.nodes("TopK", [x!.name, g.shape([k])], { axis: attrs["dim"] as number, largest: largest ? 1 : 0, sorted: 1 }, 2);
  return [values!, g.cast({ name: places!, dtype: "i64" }, "i32")];
}

export const reductions: Readonly<Record<string, Lowering>> = {
  prod: fold("ReduceProd"), max: fold("ReduceMax"), min: fold("ReduceMin"),
  sum(g, call) {
    const { inputs: { x }, outputs: [y] } = call;
    const dims = dimsOf(call);
    const named = g.cast(x!, y!.dtype);
    if (dims?.length === 0 || x!.shape.length === 0) return named;
    return g.node("ReduceSum", dims ? [named, g.ints(dims)] : [named], { keepdims: keepdims(call) });
  },
  argmax: position("ArgMax"), argmin: position("ArgMin"),
  cumsum(g, { inputs: { x }, outputs: [y], attrs }) {
    const numbers = g.cast(x!, y!.dtype);
    return x!.shape.length === 0 ? numbers : g.node("CumSum", [numbers, g.scalar(attrs["dim"] as number, "i32")], { reverse: attrs["reverse"] === true ? 1 : 0 });
  },
  topk: (g, call) => top(g, call, call.attrs["k"] as number, call.attrs["largest"] === true),
  sort: (g, call) => top(g, call, call.inputs["x"]!.shape.at(call.attrs["dim"] as number) ?? 1, call.attrs["descending"] === true),
};
