/** Indexing on the `gatherRows`, `scatterAddRows`, `gather` and `gatherGrad` kernels. Positions are checked before any kernel reads them. */
import { kernel } from "../backend.ts";
import type { Aval } from "../define.ts";
import { byteSize } from "../dtype.ts";
import { contiguous, type Shape } from "../layout.ts";
import { around, axis } from "../ops/axes.ts";
import { checkPositions } from "../ops/index-rules.ts";
import { empty, pointerOf, viewOf, type Tensor } from "../tensor.ts";
import { fill, withRowMajor } from "./copy.ts";
import { run } from "./launch.ts";

/** Calls `f` with the address of dense positions, all of them known to lie in dimension `dim` of `shape`. */
function withPositions<T>(op: string, index: Tensor, dim: number, shape: Shape, f: (pointer: number) => T): T {
  return withRowMajor(index, (pointer) => {
    checkPositions(op, { data: index.backend.engine.i32(pointer, index.size), shape: index.shape }, dim, shape);
    return f(pointer);
  });
}

export const indexSelect = kernel<{ x: Tensor; index: Tensor }, { dim: number }, Aval>(
  ({ x, index }, { dim }, out) => {
    const d = axis(dim, x.rank);
    const { outer, size, inner } = around(x.shape, d);
    return withPositions("indexSelect", index, d, x.shape, (positions) => {
      const y = empty(out, "indexSelect", contiguous(out.shape), x.backend);
      if (y.size > 0) {
        withRowMajor(x, (pointer) =>
          run(x.backend, "gatherRows", { outer, size, rows: index.size, inner, x: pointer, index: positions, y: pointerOf(y), elemSize: byteSize(x.dtype) }));
      }
      return y;
    });
  },
  () => true,
);

export const indexSelectGrad = kernel<{ dy: Tensor; index: Tensor }, { dim: number; size: number; skip?: number }, Aval>(
  ({ dy, index }, { dim, size, skip = -1 }, out) => {
    const { outer, inner } = around(out.shape, dim);
    return withPositions("indexSelectGrad", index, dim, out.shape, (positions) => {
      const dx = empty(out, "indexSelectGrad", contiguous(out.shape), dy.backend);
      if (dy.size === 0) fill(dx, 0);
      else {
        withRowMajor(dy, (pointer) =>
          run(dy.backend, "scatterAddRows", { outer, size, rows: index.size, inner, dy: pointer, index: positions, dx: pointerOf(dx), skip }));
      }
      return dx;
    });
  },
  ([dy]) => dy!.dtype === "f32",
);

/** The kernels want x and index of one shape but for `dim`. */
const alike = (shape: Shape, index: Shape, dim: number): boolean => index.every((n, d) => d === axis(dim, shape.length) || n === shape[d]);

export const gather = kernel<{ x: Tensor; index: Tensor }, { dim: number }, Aval>(
  ({ x, index }, { dim }, out) => {
    const d = axis(dim, x.rank);
    const { outer, size, inner } = around(x.shape, d);
    const rows = index.shape[d] ?? 1;
    return withPositions("gather", index, d, x.shape, (positions) => {
      const y = empty(out, "gather", contiguous(out.shape), x.backend);
      if (y.size > 0) withRowMajor(x, (pointer) => run(x.backend, "gather", { outer, size, rows, inner, x: pointer, index: positions, y: pointerOf(y) }));
      return y;
    });
  },
  // The kernel only moves 4-byte elements, so it serves i32 as well.
  ([x, index], _, { dim }) => byteSize(x!.dtype) === 4 && alike(x!.shape, index!.shape, dim),
);

export const gatherGrad = kernel<{ dy: Tensor; index: Tensor }, { dim: number; shape: Shape }, Aval>(
  ({ dy, index }, { dim }, out) => {
    const d = axis(dim, dy.rank);
    const { outer, size, inner } = around(out.shape, d);
    const rows = index.shape[d] ?? 1;
    return withPositions("gatherGrad", index, d, out.shape, (positions) => {
      const dx = empty(out, "gatherGrad", contiguous(out.shape), dy.backend);
      if (dy.size === 0) fill(dx, 0);
      else withRowMajor(dy, (pointer) => run(dy.backend, "gatherGrad", { outer, size, rows, inner, dy: pointer, index: positions, dx: pointerOf(dx) }));
      return dx;
    });
  },
  ([dy, index], _, { dim, shape }) => dy!.dtype === "f32" && alike(shape, index!.shape, dim),
);

/** Zeros, then one write per row. */
export const oneHot = kernel<{ x: Tensor }, { numClasses: number }, Aval>(
  ({ x }, { numClasses }, out) =>
    withPositions("oneHot", x, -1, out.shape, (positions) => {
      const y = empty(out, "oneHot", contiguous(out.shape), x.backend);
      fill(y, 0);
      const classes = x.backend.engine.i32(positions, x.size);
      const ones = viewOf(y.storage, out.dtype, 0, y.size);
      for (let i = 0; i < classes.length; i++) ones[i * numClasses + classes[i]!] = 1;
      return y;
    }),
  () => true,
);
