/** Views are arithmetic: shape, strides and offset, in elements. Nothing here touches memory. */

export type Shape = readonly number[];

export interface Layout {
  readonly shape: Shape;
  /** Distance of neighbours along each dimension, in elements; 0 repeats, negative runs backwards. */
  readonly strides: readonly number[];
  readonly offset: number;
}

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  let n = 1;
  for (let d = 0; d < shape.length; d++) n *= shape[d]!;
  return n;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let d = 0; d < a.length; d++) if (a[d] !== b[d]) return false;
  return true;
}

/** `[2, 3]` as `2×3`-style text for messages. */
export const showShape = (shape: Shape): string => `[${shape.join(",")}]`;

/** Row-major strides. */
export function rowMajor(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= shape[d]!;
  }
  return strides;
}

export const contiguous = (shape: Shape): Layout => ({ shape, strides: rowMajor(shape), offset: 0 });

/** True if logical row-major order is memory order (dimensions of size 1 may have any stride). */
export function isContiguous({ shape, strides }: Layout): boolean {
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (shape[d] !== 1 && strides[d] !== step) return sizeOf(shape) === 0;
    step *= shape[d]!;
  }
  return true;
}

/** Dimensions from outermost to innermost in memory: by falling stride, ties in logical order. */
export function memoryOrder({ shape, strides }: Layout): number[] {
  const order = shape.map((_, d) => d);
  return order.sort((p, q) => Math.abs(strides[q]!) - Math.abs(strides[p]!) || p - q);
}

/** Strides of a dense block whose dimensions lie in `order`, outermost first. */
export function denseStrides(shape: Shape, order: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = order.length - 1; i >= 0; i--) {
    const d = order[i]!;
    strides[d] = step;
    step *= shape[d]!;
  }
  return strides;
}

/** True if the elements fill one block without holes or repeats, in whatever order. */
export function isDense(layout: Layout): boolean {
  const dense = denseStrides(layout.shape, memoryOrder(layout));
  return layout.shape.every((n, d) => n === 1 || layout.strides[d] === dense[d]);
}

/** `[N,C,H,W]` in channels-last memory: N, H, W, C from outermost to innermost. */
export const channelsLast = (shape: Shape): Layout => ({ shape, strides: denseStrides(shape, [0, 2, 3, 1]), offset: 0 });

/** True if memory holds N, H, W, C densely in this order. */
export function isChannelsLast({ shape, strides }: Layout): boolean {
  if (shape.length !== 4) return false;
  const dense = denseStrides(shape, [0, 2, 3, 1]);
  return shape.every((n, d) => n === 1 || strides[d] === dense[d]);
}

export function permuteLayout({ shape, strides, offset }: Layout, dims: readonly number[]): Layout {
  return { shape: dims.map((d) => shape[d]!), strides: dims.map((d) => strides[d]!), offset };
}

/** Repeats size-1 dimensions (and new leading ones) with stride 0. `shape` must be a broadcast of the layout's. */
export function expandLayout(layout: Layout, shape: Shape): Layout {
  const lead = shape.length - layout.shape.length;
  const strides = shape.map((n, d) => {
    if (d < lead) return 0;
    return layout.shape[d - lead] === n ? layout.strides[d - lead]! : 0;
  });
  return { shape, strides, offset: layout.offset };
}

/** `step` may be negative: then `start > end` and elements run backwards. `length` is the number of elements taken. */
export function sliceLayout({ shape, strides, offset }: Layout, dim: number, start: number, step: number, length: number): Layout {
  return {
    shape: shape.map((n, d) => (d === dim ? length : n)),
    strides: strides.map((s, d) => (d === dim ? s * step : s)),
    offset: offset + (length === 0 ? 0 : start * strides[dim]!),
  };
}

/** The same elements under a new shape without copying, or null where memory order does not allow it. */
export function reshapeLayout(layout: Layout, shape: Shape): Layout | null {
  if (sizeOf(shape) === 0) return contiguous(shape);
  if (sameShape(layout.shape, shape)) return layout;
  // Old dimensions of size 1 carry no order.
  const old = layout.shape.map((n, d) => [n, layout.strides[d]!] as const).filter(([n]) => n !== 1);
  const strides = new Array<number>(shape.length).fill(1);
  let i = 0; // next old dimension
  let d = 0; // next new dimension
  while (i < old.length) {
    // Take the shortest runs of old and new dimensions with equal products …
    let oldSize = old[i]![0];
    let end = i + 1;
    let newEnd = d;
    let newSize = 1;
    while (newSize !== oldSize) {
      if (newSize < oldSize) newSize *= shape[newEnd++]!;
      else oldSize *= old[end++]![0];
    }
    // … the old run must be one even progression in memory.
    for (let j = i; j + 1 < end; j++) if (old[j]![1] !== old[j + 1]![0] * old[j + 1]![1]) return null;
    let step = old[end - 1]![1];
    for (let e = newEnd - 1; e >= d; e--) {
      strides[e] = step;
      step *= shape[e]!;
    }
    i = end;
    d = newEnd;
  }
  return { shape, strides, offset: layout.offset };
}

/** Shape both broadcast to (trailing dimensions equal or 1), or null. */
export function broadcastShapes(a: Shape, b: Shape): number[] | null {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const m = a[a.length - i] ?? 1;
    const n = b[b.length - i] ?? 1;
    if (m !== n && m !== 1 && n !== 1) return null;
    out[rank - i] = m === 1 ? n : m;
  }
  return out;
}

/** Dimension counted from the end if negative; null if out of range. */
export function wrapDim(dim: number, rank: number): number | null {
  const dims = Math.max(rank, 1); // a 0-d tensor answers to 0 and -1
  const d = dim < 0 ? dim + dims : dim;
  return Number.isInteger(d) && d >= 0 && d < dims ? d : null;
}

/**
 * Merges neighbouring dimensions that form one even progression in every given stride list, and drops size-1 dimensions:
 * fewer loops for kernels. Strides are in iteration order.
 */
export function collapse(shape: Shape, strideLists: readonly (readonly number[])[]): { shape: number[]; strides: number[][] } {
  const outShape: number[] = [];
  const out: number[][] = strideLists.map(() => []);
  for (let d = 0; d < shape.length; d++) {
    const n = shape[d]!;
    if (n === 1) continue;
    const last = outShape.length - 1;
    if (last >= 0 && strideLists.every((s, i) => out[i]![last] === n * s[d]!)) {
      outShape[last]! *= n;
      strideLists.forEach((s, i) => (out[i]![last] = s[d]!));
    } else {
      outShape.push(n);
      strideLists.forEach((s, i) => out[i]!.push(s[d]!));
    }
  }
  if (outShape.length === 0) {
    outShape.push(1);
    for (const s of out) s.push(1);
  }
  return { shape: outShape, strides: out };
}
