/** Ops that read or write at positions given by integer tensors, and orderings. */
import { defineOp, noGradient, type Sample } from "../define.ts";
import type { DType } from "../dtype.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { showShape, sizeOf, type Shape } from "../layout.ts";
import { around, axis, forEachLine } from "./axes.ts";
import { checkIndexAval, checkPositions, linesAlong, order } from "./index-rules.ts";
import { isRecording } from "../recorder.ts";
import { sumRows } from "../row-gradient.ts";
import { checkDim, show } from "./shape-rules.ts";

const positions = noGradient("positions are integers");
const indexInput = (shape: Shape, size: number) => ({ shape, dtype: "i32" as const, low: 0, high: size - 1 });

/** `y[…, i, …] = x[…, index[…, i, …], …]` along `dim`, as torch.gather: y has the shape of index. */
export const gather = defineOp({
  name: "gather",
  inputs: ["x", "index"],
  saves: ["index"],
  infer({ x, index }, { dim }: { dim: number }) {
    checkIndexAval("gather", index);
    const d = checkDim("gather", x, dim);
    if (index.shape.length !== x.shape.length || index.shape.some((n, at) => at !== d && n > x.shape[at]!)) {
      throw new ShapeError("gather", `index ${show(index)} does not lie inside ${show(x)}`, { hint: `it needs ${x.shape.length} dimensions, none but dimension ${d} larger than x's; indexSelect takes whole slices` });
    }
    return { shape: index.shape, dtype: x.dtype };
  },
  reference({ x, index }, { dim }, y) {
    checkPositions("gather", index, dim, x.shape);
    linesAlong(axis(dim, x.shape.length), x.shape, index.shape, (i, at) => (y.data[i] = x.data[at(index.data[i]!)]!));
  },
  vjp: {
    x: ({ dy, index, attrs, avals }) => gatherGrad({ dy, index }, { dim: attrs.dim, shape: avals.x.shape }),
    index: positions,
  },
  samples: [
    { inputs: { x: [3, 5], index: indexInput([3, 2], 5) }, attrs: { dim: 1 } },
    { inputs: { x: [4, 3, 2], index: indexInput([7, 3, 2], 4) }, attrs: { dim: 0 } },
    { inputs: { x: [2, 3, 4], index: indexInput([1, 5, 3], 3) }, attrs: { dim: -2 } },
    { inputs: { x: [3], index: indexInput([0], 3) }, attrs: { dim: 0 } },
    { inputs: { x: [], index: indexInput([], 1) }, attrs: { dim: 0 } },
  ],
});

/** The transpose of `gather`: zeros of `shape`, plus dy at the positions it was read from; repeated positions add up. */
export const gatherGrad = defineOp({
  name: "gatherGrad",
  inputs: ["dy", "index"],
  saves: ["index"],
  infer({ dy, index }, { dim, shape }: { dim: number; shape: Shape }) {
    checkIndexAval("gatherGrad", index);
    const x = { shape, dtype: dy.dtype };
    const d = checkDim("gatherGrad", x, dim);
    if (showShape(dy.shape) !== showShape(index.shape)) throw new ShapeError("gatherGrad", `values ${show(dy)} and index ${show(index)} differ in shape`);
    if (index.shape.length !== shape.length || index.shape.some((n, at) => at !== d && n > shape[at]!)) {
      throw new ShapeError("gatherGrad", `index ${show(index)} does not lie inside ${showShape(shape)}`, { hint: `it needs ${shape.length} dimensions, none but dimension ${d} larger` });
    }
    return x;
  },
  reference({ dy, index }, { dim, shape }, y) {
    checkPositions("gatherGrad", index, dim, shape);
    linesAlong(axis(dim, shape.length), shape, index.shape, (i, at) => (y.data[at(index.data[i]!)]! += dy.data[i]!));
  },
  vjp: { dy: ({ dy, index, attrs }) => dy.gather(attrs.dim, index), index: positions },
  samples: [
    { inputs: { dy: [3, 2], index: indexInput([3, 2], 5) }, attrs: { dim: 1, shape: [3, 5] } },
    { inputs: { dy: [7, 3, 2], index: indexInput([7, 3, 2], 4) }, attrs: { dim: 0, shape: [4, 3, 2] } },
    { inputs: { dy: [1, 5, 3], index: indexInput([1, 5, 3], 3) }, attrs: { dim: -2, shape: [2, 3, 4] } },
    { inputs: { dy: [0], index: indexInput([0], 3) }, attrs: { dim: 0, shape: [3] } },
  ],
});

/**
 * Whole slices of x at `index` along `dim`: that dimension becomes the dimensions of index (embedding lookup with dim 0).
 * The slice at `skip` gets no gradient (the padding row of an embedding). With `sparse` and dim 0 the gradient is a `RowGradient`,
 * unless it is itself recorded.
 */
export const indexSelect = defineOp({
  name: "indexSelect",
  inputs: ["x", "index"],
  saves: ["index"],
  infer({ x, index }, { dim }: { dim: number; skip?: number; sparse?: boolean }) {
    checkIndexAval("indexSelect", index);
    if (x.shape.length === 0) throw new ShapeError("indexSelect", `${show(x)} has no dimension to select from`);
    const d = checkDim("indexSelect", x, dim);
    return { shape: [...x.shape.slice(0, d), ...index.shape, ...x.shape.slice(d + 1)], dtype: x.dtype };
  },
  reference({ x, index }, { dim }, y) {
    checkPositions("indexSelect", index, dim, x.shape);
    const { outer, size, inner } = around(x.shape, axis(dim, x.shape.length));
    let at = 0;
    for (let o = 0; o < outer; o++) for (const row of index.data) for (let i = 0; i < inner; i++) y.data[at++] = x.data[(o * size + row) * inner + i]!;
  },
  vjp: {
    x({ dy, index, attrs, avals }) {
      const dim = axis(attrs.dim, avals.x.shape.length);
      if (attrs.sparse && !isRecording()) return sumRows(dy.reshape([-1, ...avals.x.shape.slice(1)]), index.dataSync() as Int32Array, avals.x.shape[0]!, attrs.skip);
      return indexSelectGrad({ dy, index }, { dim, size: avals.x.shape[dim]!, ...(attrs.skip === undefined ? {} : { skip: attrs.skip }) });
    },
    index: positions,
  },
  samples: [
    { inputs: { x: [5, 3], index: indexInput([7], 5) }, attrs: { dim: 0 } },
    { inputs: { x: [2, 4, 3], index: indexInput([2, 3], 4) }, attrs: { dim: 1 } },
    { inputs: { x: [2, 4], index: indexInput([], 4) }, attrs: { dim: -1 } },
    { inputs: { x: [4, 2], index: indexInput([0], 4) }, attrs: { dim: 0 } },
    // A skipped slice that is met has no derivative to compare with: goldens of embedding show it.
    { inputs: { x: [3, 17], index: indexInput([4, 2], 2) }, attrs: { dim: 0, skip: 2 } },
  ],
});

/** The transpose of `indexSelect`: zeros with `size` slices along `dim`, slices of dy added at `index`, but for `skip`. */
export const indexSelectGrad = defineOp({
  name: "indexSelectGrad",
  inputs: ["dy", "index"],
  saves: ["index"],
  infer({ dy, index }, { dim, size }: { dim: number; size: number; skip?: number }) {
    checkIndexAval("indexSelectGrad", index);
    const rank = dy.shape.length - index.shape.length;
    if (rank < 0 || dim < 0 || showShape(dy.shape.slice(dim, dim + index.shape.length)) !== showShape(index.shape)) {
      throw new ShapeError("indexSelectGrad", `values ${show(dy)} have no slice per element of index ${show(index)} at dimension ${dim}`);
    }
    return { shape: [...dy.shape.slice(0, dim), size, ...dy.shape.slice(dim + index.shape.length)], dtype: dy.dtype };
  },
  reference({ dy, index }, { dim, skip }, y) {
    checkPositions("indexSelectGrad", index, dim, y.shape);
    const { outer, size, inner } = around(y.shape, dim);
    let at = 0;
    for (let o = 0; o < outer; o++) for (const row of index.data) for (let i = 0; i < inner; i++, at++) if (row !== skip) y.data[(o * size + row) * inner + i]! += dy.data[at]!;
  },
  vjp: {
    dy({ dy, index, attrs: { dim, skip } }) {
      const slices = dy.indexSelect(dim, index);
      if (skip === undefined) return slices;
      const kept = index.ne(skip).cast(dy.dtype);
      return slices.mul(kept.reshape([...index.shape, ...dy.shape.slice(dim + 1).map(() => 1)]));
    },
    index: positions,
  },
  samples: [
    { inputs: { dy: [7, 3], index: indexInput([7], 5) }, attrs: { dim: 0, size: 5 } },
    { inputs: { dy: [2, 2, 3, 3], index: indexInput([2, 3], 4) }, attrs: { dim: 1, size: 4 } },
    { inputs: { dy: [2], index: indexInput([], 4) }, attrs: { dim: 1, size: 4 } },
    { inputs: { dy: [0, 2], index: indexInput([0], 4) }, attrs: { dim: 0, size: 4 } },
    { inputs: { dy: [2, 5, 3], index: indexInput([5], 4) }, attrs: { dim: 1, size: 4, skip: 2 } },
    { inputs: { dy: [9], index: indexInput([9], 3) }, attrs: { dim: 0, size: 3, skip: 0 } },
  ],
});

interface OneHotAttrs {
  numClasses: number;
  dtype?: DType;
}

/** 1 at each class of x, 0 elsewhere, along a new last dimension; i32 unless `dtype` says otherwise. */
export const oneHot = defineOp({
  name: "oneHot",
  inputs: ["x"],
  saves: [],
  infer({ x }, { numClasses, dtype = "i32" }: OneHotAttrs) {
    checkIndexAval("oneHot", x);
    if (!Number.isInteger(numClasses) || numClasses < 1) throw new ArgumentError("oneHot", `numClasses must be a whole number of at least 1, got ${numClasses}`);
    return { shape: [...x.shape, numClasses], dtype };
  },
  reference({ x }, { numClasses }, y) {
    checkPositions("oneHot", x, -1, y.shape);
    x.data.forEach((c, i) => (y.data[i * numClasses + c] = 1));
  },
  vjp: { x: positions },
  samples: [[5], [2, 3], [], [0]].map((shape) => ({ inputs: { x: indexInput(shape, 4) }, attrs: { numClasses: 4 } as OneHotAttrs })),
});

const sortedSamples: Sample<"x", { dim: number; descending: boolean }>[] = [
  { inputs: { x: { shape: [3, 5], distinct: true } }, attrs: { dim: 1, descending: false } },
  { inputs: { x: { shape: [4, 3, 2], distinct: true } }, attrs: { dim: -3, descending: true } },
  { inputs: { x: { shape: [0, 3], distinct: true } }, attrs: { dim: 0, descending: false } },
  { inputs: { x: [] }, attrs: { dim: 0, descending: false } },
];

/** All elements along `dim` in order, and where they were. Stable; NaN counts as the largest, as in PyTorch. */
export const sort = defineOp({
  name: "sort",
  inputs: ["x"],
  outputs: ["values", "indices"],
  saves: ["indices"],
  infer({ x }, { dim }: { dim: number; descending: boolean }) {
    checkDim("sort", x, dim);
    return { values: x, indices: { shape: x.shape, dtype: "i32" } };
  },
  reference({ x }, { dim, descending }, { values, indices }) {
    ordered(x, axis(dim, x.shape.length), descending, values, indices);
  },
  vjp: { x: ({ dy, indices, attrs, avals }) => gatherGrad({ dy, index: indices }, { dim: attrs.dim, shape: avals.x.shape }) },
  samples: sortedSamples,
});

/** The k largest (or smallest) elements along `dim`, best first, and where they were. Equal values keep their order. */
export const topk = defineOp({
  name: "topk",
  inputs: ["x"],
  outputs: ["values", "indices"],
  saves: ["indices"],
  infer({ x }, { k, dim }: { k: number; dim: number; largest: boolean }) {
    const d = checkDim("topk", x, dim);
    const n = x.shape[d] ?? 1;
    if (!Number.isInteger(k) || k < 0 || k > n) throw new ArgumentError("topk", `k = ${k} of the ${n} elements along dimension ${d} of ${show(x)}`, { hint: `use 0 … ${n}` });
    const shape = x.shape.map((size, at) => (at === d ? k : size));
    return { values: { shape, dtype: x.dtype }, indices: { shape, dtype: "i32" } };
  },
  reference({ x }, { dim, largest }, { values, indices }) {
    ordered(x, axis(dim, x.shape.length), largest, values, indices);
  },
  vjp: { x: ({ dy, indices, attrs, avals }) => gatherGrad({ dy, index: indices }, { dim: attrs.dim, shape: avals.x.shape }) },
  samples: [
    { inputs: { x: { shape: [3, 7], distinct: true } }, attrs: { k: 3, dim: -1, largest: true } },
    { inputs: { x: { shape: [5, 2], distinct: true } }, attrs: { k: 2, dim: 0, largest: false } },
    { inputs: { x: { shape: [4], distinct: true } }, attrs: { k: 0, dim: 0, largest: true } },
  ],
});

/** Fills `values` and `indices` with the first elements of each line of x in order; they may be shorter than x along `dim`. */
function ordered(x: { data: Float64Array; shape: Shape }, dim: number, descending: boolean, values: { data: Float64Array; shape: Shape }, indices: { data: Float64Array }): void {
  if (sizeOf(values.shape) === 0) return;
  const starts: [number, number][] = [];
  forEachLine(values.shape, dim, (first, step) => starts.push([first, step]));
  let line = 0;
  const size = x.shape[dim] ?? 1;
  const taken = values.shape[dim] ?? 1;
  forEachLine(x.shape, dim, (first, step) => {
    const [out, outStep] = starts[line++]!;
    const sorted = order(Float64Array.from({ length: size }, (_, j) => x.data[first + j * step]!), descending);
    for (let j = 0; j < taken; j++) {
      values.data[out + j * outStep] = x.data[first + sorted[j]! * step]!;
      indices.data[out + j * outStep] = sorted[j]!;
    }
  });
}
