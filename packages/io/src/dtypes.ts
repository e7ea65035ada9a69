/** Element types of files, and their numbers as ours. Files are little-endian, as is every machine V8's WASM runs on. */
import type { DType, TypedArray } from "@nn/tensor";

/** Element types of safetensors that we read and write, with bytes per element. */
export const fileDTypes = { BOOL: 1, U8: 1, I8: 1, I16: 2, U16: 2, F16: 2, BF16: 2, I32: 4, U32: 4, F32: 4, F64: 8, I64: 8, U64: 8 } as const;
export type FileDType = keyof typeof fileDTypes;

export const isFileDType = (name: unknown): name is FileDType => typeof name === "string" && Object.hasOwn(fileDTypes, name);

/** File type of each tensor type. */
export const fileDTypeOf: Readonly<Record<DType, StoredDType>> = { f32: "F32", f64: "F64", i32: "I32", u8: "U8", bool: "BOOL" };

/** Tensor type that holds a file's numbers: 16-bit floats widen to f32, integers become i32 (64-bit ones if they fit). */
export const tensorDTypeOf: Readonly<Record<FileDType, DType>> = {
  BOOL: "bool", U8: "u8", I8: "i32", I16: "i32", U16: "i32", F16: "f32", BF16: "f32", I32: "i32", U32: "i32", F32: "f32", F64: "f64", I64: "i32", U64: "i32",
};

const word = new DataView(new ArrayBuffer(4));
const floatOf = (bits: number): number => (word.setUint32(0, bits), word.getFloat32(0));
const bitsOf = (value: number): number => (word.setFloat32(0, value), word.getUint32(0));

/** IEEE half (binary16) → number. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 0x3ff;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Number → nearest IEEE half, ties to even. */
export function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0, size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00; // halfway between the largest half and the next power: rounds to infinity
  // The spacing of halves around `size`; a carry of the rounded fraction runs into the exponent, which is what is wanted.
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 2 ** -14)));
  const fraction = roundEven(size / 2 ** (exponent - 10));
  return sign | (fraction < 1024 ? fraction : ((exponent + 15) << 10) + fraction - 1024);
}

const roundEven = (x: number): number => {
  const low = Math.floor(x), rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
};

/** bfloat16 → number: the upper half of an f32. */
export const fromBFloat = (bits: number): number => floatOf(bits << 16);

/** Number → nearest bfloat16, ties to even (after rounding to f32). */
export function toBFloat(value: number): number {
  const bits = bitsOf(value);
  if (Number.isNaN(value)) return ((bits >>> 16) | 0x40) & 0xffff; // keep it a NaN whatever is cut off
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** Bytes of a typed array, without a copy. */
export const bytesOf = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

type Numbers = TypedArray | Int8Array | Int16Array | Uint16Array | Uint32Array | BigInt64Array | BigUint64Array;
const arrays: Record<FileDType, new (buffer: ArrayBuffer) => Numbers> = {
  BOOL: Uint8Array, U8: Uint8Array, I8: Int8Array, I16: Int16Array, U16: Uint16Array, F16: Uint16Array, BF16: Uint16Array,
  I32: Int32Array, U32: Uint32Array, F32: Float32Array, F64: Float64Array, I64: BigInt64Array, U64: BigUint64Array,
};

/**
 * Elements of a file as the typed array of `tensorDTypeOf`, always a copy (file data need not be aligned).
 *
 * @throws RangeError with the index if an integer does not fit i32.
 */
export function decodeNumbers(dtype: FileDType, data: Uint8Array): TypedArray {
  const raw = new arrays[dtype](new Uint8Array(data).buffer);
  switch (dtype) {
    case "F32": case "F64": case "I32": case "U8":
      return raw as TypedArray;
    case "BOOL":
      return (raw as Uint8Array).map((byte) => (byte === 0 ? 0 : 1));
    case "F16":
      return Float32Array.from(raw as Uint16Array, fromHalf);
    case "BF16":
      return Float32Array.from(raw as Uint16Array, fromBFloat);
    default: {
      const whole = new Int32Array(raw.length);
      for (let i = 0; i < raw.length; i++) {
        const value = Number(raw[i]);
        if (value !== (value | 0)) throw new RangeError(`element ${i} is ${raw[i]}, outside the range of i32`);
        whole[i] = value;
      }
      return whole;
    }
  }
}

/** As `decodeNumbers`, for readers of files: `fail` makes the error of an integer that does not fit. */
export function decodeNumbersOr(dtype: FileDType, data: Uint8Array, fail: (reason: string) => never): TypedArray {
  try {
    return decodeNumbers(dtype, data);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return fail(error.message);
  }
}

/** How a tensor's numbers may be stored: as they are, floats also in 16 bits, integers also in 64. */
export type StoredDType = "F32" | "F64" | "I32" | "U8" | "BOOL" | "F16" | "BF16" | "I64";

/** Numbers as the bytes of a file type, rounded to nearest for floats, truncated for integers. */
export function encodeNumbers(dtype: StoredDType, data: TypedArray): Uint8Array {
  switch (dtype) {
    case "F16":
      return bytesOf(Uint16Array.from(data, toHalf));
    case "BF16":
      return bytesOf(Uint16Array.from(data, toBFloat));
    case "I64":
      return bytesOf(BigInt64Array.from(Array.from(data, (x) => BigInt(Math.trunc(x)))));
    case "BOOL":
      return Uint8Array.from(data, (x) => (x === 0 ? 0 : 1));
    default:
      return bytesOf(data instanceof arrays[dtype] ? data : (arrays[dtype] as unknown as Float32ArrayConstructor).from(data));
  }
}
