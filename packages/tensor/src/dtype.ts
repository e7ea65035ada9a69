/** Element types and how they mix. */

/** `f32` is the default; `f64` is for checks, `i32` for indices, `u8` for images, `bool` for masks. */
export type DType = "f32" | "f64" | "i32" | "u8" | "bool";
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

const bytesPer: Record<DType, number> = { f32: 4, f64: 8, i32: 4, u8: 1, bool: 1 };
/** bool < u8 < i32 < f32 < f64: the higher rank wins. */
const rank: Record<DType, number> = { bool: 0, u8: 1, i32: 2, f32: 3, f64: 4 };
const arrays = { f32: Float32Array, f64: Float64Array, i32: Int32Array, u8: Uint8Array, bool: Uint8Array };

export const dtypes = Object.keys(bytesPer) as DType[];
export const byteSize = (dtype: DType): number => bytesPer[dtype];
export const isFloat = (dtype: DType): boolean => dtype === "f32" || dtype === "f64";

/** A new zero-filled typed array for `dtype`. */
export const typedArray = (dtype: DType, length: number): TypedArray => new arrays[dtype](length);

/** dtype of a typed array; plain arrays of booleans are `bool`, of numbers `f32`. */
export function dtypeOf(data: TypedArray): DType {
  if (data instanceof Float32Array) return "f32";
  if (data instanceof Float64Array) return "f64";
  if (data instanceof Int32Array) return "i32";
  return "u8";
}

/** Result type of an op on `a` and `b`: the wider of the two, e.g. `i32 + f32 → f32`, `bool + u8 → u8`. */
export const promote = (a: DType, b: DType): DType => (rank[a] >= rank[b] ? a : b);

/** A JavaScript number takes the tensor's type, unless it has a fraction and the tensor has none: then `f32`. */
export function scalarDType(value: number, other: DType): DType {
  if (isFloat(other)) return other;
  if (!Number.isInteger(value)) return "f32";
  return other === "bool" ? "i32" : other;
}

/** Integer inputs of functions like `exp` or `mean` are computed in `f32`. */
export const toFloat = (dtype: DType): DType => (isFloat(dtype) ? dtype : "f32");

/** `value` as it is stored in `dtype`: truncated for i32, modulo 256 for u8, 0 or 1 for bool. */
export function store(value: number, dtype: DType): number {
  switch (dtype) {
    case "f64":
      return value;
    case "f32":
      return Math.fround(value);
    case "i32":
      return value | 0;
    case "u8":
      return value & 255;
    case "bool":
      return value === 0 ? 0 : 1;
  }
}
