/** Tensors to and from safetensors. */
import { FormatError, fromTyped, type DType, type Tensor, type TypedArray } from "@nn/tensor";
import { decodeNumbersOr, encodeNumbers, fileDTypeOf, tensorDTypeOf, type StoredDType } from "./dtypes.ts";
import { readSafetensors, writeSafetensors, type FileTensor } from "./safetensors.ts";

/** Named tensors: a state dict, a Map, or a plain record. */
export type NamedTensors = Iterable<readonly [string, Tensor]> | Readonly<Record<string, Tensor>>;
export type Metadata = Iterable<readonly [string, string]> | Readonly<Record<string, string>>;

export interface EncodeOptions {
  metadata?: Metadata;
  /** Stores tensors of a type as another one, e.g. `{ f32: "F16" }` for half the size. */
  store?: Partial<Record<DType, StoredDType>>;
}

/** Tensors of a file, each made new (they belong to the current scope). */
export interface LoadedTensors {
  tensors: Map<string, Tensor>;
  metadata: Map<string, string>;
}

/** Bytes of a safetensors file; a copy of the values as they are now. The same values give the same bytes. */
export function encodeTensors(tensors: NamedTensors, { metadata = [], store = {} }: EncodeOptions = {}): Uint8Array {
  const files = pairs(tensors).map(([name, t]): [string, FileTensor] => {
    const dtype = store[t.dtype] ?? fileDTypeOf[t.dtype];
    return [name, { dtype, shape: [...t.shape], data: encodeNumbers(dtype, t.dataSync()) }];
  });
  return writeSafetensors(files, pairs(metadata));
}

/**
 * Tensors of a safetensors file. F16 and BF16 become f32; integers become i32.
 *
 * @throws FormatError if the file is not valid, or holds an integer that does not fit i32.
 */
export function decodeTensors(bytes: Uint8Array): LoadedTensors {
  const { tensors, metadata } = readSafetensors(bytes);
  // All numbers are checked before the first tensor is made: no half-loaded model.
  const numbers = [...tensors].map(([name, file]) => [name, file, decode(name, file, bytes)] as const);
  return { tensors: new Map(numbers.map(([name, { dtype, shape }, data]) => [name, fromTyped(data, shape, tensorDTypeOf[dtype], "load")])), metadata };
}

function decode(name: string, { dtype, data }: FileTensor, file: Uint8Array): TypedArray {
  return decodeNumbersOr(dtype, data, (reason) => {
    throw new FormatError("safetensors", data.byteOffset - file.byteOffset, `tensor ${JSON.stringify(name)}: ${reason}`);
  });
}

/** Names and values of a Map, a list or a record. */
export const pairs = <T>(named: Iterable<readonly [string, T]> | Readonly<Record<string, T>>): (readonly [string, T])[] =>
  Symbol.iterator in named ? [...(named as Iterable<readonly [string, T]>)] : Object.entries(named as Record<string, T>);
