/** Little-endian reading that checks before it allocates, and writing in pieces. */
import { FormatError } from "@nn/tensor";
import { joined } from "./tokens.ts";

export class ByteReader {
  readonly bytes: Uint8Array;
  readonly format: string;
  offset = 0;
  readonly #view: DataView;
  readonly #owned: boolean;

  /** `owned`: what was read may be overwritten. */
  constructor(bytes: Uint8Array, format: string, owned = false) {
    this.bytes = bytes;
    this.format = format;
    this.#owned = owned;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fail(reason: string, hint?: string, at = this.offset): never {
    throw new FormatError(this.format, at, reason, hint === undefined ? {} : { hint });
  }

  /** Moves on by `size` bytes and returns where they begin. */
  #take(size: number, what: string): number {
    const at = this.offset, left = this.bytes.length - at;
    if (!(size <= left)) this.fail(`truncated: ${what} takes ${size} bytes, ${left} are left`);
    this.offset += size;
    return at;
  }

  i32(what: string): number { return this.#view.getInt32(this.#take(4, what), true); }
  f64(what: string): number { return this.#view.getFloat64(this.#take(8, what), true); }
  u8(what: string): number { return this.bytes[this.#take(1, what)]!; }

  /** A 64-bit integer within ±2⁵³. */
  i64(what: string): number {
    const value = this.#view.getBigInt64(this.#take(8, what), true);
    if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) this.fail(`${what} is ${value}`, undefined, this.offset - 8);
    return Number(value);
  }

  flag(what: string): boolean {
    const value = this.u8(what);
    if (value > 1) this.fail(`${what} is ${value}, expected 0 or 1`, undefined, this.offset - 1);
    return value === 1;
  }

  /** An integer from `least` to `most`. */
  within(what: string, value: number, least: number, most: number): number {
    if (!(value >= least && value <= most)) this.fail(`${what} is ${value}, expected ${least} to ${most}`);
    return value;
  }

  /** A view. */
  take(size: number, what: string): Uint8Array {
    const at = this.#take(size, what);
    return this.bytes.subarray(at, at + size);
  }

  /** f32 numbers: a view where the place allows it, else a copy, or the bytes move to a place that does if they are owned. */
  f32(count: number, what: string): Float32Array {
    const at = this.#take(4 * count, what), { bytes } = this, aside = (bytes.byteOffset + at) % 4;
    if (aside === 0) return new Float32Array(bytes.buffer, bytes.byteOffset + at, count);
    if (!this.#owned || at < 4) return new Float32Array(bytes.slice(at, at + 4 * count).buffer);
    bytes.copyWithin(at - aside, at, at + 4 * count);
    return new Float32Array(bytes.buffer, bytes.byteOffset + at - aside, count);
  }

  end(): void {
    const left = this.bytes.length - this.offset;
    if (left > 0) this.fail(`${left} bytes after the end`);
  }
}

export class ByteWriter {
  readonly #pieces: Uint8Array[] = [];

  #put(size: number, write: (view: DataView) => void): void {
    const piece = new Uint8Array(size);
    write(new DataView(piece.buffer));
    this.#pieces.push(piece);
  }

  i32(...values: number[]): void { this.#put(4 * values.length, (view) => values.forEach((value, i) => view.setInt32(4 * i, value, true))); }
  i64(...values: number[]): void { this.#put(8 * values.length, (view) => values.forEach((value, i) => view.setBigInt64(8 * i, BigInt(value), true))); }
  f64(value: number): void { this.#put(8, (view) => view.setFloat64(0, value, true)); }
  u8(value: number): void { this.#pieces.push(Uint8Array.of(value)); }
  bytes(bytes: Uint8Array): void { this.#pieces.push(bytes); }
  f32(values: Float32Array): void { this.bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)); }

  /** What was written, in pieces; big ones are views of what was given. */
  get pieces(): readonly Uint8Array[] { return this.#pieces; }
  toBytes(): Uint8Array { return joined(this.#pieces); }
}
