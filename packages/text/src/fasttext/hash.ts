/** Hash values of words and n-grams, bit for bit those of the original. */

/** FNV-1a of 32 bits over bytes[from, to). Bytes above 127 are taken as negative, as the first fastText did, so that its models stay valid. */
export function hashBytes(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let h = 2166136261;
  for (let i = from; i < to; i++) h = Math.imul(h ^ ((bytes[i]! << 24) >> 24), 16777619);
  return h >>> 0;
}

const FACTOR = 116049371;

/** A running hash of words, 64 bits in two halves: h = h·116049371 + word, words as signed 32-bit numbers. */
export class NgramHash {
  #high = 0;
  #low = 0;

  /** Starts anew with one word's hash. */
  start(word: number): void {
    this.#low = word >>> 0;
    this.#high = (word | 0) < 0 ? 0xffffffff : 0;
  }

  add(word: number): void {
    // In limbs of 16 bits, whose products with 27 bits are exact.
    const a = (this.#low & 0xffff) * FACTOR, b = (this.#low >>> 16) * FACTOR + Math.floor(a / 0x10000);
    const low = ((b & 0xffff) * 0x10000 + (a & 0xffff)) + (word >>> 0);
    const carry = Math.floor(b / 0x10000) + (low > 0xffffffff ? 1 : 0) + ((word | 0) < 0 ? 0xffffffff : 0);
    this.#high = (Math.imul(this.#high, FACTOR) + carry) >>> 0;
    this.#low = low >>> 0;
  }

  /** The hash modulo n < 2³¹. */
  modulo(n: number): number {
    let rest = this.#high % n;
    rest = (rest * 0x10000 + (this.#low >>> 16)) % n;
    return (rest * 0x10000 + (this.#low & 0xffff)) % n;
  }

  toString(): string { return ((BigInt(this.#high) << 32n) | BigInt(this.#low)).toString(); }
}
