/**
 * The list of jobs: algorithms that are whole loops, one C++ function each in `cpp/jobs/`. Same rules as for the kernels in abi.ts; `pnpm gen`
 * writes `job-abi.gen.ts` and the structs in `cpp/abi.gen.h`. Jobs are a WASM module of their own, so that pages that do not use them do not load them.
 *
 * A job works through what its buffers hold and returns: whoever calls it feeds the next piece, reports progress and may stop.
 */
import type { KernelShape } from "./abi.ts";

/** Why a part stopped: its text is used up, all tokens are done, or `scratch` is too small for a line. */
export const fastTextStatus = { dry: 0, done: 1, scratch: 2 } as const;

/** Doubles per part of a training run, and what they mean; consumed, rng, tokens, loss, examples and status are written. */
export const fastTextPart = { text: 0, bytes: 1, last: 2, consumed: 3, rng: 4, tokens: 5, loss: 6, examples: 7, status: 8, scratch: 9, size: 16 } as const;

export const jobs = {
  /** x[n] uniform in ±bound: ten blocks, block i from minstd_rand(seed + i), two draws per number. */
  fastTextInit: { x: "f32*", n: "int", bound: "double", seed: "int" },
  /**
   * Trains on the text of each part (see `fastTextPart`), parts at the same time and without locks (Recht 2011, "Hogwild!"), until it is used up
   * or `counter` (int64, tokens done by all) reaches `total`; the rate falls with it from lr to 0. A part's text ends with a whole line, or what
   * follows the last line is left; last = 1: it is the end of the corpus.
   *
   * Dictionary: `table` of slots × (hash, entry), entry -1 free; entry i is bytes[starts[i], starts[i+1]); the first `words` entries are words, then `labels`
   * labels, which begin with prefix. rows: those of word i are rows[rowStarts[i], rowStarts[i+1]) (maxn > 0). keep: share of a word's occurrences that
   * are used (cbow, sg). kept: row of a bucket or -1; 0 = every bucket has its row.
   * model, loss: the numbers of model files. Output: `sigmoid`, `log`: tables of 513; negatives: targets to draw from (ns); path of target t: nodes and codes at [pathStarts[t], pathStarts[t+1]) (hs).
   * scratch of a part: `fastTextScratch` bytes; status `scratch` asks for a greater capacity (tokens per line).
   *
   * ahead > 0: a classifier's one part, whose next 2·ahead lines other threads read while one learns: the same bits for any number of threads.
   */
  fastTextTrain: {
    model: "int", loss: "int", dim: "int", ws: "int", neg: "int", wordNgrams: "int", minn: "int", maxn: "int", bucket: "int",
    words: "int", labels: "int", table: "i32*", slots: "int", starts: "i32*", bytes: "ptr", prefix: "ptr", prefixBytes: "int",
    rows: "i32*", rowStarts: "i32*", keep: "f32*", kept: "i32*",
    input: "f32*", output: "f32*", targets: "int", sigmoid: "f32*", log: "f32*", negatives: "i32*", negativeCount: "int",
    pathStarts: "i32*", pathNodes: "i32*", pathCodes: "ptr",
    lr: "double", total: "double", updateRate: "int", counter: "ptr", parts: "int", part: "f64*", capacity: "int",
    ahead: "int",
  },
} as const satisfies Record<string, KernelShape>;

/** Bytes of scratch memory per part of a training run; `scores`: targets if the loss is softmax, else 0. Covers what cpp/jobs/fasttext-part.hpp takes. */
export function fastTextScratch({ dim, scores, capacity, ahead }: { dim: number; scores: number; capacity: number; ahead: number }): number {
  const line = (16 + 4 + 4 * 16) * capacity + 3 * 16, unit = 128;
  return 4 * (3 * (dim + 16) + scores + 16) + 4 * 16 + Math.max(1, 2 * ahead) * (line + unit);
}

export type JobName = keyof typeof jobs;
