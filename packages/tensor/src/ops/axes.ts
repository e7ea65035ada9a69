/** Dimensions as loops: what references of movement, reduction and indexing ops share. */
import type { Aval } from "../define.ts";
import { sizeOf, sliceLayout, type Layout, type Shape } from "../layout.ts";
import { checkDim } from "./shape-rules.ts";

/** `dim` counted from the front; `infer` has already refused what is out of range. */
export const axis = (dim: number, rank: number): number => (dim < 0 ? dim + rank : dim);

/** Distinct dimensions of `x`, counted from the front, in rising order. None given: all of them. */
export function reducedDims(op: string, x: Aval, dim?: number | readonly number[]): number[] {
  const list = dim === undefined ? [] : typeof dim === "number" ? [dim] : dim;
  if (list.length === 0) return x.shape.map((_, d) => d);
  return [...new Set(list.map((d) => checkDim(op, x, d)))].sort((p, q) => p - q);
}

/** A shape as three nested loops around dimension `dim`: `x[outer, size, inner]`. */
export function around(shape: Shape, dim: number): { outer: number; size: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, dim)), size: shape[dim] ?? 1, inner: sizeOf(shape.slice(dim + 1)) };
}

/** Calls `f(first, step)` for each line of elements along `dim` of a dense row-major array: the line is `first + j·step`. */
export function forEachLine(shape: Shape, dim: number, f: (first: number, step: number) => void): void {
  const { outer, size, inner } = around(shape, dim);
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) f(o * size * inner + i, inner);
}

/** Calls `f(i, at)` for each element in row-major order: `at` is where element `i` lies under the layout. */
export function walk({ shape, strides, offset }: Layout, f: (i: number, at: number) => void): void {
  const n = sizeOf(shape);
  const index = new Array<number>(shape.length).fill(0);
  let at = offset;
  for (let i = 0; i < n; i++) {
    f(i, at);
    for (let d = shape.length - 1; d >= 0; d--) {
      at += strides[d]!;
      if (++index[d]! < shape[d]!) break;
      at -= strides[d]! * shape[d]!;
      index[d] = 0;
    }
  }
}

/** Elements added before and after, for every dimension. */
export type Pads = readonly (readonly [before: number, after: number])[];

/** The part of a padded layout where the unpadded values lie. */
export function insidePads(padded: Layout, pads: Pads): Layout {
  return pads.reduce((l, [before, after], d) => sliceLayout(l, d, before, 1, l.shape[d]! - before - after), padded);
}
