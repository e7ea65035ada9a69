/** Movement made of other ops: plain functions without records. */
import { promote } from "../dtype.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { isContiguous, showShape, type Shape } from "../layout.ts";
import type { Tensor } from "../tensor.ts";
import type { Pads } from "./axes.ts";
import * as ops from "./movement.ts";
import { checkDim, show } from "./shape-rules.ts";
import { composite } from "./composite.ts";

/** Swaps two dimensions. */
export function transpose(x: Tensor, dim0: number, dim1: number): Tensor {
  const [p, q] = [checkDim("transpose", x, dim0), checkDim("transpose", x, dim1)];
  return ops.permute({ x }, { dims: x.shape.map((_, d) => (d === p ? q : d === q ? p : d)) });
}

/** Transpose of a matrix; vectors and 0-d tensors stay as they are. */
export function t(x: Tensor): Tensor {
  if (x.rank > 2) throw new ShapeError("t", `takes a matrix, got ${show(x)}`, { hint: "use transpose(dim0, dim1) or permute(dims)" });
  return x.rank < 2 ? x : ops.permute({ x }, { dims: [1, 0] });
}

/** A new dimension of size 1 before dimension `dim`; -1 appends it. */
export function unsqueeze(x: Tensor, dim: number): Tensor {
  const at = checkDim("unsqueeze", { shape: [...x.shape, 1], dtype: x.dtype }, dim);
  return ops.reshape({ x }, { shape: [...x.shape.slice(0, at), 1, ...x.shape.slice(at)] });
}

/** Without dimension `dim` if its size is 1; without all such dimensions if none is given. */
export function squeeze(x: Tensor, dim?: number): Tensor {
  const at = dim === undefined ? null : checkDim("squeeze", x, dim);
  const shape = x.shape.filter((n, d) => n !== 1 || (at !== null && d !== at));
  return shape.length === x.rank ? x : ops.reshape({ x }, { shape });
}

/** Dimensions `startDim` to `endDim` as one, in row-major order. */
export function flatten(x: Tensor, startDim = 0, endDim = -1): Tensor {
  if (x.rank === 0) return ops.reshape({ x }, { shape: [1] });
  const [from, to] = [checkDim("flatten", x, startDim), checkDim("flatten", x, endDim)];
  if (from > to) throw new ArgumentError("flatten", `startDim ${startDim} lies behind endDim ${endDim} of ${show(x)}`);
  const middle = x.shape.slice(from, to + 1).reduce((n, d) => n * d, 1);
  return ops.reshape({ x }, { shape: [...x.shape.slice(0, from), middle, ...x.shape.slice(to + 1)] });
}

/** `x[start:end:step]` along `dim`. */
export function slice(x: Tensor, dim: number, start?: number, end?: number, step?: number): Tensor {
  return ops.slice({ x }, { dim, ...(start !== undefined && { start }), ...(end !== undefined && { end }), ...(step !== undefined && { step }) });
}

/** Element `index` along the first dimension, counted from the end if negative. */
export function at(x: Tensor, index: number): Tensor {
  const n = x.shape[0];
  if (n === undefined) throw new ShapeError("at", `${show(x)} has no dimension to index`, { hint: "x.item() reads its value" });
  const i = index < 0 ? index + n : index;
  if (!Number.isInteger(index) || i < 0 || i >= n) throw new ArgumentError("at", `index ${index} is out of range for dimension 0 of size ${n}`, n === 0 ? {} : { hint: `use ${-n} … ${n - 1}` });
  return ops.reshape({ x: ops.slice({ x }, { dim: 0, start: i, end: i + 1 }) }, { shape: x.shape.slice(1) });
}

/** Pieces along `dim`: of the given sizes, or of one size with a smaller last piece. Views of x. */
export function split(x: Tensor, sizes: number | readonly number[], dim = 0): Tensor[] {
  const d = checkDim("split", x, dim);
  const n = x.shape[d] ?? 1;
  if (typeof sizes === "number" && !(Number.isInteger(sizes) && sizes > 0)) throw new ArgumentError("split", `size ${sizes} must be a whole number of at least 1`);
  const list = typeof sizes === "number" ? Array.from({ length: Math.max(1, Math.ceil(n / sizes)) }, (_, i) => Math.min(sizes, n - i * sizes)) : sizes;
  const total = list.reduce((a, b) => a + b, 0);
  if (total !== n) throw new ShapeError("split", `sizes [${list.join(",")}] add up to ${total}, dimension ${d} of ${show(x)} is ${n}`);
  let end = 0;
  return list.map((size) => ops.slice({ x }, { dim: d, start: end, end: (end += size) }));
}

/** Tensors one after another along `dim`, in the widest of their types. */
export const concat = composite("concat", (tensors: readonly Tensor[], dim: number = 0): Tensor => {
  const xs = toOneType(tensors);
  return ops.concat({ xs }, { dim });
});

/** Tensors of one shape along a new dimension. */
export const stack = composite("stack", (tensors: readonly Tensor[], dim: number = 0): Tensor => {
  const first = tensors[0];
  if (!first) throw new ArgumentError("stack", "needs at least one tensor");
  tensors.forEach((x, i) => {
    if (showShape(x.shape) !== showShape(first.shape)) throw new ShapeError("stack", `shapes differ: first ${show(first)}, number ${i} ${show(x)}`, { hint: "concat joins along an existing dimension" });
  });
  const at = checkDim("stack", { shape: [...first.shape, 1], dtype: first.dtype }, dim);
  return ops.concat({ xs: toOneType(tensors).map((x) => unsqueeze(x, at)) }, { dim: at });
});

function toOneType(tensors: readonly Tensor[]): Tensor[] {
  if (tensors.length === 0) return [];
  const dtype = tensors.map((x) => x.dtype).reduce(promote);
  return tensors.map((x) => x.cast(dtype));
}

/** `value` around x: [before, after] for each dimension, or for the last ones. */
export function pad(x: Tensor, pads: Pads, value = 0): Tensor {
  const none: Pads = Array.from({ length: Math.max(0, x.rank - pads.length) }, () => [0, 0] as const);
  return ops.pad({ x }, { pads: [...none, ...pads], value });
}

/** Row-major memory; x itself if it is so already. */
export const contiguous = (x: Tensor): Tensor => (isContiguous(x) ? x : ops.contiguous({ x }, {}));

/** Sums what broadcasting repeated, back to `shape`; x itself if it has that shape. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const lead = x.rank - shape.length;
  const dims = x.shape.flatMap((n, d) => (d < lead || (shape[d - lead] === 1 && n !== 1) ? [d] : []));
  if (dims.length === 0) return x;
  const y = x.sum(dims, { keepdim: true });
  return lead === 0 ? y : ops.reshape({ x: y }, { shape });
}
