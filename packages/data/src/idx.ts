/** The IDX format of MNIST and its relatives (LeCun, Cortes, Burges): magic 0 0 type rank, big-endian sizes, big-endian data. */
import { FormatError, type TypedArray } from "@nn/tensor";
import { ndarray, type NdArray } from "./array.ts";
import { gunzip, isGzip } from "./gzip.ts";

/** Bytes per element by type code; i8 and i16 are read as i32. */
const elementBytes: Readonly<Record<number, number>> = { 0x08: 1, 0x09: 1, 0x0b: 2, 0x0c: 4, 0x0d: 4, 0x0e: 8 };
const MAX_RANK = 8;

const fail = (offset: number, reason: string, hint?: string): never => {
  throw new FormatError("idx", offset, reason, hint === undefined ? {} : { hint });
};

/**
 * The array of an IDX file. Unsigned bytes are a view of `bytes`.
 *
 * @throws FormatError if the magic number, the sizes or the length of the file are wrong.
 */
export function parseIdx(bytes: Uint8Array): NdArray {
  if (isGzip(bytes)) fail(0, "the data are gzip-compressed", "use readIdx, or gunzip first");
  if (bytes.length < 4) fail(0, `${bytes.length} bytes are too few for a magic number`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = bytes[2]!, rank = bytes[3]!, size = elementBytes[type];
  if (view.getUint16(0) !== 0 || size === undefined) fail(0, `wrong magic number 0x${view.getUint32(0).toString(16).padStart(8, "0")}`, "is this an IDX file?");
  if (rank === 0 || rank > MAX_RANK) fail(3, `${rank} dimensions, expected 1 to ${MAX_RANK}`);

  const start = 4 + 4 * rank;
  if (bytes.length < start) fail(bytes.length, `truncated in the sizes of ${rank} dimensions`);
  const shape = Array.from({ length: rank }, (_, d) => view.getUint32(4 + 4 * d));
  let length = 1;
  for (const n of shape) {
    length *= n;
    if (!Number.isSafeInteger(length * size!)) fail(4, `sizes ${shape.join("×")} are too large`);
  }
  const expected = start + length * size!;
  if (bytes.length < expected) fail(bytes.length, `truncated: ${shape.join("×")} elements take ${expected} bytes, the file has ${bytes.length}`);
  if (bytes.length > expected) fail(expected, `${bytes.length - expected} bytes after the last element`);
  return ndarray(elements(type, view, bytes, start, length), shape);
}

function elements(type: number, view: DataView, bytes: Uint8Array, start: number, length: number): TypedArray {
  const at = (i: number): number => start + i * elementBytes[type]!;
  switch (type) {
    case 0x09:
      return Int32Array.from({ length }, (_, i) => view.getInt8(at(i)));
    case 0x0b:
      return Int32Array.from({ length }, (_, i) => view.getInt16(at(i)));
    case 0x0c:
      return Int32Array.from({ length }, (_, i) => view.getInt32(at(i)));
    case 0x0d:
      return Float32Array.from({ length }, (_, i) => view.getFloat32(at(i)));
    case 0x0e:
      return Float64Array.from({ length }, (_, i) => view.getFloat64(at(i)));
    default:
      return bytes.subarray(start);
  }
}

/** The array of an IDX file that may be gzip-compressed. @throws FormatError */
export async function readIdx(bytes: Uint8Array): Promise<NdArray> {
  return parseIdx(isGzip(bytes) ? await gunzip(bytes) : bytes);
}

/** Images of an IDX file [n, h, w] as [n, 1, h, w] unsigned bytes. */
export function asImages({ data, shape }: NdArray): NdArray<Uint8Array> {
  if (!(data instanceof Uint8Array) || shape.length !== 3) return fail(2, `not images: expected bytes in 3 dimensions (magic 0x00000803), got ${shape.length}`, "are images and labels mixed up?");
  return { data, shape: [shape[0]!, 1, shape[1]!, shape[2]!] };
}

/** Labels of an IDX file as i32 [n]; each must be below `classes`. */
export function asLabels({ data, shape }: NdArray, classes = 256): NdArray<Int32Array> {
  if (!(data instanceof Uint8Array) || shape.length !== 1) return fail(2, `not labels: expected bytes in 1 dimension (magic 0x00000801), got ${shape.length}`, "are images and labels mixed up?");
  const bad = data.findIndex((label) => label >= classes);
  if (bad >= 0) fail(8 + bad, `label ${data[bad]} of sample ${bad} is not one of ${classes} classes`);
  return { data: Int32Array.from(data), shape: [shape[0]!] };
}

/** @throws FormatError if there are not as many labels as images. */
export function checkCounts(images: NdArray, labels: NdArray): void {
  if (images.shape[0] !== labels.shape[0]) fail(4, `${images.shape[0]} images but ${labels.shape[0]} labels`, "are the files of the same set?");
}
