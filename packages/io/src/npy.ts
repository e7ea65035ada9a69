/**
 * numpy's `.npy` (NEP 1): magic, version, a Python dict as text, data. Read strictly: exactly the three fields, data of exactly the
 * size they give. Arrays of Python objects are pickles, which are not unpacked.
 */
import { FormatError, fromTyped, rowMajor, type Tensor, type TypedArray } from "@nn/tensor";
import { decodeNumbersOr, encodeNumbers, fileDTypeOf, fileDTypes, tensorDTypeOf, type FileDType, type StoredDType } from "./dtypes.ts";
import { elementCount, gather } from "./strided.ts";

/** An array of a file, in row-major order. */
export interface NpyArray {
  dtype: FileDType;
  shape: number[];
  data: TypedArray;
}

/** numpy's own limit, `max_header_size`. */
const MAX_HEADER = 10_000;
const MAX_RANK = 64;
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

const codes: Readonly<Record<string, FileDType>> = {
  b1: "BOOL", u1: "U8", i1: "I8", i2: "I16", u2: "U16", f2: "F16", i4: "I32", u4: "U32", f4: "F32", f8: "F64", i8: "I64", u8: "U64",
};
const codeOf = (dtype: StoredDType): string => Object.keys(codes).find((code) => codes[code] === dtype)!;

const fail = (offset: number, reason: string, hint?: string): never => {
  throw new FormatError("npy", offset, reason, hint === undefined ? {} : { hint });
};

/** @throws FormatError unless the bytes are one whole array of numbers. */
export function readNpy(bytes: Uint8Array): NpyArray {
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) fail(0, "does not start with \\x93NUMPY", "is this a .npy file? a .npz is read by decodeNpz");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const major = bytes[6]!;
  if (major < 1 || major > 3 || bytes[7] !== 0) fail(6, `version ${major}.${bytes[7]}; 1.0, 2.0 and 3.0 are read`);
  const start = major === 1 ? 10 : 12;
  if (bytes.length < start) fail(8, "the header is truncated");
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER) fail(8, `header of ${length} bytes is above the limit of ${MAX_HEADER}`);
  if (start + length > bytes.length) fail(8, `header of ${length} bytes does not fit in a file of ${bytes.length} bytes: truncated?`);

  const { descr, fortran, shape } = readHeader(String.fromCharCode(...bytes.subarray(start, start + length)), (reason, hint) => fail(start, reason, hint));
  const dtype = codes[descr.slice(1)] ?? fail(start, `elements are '${descr}'; numbers and booleans of at most 64 bits are read`, descr.includes("O") ? "Python objects are pickled code: save arrays of numbers" : undefined);
  if (shape.length > MAX_RANK) fail(start, `${shape.length} dimensions`);
  const count = elementCount(shape) ?? fail(start, `shape [${shape}] is too large`);
  const given = bytes.length - start - length, needed = count * fileDTypes[dtype];
  if (given !== needed) fail(start + length, `${dtype}[${shape}] takes ${needed} bytes, ${given} follow the header`);

  const raw = bytes.subarray(start + length);
  const data = decodeNumbersOr(dtype, descr.startsWith(">") ? swapped(raw, fileDTypes[dtype]) : raw, (reason) => fail(start + length, reason));
  // Column-major data are the transpose in row-major order.
  return { dtype, shape, data: fortran ? gather(data, shape, rowMajor([...shape].reverse()).reverse()) : data };
}

/** The literal dict `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, fields in any order. */
function readHeader(text: string, fail: (reason: string, hint?: string) => never): { descr: string; fortran: boolean; shape: number[] } {
  const body = /^\{(.*)\} *\n?$/s.exec(text)?.[1] ?? fail("the header is not a Python dict");
  const found = new Map<string, string>();
  const field = /\s*'(descr|fortran_order|shape)'\s*:\s*('[^']*'|True|False|\([\d,\sL]*\))\s*(?:,|$)/y;
  while (field.lastIndex < body.trimEnd().length) {
    const at = field.lastIndex;
    const [, key, value] = field.exec(body) ?? fail(`the header has ${JSON.stringify(body.slice(at, at + 60).trim())} where descr, fortran_order or shape was expected`, body.includes("[(") ? "arrays of records are not read: save one array per field" : undefined);
    if (found.has(key!)) fail(`the header has ${key} twice`);
    found.set(key!, value!);
  }
  const descr = /^'([<>|=][a-zA-Z]\d*)'$/.exec(found.get("descr") ?? "")?.[1] ?? fail(`descr is ${found.get("descr") ?? "missing"}`);
  const order = found.get("fortran_order");
  if (order !== "True" && order !== "False") fail(`fortran_order is ${order ?? "missing"}`);
  const sizes = /^\(((?:\s*\d{1,16}L?\s*,)*(?:\s*\d{1,16}L?\s*)?)\)$/.exec(found.get("shape") ?? "")?.[1] ?? fail(`shape is ${found.get("shape") ?? "missing"}`);
  if (/^\s*\d+L?\s*$/.test(sizes)) fail(`shape (${sizes}) is a number, not a tuple`);
  return { descr, fortran: order === "True", shape: sizes.split(",").filter((s) => s.trim() !== "").map((s) => Number.parseInt(s, 10)) };
}

function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += width) for (let i = 0; i < width; i++) out[at + i] = bytes[at + width - 1 - i]!;
  return out;
}

/** The array of a `.npy` file as a tensor: F16 becomes f32, integers i32. @throws FormatError */
export function decodeNpy(bytes: Uint8Array): Tensor {
  const { dtype, shape, data } = readNpy(bytes);
  return fromTyped(data, shape, tensorDTypeOf[dtype], "load");
}

/** A tensor as the bytes of a `.npy` file. */
export function encodeNpy(t: Tensor): Uint8Array {
  const dtype = fileDTypeOf[t.dtype], code = codeOf(dtype);
  const dict = `{'descr': '${fileDTypes[dtype] === 1 ? "|" : "<"}${code}', 'fortran_order': False, 'shape': (${t.shape.join(", ")}${t.rank === 1 ? "," : ""}), }`;
  const header = `${dict}${" ".repeat(63 - ((10 + dict.length) % 64))}\n`; // data begin at a multiple of 64
  const data = encodeNumbers(dtype, t.dataSync());
  const bytes = new Uint8Array(10 + header.length + data.length);
  bytes.set(MAGIC);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, header.length, true);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(data, 10 + header.length);
  return bytes;
}
