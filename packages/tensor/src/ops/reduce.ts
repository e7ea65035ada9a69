/** Ops that fold dimensions into one value, and running sums. */
import { defineOp, noGradient, type Aval, type Rules, type Sample } from "../define.ts";
import { isFloat, type DType } from "../dtype.ts";
import { ArgumentError } from "../errors.ts";
import { rowMajor, sizeOf, type Shape } from "../layout.ts";
import type { Tensor } from "../tensor.ts";
import { around, axis, forEachLine, reducedDims, walk } from "./axes.ts";
import { concat } from "./movement.ts";
import { checkDim, show } from "./shape-rules.ts";

export interface ReduceAttrs {
  /** What is folded; none given: everything. */
  readonly dim?: number | readonly number[];
  /** Folded dimensions stay with size 1. */
  readonly keepdim?: boolean;
}

/** Shape with `dims` folded to size 1. */
const folded = (shape: Shape, dims: readonly number[]): number[] => shape.map((n, d) => (dims.includes(d) ? 1 : n));

/** Small integers and masks are counted in i32. */
const counting = (dtype: DType): DType => (isFloat(dtype) ? dtype : "i32");

/** Gradient or result of a reduction, back at the rank of its input, so that it broadcasts against it. */
const unfold = (y: Tensor, x: Aval, { dim }: ReduceAttrs): Tensor => y.reshape(folded(x.shape, reducedDims("", x, dim)));

interface ReduceSpec {
  /** Result over no elements; null: an error. */
  empty: number | null;
  join: (a: number, b: number) => number;
  vjp: Rules<"x", "x" | "y", ReduceAttrs, "y">["x"];
  result?: (dtype: DType) => DType;
}

const samples = (emptyToo: boolean): Sample<"x", ReduceAttrs>[] => [
  { inputs: { x: { shape: [3, 5], distinct: true } }, attrs: { dim: 1 } },
  { inputs: { x: { shape: [3, 5], distinct: true } }, attrs: { dim: [0, 1], keepdim: true } },
  { inputs: { x: { shape: [2, 3, 4, 5], distinct: true } }, attrs: { dim: [0, 2, -1], keepdim: false } },
  { inputs: { x: { shape: [2, 1, 33], distinct: true } }, attrs: { dim: [0], keepdim: true } },
  { inputs: { x: [] }, attrs: {} },
  ...(emptyToo ? [{ inputs: { x: [0, 3] }, attrs: { dim: [0], keepdim: false } }] : []),
  { inputs: { x: [3, 0] }, attrs: { dim: [0], keepdim: false } },
];

const reduction = (name: string, { empty, join, vjp, result = (d) => d }: ReduceSpec) =>
  defineOp({
    name,
    inputs: ["x"],
    saves: ["x", "y"],
    infer({ x }, attrs: ReduceAttrs) {
      const dims = reducedDims(name, x, attrs.dim);
      const shape = attrs.keepdim ? folded(x.shape, dims) : x.shape.filter((_, d) => !dims.includes(d));
      if (empty === null && sizeOf(x.shape) === 0 && sizeOf(shape) > 0) {
        throw new ArgumentError(name, `${show(x)} has no elements along [${dims.join(",")}]`, { hint: `${name} of nothing is undefined; sum is 0 and prod is 1` });
      }
      return { shape, dtype: result(x.dtype) };
    },
    reference({ x }, { dim }, y) {
      y.data.fill(empty ?? NaN);
      const shape = folded(x.shape, reducedDims(name, { shape: x.shape, dtype: "f64" }, dim));
      const strides = rowMajor(shape).map((s, d) => (shape[d] === x.shape[d] ? s : 0));
      const seen = new Uint8Array(y.data.length);
      walk({ shape: x.shape, strides, offset: 0 }, (i, at) => {
        y.data[at] = seen[at] ? join(y.data[at]!, x.data[i]!) : x.data[i]!;
        seen[at] = 1;
      });
    },
    vjp: { x: vjp },
    samples: samples(empty !== null),
  });

/** Σ x; integers and masks give i32. */
export const sum = reduction("sum", {
  empty: 0,
  join: (a, b) => a + b,
  vjp: ({ dy, attrs, avals }) => unfold(dy, avals.x, attrs).expand(avals.x.shape),
  result: counting,
});

/** ∏ x. The gradient is right where factors are 0: the product of all others is formed, not y / x. */
export const prod = reduction("prod", {
  empty: 1,
  join: (a, b) => a * b,
  vjp({ dy, x, attrs, avals }) {
    const rank = avals.x.shape.length;
    const dims = reducedDims("prod", avals.x, attrs.dim);
    const order = [...avals.x.shape.keys()].filter((d) => !dims.includes(d)).concat(dims);
    const lined = x.permute(order); // […kept, …folded]
    const shape = lined.shape as readonly number[];
    const kept = rank - dims.length;
    const others = productOfOthers(lined.reshape([...shape.slice(0, kept), sizeOf(shape.slice(kept))]));
    const inverse = order.map((_, d) => order.indexOf(d));
    return others.reshape(shape).permute(inverse).mul(unfold(dy, avals.x, attrs));
  },
  result: counting,
});

/**
 * `y[…, i] = ∏_{j≠i} x[…, j]` in O(r) products: pairs are multiplied, the problem is solved for the r/2 pair products,
 * and each element takes its pair's answer times its partner. Nothing but products, so it differentiates to any order.
 */
function productOfOthers(x: Tensor): Tensor {
  const last = x.rank - 1;
  const r = x.shape[last]!;
  if (r < 2) return x.pow(0); // 1, for NaN and infinities too
  const even = r + (r % 2);
  const padded = r === even ? x : x.pad(x.shape.map((_, d): [number, number] => (d === last ? [0, 1] : [0, 0])), 1);
  const left = padded.slice(last, 0, even, 2);
  const right = padded.slice(last, 1, even, 2);
  const others = productOfOthers(left.mul(right));
  const column = [...left.shape, 1];
  const both = concat({ xs: [others.mul(right).reshape(column), others.mul(left).reshape(column)] }, { dim: last + 1 }); // […, r/2, 2]
  return both.reshape(padded.shape).slice(last, 0, r);
}

/** Equal extremes share the gradient evenly, as torch.amax. */
const toExtremes: ReduceSpec["vjp"] = ({ dy, x, y, attrs, avals }) => {
  const mask = x.eq(unfold(y, avals.x, attrs)).cast(dy.dtype);
  return unfold(dy, avals.x, attrs).mul(mask).div(mask.sum(reducedDims("max", avals.x, attrs.dim), { keepdim: true }));
};
export const max = reduction("max", { empty: null, join: Math.max, vjp: toExtremes });
export const min = reduction("min", { empty: null, join: Math.min, vjp: toExtremes });

interface ArgAttrs {
  /** Not given: position in the flattened tensor. */
  readonly dim?: number;
  readonly keepdim?: boolean;
}

const argReduction = (name: "argmax" | "argmin", better: (a: number, b: number) => boolean) =>
  defineOp({
    name,
    inputs: ["x"],
    saves: [],
    infer({ x }, { dim, keepdim }: ArgAttrs) {
      const dims = reducedDims(name, x, dim);
      if (dims.some((d) => x.shape[d] === 0)) throw new ArgumentError(name, `${show(x)} has no elements to choose from along [${dims.join(",")}]`);
      return { shape: keepdim ? folded(x.shape, dims) : x.shape.filter((_, d) => !dims.includes(d)), dtype: "i32" };
    },
    reference({ x }, { dim }, y) {
      const shape = dim === undefined ? [x.data.length] : x.shape;
      const d = axis(dim ?? 0, shape.length);
      let out = 0;
      forEachLine(shape, d, (first, step) => {
        let best = 0;
        for (let j = 1; j < (shape[d] ?? 1); j++) {
          const value = x.data[first + j * step]!;
          const leader = x.data[first + best * step]!;
          if (better(value, leader) || (Number.isNaN(value) && !Number.isNaN(leader))) best = j;
        }
        y.data[out++] = best;
      });
    },
    vjp: { x: noGradient("positions are integers") },
    samples: [
      { inputs: { x: { shape: [3, 5], distinct: true } }, attrs: { dim: 1 } },
      { inputs: { x: { shape: [4, 3, 2], distinct: true } }, attrs: { dim: -2, keepdim: true } },
      { inputs: { x: { shape: [3, 5], distinct: true } }, attrs: {} },
      { inputs: { x: [] }, attrs: {} },
    ],
  });
/** Position of the largest element; the first of equals, the first NaN before all. */
export const argmax = argReduction("argmax", (a, b) => a > b);
/** Position of the smallest element; the first of equals, the first NaN before all. */
export const argmin = argReduction("argmin", (a, b) => a < b);

/** Running sum along `dim`; `reverse` sums from the end. Integers give i32. */
export const cumsum = defineOp({
  name: "cumsum",
  inputs: ["x"],
  saves: [],
  infer({ x }, { dim }: { dim: number; reverse?: boolean }) {
    checkDim("cumsum", x, dim);
    return { shape: x.shape, dtype: counting(x.dtype) };
  },
  reference({ x }, { dim, reverse = false }, y) {
    const d = axis(dim, x.shape.length);
    const { size } = around(x.shape, d);
    forEachLine(x.shape, d, (first, step) => {
      let total = 0;
      for (let j = 0; j < size; j++) {
        const at = first + (reverse ? size - 1 - j : j) * step;
        y.data[at] = total += x.data[at]!;
      }
    });
  },
  vjp: { x: ({ dy, attrs: { dim, reverse = false } }) => cumulate(dy, dim, !reverse) },
  samples: [
    { inputs: { x: [3, 5] }, attrs: { dim: 1 } },
    { inputs: { x: [4, 3, 2] }, attrs: { dim: -2, reverse: true } },
    { inputs: { x: [] }, attrs: { dim: 0 } },
    { inputs: { x: [0, 3] }, attrs: { dim: 0 } },
  ],
});
const cumulate = (x: Tensor, dim: number, reverse: boolean): Tensor => cumsum({ x }, { dim, reverse });
