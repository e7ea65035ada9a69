/**
 * What buckets save: one epoch of a bi-LSTM classifier over texts of unequal length, batches drawn at random beside batches of similar length.
 *
 *     node --conditions=@nn/source tooling/scripts/measure-buckets.ts ../shared/data/r8/train.txt
 *
 * A line of the file is a class, a tab and words. Prints a table in markdown; kinds of batches take turns, the best of three epochs counts.
 */
import { readFileSync } from "node:fs";
import { ArrayDataset, DataLoader, bucketed, padCollate, shuffled, type Sampler } from "@nn/data";
import { Embedding, LSTM, Linear, Module, crossEntropy } from "@nn/layers";
import { GlobalMaxPool } from "@nn/layers/pool";
import { Adam } from "@nn/optim";
import { manualSeed, type Tensor } from "@nn/tensor";

const file = process.argv[2];
if (file === undefined) throw new Error("usage: measure-buckets.ts FILE of lines 'class<TAB>words'");
const lines = readFileSync(file, "utf8").split("\n").filter((line) => line.includes("\t")).map((line) => line.split("\t") as [string, string]);
const numbers = new Map<string, number>();
const numberOf = (word: string): number => numbers.get(word) ?? (numbers.set(word, numbers.size + 1), numbers.size); // 0 pads
const classes = [...new Set(lines.map(([name]) => name))];
const texts = lines.map(([name, text]) => ({ ids: Int32Array.from(text.trim().split(/\s+/), numberOf), label: classes.indexOf(name) }));
const lengths = texts.map(({ ids }) => ids.length);
const dataset = new ArrayDataset(texts.map(({ ids, label }) => [ids, label, ids.length] as const));

class Classifier extends Module {
  readonly embedding = new Embedding(numbers.size + 1, 64, { paddingIdx: 0 });
  readonly lstm = new LSTM(64, 64, { bidirectional: true, batchFirst: true });
  readonly pool = new GlobalMaxPool({ dim: 1 });
  readonly classes = new Linear(128, classes.length);

  /** ids [B, T] → logits [B, classes] */
  forward(ids: Tensor, lengths: Tensor): Tensor {
    const { output } = this.lstm.call(this.embedding.call(ids), { lengths });
    return this.classes.call(this.pool.call(output, { lengths }));
  }
}

interface Epoch {
  readonly seconds: number;
  /** Steps computed, padding included. */
  readonly steps: number;
}

async function epoch(sampler: Sampler): Promise<Epoch> {
  manualSeed(1);
  const model = new Classifier();
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  const loader = new DataLoader(dataset, { batchSize: 32, seed: 1, sampler, collate: padCollate() });
  const start = performance.now();
  let steps = 0;
  for await (const [ids, label, length] of loader) {
    optimizer.zeroGrad();
    crossEntropy(model.call(ids, length), label).backward();
    optimizer.step();
    steps += ids.size;
  }
  model.dispose();
  return { seconds: (performance.now() - start) / 1000, steps };
}

const kinds: [string, Sampler][] = [
  ["drawn at random", shuffled(lengths.length)],
  ["pools of 20 batches, sorted", bucketed(lengths)],
  ["everything sorted", bucketed(lengths, { pool: Infinity })],
];
const best = new Map<string, Epoch>();
for (let round = 0; round < 3; round++) {
  for (const [name, sampler] of kinds) {
    const { seconds, steps } = await epoch(sampler);
    best.set(name, { seconds: Math.min(seconds, best.get(name)?.seconds ?? Infinity), steps });
  }
}
const real = lengths.reduce((a, b) => a + b, 0);
const baseline = best.get(kinds[0]![0])!.seconds;
console.log("| batches of 32 | steps that are padding | sequences/s | times as fast |\n| --- | ---: | ---: | ---: |");
for (const [name, { seconds, steps }] of best) console.log(`| ${name} | ${Math.round((1 - real / steps) * 100)} % | ${Math.round(lengths.length / seconds)} | ${(baseline / seconds).toFixed(2)} |`);
