/** In which order a pass visits the samples. An order is a function of (seed, epoch), so a pass can be taken up anywhere. */
import { ArgumentError, Random } from "@nn/tensor";
import type { Pass } from "./dataset.ts";

export interface Sampler {
  /** Number of samples in a pass. */
  readonly length: number;
  /** Their indices, in order. The loader cuts them into batches of `batchSize`. */
  order(pass: Pass, batchSize: number): Int32Array;
}

/** 0, 1, 2 … */
export const sequential = (length: number): Sampler => ({ length, order: () => Int32Array.from({ length }, (_, i) => i) });

const SHUFFLE = 0xffff_ffff; // a key apart from those of the samples' own random numbers

/** Every sample once, in an order of its own for each epoch. */
export const shuffled = (length: number): Sampler => ({ length, order: ({ seed, epoch }) => Random.keyed(seed, epoch, 0, SHUFFLE).permutation(length) });

/**
 * Batches of samples of similar length, so that little is padded: in each epoch the samples are shuffled and dealt into pools of `pool` batches,
 * each pool is sorted by length and cut, and the batches come in random order (Bahdanau 2014 sorts 20 batches at a time). A last batch that is
 * not full is a random one, so that `dropLast` favours no length.
 *
 *     new DataLoader(dataset, { batchSize: 32, sampler: bucketed(lengths), collate: padCollate() })
 *
 * @throws ArgumentError if `pool` is not a whole number of at least 1 (Infinity sorts everything: least padding, least mixing)
 */
export function bucketed(lengths: ArrayLike<number>, { pool = 20 }: { pool?: number } = {}): Sampler {
  if (!(pool >= 1 && (Number.isInteger(pool) || pool === Infinity))) throw new ArgumentError("bucketed", `pool is ${pool}`, { hint: "a number of batches from 1 to Infinity" });
  return {
    length: lengths.length,
    order({ seed, epoch }, batchSize) {
      const random = Random.keyed(seed, epoch, 0, SHUFFLE);
      const samples = random.permutation(lengths.length);
      const order = samples.slice();
      const batches = Math.floor(lengths.length / batchSize);
      const full = samples.subarray(0, batches * batchSize);
      for (let from = 0; from < full.length; from += pool * batchSize) full.subarray(from, from + pool * batchSize).sort((a, b) => lengths[a]! - lengths[b]!);
      random.fork(1).permutation(batches).forEach((batch, i) => order.set(full.subarray(batch * batchSize, (batch + 1) * batchSize), i * batchSize));
      return order;
    },
  };
}
