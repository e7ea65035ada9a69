/** Labelled texts for experiments: files of one class each, one text per line. */
import { readFile } from "node:fs/promises";
import { Subset, TensorDataset, trainTestSplit } from "@nn/data";
import type { Samples } from "./fit.ts";

export interface TextOptions {
  /** Default "utf-8". */
  readonly encoding?: "utf-8" | "latin1";
  readonly tokens: (line: string) => string[];
  /** Share of the texts in the test set, and again in the held-out set; the classes as in the whole. */
  readonly share: number;
  /** Most training texts. */
  readonly samples: number;
  readonly seed: number;
}

export interface TextData {
  readonly train: Samples;
  readonly held: Samples;
  readonly test: Samples;
  /** Ids in use, padding included. */
  readonly vocabulary: number;
}

/** Texts as rows of ids [longest], filled up with 0. Which tokens there are is decided by the training texts alone. */
export async function readTexts(paths: readonly string[], { encoding = "utf-8", tokens, share, samples, seed }: TextOptions): Promise<TextData> {
  const files = await Promise.all(paths.map((path) => readFile(path, encoding)));
  const lines = files.map((file) => file.split("\n").filter((line) => line.trim() !== ""));
  const texts = lines.flatMap((part) => part.map(tokens));
  const labels = Int32Array.from(lines.flatMap((part, k) => part.map(() => k)));

  const split = (places: Int32Array, testSize: number): Int32Array[] => {
    const parts = trainTestSplit(new TensorDataset(places), { testSize, seed, stratify: places.map((i) => labels[i]!) });
    return parts.map(({ indices }) => indices.map((i) => places[i]!));
  };
  const size = Math.round(share * texts.length);
  const [others, test] = split(Int32Array.from(texts.keys()), size) as [Int32Array, Int32Array];
  const [most, held] = split(others, size) as [Int32Array, Int32Array];
  const [train] = split(most, Math.max(0, most.length - samples)) as [Int32Array];

  const known = new Set([...train].flatMap((i) => texts[i]!));
  const ids = new Map([...known].map((token, k) => [token, k + 1]));
  const rows = texts.map((text) => text.map((token) => ids.get(token)).filter((id) => id !== undefined));
  const longest = rows.reduce((most, row) => Math.max(most, row.length), 1);
  const data = new Int32Array(rows.length * longest);
  rows.forEach((row, i) => data.set(row, i * longest));
  const all = new TensorDataset({ data, shape: [rows.length, longest] }, labels);
  return { train: new Subset(all, train), held: new Subset(all, held), test: new Subset(all, test), vocabulary: ids.size + 1 };
}
