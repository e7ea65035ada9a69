/** Movement ops where a view does not do: each is one or more strided copies. */
import { kernel } from "../backend.ts";
import type { Aval } from "../define.ts";
import { byteSize } from "../dtype.ts";
import { channelsLast, contiguous as rowMajorLayout, sliceLayout, type Layout } from "../layout.ts";
import { axis, insidePads, type Pads } from "../ops/axes.ts";
import { empty, type Tensor } from "../tensor.ts";
import { blockOf, copyBlock, copyInto, fill, likeInMemory, partOf } from "./copy.ts";

const always = (): boolean => true;

/** Elements of x in row-major order, under another shape. */
export const reshape = kernel<{ x: Tensor }, object, Aval>(({ x }, _, out) => {
  const y = empty(out, "reshape", rowMajorLayout(out.shape), x.backend);
  const { strides } = rowMajorLayout(x.shape);
  copyBlock(x.backend, byteSize(x.dtype), x.shape, blockOf(x), { pointer: blockOf(y).pointer, strides });
  return y;
}, always);

export const contiguous = kernel<{ x: Tensor }, { channelsLast?: boolean }, Aval>(({ x }, attrs, out) => {
  const y = empty(out, "contiguous", attrs.channelsLast ? channelsLast(out.shape) : rowMajorLayout(out.shape), x.backend);
  copyInto(x, y);
  return y;
}, always);

/** A tensor full of `value` with x copied into a part of it. */
function within(x: Tensor, out: Aval, origin: string, value: number, part: (y: Layout) => Layout): Tensor {
  const y = empty(out, origin, likeInMemory(x, out.shape), x.backend);
  fill(y, value);
  copyBlock(x.backend, byteSize(x.dtype), x.shape, blockOf(x), partOf(y, part(y)));
  return y;
}

export const pad = kernel<{ x: Tensor }, { pads: Pads; value?: number }, Aval>(
  ({ x }, { pads, value = 0 }, out) => within(x, out, "pad", value, (y) => insidePads(y, pads)), always);

export const unslice = kernel<{ x: Tensor }, { dim: number; start: number; step: number; size: number }, Aval>(({ x }, { dim, start, step }, out) => {
  const d = axis(dim, x.rank);
  return within(x, out, "unslice", 0, (y) => sliceLayout(y, d, start, step, x.shape[d]!));
}, always);

export const concat = kernel<{ xs: Tensor[] }, { dim: number }, Aval>(({ xs }, { dim }, out) => {
  const first = xs[0]!;
  const y = empty(out, "concat", likeInMemory(first, out.shape), first.backend);
  const d = axis(dim, first.rank);
  let start = 0;
  for (const x of xs) {
    const n = x.shape[d]!;
    copyBlock(x.backend, byteSize(x.dtype), x.shape, blockOf(x), partOf(y, sliceLayout(y, d, start, 1, n)));
    start += n;
  }
  return y;
}, always);
