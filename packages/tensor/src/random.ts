/**
 * Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3").
 *
 * A number is a function of (seed, stream, index), never of what was drawn before, so results do not depend on thread count,
 * on the engine, or on where a run was interrupted. The layout is shared with the `random` kernel:
 *
 *     block   = philox(counter = [index/4 low, index/4 high, stream, 0], key = [seed low, seed high])
 *     bits    = block[index mod 4]
 *     uniform = (bits >>> 8) · 2⁻²⁴                                   in [0, 1), exact in f32
 *     normal  = Box–Muller on the uniforms u, v of the index's lane pair (0, 1 or 2, 3):
 *               √(−2 ln(1 − u))·cos 2πv for an even index, …·sin 2πv for an odd one
 */

export type Block = [number, number, number, number];

const M0 = 0xd2511f53, M1 = 0xcd9e8d57; // multipliers of the two lanes
const W0 = 0x9e3779b9, W1 = 0xbb67ae85; // key increments: golden ratio, √3 − 1
const TWO32 = 2 ** 32;

/** High 32 bits of the 64-bit product of two unsigned 32-bit integers, without BigInt. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff, aHigh = a >>> 16, bLow = b & 0xffff, bHigh = b >>> 16;
  const t = aHigh * bLow + ((aLow * bLow) >>> 16); // < 2³³: exact in a double
  const u = aLow * bHigh + (t & 0xffff);
  return aHigh * bHigh + Math.floor(t / 65536) + Math.floor(u / 65536);
}

/** Ten rounds of Philox 4×32. All words are unsigned 32-bit integers. */
export function philox4x32(counter: Readonly<Block>, key: readonly [number, number]): Block {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, c0), low0 = Math.imul(M0, c0);
    const high1 = mulHigh(M1, c2), low1 = Math.imul(M1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** The fourth counter word separates uses, so that derived seeds never meet the numbers themselves. */
const NUMBERS = 0, KEYED = 1, FORK = 2;

function checkedSeed(seed: number): number {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`seed: expected an integer from 0 to 2^53 - 1, got ${seed}`);
  return seed;
}

/**
 * The numbers of one (seed, stream). Nothing runs on: `uniform(i)` is the same number whenever it is asked for.
 *
 *     const random = new Random(1);
 *     random.uniform(0); random.int(1, 6); random.permutation(10);
 */
export class Random {
  readonly seed: number;
  readonly stream: number;
  #block: Block | undefined; // the block asked for last: neighbours come four to a block
  #blockIndex = -1;

  /** @param seed integer in [0, 2⁵³) @param stream integer in [0, 2³²): an independent sequence of the same seed */
  constructor(seed: number, stream = 0) {
    this.seed = checkedSeed(seed);
    if (!Number.isInteger(stream) || stream < 0 || stream >= TWO32) throw new RangeError(`stream: expected an integer from 0 to 2^32 - 1, got ${stream}`);
    this.stream = stream;
  }

  /** Numbers that belong to a place, not to a moment: `Random.keyed(seed, epoch, sample)`. Up to three unsigned 32-bit words. */
  static keyed(seed: number, a: number, b = 0, c = 0): Random {
    return fromBlock(philox4x32([a >>> 0, b >>> 0, c >>> 0, KEYED], keyOf(checkedSeed(seed))));
  }

  /** An independent child, the same one for the same `index`. */
  fork(index: number): Random {
    return fromBlock(philox4x32([index >>> 0, this.stream, 0, FORK], keyOf(this.seed)));
  }

  /** 32 random bits as an unsigned integer. */
  bits(i: number): number {
    return this.#at(i)[i % 4]!;
  }

  /** Uniform in [0, 1), a multiple of 2⁻²⁴ (exact in f32). */
  uniform(i: number): number {
    return (this.bits(i) >>> 8) * 2 ** -24;
  }

  /** Standard normal (Box–Muller 1958). */
  normal(i: number): number {
    const even = i - (i % 2);
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform(even)));
    const angle = 2 * Math.PI * this.uniform(even + 1);
    return radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
  }

  /** Uniform integer in [0, bound). Reads 53 bits (elements 2i and 2i+1), so the bias is below bound · 2⁻⁵³. */
  int(i: number, bound: number): number {
    const u = (this.bits(2 * i) * 2 ** 21 + (this.bits(2 * i + 1) >>> 11)) * 2 ** -53;
    return Math.floor(u * bound);
  }

  /** 0 … n−1 in random order (Fisher–Yates). */
  permutation(n: number): Int32Array {
    const order = new Int32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    for (let i = n - 1; i > 0; i--) {
      const j = this.int(i, i + 1);
      const swapped = order[i]!;
      order[i] = order[j]!;
      order[j] = swapped;
    }
    return order;
  }

  #at(i: number): Block {
    const index = Math.floor(i / 4);
    if (index !== this.#blockIndex) {
      this.#block = philox4x32([index >>> 0, Math.floor(index / TWO32), this.stream, NUMBERS], keyOf(this.seed));
      this.#blockIndex = index;
    }
    return this.#block!;
  }
}

function keyOf(seed: number): [number, number] {
  return [seed >>> 0, Math.floor(seed / TWO32)];
}

function fromBlock([a, b, stream]: Block): Random {
  return new Random(a + (b & 0x1fffff) * TWO32, stream);
}

/** Where the numbers of one call of `rand`, `randn`, `dropout` … come from. */
export interface RandomStream {
  seed: number;
  stream: number;
}

// Fixed at first, not drawn from the clock: a program gives the same numbers each time unless it asks for others.
let state: RandomStream = { seed: 0, stream: 0 };

/** Starts the global sequence of streams anew. Everything random that is given no seed of its own follows from it. */
export function manualSeed(seed: number): void {
  state = { seed: checkedSeed(seed), stream: 0 };
}

/** The next unused stream of the global seed: one per call of a random op. */
export function nextStream(): RandomStream {
  const taken = state;
  state = taken.stream + 1 < TWO32
    ? { seed: taken.seed, stream: taken.stream + 1 }
    : { seed: Random.keyed(taken.seed, 0).seed, stream: 0 }; // 2³² calls later: go on under a derived seed
  return taken;
}

/** What a checkpoint stores so that `setRandomState` continues with the very same numbers. */
export function randomState(): RandomStream {
  return { ...state };
}

export function setRandomState(saved: RandomStream): void {
  const { seed, stream } = new Random(saved.seed, saved.stream); // validates both
  state = { seed, stream };
}
