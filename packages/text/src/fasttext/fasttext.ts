import { ArgumentError } from "@nn/tensor";
import type { FastTextArgs } from "./args.ts";
import { Best } from "./best.ts";
import type { Dictionary } from "./dictionary.ts";
import type { Matrix } from "./matrix.ts";
import { Meter, type Scores } from "./meter.ts";
import { decodeModel, encodeModel, type ModelParts } from "./model-file.ts";
import { predictor, type Predict, type Target } from "./output.ts";
import { isSpace, joined, LineBuffer } from "./tokens.ts";
import { encodeVectors } from "./vectors.ts";

export interface Prediction { label: string; probability: number }
export interface Neighbor { word: string; similarity: number }
export interface TestResult extends Scores {
  /** Lines that have words and labels; the others do not count. */
  examples: number;
  perLabel: (Scores & { label: string })[];
}
/** Bytes of a text, in pieces of any size. */
export type TextPieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/**
 * A classifier of texts (Joulin 2016, "Bag of Tricks for Efficient Text Classification") or vectors of words (Bojanowski 2017, "Enriching Word
 * Vectors with Subword Information"), in the files of fastText 0.9.
 */
export class FastText implements ModelParts {
  readonly args: FastTextArgs;
  readonly dictionary: Dictionary;
  readonly input: Matrix;
  readonly output: Matrix;
  #predict: Predict | undefined;
  #unitVectors: Float32Array | undefined;

  constructor({ args, dictionary, input, output }: ModelParts) {
    this.args = args;
    this.dictionary = dictionary;
    this.input = input;
    this.output = output;
  }

  /** A model from a `.bin` or `.ftz` file's bytes; `owned`: they may be used as the model's memory. @throws FormatError */
  static fromBytes(bytes: Uint8Array, options?: { owned?: boolean }): FastText { return new FastText(decodeModel(bytes, options)); }

  /** The model as a `.bin` file, `.ftz` if it is quantised, which the original loads. */
  toBytes(): Uint8Array { return joined(this.encode()); }
  /** The same in pieces, without a copy of the matrices. */
  encode(): readonly Uint8Array[] { return encodeModel(this); }

  /** Labels by falling frequency. */
  get labels(): string[] { return Array.from({ length: this.dictionary.labelCount }, (_, i) => this.dictionary.label(i)); }

  /**
   * The k most probable labels of one line of text, of those with at least this probability; none for a text without a known word or n-gram.
   * Probabilities are those of the original, which adds 1e-5.
   */
  predict(text: string, k = 1, threshold = 0): Prediction[] {
    if (text.includes("\n")) throw new ArgumentError("FastText.predict", "the text has several lines", { hint: "predict line by line, or replace \\n by a space" });
    const { features } = this.dictionary.line(encode(`${text}\n`));
    return this.predictRows(features, k, threshold).map(({ id, score }) => ({ label: this.dictionary.label(id), probability: Math.fround(Math.exp(score)) }));
  }

  /** The same for rows of the input matrix, `features` of a line of the dictionary. */
  predictRows(rows: ArrayLike<number>, k = 1, threshold = 0): Target[] {
    if (this.args.model !== "sup") throw new ArgumentError("FastText.predict", `this is a model of word vectors (${this.args.model})`, { hint: "labels come from a supervised model" });
    if (!(k === Infinity || (Number.isInteger(k) && k >= 1))) throw new ArgumentError("FastText.predict", `k is ${k}`, { hint: "a whole number from 1, or Infinity for all labels" });
    if (rows.length === 0) return [];
    this.#predict ??= predictor(this.args, this.dictionary, this.output);
    return this.#predict(this.#mean(rows), k, threshold);
  }

  #mean(rows: ArrayLike<number>): Float32Array {
    const mean = new Float32Array(this.args.dim);
    for (let i = 0; i < rows.length; i++) this.input.addRow(mean, rows[i]!);
    if (rows.length > 0) scale(mean, 1 / rows.length);
    return mean;
  }

  /** Precision and recall on labelled lines. `k` labels are predicted per line. */
  async test(text: TextPieces, k = 1, threshold = 0): Promise<TestResult> {
    const meter = new Meter(this.dictionary.labelCount);
    await this.eachLine(text, ({ features, labels }) => {
      if (labels.length > 0 && features.length > 0) meter.add(labels, this.predictRows(features, k, threshold));
    });
    return { examples: meter.examples, ...meter.scores, perLabel: this.labels.map((label, i) => ({ label, ...meter.labelScores(i) })) };
  }

  /** Calls `onLine` for every line, with features and labels that are overwritten afterwards. Needs memory for the longest line only. */
  async eachLine(text: TextPieces, onLine: (line: { features: readonly number[]; labels: readonly number[] }) => void): Promise<void> {
    const buffer = new LineBuffer();
    const run = (bytes: Uint8Array | undefined): void => {
      for (let at = 0; bytes !== undefined && at < bytes.length;) {
        const line = this.dictionary.line(bytes, at);
        at = line.end;
        onLine(line);
      }
    };
    for await (const piece of text) run(buffer.push(piece));
    run(buffer.flush());
  }

  /** Vector of a word, [dim]: the mean of its own and its subwords'. Words that were not in the text have one too if the model has subwords, else zeros. */
  wordVector(word: string | Uint8Array): Float32Array {
    return this.#mean(this.dictionary.wordRows(typeof word === "string" ? encode(word) : word));
  }

  /** Vector of a line of text, [dim]: the mean of its features, or (word vectors) of its words' vectors scaled to length 1. */
  sentenceVector(text: string): Float32Array {
    if (this.args.model === "sup") return this.#mean(this.dictionary.line(encode(`${text}\n`)).features);
    const sum = new Float32Array(this.args.dim), bytes = encode(text);
    let words = 0;
    for (let from = 0, at = 0; at <= bytes.length; at++) {
      if (at < bytes.length && !isSpace(bytes[at]!)) continue;
      const vector = at > from ? this.wordVector(bytes.subarray(from, at)) : sum, length = at > from ? norm(vector) : 0;
      from = at + 1;
      if (length === 0) continue;
      scale(vector, 1 / length);
      for (let j = 0; j < sum.length; j++) sum[j]! += vector[j]!;
      words++;
    }
    if (words > 0) scale(sum, 1 / words);
    return sum;
  }

  /** Character n-grams of a word with their vectors, the word itself first if it is known. */
  ngrams(word: string): { ngram: string; vector: Float32Array }[] {
    const bytes = encode(word), own = this.dictionary.find(bytes), rows: number[] = [], texts: Uint8Array[] = [];
    this.dictionary.addSubwords(bytes, rows, texts);
    if (own >= 0) {
      rows.unshift(own);
      texts.unshift(bytes);
    }
    const decoder = new TextDecoder();
    return texts.map((text, i) => ({ ngram: decoder.decode(text), vector: this.#mean(rows[i]! < 0 ? [] : [rows[i]!]) }));
  }

  /** The k words whose vectors have the smallest angle to a word's. */
  nearestNeighbors(word: string, k = 10): Neighbor[] { return this.#nearest(this.wordVector(word), k, [word]); }

  /** The k words that are to c as a is to b: nearest to a − b + c. */
  analogies(a: string, b: string, c: string, k = 10): Neighbor[] {
    const query = new Float32Array(this.args.dim);
    for (const [word, sign] of [[a, 1], [b, -1], [c, 1]] as const) {
      const vector = this.wordVector(word), factor = sign / (norm(vector) + 1e-8);
      for (let j = 0; j < query.length; j++) query[j]! += factor * vector[j]!;
    }
    return this.#nearest(query, k, [a, b, c]);
  }

  #nearest(query: Float32Array, k: number, without: readonly string[]): Neighbor[] {
    const { dim } = this.args, { wordCount } = this.dictionary, skip = new Set(without.map((word) => this.dictionary.find(word)));
    const units = this.#unitVectors ??= this.#allUnitVectors(), length = norm(query), best = new Best(k);
    for (let i = 0; i < wordCount; i++) {
      if (skip.has(i)) continue;
      let dot = 0;
      for (let j = 0; j < dim; j++) dot += query[j]! * units[i * dim + j]!;
      best.push(Math.fround(dot / (length < 1e-8 ? 1 : length)), i);
    }
    return best.drain().map(({ id, score }) => ({ word: this.dictionary.word(id), similarity: score }));
  }

  #allUnitVectors(): Float32Array {
    const { dim } = this.args, { wordCount } = this.dictionary, units = new Float32Array(wordCount * dim);
    for (let i = 0; i < wordCount; i++) {
      const vector = this.#mean(this.dictionary.rowsOf(i)), length = norm(vector);
      if (length > 0) scale(vector, 1 / length);
      units.set(vector, i * dim);
    }
    return units;
  }

  /** The words' vectors as a `.vec` file, in pieces. */
  *encodeVectors(): Generator<Uint8Array> {
    const { dictionary } = this;
    function* words(): Generator<Uint8Array> { for (let i = 0; i < dictionary.wordCount; i++) yield dictionary.bytesOf(i); }
    yield* encodeVectors(words(), dictionary.wordCount, this.args.dim, (i) => this.#mean(dictionary.rowsOf(i)));
  }
}

function norm(vector: Float32Array): number {
  let sum = 0;
  for (const x of vector) sum += x * x;
  return Math.fround(Math.sqrt(sum));
}

function scale(vector: Float32Array, by: number): void {
  const factor = Math.fround(by);
  for (let j = 0; j < vector.length; j++) vector[j]! *= factor;
}
