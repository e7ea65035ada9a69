import type { Dim } from "./align.ts";
import type { Lowering } from "./lowering.ts";

const FIRST = -(2n ** 63n), LAST = 2n ** 63n - 1n; // "to the end", in either direction
const isFixed = (dim: Dim): dim is number => typeof dim === "number";
const positive = (dim: number, rank: number): number => (dim < 0 ? dim + rank : dim);

export const movement: Readonly<Record<string, Lowering>> = {
  reshape(g, { inputs: { x }, outputs: [y] }) {
    const [first, ...more] = y!.shape.filter((dim) => !isFixed(dim));
    // One size that follows the batch is what is left over.
    const shape = first !== undefined && more.length === 0 ? g.ints(y!.shape.map((dim) => (isFixed(dim) ? dim : -1))) : g.shape(y!.shape);
    return g.node("Reshape", [x!.name, shape], { allowzero: y!.shape.includes(0) ? 1 : undefined });
  },
  contiguous: (_, { inputs: { x } }) => x!.name,
  permute: (g, { inputs: { x }, attrs }) => g.node("Transpose", [x!.name], { perm: (attrs["dims"] as readonly number[]).map((d) => positive(d, x!.shape.length)) }),
  slice(g, { inputs: { x }, attrs }) {
    const { dim, start, end, step = 1 } = attrs as { dim: number; start?: number; end?: number; step?: number };
    const [from, to] = step > 0 ? [0n, LAST] : [LAST, FIRST];
    return g.node("Slice", [x!.name, g.ints([start ?? from]), g.ints([end ?? to]), g.ints([dim]), g.ints([step])]);
  },
  flip(g, { inputs: { x }, attrs }) {
    const dims = attrs["dims"] as readonly number[];
    if (dims.length === 0 || x!.shape.length === 0) return x!.name;
    return g.node("Slice", [x!.name, g.ints(dims.map(() => LAST)), g.ints(dims.map(() => FIRST)), g.ints(dims), g.ints(dims.map(() => -1))]);
  },
  expand(g, { inputs: { x }, outputs: [y] }) {
    const lead = y!.shape.length - x!.shape.length;
    // 1 leaves a dimension as it is.
    return g.node("Expand", [x!.name, g.shape(y!.shape.map((dim, d) => (!isFixed(dim) && d >= lead && !isFixed(x!.shape[d - lead]!) ? 1 : dim)))]);
  },
  pad(g, { inputs: { x }, attrs }) {
    const pads = attrs["pads"] as readonly (readonly [number, number])[];
    if (pads.length === 0) return x!.name;
    return g.node("Pad", [x!.name, g.ints([...pads.map(([before]) => before), ...pads.map(([, after]) => after)]), g.scalar((attrs["value"] as number | undefined) ?? 0, x!.dtype)]);
  },
  concat: (g, { list, attrs }) => g.node("Concat", list.map((x) => x.name), { axis: attrs["dim"] as number }),
};
