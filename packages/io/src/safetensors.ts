/**
 * The safetensors file: u64 header length | JSON header | data, all little-endian.
 * Read strictly: everything is checked against the length of the file before a byte of data is touched, so a file is read whole or refused.
 * Written deterministically: the same tensors and metadata give the same bytes, in the order the reference implementation uses.
 */
import { ArgumentError, FormatError } from "@nn/tensor";
import { fileDTypes, isFileDType, type FileDType } from "./dtypes.ts";
import { JsonError, parseJson, type Json } from "./json.ts";
import { show, utf8 } from "./text.ts";

/** One tensor of a file. `data` holds its elements in row-major order, little-endian, not necessarily aligned. */
export interface FileTensor {
  dtype: FileDType;
  shape: number[];
  data: Uint8Array;
}

/** What the header says about a tensor: its place is [begin, end) in the data part. */
export interface TensorInfo {
  dtype: FileDType;
  shape: number[];
  begin: number;
  end: number;
}

export interface SafetensorsHeader {
  tensors: Map<string, TensorInfo>;
  metadata: Map<string, string>;
  /** Byte offset of the data part. */
  dataStart: number;
}

export interface Safetensors {
  tensors: Map<string, FileTensor>;
  metadata: Map<string, string>;
}

/** The reference implementation's cap. The header must also fit in the file, so a short file never costs more than its size. */
export const MAX_HEADER = 100_000_000;

const fail = (offset: number, reason: string, hint?: string): never => {
  throw new FormatError("safetensors", offset, reason, hint === undefined ? {} : { hint });
};

/**
 * Tensors and metadata of a safetensors file; `data` are views of `bytes`.
 *
 * @throws FormatError if anything is wrong with the file; nothing is returned half.
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const { tensors: infos, metadata, dataStart } = readSafetensorsHeader(bytes, bytes.length);
  const tensors = new Map<string, FileTensor>();
  for (const [name, { dtype, shape, begin, end }] of infos) {
    tensors.set(name, { dtype, shape, data: bytes.subarray(dataStart + begin, dataStart + end) });
  }
  return { tensors, metadata };
}

/** Length of the header, from the first 8 bytes of a file of `fileSize` bytes. */
export function headerLength(start: Uint8Array, fileSize: number): number {
  if (fileSize < 8 || start.length < 8) fail(0, `${fileSize} bytes are too few for a header length`, "is this a safetensors file?");
  const view = new DataView(start.buffer, start.byteOffset, 8);
  const length = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
  if (length > MAX_HEADER) fail(0, `header length ${length} is above the limit of ${MAX_HEADER}`, "is this a safetensors file?");
  if (8 + length > fileSize) fail(0, `header of ${length} bytes does not fit in a file of ${fileSize} bytes: truncated?`);
  return length;
}

/** The checked header alone: `start` must hold the file up to the data, `fileSize` is the size of the whole file. */
export function readSafetensorsHeader(start: Uint8Array, fileSize: number): SafetensorsHeader {
  const length = headerLength(start, fileSize);
  const header = start.subarray(8, 8 + length);
  if (header.length < length) fail(0, `header of ${length} bytes, of which ${header.length} were given`);
  if (header[0] !== 0x7b) fail(8, "header does not start with '{'", "is this a safetensors file?");

  const dataStart = 8 + length;
  const tensors = new Map<string, TensorInfo>();
  let metadata = new Map<string, string>();
  for (const [name, value] of parseHeader(header)) {
    if (name === "__metadata__") metadata = readMetadata(value);
    else tensors.set(name, readInfo(name, value, fileSize - dataStart));
  }
  checkCover(tensors, dataStart, fileSize);
  return { tensors, metadata, dataStart };
}

function parseHeader(header: Uint8Array): Map<string, Json> {
  const text = utf8(header) ?? fail(8, "header is not UTF-8");
  try {
    return parseJson(text, 3) as Map<string, Json>; // starts with '{', so it is a Map
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return fail(8 + new TextEncoder().encode(text.slice(0, error.at)).length, `header is not valid JSON: ${error.message}`);
  }
}

function readMetadata(value: Json): Map<string, string> {
  if (!(value instanceof Map)) return fail(8, "__metadata__ is not an object");
  for (const [key, item] of value) if (typeof item !== "string") fail(8, `metadata ${show(key)} is not a string`);
  return value as Map<string, string>;
}

function readInfo(name: string, value: Json, dataLength: number): TensorInfo {
  const at = `tensor ${show(name)}`;
  if (!(value instanceof Map)) return fail(8, `${at} is not an object`);
  for (const key of value.keys()) if (key !== "dtype" && key !== "shape" && key !== "data_offsets") fail(8, `${at} has an unknown field ${show(key)}`);

  const dtype = value.get("dtype"), shape = value.get("shape"), offsets = value.get("data_offsets");
  if (!isFileDType(dtype)) return fail(8, `${at} has dtype ${show(String(dtype))}; known are ${Object.keys(fileDTypes).join(" ")}`);
  if (!isCounts(shape)) return fail(8, `${at}: shape is not a list of sizes`);
  if (!isCounts(offsets) || offsets.length !== 2) return fail(8, `${at}: data_offsets are not two offsets`);
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataLength) return fail(8, `${at}: data_offsets [${begin}, ${end}] are outside the ${dataLength} bytes of data`, "is the file truncated?");

  const size = byteSize(dtype, shape);
  if (size === null) return fail(8, `${at}: shape [${shape}] is too large`);
  if (size !== end - begin) return fail(8, `${at}: ${dtype}[${shape}] takes ${size} bytes, data_offsets give ${end - begin}`);
  return { dtype, shape, begin, end };
}

/** Data must be covered without holes and overlaps: whatever is not described could hide anything. */
function checkCover(tensors: Map<string, TensorInfo>, dataStart: number, fileSize: number): void {
  let covered = 0;
  const inOrder = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  for (const [name, { begin, end }] of inOrder) {
    if (begin !== covered) fail(dataStart + Math.min(begin, covered), `tensor ${show(name)} ${begin < covered ? "overlaps the one before it" : "leaves a hole before it"}`);
    covered = end;
  }
  if (dataStart + covered !== fileSize) fail(dataStart + covered, `${fileSize - dataStart - covered} bytes after the last tensor`);
}

const isCounts = (value: unknown): value is number[] => Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0 && !Object.is(n, -0));

/** Bytes of a tensor, null if not exactly representable. */
function byteSize(dtype: FileDType, shape: readonly number[]): number | null {
  let size: number = fileDTypes[dtype];
  for (const n of shape) {
    size *= n;
    if (!Number.isSafeInteger(size)) return null;
  }
  return size;
}

/**
 * Bytes of a safetensors file. Data of wide elements come first (so that all data are aligned), then by name;
 * metadata are sorted by key; the header is padded with spaces to a multiple of 8.
 *
 * @throws ArgumentError if a name appears twice or data do not fit dtype and shape.
 */
export function writeSafetensors(tensors: Iterable<readonly [string, FileTensor]>, metadata: Iterable<readonly [string, string]> = []): Uint8Array {
  const parts: string[] = [];
  const pairs = [...metadata].sort(([a], [b]) => compare(a, b));
  if (pairs.length > 0) parts.push(`"__metadata__":{${members(pairs)}}`);

  const order = Object.keys(fileDTypes);
  const sorted = [...tensors].sort(([a, { dtype: x }], [b, { dtype: y }]) => order.indexOf(y) - order.indexOf(x) || compare(a, b));
  let end = 0;
  const infos = sorted.map(([name, { dtype, shape, data }]) => {
    if (name === "__metadata__") throw new ArgumentError("writeSafetensors", "a tensor cannot be named __metadata__: the format keeps that name");
    if (!isFileDType(dtype) || !isCounts([...shape]) || byteSize(dtype, shape) !== data.length) {
      throw new ArgumentError("writeSafetensors", `${show(name)}: ${data.length} bytes of data do not fit ${dtype}[${shape}]`);
    }
    return [name, { dtype, shape, data_offsets: [end, (end += data.length)] }] as const;
  });
  if (infos.length > 0) parts.push(members(infos));

  const header = new TextEncoder().encode(`{${parts.join(",")}}`);
  const headerSize = Math.ceil(header.length / 8) * 8;
  if (headerSize > MAX_HEADER) throw new ArgumentError("writeSafetensors", `the header takes ${headerSize} bytes, more than readers accept (${MAX_HEADER})`);
  const bytes = new Uint8Array(8 + headerSize + end);
  new DataView(bytes.buffer).setUint32(0, headerSize, true);
  bytes.fill(0x20, 8, 8 + headerSize).set(header, 8);
  let at = 8 + headerSize;
  for (const [, { data }] of sorted) {
    bytes.set(data, at);
    at += data.length;
  }
  return bytes;
}

/** `"key":value,…`, refusing what could not be read back. Not by way of an object: its integer-like keys would change places. */
function members(entries: readonly (readonly [string, unknown])[]): string {
  const seen = new Set<string>();
  return entries.map(([key, value]) => {
    const text = `${JSON.stringify(key)}:${JSON.stringify(value)}`;
    if (seen.has(key)) throw new ArgumentError("writeSafetensors", `${show(key)} appears twice`);
    if (/\\ud[89a-f]/.test(text.replaceAll("\\\\", ""))) throw new ArgumentError("writeSafetensors", `${show(key)} is not well-formed text`);
    seen.add(key);
    return text;
  }).join(",");
}

/** By code units: the same everywhere, unlike `localeCompare`. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
