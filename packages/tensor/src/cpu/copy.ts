/** Moving and filling memory: what views, layouts and reading rest on. */
import type { Pointer } from "@nn/kernels";
import type { Backend } from "../backend.ts";
import { byteSize, store } from "../dtype.ts";
import { collapse, denseStrides, isDense, memoryOrder, rowMajor, sizeOf, type Layout, type Shape } from "../layout.ts";
import { pointerOf, provideCopy, viewOf, type Tensor } from "../tensor.ts";
import { run, typeCode, withScratch } from "./launch.ts";

/** The `copy` kernel takes this many dimensions. */
const mostDims = 8;

/** A strided block of memory: the address of its first element and its strides. */
export interface Block {
  readonly pointer: Pointer;
  readonly strides: readonly number[];
}

/** Copies `shape` elements of `elemSize` bytes; strides are in elements and may be 0 or negative in `from`. */
export function copyBlock(backend: Backend, elemSize: number, shape: Shape, from: Block, to: Block): void {
  if (sizeOf(shape) === 0) return;
  // Outermost first in the destination, so that what lies together there is joined.
  const order = memoryOrder({ shape, strides: to.strides, offset: 0 });
  const flat = collapse(order.map((d) => shape[d]!), [order.map((d) => from.strides[d]!), order.map((d) => to.strides[d]!)]);
  copyCollapsed(backend, elemSize, flat.shape, { pointer: from.pointer, strides: flat.strides[0]! }, { pointer: to.pointer, strides: flat.strides[1]! });
}

function copyCollapsed(backend: Backend, elemSize: number, shape: readonly number[], from: Block, to: Block): void {
  if (shape.length > mostDims) {
    for (let i = 0; i < shape[0]!; i++) {
      const inner = ({ pointer, strides }: Block): Block => ({ pointer: pointer + i * strides[0]! * elemSize, strides: strides.slice(1) });
      copyCollapsed(backend, elemSize, shape.slice(1), inner(from), inner(to));
    }
    return;
  }
  run(backend, "copy", { elemSize, nd: shape.length, shape: [...shape], src: from.pointer, srcStride: [...from.strides], dst: to.pointer, dstStride: [...to.strides] });
}

/** Copies elements in logical order between tensors of one shape and dtype. */
export function copyInto(from: Tensor, to: Tensor): void {
  copyBlock(to.backend, byteSize(to.dtype), to.shape, blockOf(from), blockOf(to));
}

export const blockOf = (t: Tensor): Block => ({ pointer: pointerOf(t), strides: t.strides });

/** The part of a dense tensor's memory that `view` lays out, `view` being made from the tensor's own layout. */
export const partOf = (t: Tensor, view: Layout): Block => ({ pointer: t.storage.pointer + view.offset * byteSize(t.dtype), strides: view.strides });

/** Sets every element of a freshly made dense tensor. */
export function fill(t: Tensor, value: number): void {
  if (t.size === 0) return;
  if (t.dtype === "f64") viewOf(t.storage, "f64", t.offset, t.size).fill(value);
  else run(t.backend, "fill", { dst: pointerOf(t), n: t.size, kind: typeCode(t.dtype), value: store(value, t.dtype) });
}

/**
 * Calls `f` with the address of x's elements lying densely in `order` (dimensions, outermost first): x itself where it lies so,
 * else a copy that is given back afterwards.
 */
export function withDense<T>(x: Tensor, order: readonly number[], f: (pointer: Pointer) => T): T {
  const strides = denseStrides(x.shape, order);
  if (x.shape.every((n, d) => n === 1 || x.strides[d] === strides[d])) return f(pointerOf(x));
  return withScratch(x.backend, x.size * byteSize(x.dtype), (pointer) => {
    copyBlock(x.backend, byteSize(x.dtype), x.shape, blockOf(x), { pointer, strides });
    return f(pointer);
  });
}

/** As `withDense`, in row-major order. */
export const withRowMajor = <T>(x: Tensor, f: (pointer: Pointer) => T): T => withDense(x, [...x.shape.keys()], f);

/** Where a result like x in memory should lie: x's order of dimensions if x is one dense block, else row-major. */
export function likeInMemory(x: Layout, shape: Shape): Layout {
  const strides = isDense(x) && x.shape.length === shape.length ? denseStrides(shape, memoryOrder(x)) : rowMajor(shape);
  return { shape, strides, offset: 0 };
}

provideCopy(copyInto);
