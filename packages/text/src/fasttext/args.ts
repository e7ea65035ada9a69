/** What a fastText model is trained with, under the original's names; the part up to `t` is kept in model files. */
import { ArgumentError } from "@nn/tensor";

export type ModelName = "cbow" | "sg" | "sup";
export type LossName = "hs" | "ns" | "softmax" | "ova";

/** Numbers of models and losses in files. */
export const modelCodes = { cbow: 1, sg: 2, sup: 3 } as const satisfies Record<ModelName, number>;
export const lossCodes = { hs: 1, ns: 2, softmax: 3, ova: 4 } as const satisfies Record<LossName, number>;

export interface FastTextArgs {
  model: ModelName;
  loss: LossName;
  /** Size of vectors. */
  dim: number;
  /** Words before and after that a word of cbow and sg meets, at most. */
  ws: number;
  epoch: number;
  /** Words, labels that are rarer are left out of the vocabulary. */
  minCount: number;
  minCountLabel: number;
  /** Negatives sampled per target (ns). */
  neg: number;
  /** Longest run of words that has a vector of its own; 1: none. */
  wordNgrams: number;
  /** Rows that word n-grams and subwords share, by hash. */
  bucket: number;
  /** Shortest and longest character n-gram of a word; maxn 0: none. */
  minn: number;
  maxn: number;
  /** Learning rate at the start; it falls linearly to 0. */
  lr: number;
  /** Tokens after which a thread reports its progress, on which the rate depends. */
  lrUpdateRate: number;
  /** Words more frequent than this share are skipped at random (cbow, sg). */
  t: number;
  /** What the names of labels begin with. */
  label: string;
  seed: number;
}

const vectors: FastTextArgs = {
  model: "sg", loss: "ns", dim: 100, ws: 5, epoch: 5, minCount: 5, minCountLabel: 0, neg: 5, wordNgrams: 1, bucket: 2_000_000,
  minn: 3, maxn: 6, lr: 0.05, lrUpdateRate: 100, t: 1e-4, label: "__label__", seed: 0,
};
const supervised: Partial<FastTextArgs> = { loss: "softmax", minCount: 1, minn: 0, maxn: 0, lr: 0.1 };

const whole: Partial<Record<keyof FastTextArgs, number>> = {
  dim: 1, ws: 1, epoch: 0, minCount: 0, minCountLabel: 0, neg: 0, wordNgrams: 1, bucket: 0, minn: 0, maxn: 0, lrUpdateRate: 1, seed: 0,
};

/**
 * The original's defaults for a model, with `given` in their place. Without n-grams there are no buckets.
 *
 * @throws ArgumentError for a value that no model can have.
 */
export function fastTextArgs(model: ModelName, given: Partial<FastTextArgs> = {}): FastTextArgs {
  if (!Object.hasOwn(modelCodes, model)) throw new ArgumentError("fastText", `no model is called ${String(model)}`, { hint: "sup, sg or cbow" });
  const args = { ...vectors, ...(model === "sup" ? supervised : {}), ...given, model };
  if (!Object.hasOwn(lossCodes, args.loss)) throw new ArgumentError("fastText", `no loss is called ${String(args.loss)}`, { hint: "softmax, hs, ns or ova" });
  for (const [name, least] of Object.entries(whole)) {
    const value = args[name as keyof FastTextArgs] as number;
    if (!Number.isInteger(value) || value < least || value > 2 ** 31 - 1) throw new ArgumentError("fastText", `${name} is ${String(value)}`, { hint: `a whole number from ${least} to 2147483647` });
  }
  for (const name of ["lr", "t"] as const) if (!(args[name] >= 0 && Number.isFinite(args[name]))) throw new ArgumentError("fastText", `${name} is ${String(args[name])}`, { hint: "a number from 0 on" });
  if (args.wordNgrams <= 1 && args.maxn === 0) args.bucket = 0;
  else if (args.bucket === 0) throw new ArgumentError("fastText", "n-grams, but bucket is 0", { hint: "bucket: 2_000_000, or wordNgrams: 1 and maxn: 0" });
  return args;
}
