/** In which order a pass visits the samples. An order is a function of (seed, epoch), so a pass can be taken up anywhere. */
import { Random } from "@nn/tensor";
import type { Pass } from "./dataset.ts";

export interface Sampler {
  /** Number of samples in a pass. */
  readonly length: number;
  /** Their indices, in order. */
  order(pass: Pass): Int32Array;
}

/** 0, 1, 2 … */
export const sequential = (length: number): Sampler => ({ length, order: () => Int32Array.from({ length }, (_, i) => i) });

const SHUFFLE = 0xffff_ffff; // a key apart from those of the samples' own random numbers

/** Every sample once, in an order of its own for each epoch. */
export const shuffled = (length: number): Sampler => ({ length, order: ({ seed, epoch }) => Random.keyed(seed, epoch, 0, SHUFFLE).permutation(length) });
