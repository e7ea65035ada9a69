/** Plain typed arrays with a shape: what datasets, transforms and prefetching deal in. Tensors are made at the very end, by the loader. */
import { ShapeError, fromTyped, dtypeOf, type Tensor, type TypedArray } from "@nn/tensor";

/** Elements in row-major order. A shape of [] is a single number. */
export interface NdArray<T extends TypedArray = TypedArray> {
  readonly data: T;
  readonly shape: readonly number[];
}

/** What a sample or a batch is made of: a tuple, or a record by name. */
export type Fields = readonly NdArray[] | { readonly [name: string]: NdArray };

/** The same fields as tensors. */
export type TensorsOf<F extends Fields> = { -readonly [K in keyof F]: Tensor };

const sizeOf = (shape: readonly number[]): number => shape.reduce((size, n) => size * n, 1);

/**
 * A typed array with a shape; one dimension if none is given.
 *
 * @throws ShapeError if they do not fit.
 */
export function ndarray<T extends TypedArray>(data: T, shape: readonly number[] = [data.length]): NdArray<T> {
  if (sizeOf(shape) !== data.length) throw new ShapeError("ndarray", `${data.length} elements do not fill [${shape}]`);
  return { data, shape };
}

/** A zero-filled array of the same element type. */
export const emptyLike = <T extends TypedArray>(data: T, length: number): T => new (data.constructor as new (length: number) => T)(length);

/** The rows at `indices` along the first dimension, copied into one array: [n, …] → [indices.length, …]. */
export function takeRows<T extends TypedArray>({ data, shape }: NdArray<T>, indices: ArrayLike<number>): NdArray<T> {
  const row = sizeOf(shape.slice(1));
  const rows = emptyLike(data, indices.length * row);
  for (let i = 0; i < indices.length; i++) rows.set(data.subarray(indices[i]! * row, (indices[i]! + 1) * row), i * row);
  return { data: rows, shape: [indices.length, ...shape.slice(1)] };
}

/** One row along the first dimension, copied: [n, …] → […]. */
export function rowAt<T extends TypedArray>({ data, shape }: NdArray<T>, index: number): NdArray<T> {
  const row = sizeOf(shape.slice(1));
  return { data: data.slice(index * row, (index + 1) * row) as T, shape: shape.slice(1) };
}

/** Arrays of one shape along a new first dimension: n × […] → [n, …]. */
function stack(arrays: readonly NdArray[], field: string): NdArray {
  const first = arrays[0]!, size = first.data.length;
  const data = emptyLike(first.data, arrays.length * size);
  arrays.forEach((array, i) => {
    if (array.shape.length !== first.shape.length || array.shape.some((n, d) => n !== first.shape[d])) {
      throw new ShapeError("collate", `field '${field}' has samples of shape [${first.shape}] and [${array.shape}], which do not stack`, {
        hint: "crop or pad them to one size, or give the loader a `collate` of your own",
      });
    }
    if (dtypeOf(array.data) !== dtypeOf(first.data)) throw new ShapeError("collate", `field '${field}' mixes ${dtypeOf(first.data)} and ${dtypeOf(array.data)}`);
    data.set(array.data, i * size);
  });
  return { data, shape: [arrays.length, ...first.shape] };
}

/** Samples to one batch: every field stacked along a new first dimension. */
export function collate<F extends Fields>(samples: readonly F[]): F {
  const first = samples[0];
  if (first === undefined) throw new ShapeError("collate", "there are no samples");
  return mapFields(first, (_, key) => stack(samples.map((sample) => fieldOf(sample, key)), key)) as F;
}

/** The fields of a batch as tensors of the current scope. */
export function toTensors<F extends Fields>(fields: F): TensorsOf<F> {
  return mapFields(fields, ({ data, shape }) => fromTyped(data, shape, dtypeOf(data), "DataLoader")) as TensorsOf<F>;
}

export const fieldOf = (fields: Fields, key: string): NdArray => (fields as Record<string, NdArray>)[key]!;

/** A tuple from a tuple, a record from a record. */
export function mapFields<R>(fields: Fields, f: (field: NdArray, key: string) => R): R[] | Record<string, R> {
  if (Array.isArray(fields)) return (fields as NdArray[]).map((field, i) => f(field, String(i)));
  return Object.fromEntries(Object.entries(fields as Record<string, NdArray>).map(([key, field]) => [key, f(field, key)]));
}
