/** Samples that cannot be read: what a set of a million pictures from the web has. */
import { FormatError } from "@nn/tensor";
import { collate, type Fields } from "./array.ts";
import type { Dataset, Pass } from "./dataset.ts";

/** A sample that was left out. `reason` names its file. */
export interface CorruptSample {
  readonly index: number;
  readonly reason: string;
}

export interface SkipOptions {
  /** Hears of each such sample once, when it is first met. */
  onCorrupt?: (sample: CorruptSample) => void;
}

/**
 * Remembers the samples that were left out, by index, and tells of each once. A batch is smaller by those; one without any that can be read
 * is an error, for then something else is wrong.
 */
export class Skipped {
  readonly samples = new Map<number, string>();
  readonly #onCorrupt: (sample: CorruptSample) => void;

  constructor({ onCorrupt = () => {} }: SkipOptions = {}) {
    this.#onCorrupt = onCorrupt;
  }

  /** The batch, after its left-out samples have been noted. @throws FormatError if nothing is left of it. */
  take<F extends Fields>({ batch, corrupt }: Gathered<F>): F {
    for (const sample of corrupt) {
      if (this.samples.has(sample.index)) continue;
      this.samples.set(sample.index, sample.reason);
      this.#onCorrupt(sample);
    }
    if (batch === null) throw new FormatError("image", 0, `none of the ${corrupt.length} samples of a batch can be read; the first: ${corrupt[0]?.reason ?? "there are none"}`);
    return batch;
  }
}

/** A batch of those samples that could be read, or null if none could. */
export interface Gathered<F extends Fields> {
  readonly batch: F | null;
  readonly corrupt: readonly CorruptSample[];
}

/** Reads samples; those whose `get` throws a FormatError are named instead. */
export async function gatherReadable<F extends Fields>(dataset: Dataset<F>, indices: ArrayLike<number>, pass: Pass): Promise<Gathered<F>> {
  const corrupt: CorruptSample[] = [];
  const read = async (index: number): Promise<F | null> => {
    try {
      return await dataset.get(index, pass);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      corrupt.push({ index, reason: error.reason });
      return null;
    }
  };
  const samples = (await Promise.all(Array.from(indices, read))).filter((sample) => sample !== null);
  corrupt.sort((a, b) => a.index - b.index);
  return { batch: samples.length === 0 ? null : collate(samples), corrupt };
}

/**
 * The dataset with a policy for damaged samples: they are left out of their batch, counted and named in `skipped`. Without it the first
 * one ends the loop with its error. Goes outermost, around augmentation; `WorkerDataset` has it as an option.
 *
 *     const train = skipCorrupt(mapDataset(files, augment), { onCorrupt: ({ reason }) => console.warn(reason) });
 */
export function skipCorrupt<F extends Fields>(dataset: Dataset<F>, options: SkipOptions = {}): Required<Dataset<F>> & { readonly skipped: ReadonlyMap<number, string> } {
  const skipped = new Skipped(options);
  return {
    length: dataset.length,
    skipped: skipped.samples,
    get: (index, pass) => dataset.get(index, pass),
    gather: async (indices, pass) => skipped.take(await gatherReadable(dataset, indices, pass)),
  };
}
