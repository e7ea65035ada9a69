/** Rules shared by ops that take positions. */
import type { Aval } from "../define.ts";
import { ArgumentError, DTypeError } from "../errors.ts";
import { rowMajor, type Shape } from "../layout.ts";
import { axis, walk } from "./axes.ts";
import { show } from "./shape-rules.ts";

/** Positions are i32. */
export function checkIndexAval(op: string, index: Aval): void {
  if (index.dtype !== "i32") throw new DTypeError(op, `positions must be i32, got ${show(index)}`, { hint: 'cast("i32"), or tensor(…, { dtype: "i32" })' });
}

/** Every position lies in `0 … size − 1` of dimension `dim` of `shape`. */
export function checkPositions(op: string, index: { readonly data: ArrayLike<number>; readonly shape: Shape }, dim: number, shape: Shape): void {
  const d = axis(dim, shape.length);
  const size = shape[d] ?? 1;
  const { data } = index;
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (value < 0 || value >= size) {
      throw new ArgumentError(op, `index ${value} at [${unravel(i, index.shape).join(",")}] is out of range for dimension ${d} of size ${size}`, {
        hint: value < 0 ? "positions do not count from the end here" : `the largest one is ${size - 1}`,
      });
    }
  }
}

const unravel = (i: number, shape: Shape): number[] => rowMajor(shape).map((step, d) => Math.floor(i / step) % shape[d]!);

/**
 * Calls `f(i, at)` for each element `i` of an index tensor that lies inside `shape` except along `dim`:
 * `at(j)` is the place of position `j` along `dim` in the dense array of `shape`.
 */
export function linesAlong(dim: number, shape: Shape, index: Shape, f: (i: number, at: (j: number) => number) => void): void {
  const strides = rowMajor(shape);
  const step = strides[dim] ?? 0;
  walk({ shape: index, strides: strides.map((s, d) => (d === dim ? 0 : s)), offset: 0 }, (i, base) => f(i, (j) => base + j * step));
}

/** Positions of `values` in rising or falling order. Equal values keep their order; NaN counts as the largest. */
export function order(values: Float64Array, descending: boolean): number[] {
  const rising = (p: number, q: number): number => {
    const a = values[p]!, b = values[q]!;
    if (a < b || (b !== b && a === a)) return -1;
    if (a > b || (a !== a && b === b)) return 1;
    return 0;
  };
  return Array.from(values.keys()).sort(descending ? (p, q) => rising(q, p) : rising);
}

