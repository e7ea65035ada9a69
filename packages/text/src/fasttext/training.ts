/** Training by the job `fastTextTrain`: buffers for dictionary and matrices in an engine's memory, and pieces of text that are fed to it. */
import { fastTextPart as field, fastTextScratch, fastTextStatus, runJob, type JobArgs } from "@nn/kernels/jobs";
import { ArgumentError, NnError, type Engine } from "@nn/tensor";
import { lossCodes, modelCodes, type FastTextArgs } from "./args.ts";
import type { Dictionary } from "./dictionary.ts";
import { HuffmanTree } from "./huffman.ts";
import { DenseMatrix } from "./matrix.ts";
import { negativeTable } from "./negatives.ts";
import { logTable, sigmoidTable } from "./output.ts";

export interface TrainProgress {
  /** 0 … 1 */
  progress: number;
  /** Tokens that were trained on, all epochs together. */
  tokens: number;
  /** Learning rate now. */
  lr: number;
  /** Mean over all examples so far. */
  loss: number;
  seconds: number;
}

/** A corpus that can be read from any place. */
export interface Corpus {
  readonly bytes: number;
  /** Fills `into` from byte `at` on; returns how many bytes there were, 0 at the end. */
  read(into: Uint8Array, at: number): number;
}

export interface TrainOptions {
  /**
   * Places of the corpus that learn at the same time without locks, as the original's threads do. Default: one, which gives the same bits for any
   * number of threads; those that do not learn read ahead (classifiers).
   */
  parts?: number;
  /** Called about ten times a second; false stops, and the model is as good as it is then. */
  onProgress?: (progress: TrainProgress) => boolean | void;
}

const MOST_PIECE = 1 << 20, LEAST_PIECE = 1 << 14;
/** Lines that other threads read while one learns. */
const AHEAD = 32;

/** Where a part of the run stands in the corpus. */
interface Part { at: number; end: boolean }

/** The matrices of a model in an engine's memory, and the run that trains them. */
export class Training {
  readonly input: DenseMatrix;
  readonly output: DenseMatrix;
  readonly #engine: Engine;
  readonly #args: FastTextArgs;
  readonly #dictionary: Dictionary;
  readonly #corpus: Corpus;
  readonly #blocks: number[] = [];
  readonly #matrices: { input: number; output: number };

  /** `input`: values to begin with instead of random ones. @throws OutOfMemoryError */
  constructor(engine: Engine, args: FastTextArgs, dictionary: Dictionary, corpus: Corpus, input?: DenseMatrix) {
    this.#engine = engine;
    this.#args = args;
    this.#dictionary = dictionary;
    this.#corpus = corpus;
    const { dim, bucket } = args, targets = args.model === "sup" ? dictionary.labelCount : dictionary.wordCount;
    if (targets === 0) throw new ArgumentError("fastText", "the text has no labels", { hint: `labels begin with ${JSON.stringify(args.label)}` });
    const rows = dictionary.wordCount + (dictionary.kept?.size ?? bucket);
    this.#matrices = { input: engine.alloc(4 * rows * dim), output: engine.alloc(4 * targets * dim) };
    this.input = new DenseMatrix(rows, dim, () => engine.f32(this.#matrices.input, rows * dim));
    this.output = new DenseMatrix(targets, dim, () => engine.f32(this.#matrices.output, targets * dim));
    if (input === undefined) runJob(engine, "fastTextInit", { x: this.#matrices.input, n: rows * dim, bound: Math.fround(1 / dim), seed: args.seed });
    else this.input.data.set(input.data);
    this.output.data.fill(0);
  }

  #upload(data: Float32Array | Int32Array | Uint8Array): number {
    const p = this.#engine.alloc(data.byteLength);
    this.#blocks.push(p);
    this.#engine.u8(p, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return p;
  }

  /** Arguments that stay the same. */
  #constants(): Omit<JobArgs["fastTextTrain"], "counter" | "parts" | "part" | "capacity" | "ahead"> {
    const args = this.#args, dictionary = this.#dictionary, { entries, kept } = dictionary, classifier = args.model === "sup";
    if (entries.end() >= 2 ** 31) throw new ArgumentError("fastText", `the words of the vocabulary have ${entries.end()} bytes together`, { hint: "a larger minCount leaves fewer" });
    const prefix = new TextEncoder().encode(args.label), subwords = args.maxn > 0 ? dictionary.subwords : undefined;
    const counts = dictionary.countsOf(classifier ? "label" : "word");
    const negatives = args.loss === "ns" ? negativeTable(counts) : undefined, tree = args.loss === "hs" ? new HuffmanTree(counts) : undefined;
    if (negatives !== undefined && counts.length < 2) throw new ArgumentError("fastText", "negative sampling needs two targets or more", { hint: "loss: softmax" });
    return {
      model: modelCodes[args.model], loss: lossCodes[args.loss], dim: args.dim, ws: args.ws, neg: args.neg, wordNgrams: args.wordNgrams, minn: args.minn, maxn: args.maxn,
      bucket: args.bucket, words: dictionary.wordCount, labels: dictionary.labelCount, table: this.#upload(entries.table), slots: entries.table.length / 2,
      starts: this.#upload(Int32Array.from(entries.starts.subarray(0, entries.size + 1))), bytes: this.#upload(entries.bytes.subarray(0, entries.end())),
      prefix: this.#upload(prefix), prefixBytes: prefix.length,
      rows: subwords === undefined ? 0 : this.#upload(subwords.ids), rowStarts: subwords === undefined ? 0 : this.#upload(Int32Array.from(subwords.starts)),
      keep: classifier ? 0 : this.#upload(Float32Array.from({ length: dictionary.wordCount }, (_, i) => dictionary.keepShare(i, args.t))),
      kept: kept === undefined ? 0 : this.#upload(Int32Array.from({ length: args.bucket }, (_, i) => kept.get(i) ?? -1)),
      ...this.#matrices, targets: this.output.rows, sigmoid: this.#upload(sigmoidTable), log: this.#upload(logTable),
      negatives: negatives === undefined ? 0 : this.#upload(negatives), negativeCount: negatives?.length ?? 0,
      pathStarts: tree === undefined ? 0 : this.#upload(tree.starts), pathNodes: tree === undefined ? 0 : this.#upload(tree.nodes), pathCodes: tree === undefined ? 0 : this.#upload(tree.codes),
      lr: args.lr, total: args.epoch * dictionary.tokens, updateRate: args.lrUpdateRate,
    };
  }

  /**
   * Runs until all epochs are done or `onProgress` returns false.
   *
   * @throws NnError if numbers overflow, as they do with too large a rate
   */
  run({ parts = 1, onProgress }: TrainOptions = {}): TrainProgress {
    const engine = this.#engine, constants = this.#constants(), total = constants.total, { bytes } = this.#corpus, args = this.#args;
    const ahead = parts === 1 && args.model === "sup" && engine.threads > 1 ? AHEAD : 0, scores = args.loss === "softmax" ? constants.targets : 0;
    let pieceBytes = Math.max(LEAST_PIECE, Math.min(MOST_PIECE, Math.ceil(bytes / parts / 8))), capacity = 2048;
    const places = Array.from({ length: parts }, (_, i): Part => ({ at: Math.floor((i * bytes) / parts), end: false }));
    const scratchBytes = () => fastTextScratch({ dim: args.dim, scores, capacity, ahead });
    const block = (size: number): number => {
      const p = engine.alloc(size);
      this.#blocks.push(p);
      return p;
    };
    const counter = block(8), part = block(8 * field.size * parts);
    engine.u8(counter, 8).fill(0);
    const fields = () => engine.f64(part, field.size * parts);
    fields().fill(0);
    const buffers = places.map((_, i) => {
      fields()[i * field.size + field.rng] = args.seed + i;
      return { text: block(pieceBytes), scratch: block(scratchBytes()) };
    });
    const started = performance.now();
    let last = started;
    const report = (): TrainProgress => {
      const all = fields(), tokens = Number(new DataView(engine.u8(counter, 8).slice().buffer).getBigInt64(0, true)), progress = total === 0 ? 1 : Math.min(1, tokens / total);
      let loss = 0, examples = 0;
      for (let i = 0; i < parts; i++) {
        loss += all[i * field.size + field.loss]!;
        examples += all[i * field.size + field.examples]!;
      }
      return { progress, tokens, lr: args.lr * (1 - progress), loss: loss / examples, seconds: (performance.now() - started) / 1000 };
    };
    try {
      for (let done = total === 0; !done;) {
        places.forEach((place, i) => this.#fill(place, buffers[i]!.text, pieceBytes, fields().subarray(i * field.size, (i + 1) * field.size), buffers[i]!.scratch));
        runJob(engine, "fastTextTrain", { ...constants, counter, parts, part, capacity, ahead });
        let stuck = false, small = false;
        for (const [i, place] of places.entries()) {
          const own = fields().subarray(i * field.size, (i + 1) * field.size), consumed = own[field.consumed]!, status = own[field.status];
          if (Number.isNaN(own[field.loss])) throw new NnError("fastText: the loss is not a number any more", { hint: `lr ${args.lr} is too large` });
          done ||= status === fastTextStatus.done;
          small ||= status === fastTextStatus.scratch;
          stuck ||= status === fastTextStatus.dry && consumed === 0 && !place.end;
          place.at = place.end && consumed === own[field.bytes] ? 0 : place.at + consumed;
        }
        if (stuck) {  // a line longer than a piece
          pieceBytes *= 2;
          for (const buffer of buffers) buffer.text = block(pieceBytes);
        }
        if (small) {
          capacity *= 2;
          for (const buffer of buffers) buffer.scratch = block(scratchBytes());
        }
        if (onProgress !== undefined && performance.now() - last > 100) {
          last = performance.now();
          if (onProgress(report()) === false) break;
        }
      }
      return report();
    } finally {
      for (const p of this.#blocks.splice(0)) engine.free(p);
    }
  }

  #fill(place: Part, text: number, size: number, own: Float64Array, scratch: number): void {
    const bytes = this.#corpus.read(this.#engine.u8(text, size), place.at);
    place.end = place.at + bytes >= this.#corpus.bytes;
    own[field.text] = text;
    own[field.bytes] = bytes;
    own[field.last] = place.end ? 1 : 0;
    own[field.scratch] = scratch;
  }
}
