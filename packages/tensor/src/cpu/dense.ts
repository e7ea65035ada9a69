/** Inputs in the memory layout a kernel asks for. */
import { denseStrides, sizeOf, type Layout, type Shape } from "../layout.ts";
import { copyInto, empty, type Tensor } from "../tensor.ts";

/** Channels (dimension 1) innermost, the others in order. */
export const channelsInnermost = (shape: Shape): Layout => ({ shape, strides: denseStrides(shape, [...shape.keys()].filter((d) => d !== 1).concat(1)), offset: 0 });

/** True if `x` lies in memory as `layout` says (size-1 dimensions may have any stride). */
export const liesAs = (x: Layout, { strides }: Layout): boolean => sizeOf(x.shape) === 0 || x.shape.every((n, d) => n === 1 || x.strides[d] === strides[d]);

/** Runs `f` with `as(x, layout)`: x itself if it lies so, else a copy that ends with the call. */
export function withLayouts<T>(f: (as: (x: Tensor, layout: Layout) => Tensor) => T): T {
  const copies: Tensor[] = [];
  try {
    return f((x, layout) => {
      if (liesAs(x, layout)) return x;
      const copy = empty(x, x.origin, layout, x.backend, null);
      copies.push(copy);
      copyInto(x, copy);
      return copy;
    });
  } finally {
    for (const copy of copies) copy.dispose();
  }
}
