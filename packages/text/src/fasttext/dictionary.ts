/** Words and labels of a fastText model, and the rows of the input matrix that a text stands for. */
import { ArgumentError } from "@nn/tensor";
import type { FastTextArgs } from "./args.ts";
import { hashBytes, NgramHash } from "./hash.ts";
import { introsort } from "./introsort.ts";
import { eachToken, END_OF_LINE, endOfLineHash } from "./tokens.ts";
import { EMPTY, Words } from "./words.ts";

/** Words at which rare ones are dropped while a text is still being read. */
const MOST_WORDS = 0.75 * 30_000_000;
const LABEL = 1;
const OPEN = "<".charCodeAt(0), CLOSE = ">".charCodeAt(0);

export interface Line {
  /** Rows of the input matrix: words, subwords, word n-grams. */
  features: number[];
  /** Numbers of labels, from 0. */
  labels: number[];
  /** Where the next line begins. */
  end: number;
}

export type DictionaryArgs = Pick<FastTextArgs, "label" | "bucket" | "minn" | "maxn" | "wordNgrams">;

/** Entries are numbered by falling count, words before labels. */
export class Dictionary {
  readonly args: DictionaryArgs;
  entries = new Words();
  /** Occurrences by entry. */
  counts = new Float64Array(1 << 8);
  /** 0 word, 1 label, by entry. */
  types = new Uint8Array(1 << 8);
  wordCount = 0;
  labelCount = 0;
  /** Tokens of the text, also those that became no entry. */
  tokens = 0;
  /** Buckets that were kept and the rows that hold them, of a model that was cut; undefined: every bucket has its row. */
  kept: Map<number, number> | undefined;

  readonly #prefix: Uint8Array;
  #atLeast = 1;
  #subwords: { ids: Int32Array; starts: Uint32Array } | undefined;
  readonly #hash = new NgramHash();

  constructor(args: DictionaryArgs) {
    this.args = args;
    this.#prefix = new TextEncoder().encode(args.label);
  }

  get size(): number { return this.entries.size; }

  /** Counts the tokens of a text. Pieces must end where a token ends. */
  read(bytes: Uint8Array, from = 0, to = bytes.length): void {
    eachToken(bytes, from, to, this.#count);
  }

  readonly #count = (bytes: Uint8Array, from: number, to: number, hash: number): boolean => {
    this.tokens++;
    this.#add(bytes, from, to, hash);
    return false;
  };

  #add(bytes: Uint8Array, from: number, to: number, hash: number): void {
    const before = this.size, i = this.entries.add(bytes, from, to, hash);
    if (i < before) {
      this.counts[i]!++;
      return;
    }
    this.#room();
    this.counts[i] = 1;
    this.types[i] = this.#isLabel(bytes, from, to) ? LABEL : 0;
    if (this.size > MOST_WORDS) {
      this.#atLeast++;
      this.threshold(this.#atLeast, this.#atLeast);
    }
  }

  #room(): void {
    const { counts, types } = this;
    if (this.size <= counts.length) return;
    this.counts = new Float64Array(2 * this.size);
    this.types = new Uint8Array(2 * this.size);
    this.counts.set(counts);
    this.types.set(types);
  }

  /** Adds an entry of a file as it is; `complete` ends the list. */
  append(bytes: Uint8Array, from: number, to: number, count: number, type: number): void {
    this.entries.append(bytes, from, to);
    this.#room();
    this.counts[this.size - 1] = count;
    this.types[this.size - 1] = type;
  }

  /** @throws ArgumentError if a word is as rare as that everywhere */
  finish({ minCount, minCountLabel }: Pick<FastTextArgs, "minCount" | "minCountLabel">): void {
    this.threshold(minCount, minCountLabel);
    if (this.size === 0) throw new ArgumentError("fastText", "Empty vocabulary. Try a smaller -minCount value.", { hint: `the text has ${this.tokens} tokens` });
  }

  /** Sorts the entries and drops words that occur less than `word` times and labels less than `label` times. */
  threshold(word: number, label: number): void {
    const { counts, types } = this, order = Int32Array.from({ length: this.size }, (_, i) => i);
    introsort(order, (a, b) => (types[a] === types[b] ? counts[a]! > counts[b]! : types[a]! < types[b]!));
    this.select(order.filter((i) => counts[i]! >= (types[i] === LABEL ? label : word)));
  }

  /** Keeps these entries, in this order. */
  select(entries: Int32Array): void {
    const { entries: old, counts, types } = this;
    this.entries = new Words();
    for (const i of entries) this.entries.append(old.bytes, old.starts[i]!, old.starts[i + 1]!);
    this.counts = Float64Array.from(entries, (i) => counts[i]!);
    this.types = Uint8Array.from(entries, (i) => types[i]!);
    this.complete();
  }

  /** Indexes the entries and counts words and labels. */
  complete(): void {
    this.entries.index();
    this.labelCount = this.types.subarray(0, this.size).reduce((n, type) => n + (type === LABEL ? 1 : 0), 0);
    this.wordCount = this.size - this.labelCount;
    this.#subwords = undefined;
  }

  #isLabel(bytes: Uint8Array, from: number, to: number): boolean {
    const prefix = this.#prefix;
    if (to - from < prefix.length) return false;
    for (let i = 0; i < prefix.length; i++) if (bytes[from + i] !== prefix[i]) return false;
    return true;
  }

  /** Number of a word or label (labels behind the words), or -1. */
  find(word: string | Uint8Array): number {
    const bytes = typeof word === "string" ? new TextEncoder().encode(word) : word;
    return this.entries.find(bytes, 0, bytes.length, hashBytes(bytes));
  }

  bytesOf(i: number): Uint8Array { return this.entries.get(i); }
  /** Bytes that are no UTF-8 come out as U+FFFD. */
  word(i: number): string { return new TextDecoder().decode(this.entries.get(i)); }
  label(i: number): string { return this.word(this.wordCount + i); }

  /** Occurrences of words or labels. */
  countsOf(kind: "word" | "label"): Float64Array {
    return kind === "word" ? this.counts.subarray(0, this.wordCount) : this.counts.subarray(this.wordCount, this.size);
  }

  /** Share of the occurrences of word i that skip-gram and cbow use; above 1: all. As the original, in single precision. */
  keepShare(i: number, t: number): number {
    const f = Math.fround(Math.fround(this.counts[i]!) / Math.fround(this.tokens));
    return Math.fround(Math.sqrt(t / f) + t / f);
  }

  /** The row of a bucket; undefined if it was cut off. */
  #row(bucket: number): number | undefined {
    const row = this.kept === undefined ? bucket : this.kept.get(bucket);
    return row === undefined ? undefined : this.wordCount + row;
  }

  /** Adds the rows of a word's character n-grams; `texts` gets their bytes. */
  addSubwords(word: Uint8Array, rows: number[], texts?: Uint8Array[]): void {
    const { minn, maxn, bucket } = this.args, n = word.length + 2;
    if (maxn <= 0 || same(word, END_OF_LINE)) return;
    const at = (i: number): number => (i === 0 ? OPEN : i === n - 1 ? CLOSE : word[i - 1]!);
    for (let i = 0; i < n; i++) {
      if ((at(i) & 0xc0) === 0x80) continue;
      let hash = 2166136261;
      for (let j = i, length = 1; j < n && length <= maxn; length++) {
        do hash = Math.imul(hash ^ ((at(j++) << 24) >> 24), 16777619); while (j < n && (at(j) & 0xc0) === 0x80);
        if (length < minn || (length === 1 && (i === 0 || j === n))) continue;
        const row = this.#row((hash >>> 0) % bucket);
        if (row !== undefined) rows.push(row);
        else if (texts === undefined) continue;
        else rows.push(EMPTY);
        texts?.push(Uint8Array.from({ length: j - i }, (_, k) => at(i + k)));
      }
    }
  }

  /** Rows of a word of the vocabulary: its own and its subwords', computed once for all words. */
  rowsOf(i: number): Int32Array {
    const { ids, starts } = this.#subwords ??= this.#allSubwords();
    return ids.subarray(starts[i], starts[i + 1]);
  }

  /** Rows of all entries: those of entry i are ids[starts[i], starts[i + 1]). */
  get subwords(): { ids: Int32Array; starts: Uint32Array } { return this.#subwords ??= this.#allSubwords(); }

  #allSubwords(): { ids: Int32Array; starts: Uint32Array } {
    const starts = new Uint32Array(this.size + 1), rows: number[] = [];
    let ids = new Int32Array(4 * this.size), used = 0;
    for (let i = 0; i < this.size; i++) {
      rows.length = 0;
      rows.push(i);
      this.addSubwords(this.entries.get(i), rows);
      if (used + rows.length > ids.length) {
        const old = ids;
        ids = new Int32Array(2 * (used + rows.length));
        ids.set(old);
      }
      ids.set(rows, used);
      starts[i + 1] = used += rows.length;
    }
    return { ids: ids.slice(0, used), starts };
  }

  /** Rows of any word. */
  wordRows(word: Uint8Array): Int32Array | number[] {
    const i = this.entries.find(word, 0, word.length, hashBytes(word));
    if (i !== EMPTY) return this.rowsOf(i);
    const rows: number[] = [];
    this.addSubwords(word, rows);
    return rows;
  }

  readonly #line: Line = { features: [], labels: [], end: 0 };
  readonly #hashes: number[] = [];

  /**
   * Features and labels of the line that begins at `from`; like a newline, the token </s> ends it. Unknown labels are passed over, unknown words
   * give their subwords. The lists are used again by the next call.
   */
  line(bytes: Uint8Array, from = 0, to = bytes.length): Line {
    const line = this.#line;
    line.features.length = line.labels.length = this.#hashes.length = 0;
    line.end = eachToken(bytes, from, to, this.#onToken);
    this.#addNgrams(line.features);
    return line;
  }

  readonly #onToken = (bytes: Uint8Array, from: number, to: number, hash: number): boolean => {
    const { entries, types, wordCount } = this, { features, labels } = this.#line;
    const i = entries.find(bytes, from, to, hash);
    if (i === EMPTY ? this.#isLabel(bytes, from, to) : types[i] === LABEL) {
      if (i !== EMPTY) labels.push(i - wordCount);
    } else {
      this.#hashes.push(hash);
      if (i === EMPTY) this.addSubwords(bytes.subarray(from, to), features);
      else if (this.args.maxn <= 0) features.push(i);
      else for (const row of this.rowsOf(i)) features.push(row);
    }
    return hash === endOfLineHash && same(bytes.subarray(from, to), END_OF_LINE);
  };

  #addNgrams(features: number[]): void {
    const { wordNgrams, bucket } = this.args, hashes = this.#hashes, h = this.#hash;
    if (wordNgrams <= 1) return;
    for (let i = 0; i < hashes.length; i++) {
      h.start(hashes[i]!);
      for (let j = i + 1; j < hashes.length && j < i + wordNgrams; j++) {
        h.add(hashes[j]!);
        const row = this.#row(h.modulo(bucket));
        if (row !== undefined) features.push(row);
      }
    }
  }
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
