/**
 * The part of ZIP that numpy and PyTorch write: entries stored or deflated, with ZIP64 for large ones.
 * Read strictly: by the central directory, with which every local header must agree; entries must not overlap, and their CRC-32 is checked.
 */
import { ArgumentError, FormatError } from "@nn/tensor";
import { crc32 } from "./crc32.ts";
import { defaultLimit, sourceOf, type Bytes, type ByteSource, type ReadOptions } from "./source.ts";
import { show, utf8 } from "./text.ts";

interface Entry {
  readonly name: string;
  readonly deflated: boolean;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  /** Offset of its local header. */
  readonly begin: number;
  /** Where the next entry or the directory begins. */
  limit: number;
}

const LOCAL = 0x04034b50, CENTRAL = 0x02014b50, END = 0x06054b50, END64 = 0x06064b50, LOCATOR64 = 0x07064b50;
/** Bytes of a directory: some 100,000 entries. */
const MAX_DIRECTORY = 2 ** 23;
/** Names that could lead out of a folder: nothing here makes paths of names, and nobody else shall. */
const ESCAPES = /^\/|\\|\0|(^|\/)\.\.(\/|$)/;
const MAX_RATIO = 1032; // no deflate stream unpacks further

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const u64 = (view: DataView, at: number): number => Number(view.getBigUint64(at, true));

export const isZip = (start: Uint8Array): boolean => start.length >= 4 && viewOf(start).getUint32(0, true) === LOCAL;

/** An archive whose directory was checked; data are read when asked for. */
export class Zip {
  readonly #source: ByteSource;
  readonly #format: string;
  readonly #entries: ReadonlyMap<string, Entry>;
  #budget: number;

  constructor(source: ByteSource, format: string, entries: ReadonlyMap<string, Entry>, budget: number) {
    this.#source = source;
    this.#format = format;
    this.#entries = entries;
    this.#budget = budget;
  }

  get names(): string[] {
    return [...this.#entries.keys()];
  }
  has(name: string): boolean {
    return this.#entries.has(name);
  }
  /** Unpacked bytes of an entry, as the directory has it. */
  sizeOf(name: string): number {
    return this.#entries.get(name)?.size ?? 0;
  }
  /** Offset of an entry in the file, for messages. */
  offsetOf(name: string): number {
    return this.#entries.get(name)?.begin ?? 0;
  }

  /** @throws FormatError if the entry is missing, damaged, or more than the budget allows. */
  async read(name: string): Promise<Uint8Array> {
    const entry = this.#entries.get(name);
    if (!entry) throw new FormatError(this.#format, 0, `there is no entry ${show(name)}`);
    const fail = (reason: string, hint?: string): never => {
      throw new FormatError(this.#format, entry.begin, `entry ${show(name)} ${reason}`, hint === undefined ? {} : { hint });
    };
    this.#budget -= entry.size;
    if (this.#budget < 0) fail(`of ${entry.size} bytes is more than may be unpacked`, "pass { maxBytes } if you trust the file");

    const at = await this.#dataOf(entry, fail);
    const packed = await this.#source.read(at, at + entry.packed);
    if (packed.length !== entry.packed) fail("is truncated");
    const data = entry.deflated ? await inflate(packed, entry.size, fail) : packed;
    if (crc32(data) !== entry.crc) fail("is damaged: its CRC-32 differs");
    return data;
  }

  /** Offset of the data, after a local header that says the same as the directory. */
  async #dataOf({ name, deflated, packed, size, begin, limit }: Entry, fail: (reason: string) => never): Promise<number> {
    const head = await this.#source.read(begin, Math.min(begin + 30 + 3 * name.length, limit));
    if (head.length < 30) fail("has no local header");
    const view = viewOf(head);
    const nameLength = view.getUint16(26, true);
    if (view.getUint32(0, true) !== LOCAL) fail("has no local header");
    if (view.getUint16(8, true) !== (deflated ? 8 : 0) || utf8(head.subarray(30, 30 + nameLength)) !== name) fail("has a local header that says otherwise");
    const sizes = [view.getUint32(18, true), view.getUint32(22, true)];
    const later = (view.getUint16(6, true) & 8) !== 0; // sizes follow the data
    const agrees = (here: number, there: number): boolean => here === there || here === 0xffffffff || (later && here === 0);
    if (!agrees(sizes[0]!, packed) || !agrees(sizes[1]!, size)) fail("has a local header with other sizes");
    const at = begin + 30 + nameLength + view.getUint16(28, true);
    if (at + packed > limit) fail("overlaps what follows it");
    return at;
  }
}

/**
 * Opens an archive: reads and checks its directory.
 *
 * @param format named in errors, e.g. "npz".
 * @throws FormatError
 */
export async function openZip(bytes: Bytes, format: string, { maxBytes }: ReadOptions = {}): Promise<Zip> {
  const source = sourceOf(bytes);
  const fail = (offset: number, reason: string): never => {
    throw new FormatError(format, offset, reason);
  };
  const { begin, size, count } = await findDirectory(source, fail);
  const directory = await source.read(begin, begin + size);
  if (directory.length !== size) fail(begin, "the directory is truncated");
  const entries = readDirectory(directory, begin, count, fail);
  const names = new Map<string, Entry>();
  for (const [i, entry] of entries.entries()) {
    if (names.has(entry.name)) fail(begin, `entry ${show(entry.name)} appears twice`);
    names.set(entry.name, entry);
    entry.limit = entries[i + 1]?.begin ?? begin;
    if (entry.begin + 30 + entry.packed > entry.limit) fail(entry.begin, `entry ${show(entry.name)} overlaps what follows it`);
  }
  return new Zip(source, format, names, maxBytes ?? defaultLimit(source.size));
}

type Fail = (offset: number, reason: string) => never;

/** The end record lies at the very end; archives with a comment behind it are not what numpy or PyTorch write. */
async function findDirectory(source: ByteSource, fail: Fail): Promise<{ begin: number; size: number; count: number }> {
  const at = source.size - 22;
  if (at < 0) fail(0, `${source.size} bytes are too few for a zip archive`);
  const end = viewOf(await source.read(at, source.size));
  if (end.byteLength !== 22 || end.getUint32(0, true) !== END) fail(at, "no zip directory at the end: truncated?");
  if (end.getUint32(4, true) !== 0 || end.getUint16(8, true) !== end.getUint16(10, true) || end.getUint16(20, true) !== 0) fail(at, "archives of several parts or with a comment are not read");
  let found = { begin: end.getUint32(16, true), size: end.getUint32(12, true), count: end.getUint16(10, true) };
  let limit = at;
  const locator = at >= 20 ? viewOf(await source.read(at - 20, at)) : null;
  if (locator?.byteLength === 20 && locator.getUint32(0, true) === LOCATOR64) {
    const at64 = u64(locator, 8);
    if (at64 !== at - 20 - 56) fail(at - 20, "the ZIP64 end record is not where it should be");
    const end64 = viewOf(await source.read(at64, at64 + 56));
    if (end64.byteLength !== 56 || end64.getUint32(0, true) !== END64) fail(at64, "there is no ZIP64 end record");
    found = { begin: u64(end64, 48), size: u64(end64, 40), count: u64(end64, 32) };
    limit = at64;
  }
  if (found.begin + found.size !== limit) fail(at, `the directory of ${found.size} bytes at ${found.begin} does not end where its end record begins (${limit})`);
  if (found.size > MAX_DIRECTORY || found.count * 46 > found.size) fail(at, `a directory of ${found.size} bytes for ${found.count} entries`);
  return found;
}

/** Entries in the order of their data. */
function readDirectory(bytes: Uint8Array, offset: number, count: number, fail: Fail): Entry[] {
  const view = viewOf(bytes);
  const entries: Entry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const here = offset + at;
    if (at + 46 > bytes.length || view.getUint32(at, true) !== CENTRAL) fail(here, `directory entry ${i} of ${count} is missing`);
    const flags = view.getUint16(at + 8, true), method = view.getUint16(at + 10, true);
    const [nameLength, extraLength, commentLength] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true), view.getUint16(at + 32, true)];
    const next = at + 46 + nameLength + extraLength + commentLength;
    if (next > bytes.length) fail(here, `directory entry ${i} of ${count} is truncated`);
    const name = utf8(bytes.subarray(at + 46, at + 46 + nameLength)) ?? fail(here, `the name of entry ${i} is not UTF-8`);
    if (ESCAPES.test(name)) fail(here, `the name ${show(name)} is a path out of the archive`);
    if (flags & 1) fail(here, `entry ${show(name)} is encrypted`);
    if (method !== 0 && method !== 8) fail(here, `entry ${show(name)} is packed by method ${method}; stored (0) and deflated (8) are read`);
    const [size, packed, begin] = wide(view, at, at + 46 + nameLength, extraLength) ?? fail(here, `entry ${show(name)} has a damaged ZIP64 field`);
    if (begin + 30 + packed > offset) fail(here, `entry ${show(name)} lies outside the data`);
    if (method === 0 ? size !== packed : size > packed * MAX_RATIO) fail(here, `entry ${show(name)} claims ${size} bytes of ${packed} packed ones`);
    entries.push({ name, deflated: method === 8, crc: view.getUint32(at + 16, true), packed, size, begin, limit: offset });
    at = next;
  }
  if (at !== bytes.length) fail(offset + at, `${bytes.length - at} bytes after the last directory entry`);
  return entries.sort((a, b) => a.begin - b.begin);
}

/** Size, packed size and offset of a directory entry; those that do not fit 32 bits stand in the ZIP64 extra field. */
function wide(view: DataView, entry: number, extra: number, extraLength: number): [size: number, packed: number, begin: number] | null {
  const narrow = [view.getUint32(entry + 24, true), view.getUint32(entry + 20, true), view.getUint32(entry + 42, true)];
  let values: number[] = [];
  for (let at = extra; at + 4 <= extra + extraLength;) {
    const length = view.getUint16(at + 2, true);
    if (at + 4 + length > extra + extraLength) return null;
    if (view.getUint16(at, true) === 1) values = Array.from({ length: Math.floor(length / 8) }, (_, i) => u64(view, at + 4 + 8 * i));
    at += 4 + length;
  }
  const all = narrow.map((n) => (n === 0xffffffff ? values.shift() : n));
  return all.every((n) => n !== undefined && Number.isSafeInteger(n)) ? (all as [number, number, number]) : null;
}

/** Unpacks to exactly `size` bytes, and stops as soon as there are more. */
async function inflate(packed: Uint8Array, size: number, fail: (reason: string) => never): Promise<Uint8Array> {
  const data = new Uint8Array(size);
  const reader = new Blob([packed as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  let at = 0;
  for (;;) {
    const step = await reader.read().catch(() => fail(`is damaged after ${at} unpacked bytes`));
    if (step.done) break;
    if (at + step.value.length > size) {
      await reader.cancel().catch(() => {});
      fail(`unpacks to more than the ${size} bytes it claims`);
    }
    data.set(step.value, at);
    at += step.value.length;
  }
  return at === size ? data : fail(`unpacks to ${at} bytes, not to the ${size} it claims`);
}

/** A ZIP archive of stored entries without dates: the same entries give the same bytes. */
export function writeZip(entries: readonly (readonly [name: string, data: Uint8Array])[]): Uint8Array {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [], directory: Uint8Array[] = [];
  let at = 0;
  for (const [name, data] of entries) {
    if (ESCAPES.test(name)) throw new ArgumentError("writeZip", `the name ${show(name)} is a path out of the archive`);
    const path = encoder.encode(name);
    const fields = new Uint8Array(26), view = viewOf(fields); // what both headers say
    view.setUint16(0, 20, true); // version 2.0
    view.setUint16(2, 0x800, true); // the name is UTF-8
    view.setUint16(8, 0x21, true); // the first day that ZIP knows, 1980-01-01
    view.setUint32(10, crc32(data), true);
    view.setUint32(14, data.length, true);
    view.setUint32(18, data.length, true);
    view.setUint16(22, path.length, true);
    parts.push(Uint8Array.of(0x50, 0x4b, 3, 4), fields, path, data);
    const tail = new Uint8Array(14);
    viewOf(tail).setUint32(10, at, true);
    directory.push(Uint8Array.of(0x50, 0x4b, 1, 2, 20, 0), fields, tail, path);
    at += 30 + path.length + data.length;
    if (at > 0xfffffffe || entries.length > 0xfffe) throw new ArgumentError("writeZip", `${entries.length} entries of ${at} bytes or more need ZIP64`, { hint: "write safetensors, or several files" });
  }
  const end = new Uint8Array(22), view = viewOf(end);
  view.setUint32(0, END, true);
  view.setUint16(8, entries.length, true);
  view.setUint16(10, entries.length, true);
  view.setUint32(12, directory.reduce((n, part) => n + part.length, 0), true);
  view.setUint32(16, at, true);
  return concat([...parts, ...directory, end]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
