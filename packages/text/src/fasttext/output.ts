/** From the hidden vector to the best targets. In single precision and in the original's order of operations, so that probabilities agree. */
import type { FastTextArgs } from "./args.ts";
import { Best } from "./best.ts";
import type { Dictionary } from "./dictionary.ts";
import { HuffmanTree } from "./huffman.ts";
import type { Matrix } from "./matrix.ts";

const f = Math.fround;
/** log(x + 1e-5), which every score is. */
const logOf = (x: number): number => f(Math.log(x + 1e-5));

const LIMIT = 8, STEPS = 512;
/** The sigmoid at 513 places from -8 to 8. */
export const sigmoidTable = Float32Array.from({ length: STEPS + 1 }, (_, i) => 1 / (1 + f(Math.exp(LIMIT - (i * 2 * LIMIT) / STEPS))));
/** The logarithm at 513 places from 0 to 1. */
export const logTable = Float32Array.from({ length: STEPS + 1 }, (_, i) => Math.log(f((i + 1e-5) / STEPS)));

/** The sigmoid by table, as in training. */
export function sigmoid(x: number): number {
  return x < -LIMIT ? 0 : x > LIMIT ? 1 : sigmoidTable[Math.trunc((f(x + LIMIT) * STEPS) / (2 * LIMIT))]!;
}

export interface Target {
  id: number;
  /** log(p + 1e-5) */
  score: number;
}
/** The k best targets whose probability is at least `threshold`, best first. */
export type Predict = (hidden: Float32Array, k: number, threshold: number) => Target[];

/** How a model with this loss predicts. */
export function predictor({ loss, model }: FastTextArgs, dictionary: Dictionary, output: Matrix): Predict {
  if (loss === "hs") return treePredictor(new HuffmanTree(dictionary.countsOf(model === "sup" ? "label" : "word")), output);
  const scores = new Float32Array(output.rows), squash = loss === "softmax" ? softmax : (x: Float32Array) => x.forEach((value, i) => { x[i] = sigmoid(value); });
  return (hidden, k, threshold) => {
    for (let i = 0; i < scores.length; i++) scores[i] = output.dot(hidden, i);
    squash(scores);
    const best = new Best(k);
    for (let i = 0; i < scores.length; i++) if (!(scores[i]! < threshold)) best.push(logOf(scores[i]!), i);
    return best.drain();
  };
}

/** In place. */
function softmax(x: Float32Array): void {
  let max = x[0]!, sum = 0;
  for (let i = 1; i < x.length; i++) if (x[i]! > max) max = x[i]!;
  for (let i = 0; i < x.length; i++) {
    x[i] = Math.exp(f(x[i]! - max));
    sum = f(sum + x[i]!);
  }
  for (let i = 0; i < x.length; i++) x[i]! /= sum;
}

/** Follows the tree from its root and leaves out what can no longer be among the best. */
function treePredictor(tree: HuffmanTree, output: Matrix): Predict {
  const { leaves, left, right } = tree;
  return (hidden, k, threshold) => {
    const best = new Best(k), least = logOf(threshold), stack = [{ node: 2 * leaves - 2, score: 0 }];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (at.score < least || !best.takes(at.score)) continue;
      const inner = at.node - leaves;
      if (inner < 0) {
        best.push(at.score, at.node);
        continue;
      }
      const p = f(1 / (1 + f(Math.exp(-output.dot(hidden, inner)))));
      stack.push({ node: right[inner]!, score: f(at.score + logOf(p)) }, { node: left[inner]!, score: f(at.score + logOf(1 - p)) });
    }
    return best.drain();
  };
}
