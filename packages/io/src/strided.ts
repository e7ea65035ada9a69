/** Elements that lie apart in a buffer, brought together. */
import { rowMajor, type TypedArray } from "@nn/tensor";

/** Product of the sizes, null if it is beyond exact numbers. Sizes of 0 do not hide the others. */
export function elementCount(shape: readonly number[]): number | null {
  const product = shape.reduce((n, size) => n * (size || 1), 1);
  return Number.isSafeInteger(product) ? (shape.includes(0) ? 0 : product) : null;
}

/** The elements of a view in row-major order; not copied where they lie so already. The view must lie within `data`. */
export function gather<A extends TypedArray>(data: A, shape: readonly number[], strides: readonly number[], offset = 0): A {
  const count = shape.reduce((n, size) => n * size, 1);
  const dense = rowMajor(shape);
  if (shape.every((size, d) => size === 1 || strides[d] === dense[d])) return data.subarray(offset, offset + count) as A;
  const out = new (data.constructor as new (n: number) => A)(count);
  if (count === 0) return out;
  const last = shape.length - 1;
  const [row, step] = [shape[last]!, strides[last]!];
  const index = new Array<number>(last).fill(0);
  for (let at = 0, from = offset; at < count;) {
    for (let i = 0; i < row; i++) out[at++] = data[from + i * step]!;
    for (let d = last - 1; d >= 0; d--) {
      from += strides[d]!;
      if (++index[d]! < shape[d]!) break;
      from -= strides[d]! * shape[d]!;
      index[d] = 0;
    }
  }
  return out;
}
