/**
 * A pickle machine that makes data and nothing else: Python's pickles are programs, and this one only runs the part that builds
 * numbers, text, lists, tuples and dicts. What a pickle imports is looked up in a table given by the caller; there is no other way
 * to call anything, and every opcode that could is refused by name.
 */
import { FormatError } from "@nn/tensor";
import { show, utf8 } from "./text.ts";

/** What a pickle builds. Tuples are frozen arrays; whole numbers beyond 2⁵³ are bigint. `object`: what the caller's table makes. */
export type Pickled = null | boolean | number | bigint | string | Uint8Array | Pickled[] | Map<string | number, Pickled> | PickledObject;
/** Base of what the caller's functions make. */
export abstract class PickledObject {
  abstract readonly what: string;
}

/** A name that the pickle imports and may call. */
export class PickledFunction extends PickledObject {
  readonly what: string;
  readonly call: (args: readonly Pickled[]) => Pickled;
  constructor(what: string, call: (args: readonly Pickled[]) => Pickled) {
    super();
    this.what = what;
    this.call = call;
  }
}

export interface PickleOptions {
  /** What `module.name` means; undefined refuses it. */
  global(name: string): Pickled | undefined;
  /** What a persistent id stands for. */
  persistent(id: Pickled): Pickled;
}

/** Wrong data for what a pickle calls; the machine adds where. */
export class PickleError extends Error {}

/** Work that one pickle may ask for: opcodes, and four more for each object. A tensor of a state dict takes about 100. */
const MAX_WORK = 2_000_000;
const MAX_INTEGER = 64; // bytes of a long

const refused: Readonly<Record<string, string>> = {
  i: "INST", o: "OBJ", "\x81": "NEWOBJ", "\x92": "NEWOBJ_EX", "\x82": "EXT1", "\x83": "EXT2", "\x84": "EXT4", P: "PERSID", "\x97": "NEXT_BUFFER", "\x98": "READONLY_BUFFER",
};

class Machine {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly options: PickleOptions;
  /** Offset of the opcode that is running. */
  start = 0;
  at = 0;
  stack: Pickled[] = [];
  readonly marks: Pickled[][] = [];
  readonly memo = new Map<number, Pickled>();
  #work = 0;

  constructor(bytes: Uint8Array, options: PickleOptions) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.options = options;
  }

  work(amount: number): void {
    this.#work += amount;
    if (this.#work > MAX_WORK) throw new PickleError(`is longer than any state dict of ${MAX_WORK / 100} tensors`);
  }
  push(value: Pickled): void {
    if (typeof value === "object") this.work(4);
    this.stack.push(value);
  }
  pop(): Pickled {
    return this.stack.length > 0 ? this.stack.pop()! : this.#empty();
  }
  top(): Pickled {
    return this.stack.length > 0 ? this.stack.at(-1)! : this.#empty();
  }
  #empty(): never {
    throw new PickleError("takes a value from an empty stack");
  }
  mark(): void {
    this.work(4);
    this.marks.push(this.stack);
    this.stack = [];
  }
  /** What was pushed since the last mark. */
  sinceMark(): Pickled[] {
    const items = this.stack;
    this.stack = this.marks.pop() ?? (() => { throw new PickleError("takes values since a mark that was not set"); })();
    return items;
  }

  take(count: number): number {
    if (count > this.bytes.length - this.at) throw new PickleError(`ends within a value of ${count} bytes`);
    this.at += count;
    return this.at - count;
  }
  u8(): number {
    return this.view.getUint8(this.take(1));
  }
  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }
  u64(): number {
    return Number(this.view.getBigUint64(this.take(8), true));
  }
  data(length: number): Uint8Array {
    const at = this.take(length);
    return this.bytes.slice(at, at + length);
  }
  text(length: number): string {
    const at = this.take(length);
    const text = utf8(this.bytes.subarray(at, at + length));
    if (text === null) throw new PickleError("has text that is not UTF-8");
    return text;
  }
  line(): string {
    const end = this.bytes.subarray(this.at, this.at + 256).indexOf(10);
    if (end < 0) throw new PickleError("has a name without an end");
    const text = this.text(end);
    this.at++;
    return text;
  }

  /** Little-endian two's complement. */
  integer(length: number): void {
    if (length > MAX_INTEGER) throw new PickleError(`has a number of ${length} bytes`);
    const value = BigInt.asIntN(8 * length, this.data(length).reduceRight((n, byte) => (n << 8n) | BigInt(byte), 0n));
    this.push(Number.isSafeInteger(Number(value)) ? Number(value) : value);
  }
  tuple(items: Pickled[]): void {
    this.push(Object.freeze(items) as Pickled[]);
  }
  append(items: readonly Pickled[]): void {
    const list = this.top();
    if (!Array.isArray(list) || Object.isFrozen(list)) throw new PickleError(`appends to ${kindOf(list)}`);
    for (const item of items) list.push(item);
  }
  setItems(items: readonly Pickled[]): void {
    const dict = this.top();
    if (!(dict instanceof Map)) throw new PickleError(`sets an item of ${kindOf(dict)}`);
    if (items.length % 2 !== 0) throw new PickleError("sets a key without a value");
    for (let i = 0; i < items.length; i += 2) setItem(dict, items[i]!, items[i + 1]!);
  }
  remember(index: number): void {
    this.memo.set(index, this.top());
  }
  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw new PickleError(`recalls value ${index}, which was not stored`);
    this.push(value);
  }
  import(module: Pickled, name: Pickled): void {
    if (typeof module !== "string" || typeof name !== "string") throw new PickleError("imports a name that is not text");
    const found = this.options.global(`${module}.${name}`);
    if (found === undefined) throw new PickleError(`imports ${show(`${module}.${name}`)}, which is not known to be data`);
    this.push(found);
  }
  reduce(): void {
    const args = this.pop(), callee = this.pop();
    if (!(callee instanceof PickledFunction) || !Array.isArray(args)) throw new PickleError(`calls ${kindOf(callee)}`);
    this.push(callee.call(args));
  }
  /** State of an object: kept out. PyTorch's state dicts have `_metadata`, versions of modules. */
  build(): void {
    const state = this.pop(), object = this.top();
    if (!(state instanceof Map) || !(object instanceof Map)) throw new PickleError(`gives ${kindOf(object)} a state`);
  }
}

/** Adds to a dict, as a pickle may: keys are text or numbers, each once. */
export function setItem(dict: Map<string | number, Pickled>, key: Pickled, value: Pickled): void {
  if (typeof key !== "string" && typeof key !== "number") throw new PickleError(`has ${kindOf(key)} as a key`);
  if (dict.has(key)) throw new PickleError(`sets the key ${show(String(key))} twice`);
  dict.set(key, value);
}

export function kindOf(value: Pickled): string {
  if (value === null) return "None";
  if (value instanceof PickledObject) return value.what;
  if (Array.isArray(value)) return Object.isFrozen(value) ? "a tuple" : "a list";
  if (value instanceof Map) return "a dict";
  return value instanceof Uint8Array ? "bytes" : `a ${typeof value}`;
}

const opcodes: Readonly<Record<string, (m: Machine) => void>> = {
  "\x80": (m) => { // PROTO
    const version = m.u8();
    if (version < 2 || version > 5) throw new PickleError(`has protocol ${version}; 2 to 5 are read`);
  },
  "\x95": (m) => { // FRAME: a hint how much to read
    if (m.u64() > m.bytes.length - m.at) throw new PickleError("has a frame longer than itself");
  },
  N: (m) => m.push(null),
  "\x88": (m) => m.push(true),
  "\x89": (m) => m.push(false),
  J: (m) => m.push(m.view.getInt32(m.take(4), true)), // BININT
  K: (m) => m.push(m.u8()),
  M: (m) => m.push(m.view.getUint16(m.take(2), true)),
  "\x8a": (m) => m.integer(m.u8()), // LONG1
  "\x8b": (m) => m.integer(m.u32()), // LONG4
  G: (m) => m.push(m.view.getFloat64(m.take(8))), // BINFLOAT, big-endian
  X: (m) => m.push(m.text(m.u32())), // BINUNICODE
  "\x8c": (m) => m.push(m.text(m.u8())),
  "\x8d": (m) => m.push(m.text(m.u64())),
  U: (m) => m.push(m.text(m.u8())), // SHORT_BINSTRING, Python 2
  T: (m) => m.push(m.text(m.u32())),
  C: (m) => m.push(m.data(m.u8())), // SHORT_BINBYTES
  B: (m) => m.push(m.data(m.u32())),
  "\x8e": (m) => m.push(m.data(m.u64())),
  "(": (m) => m.mark(),
  "0": (m) => void m.pop(),
  "1": (m) => void m.sinceMark(), // POP_MARK
  "2": (m) => m.push(m.top()), // DUP
  "]": (m) => m.push([]),
  l: (m) => m.push(m.sinceMark()), // LIST
  a: (m) => m.append([m.pop()]),
  e: (m) => m.append(m.sinceMark()),
  "}": (m) => m.push(new Map()),
  d: (m) => { // DICT
    const items = m.sinceMark();
    m.push(new Map());
    m.setItems(items);
  },
  s: (m) => { // SETITEM
    const value = m.pop(), key = m.pop();
    m.setItems([key, value]);
  },
  u: (m) => m.setItems(m.sinceMark()),
  ")": (m) => m.tuple([]),
  t: (m) => m.tuple(m.sinceMark()),
  "\x85": (m) => m.tuple([m.pop()]),
  "\x86": (m) => m.tuple([m.pop(), m.pop()].reverse()),
  "\x87": (m) => m.tuple([m.pop(), m.pop(), m.pop()].reverse()),
  q: (m) => m.remember(m.u8()), // BINPUT
  r: (m) => m.remember(m.u32()),
  "\x94": (m) => m.remember(m.memo.size), // MEMOIZE
  h: (m) => m.recall(m.u8()), // BINGET
  j: (m) => m.recall(m.u32()),
  c: (m) => m.import(m.line(), m.line()), // GLOBAL
  "\x93": (m) => { // STACK_GLOBAL
    const name = m.pop();
    m.import(m.pop(), name);
  },
  R: (m) => m.reduce(),
  b: (m) => m.build(),
  Q: (m) => m.push(m.options.persistent(m.pop())), // BINPERSID
};

const STOP = 0x2e;
const byByte = Array.from({ length: 256 }, (_, byte) => opcodes[String.fromCharCode(byte)]);

function refuse(byte: number): never {
  const name = refused[String.fromCharCode(byte)];
  throw new PickleError(`has opcode ${name === undefined ? `0x${byte.toString(16)}, which is not known to make data` : `${name}, which can run code: refused`}`);
}

/**
 * Runs a whole pickle.
 *
 * @param format named in errors, with offsets into `bytes`.
 * @throws FormatError
 */
export function unpickle(bytes: Uint8Array, format: string, options: PickleOptions): Pickled {
  const machine = new Machine(bytes, options);
  try {
    if (bytes[0] !== 0x80) throw new PickleError("does not begin with a protocol number");
    for (;;) {
      machine.start = machine.at;
      machine.work(1);
      const byte = machine.u8();
      if (byte === STOP) break;
      (byByte[byte] ?? refuse(byte))(machine);
    }
    if (machine.at !== bytes.length) throw new PickleError(`goes on for ${bytes.length - machine.at} bytes after its end`);
    if (machine.stack.length !== 1 || machine.marks.length !== 0) throw new PickleError(`ends with ${machine.stack.length} values, not with one`);
    return machine.pop();
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw new FormatError(format, machine.start, `the pickle ${error.message}`, error.message.startsWith("imports") ? { hint: "in Python, save a plain state dict: torch.save(model.state_dict(), path)" } : {});
  }
}
