/** Ops that move elements without changing them. Most are views: a new layout over the same storage. */
import { defineOp, type Aval, type RefArray } from "../define.ts";
import { ArgumentError, DTypeError, ShapeError } from "../errors.ts";
import {
  broadcastShapes, contiguous as rowMajorLayout, expandLayout, isChannelsLast, isContiguous, permuteLayout, reshapeLayout, showShape, sizeOf, sliceLayout, type Layout, type Shape,
} from "../layout.ts";
import { axis, insidePads, walk, type Pads } from "./axes.ts";
import { checkDim, show } from "./shape-rules.ts";

/** Reads `x` through a view of it: the reference of every view. */
const readThrough = (view: (x: Layout) => Layout) => (x: RefArray, y: RefArray): void =>
  walk(view(rowMajorLayout(x.shape)), (i, at) => (y.data[i] = x.data[at]!));

/** The same elements in row-major order under another shape. A view where memory order allows it, else a copy. */
export const reshape = defineOp({
  name: "reshape",
  inputs: ["x"],
  saves: [],
  infer({ x }, { shape }: { shape: Shape }) {
    const n = sizeOf(x.shape);
    if (shape.some((d) => !Number.isInteger(d) || d < 0)) throw new ShapeError("reshape", `${showShape(shape)} is not a shape`, { hint: "sizes are whole numbers; one -1 stands for the rest" });
    if (sizeOf(shape) !== n) {
      throw new ShapeError("reshape", `${show(x)} has ${n} elements, ${showShape(shape)} needs ${sizeOf(shape)}`, { hint: "give one size as -1 to have it computed" });
    }
    return { shape, dtype: x.dtype };
  },
  view: (x, { shape }) => reshapeLayout(x, shape),
  reference: ({ x }, _, y) => y.data.set(x.data),
  vjp: { x: ({ dy, avals }) => dy.reshape(avals.x.shape) },
  samples: [
    { inputs: { x: [2, 6] }, attrs: { shape: [3, 4] } },
    { inputs: { x: [] }, attrs: { shape: [1, 1] } },
    { inputs: { x: [0, 3] }, attrs: { shape: [5, 0] } },
    { inputs: { x: [2, 3, 5] }, attrs: { shape: [30] } },
  ],
});

/** The same values in row-major (or channels-last) memory: a copy unless they lie so already. */
export const contiguous = defineOp({
  name: "contiguous",
  inputs: ["x"],
  saves: [],
  infer({ x }, { channelsLast = false }: { channelsLast?: boolean }) {
    if (channelsLast && x.shape.length !== 4) throw new ShapeError("contiguous", `channels-last memory is for [N,C,H,W], got ${show(x)}`);
    return x;
  },
  view: (x, { channelsLast = false }) => ((channelsLast ? isChannelsLast(x) : isContiguous(x)) ? x : null),
  reference: ({ x }, _, y) => y.data.set(x.data),
  vjp: { x: ({ dy }) => dy },
  samples: [
    { inputs: { x: [3, 5] }, attrs: {} },
    { inputs: { x: [2, 3, 2, 5] }, attrs: { channelsLast: true } },
    { inputs: { x: [] }, attrs: {} },
  ],
});

/** Dimension `d` of the result is dimension `dims[d]` of x. */
export const permute = defineOp({
  name: "permute",
  inputs: ["x"],
  saves: [],
  infer({ x }, { dims }: { dims: readonly number[] }) {
    const rank = x.shape.length;
    const order = dims.map((d) => checkDim("permute", x, d));
    if (dims.length !== rank || new Set(order).size !== rank) {
      throw new ShapeError("permute", `[${dims.join(",")}] is not an order of the ${rank} dimensions of ${show(x)}`, { hint: "name each dimension once" });
    }
    return { shape: order.map((d) => x.shape[d]!), dtype: x.dtype };
  },
  view: (x, { dims }) => permuteLayout(x, dims.map((d) => axis(d, dims.length))),
  reference: ({ x }, { dims }, y) => readThrough((l) => permuteLayout(l, dims.map((d) => axis(d, dims.length))))(x, y),
  vjp: {
    x({ dy, attrs: { dims } }) {
      const inverse = new Array<number>(dims.length);
      dims.forEach((d, i) => (inverse[axis(d, dims.length)] = i));
      return dy.permute(inverse);
    },
  },
  samples: [
    { inputs: { x: [2, 3] }, attrs: { dims: [1, 0] } },
    { inputs: { x: [2, 3, 1, 5] }, attrs: { dims: [0, 2, -1, 1] } },
    { inputs: { x: [] }, attrs: { dims: [] } },
    { inputs: { x: [0, 4] }, attrs: { dims: [1, 0] } },
  ],
});

interface SliceAttrs {
  dim: number;
  start?: number;
  end?: number;
  step?: number;
}

/** Python's `x[start:end:step]`: negative positions count from the end, what lies outside is cut off. */
function sliceRange(n: number, { start, end, step = 1 }: SliceAttrs): { start: number; step: number; length: number } {
  const [low, high] = step > 0 ? [0, n] : [-1, n - 1];
  const clip = (at: number | undefined, otherwise: number) => (at === undefined ? otherwise : Math.min(Math.max(at < 0 ? at + n : at, low), high));
  const from = clip(start, step > 0 ? low : high);
  const to = clip(end, step > 0 ? high : low);
  return { start: from, step, length: Math.max(0, Math.ceil((to - from) / step)) };
}

function sliceView(x: Layout, attrs: SliceAttrs): Layout {
  const dim = axis(attrs.dim, x.shape.length);
  const { start, step, length } = sliceRange(x.shape[dim]!, attrs);
  return sliceLayout(x, dim, start, step, length);
}

/** Elements `start, start + step, …` before `end` along `dim`. `step` may be negative. */
export const slice = defineOp({
  name: "slice",
  inputs: ["x"],
  saves: [],
  infer({ x }, attrs: SliceAttrs) {
    if (x.shape.length === 0) throw new ShapeError("slice", `${show(x)} has no dimension to slice`);
    const dim = checkDim("slice", x, attrs.dim);
    for (const [name, value] of Object.entries(attrs)) {
      if (value !== undefined && !Number.isInteger(value)) throw new ArgumentError("slice", `${name} must be a whole number, got ${value}`);
    }
    if (attrs.step === 0) throw new ArgumentError("slice", "step must not be 0", { hint: "1 takes every element, 2 every other one, -1 runs backwards" });
    const { length } = sliceRange(x.shape[dim]!, attrs);
    return { shape: x.shape.map((n, d) => (d === dim ? length : n)), dtype: x.dtype };
  },
  view: sliceView,
  reference: ({ x }, attrs, y) => readThrough((l) => sliceView(l, attrs))(x, y),
  vjp: {
    x({ dy, attrs, avals }) {
      const dim = axis(attrs.dim, avals.x.shape.length);
      const size = avals.x.shape[dim]!;
      const { start, step, length } = sliceRange(size, attrs);
      if (step === 1) return dy.pad(avals.x.shape.map((_, d) => (d === dim ? [start, size - start - length] : [0, 0])));
      return unslice({ x: dy }, { dim, start, step, size });
    },
  },
  samples: [
    { inputs: { x: [5, 3] }, attrs: { dim: 0, start: 1, end: 4 } },
    { inputs: { x: [2, 7] }, attrs: { dim: -1, start: 1, step: 2 } },
    { inputs: { x: [2, 7] }, attrs: { dim: 1, step: -2 } },
    { inputs: { x: [4] }, attrs: { dim: 0, start: -2 } },
    { inputs: { x: [4, 2] }, attrs: { dim: 0, start: 3, end: 1 } },
  ],
});

interface UnsliceAttrs {
  dim: number;
  start: number;
  step: number;
  size: number;
}

/** The transpose of `slice`: zeros of `size` along `dim`, with x at `start, start + step, …`. */
export const unslice = defineOp({
  name: "unslice",
  inputs: ["x"],
  saves: [],
  infer({ x }, { dim, start, step, size }: UnsliceAttrs) {
    const d = checkDim("unslice", x, dim);
    const length = x.shape[d] ?? 1;
    const last = start + (length - 1) * step;
    if (length > 0 && (Math.min(start, last) < 0 || Math.max(start, last) >= size)) {
      throw new ShapeError("unslice", `${length} elements from ${start} in steps of ${step} do not fit a dimension of ${size}`);
    }
    return { shape: x.shape.map((n, at) => (at === d ? size : n)), dtype: x.dtype };
  },
  reference({ x }, { dim, start, step }, y) {
    walk(sliceLayout(rowMajorLayout(y.shape), axis(dim, x.shape.length), start, step, x.shape[axis(dim, x.shape.length)]!), (i, at) => (y.data[at] = x.data[i]!));
  },
  vjp: {
    x({ dy, attrs: { dim, start, step }, avals }) {
      const end = start + step * avals.x.shape[axis(dim, avals.x.shape.length)]!;
      return dy.slice(dim, start, end < 0 ? undefined : end, step);
    },
  },
  samples: [
    { inputs: { x: [3, 2] }, attrs: { dim: 0, start: 1, step: 2, size: 7 } },
    { inputs: { x: [2, 3] }, attrs: { dim: -1, start: 4, step: -2, size: 5 } },
    { inputs: { x: [0, 3] }, attrs: { dim: 0, start: 0, step: 3, size: 2 } },
  ],
});

/** Repeats dimensions of size 1, and new leading ones, without copying. */
export const expand = defineOp({
  name: "expand",
  inputs: ["x"],
  saves: [],
  infer({ x }, { shape }: { shape: Shape }) {
    const joint = broadcastShapes(x.shape, shape);
    if (!joint || showShape(joint) !== showShape(shape)) {
      throw new ShapeError("expand", `${show(x)} does not expand to ${showShape(shape)}`, { hint: "only dimensions of size 1 repeat, and new ones come in front" });
    }
    return { shape, dtype: x.dtype };
  },
  view: (x, { shape }) => expandLayout(x, shape),
  reference: ({ x }, { shape }, y) => readThrough((l) => expandLayout(l, shape))(x, y),
  vjp: { x: ({ dy, avals }) => dy.sumTo(avals.x.shape) },
  samples: [
    { inputs: { x: [3, 1] }, attrs: { shape: [2, 3, 4] } },
    { inputs: { x: [] }, attrs: { shape: [3] } },
    { inputs: { x: [1, 2] }, attrs: { shape: [0, 2] } },
  ],
});

function flipView(x: Layout, dims: readonly number[]): Layout {
  return dims.reduce((l, d) => {
    const dim = axis(d, l.shape.length);
    const n = l.shape[dim]!;
    return sliceLayout(l, dim, n - 1, -1, n);
  }, x);
}

/** Reverses the order along `dims`: a view with negative strides. */
export const flip = defineOp({
  name: "flip",
  inputs: ["x"],
  saves: [],
  infer({ x }, { dims }: { dims: readonly number[] }) {
    const named = dims.map((d) => checkDim("flip", x, d));
    if (new Set(named).size !== named.length) throw new ArgumentError("flip", `[${dims.join(",")}] names a dimension of ${show(x)} twice`);
    return { shape: x.shape, dtype: x.dtype };
  },
  view: (x, { dims }) => flipView(x, x.shape.length === 0 ? [] : dims),
  reference: ({ x }, { dims }, y) => readThrough((l) => flipView(l, l.shape.length === 0 ? [] : dims))(x, y),
  vjp: { x: ({ dy, attrs }) => dy.flip(attrs.dims) },
  samples: [
    { inputs: { x: [3, 5] }, attrs: { dims: [0] } },
    { inputs: { x: [2, 3, 4] }, attrs: { dims: [0, -1] } },
    { inputs: { x: [] }, attrs: { dims: [] } },
    { inputs: { x: [0, 2] }, attrs: { dims: [0, 1] } },
  ],
});

/** `value` around x: `pads[d]` = elements before and after along dimension d, for every dimension. */
export const pad = defineOp({
  name: "pad",
  inputs: ["x"],
  saves: [],
  infer({ x }, { pads }: { pads: Pads; value?: number }) {
    if (pads.length !== x.shape.length) {
      throw new ShapeError("pad", `${show(x)} has ${x.shape.length} dimensions, pads name ${pads.length}`, { hint: "one [before, after] per dimension, first dimension first" });
    }
    for (const [before, after] of pads) {
      if (!Number.isInteger(before) || !Number.isInteger(after) || before < 0 || after < 0) {
        throw new ArgumentError("pad", `[${before},${after}] must be whole numbers of at least 0`, { hint: "cut elements off with slice(dim, start, end)" });
      }
    }
    return { shape: x.shape.map((n, d) => pads[d]![0] + n + pads[d]![1]), dtype: x.dtype };
  },
  reference({ x }, { pads, value = 0 }, y) {
    y.data.fill(value);
    walk(insidePads(rowMajorLayout(y.shape), pads), (i, at) => (y.data[at] = x.data[i]!));
  },
  vjp: {
    x: ({ dy, attrs: { pads }, avals }) =>
      pads.reduce((g, [before, after], d) => (before + after === 0 ? g : g.slice(d, before, before + avals.x.shape[d]!)), dy),
  },
  samples: [
    { inputs: { x: [2, 3] }, attrs: { pads: [[1, 0], [2, 1]] } },
    { inputs: { x: [1, 2, 3] }, attrs: { pads: [[0, 0], [0, 3], [1, 1]], value: -1.5 } },
    { inputs: { x: [0, 2] }, attrs: { pads: [[1, 1], [0, 0]], value: 2 } },
    { inputs: { x: [] }, attrs: { pads: [] } },
  ],
});

/** Tensors one after another along `dim`. */
export const concat = defineOp({
  name: "concat",
  inputs: ["...xs"],
  saves: [],
  infer({ xs }, { dim }: { dim: number }) {
    const first = xs[0];
    if (!first) throw new ArgumentError("concat", "needs at least one tensor");
    if (first.shape.length === 0) throw new ShapeError("concat", `${show(first)} has no dimension to join along`, { hint: "use stack for 0-d tensors" });
    const d = checkDim("concat", first, dim);
    const fits = (x: Aval) => x.shape.length === first.shape.length && x.shape.every((n, at) => at === d || n === first.shape[at]);
    xs.forEach((x, i) => {
      if (!fits(x)) throw new ShapeError("concat", `sizes differ outside dimension ${d}: first ${show(first)}, number ${i} ${show(x)}`);
      if (x.dtype !== first.dtype) throw new DTypeError("concat", `types differ: first ${show(first)}, number ${i} ${show(x)}`, { hint: `cast("${first.dtype}") them first` });
    });
    const total = xs.reduce((n, x) => n + x.shape[d]!, 0);
    return { shape: first.shape.map((n, at) => (at === d ? total : n)), dtype: first.dtype };
  },
  reference({ xs }, { dim }, y) {
    const d = axis(dim, y.shape.length);
    let start = 0;
    for (const x of xs) {
      walk(sliceLayout(rowMajorLayout(y.shape), d, start, 1, x.shape[d]!), (i, at) => (y.data[at] = x.data[i]!));
      start += x.shape[d]!;
    }
  },
  vjp: {
    xs({ dy, attrs, avals }) {
      const dim = axis(attrs.dim, dy.rank);
      let end = 0;
      return avals.xs.map((x) => dy.slice(dim, end, (end += x.shape[dim]!)));
    },
  },
  samples: [
    { inputs: { xs: [[2, 3], [4, 3]] }, attrs: { dim: 0 } },
    { inputs: { xs: [[2, 1, 3], [2, 4, 3], [2, 0, 3]] }, attrs: { dim: -2 } },
    { inputs: { xs: [[5]] }, attrs: { dim: 0 } },
  ],
});
