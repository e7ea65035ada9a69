/** Shape rules shared by families of ops. */
import type { Aval, RefArray } from "../define.ts";
import { promote, type DType } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { broadcastShapes, showShape, sizeOf, wrapDim, type Shape } from "../layout.ts";

/** `f32[2,3]` for messages. */
export const show = ({ shape, dtype }: Aval): string => `${dtype}${showShape(shape)}`;

/** Result of an element-wise op on two inputs. */
export function broadcast(op: string, a: Aval, b: Aval, dtype: DType = promote(a.dtype, b.dtype)): Aval {
  const shape = broadcastShapes(a.shape, b.shape);
  if (!shape) {
    throw new ShapeError(op, `${show(a)} and ${show(b)} do not broadcast`, {
      hint: `trailing dimensions must be equal or 1${a.shape.length !== b.shape.length ? "; add one with unsqueeze(dim)" : ""}`,
    });
  }
  return { shape, dtype };
}

/** Dimension `dim` of `x`, counted from the end if negative. */
export function checkDim(op: string, x: Aval, dim: number): number {
  const d = wrapDim(dim, x.shape.length);
  if (d === null) {
    const rank = x.shape.length;
    throw new ShapeError(op, `dimension ${dim} of ${show(x)} does not exist`, { hint: rank === 0 ? "a 0-d tensor has none" : `use ${-rank} … ${rank - 1}` });
  }
  return d;
}

/** Calls `f(i, ia, ib, …)` for each element of `shape` in row-major order, with the positions of the broadcast operands. */
export function forEachBroadcast(shape: Shape, operands: readonly RefArray[], f: (i: number, ...at: number[]) => void): void {
  const lists = operands.map(({ shape: s }) => {
    const strides = new Array<number>(shape.length).fill(0);
    let step = 1;
    for (let k = 1; k <= s.length; k++) {
      const n = s[s.length - k]!;
      if (n !== 1) strides[shape.length - k] = step;
      step *= n;
    }
    return strides;
  });
  const n = sizeOf(shape);
  const index = new Array<number>(shape.length).fill(0);
  const at = operands.map(() => 0);
  for (let i = 0; i < n; i++) {
    f(i, ...at);
    for (let d = shape.length - 1; d >= 0; d--) {
      index[d]!++;
      lists.forEach((s, k) => (at[k]! += s[d]!));
      if (index[d]! < shape[d]!) break;
      lists.forEach((s, k) => (at[k]! -= s[d]! * shape[d]!));
      index[d] = 0;
    }
  }
}
