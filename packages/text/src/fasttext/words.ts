/** Words as bytes, one behind the other, found by hash. */
import { hashBytes } from "./hash.ts";

export const EMPTY = -1;

/** A growing list of distinct words; a word's number is its place in the list. */
export class Words {
  /** Word i is bytes[starts[i], starts[i + 1]). */
  bytes = new Uint8Array(1 << 12);
  starts = new Float64Array(1 << 8);
  size = 0;
  /** Pairs of hash and number by open addressing; number EMPTY: free. Its length is a power of two. */
  table = new Int32Array(1 << 10).fill(EMPTY);

  end(): number { return this.starts[this.size]!; }
  get(i: number): Uint8Array { return this.bytes.subarray(this.starts[i], this.starts[i + 1]); }

  /** Number of bytes[from, to), or EMPTY. */
  find(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const { table } = this;
    return table[2 * this.#slot(bytes, from, to, hash) + 1]!;
  }

  #slot(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const { table, starts } = this, own = this.bytes, mask = table.length / 2 - 1, signed = hash | 0;
    for (let slot = spread(hash) & mask; ; slot = (slot + 1) & mask) {
      const word = table[2 * slot + 1]!;
      if (word === EMPTY) return slot;
      if (table[2 * slot] !== signed) continue;
      const start = starts[word]!;
      if (starts[word + 1]! - start !== to - from) continue;
      let i = from;
      for (let j = start; i < to && own[j] === bytes[i]; j++) i++;
      if (i === to) return slot;
    }
  }

  /** Number of a word, which is added at the end if it is not there. */
  add(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const slot = this.#slot(bytes, from, to, hash), found = this.table[2 * slot + 1]!;
    if (found !== EMPTY) return found;
    this.append(bytes, from, to);
    this.table[2 * slot] = hash;
    this.table[2 * slot + 1] = this.size - 1;
    if (4 * this.size > this.table.length) this.index();
    return this.size - 1;
  }

  /** Adds a word without looking whether it is there; `index` must follow before the next `find`. */
  append(bytes: Uint8Array, from: number, to: number): void {
    const at = this.end(), end = at + to - from;
    if (end > this.bytes.length) this.bytes = grown(this.bytes, new Uint8Array(Math.max(end, 2 * this.bytes.length)));
    if (this.size + 2 > this.starts.length) this.starts = grown(this.starts, new Float64Array(2 * this.starts.length));
    this.bytes.set(bytes.subarray(from, to), at);
    this.starts[++this.size] = end;
  }

  /** Builds the table anew, at most half full; of equal words the first is found. */
  index(): void {
    let slots = 512;
    while (slots < 4 * this.size) slots *= 2;
    this.table = new Int32Array(2 * slots).fill(EMPTY);
    for (let i = 0; i < this.size; i++) {
      const from = this.starts[i]!, to = this.starts[i + 1]!, hash = hashBytes(this.bytes, from, to), slot = this.#slot(this.bytes, from, to, hash);
      if (this.table[2 * slot + 1] !== EMPTY) continue;
      this.table[2 * slot] = hash;
      this.table[2 * slot + 1] = i;
    }
  }
}

/** The lowest bits of FNV depend on the lowest bits of the bytes alone. */
const spread = (hash: number): number => hash ^ (hash >>> 15);

function grown<T extends Uint8Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
