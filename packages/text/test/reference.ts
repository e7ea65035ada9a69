/**
 * The job `fastTextTrain` with one part, as plain loops in double precision: the definition that the kernels are compared with.
 * minstd_rand and its distributions are those of libstdc++.
 */
import type { FastTextArgs } from "../src/fasttext/args.ts";
import type { Dictionary } from "../src/fasttext/dictionary.ts";
import { HuffmanTree } from "../src/fasttext/huffman.ts";
import { negativeTable } from "../src/fasttext/negatives.ts";
import { logTable, sigmoid } from "../src/fasttext/output.ts";
import { eachToken } from "../src/fasttext/tokens.ts";

export class Minstd {
  #x: number;
  constructor(seed: number) { this.#x = seed % 2147483647 || 1; }
  next(): number { return (this.#x = Number((BigInt(this.#x) * 48271n) % 2147483647n)); }
  below(n: number): number {
    const share = Math.floor(2147483645 / n);
    for (;;) {
      const r = this.next() - 1;
      if (r < share * n) return Math.floor(r / share);
    }
  }
  uniform(): number { return (this.next() - 1 + (this.next() - 1) * 2147483646) / 2147483646 ** 2; }
}

const log = (x: number): number => (x > 1 ? 0 : logTable[Math.trunc(x * 512)]!);

/** Trains `input` and `output`, both [rows, dim], in place; returns the mean loss. */
export function referenceTraining(args: FastTextArgs, dictionary: Dictionary, text: Uint8Array, input: Float64Array, output: Float64Array): number {
  const { dim } = args, rng = new Minstd(args.seed), total = args.epoch * dictionary.tokens, classifier = args.model === "sup";
  const counts = dictionary.countsOf(classifier ? "label" : "word"), targets = counts.length;
  const tree = args.loss === "hs" ? new HuffmanTree(counts) : undefined, table = args.loss === "ns" ? negativeTable(counts) : undefined;
  let done = 0, waiting = 0, rate = 0, losses = 0, examples = 0;
  const row = (m: Float64Array, i: number) => m.subarray(i * dim, (i + 1) * dim);
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, j) => sum + x * b[j]!, 0);

  const update = (rows: ArrayLike<number>, line: readonly number[], index: number): void => {
    const hidden = new Float64Array(dim), grad = new Float64Array(dim), n = rows.length;
    for (let i = 0; i < n; i++) row(input, rows[i]!).forEach((x, j) => { hidden[j]! += x / n; });
    const step = (i: number, alpha: number) => {
      const w = row(output, i);
      for (let j = 0; j < dim; j++) {
        grad[j]! += alpha * w[j]!;
        w[j]! += alpha * hidden[j]!;
      }
    };
    const binary = (i: number, positive: boolean): number => {
      const p = sigmoid(dot(hidden, row(output, i)));
      step(i, rate * (Number(positive) - p));
      return -log(positive ? p : 1 - p);
    };
    const target = line[index]!;
    examples++;
    if (args.loss === "softmax") {
      const z = Array.from({ length: targets }, (_, i) => Math.exp(dot(hidden, row(output, i)))), sum = z.reduce((a, b) => a + b);
      z.forEach((x, i) => step(i, rate * (Number(i === target) - x / sum)));
      losses -= log(z[target]! / sum);
    } else if (args.loss === "ova") {
      for (let i = 0; i < targets; i++) losses += binary(i, line.includes(i));
    } else if (tree !== undefined) {
      for (let i = tree.starts[target]!; i < tree.starts[target + 1]!; i++) losses += binary(tree.nodes[i]!, tree.codes[i] === 1);
    } else {
      losses += binary(target, true);
      for (let k = 0; k < args.neg; k++) {
        let other = target;
        while (other === target) other = table![rng.below(table!.length)]!;
        losses += binary(other, false);
      }
    }
    for (let i = 0; i < n; i++) row(input, rows[i]!).forEach((_, j, w) => { w[j]! += grad[j]! / (classifier ? n : 1); });
  };

  for (let at = 0; done < total; at = at >= text.length ? 0 : at) {
    rate = args.lr * (1 - done / total);
    let tokens = 0;
    if (classifier) {
      const line = dictionary.line(text, at), features = [...line.features], labels = [...line.labels];
      eachToken(text, at, line.end, () => (tokens++, false));
      at = line.end;
      if (features.length > 0 && labels.length > 0) update(features, labels, args.loss === "ova" ? 0 : rng.below(labels.length));
    } else {
      const words: number[] = [];
      at = eachToken(text, at, text.length, (bytes, from, to) => {
        const i = dictionary.find(bytes.subarray(from, to));
        if (i < 0) return false;
        tokens++;
        if (i < dictionary.wordCount && Math.fround(rng.uniform()) <= dictionary.keepShare(i, args.t)) words.push(i);
        return tokens > 1024 || dictionary.word(i) === "</s>";
      });
      words.forEach((word, w) => {
        const reach = 1 + rng.below(args.ws), around = Array.from({ length: 2 * reach + 1 }, (_, c) => w + c - reach).filter((c) => c !== w && c >= 0 && c < words.length);
        if (args.model === "sg") for (const c of around) update(dictionary.rowsOf(word), words, c);
        else if (around.length > 0) update(around.flatMap((c) => [...dictionary.rowsOf(words[c]!)]), words, w);
      });
    }
    waiting += tokens;
    if (waiting > args.lrUpdateRate) {
      done += waiting;
      waiting = 0;
    }
  }
  return losses / examples;
}
