/** What experiments have in common: train a classifier, and say how it went after every epoch. */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DataLoader, TensorDataset, type Dataset, type LabelledImages, type NdArray } from "@nn/data";
import { crossEntropy, type Module } from "@nn/layers";
import type { Optimizer } from "@nn/optim";
import { CheckpointFile } from "@nn/train/node";
import { decodeCheckpoint, DivergedError, evaluate, logitsOf, Trainer, type Callback, type EpochInfo, type Evaluation } from "@nn/train";
import type { Tensor } from "@nn/tensor";

export type Samples = Dataset<[NdArray, NdArray]>;
/** Of the logits of a batch. */
export type Loss = (logits: Tensor, labels: Tensor) => Tensor;

export interface FitOptions {
  readonly train: Samples;
  readonly test: Samples;
  readonly classes: number;
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
  /** Default cross-entropy. */
  readonly loss?: Loss;
  readonly schedule?: (step: number) => number;
  readonly clipNorm?: number;
  readonly callbacks?: readonly Callback[];
  /** Epochs between two looks at the test samples; the last epoch always ends with one. Default 1. */
  readonly testEvery?: number;
  /** File that a long training goes on from if it was cut short; removed at its end. */
  readonly checkpoint?: string;
}

export interface Fit {
  /** Mean training loss of each epoch. */
  readonly losses: number[];
  /** Accuracy and mean loss on the test samples after each epoch that was tested. */
  readonly accuracies: number[];
  readonly testLosses: number[];
  /** The loss stopped being finite; the lists end there. */
  readonly diverged: boolean;
  /** Time of all epochs, those before an interruption too. */
  readonly seconds: number;
}

/** Trains for all epochs, or until the loss is not finite any more. */
export async function fit(model: Module, optimizer: Optimizer<{ lr: number }>, { train, test, classes, epochs, batch, seed, loss = crossEntropy, schedule, clipNorm, callbacks = [], testEvery = 1, checkpoint }: FitOptions): Promise<Fit> {
  let begun = performance.now();
  const tested: Callback = {
    async onEpoch(info: EpochInfo & Record<string, number>) {
      info["seconds"] = (performance.now() - begun) / 1000;
      begun = performance.now();
      if (info.epoch % testEvery !== 0 && info.epoch !== epochs) return;
      const found = await score(model, test, classes, loss);
      info["accuracy"] = found.accuracy;
      info["testLoss"] = found.loss;
    },
  };
  const trainer = new Trainer<[NdArray, NdArray]>({
    model, optimizer, epochs,
    loader: new DataLoader(train, { batchSize: batch, shuffle: true, seed, name: "training set" }),
    loss: ([x, y]) => loss(logitsOf(model, x), y),
    ...(schedule && { schedule }),
    ...(clipNorm !== undefined && { clipNorm }),
    callbacks: [tested, ...callbacks, ...(checkpoint === undefined ? [] : [new CheckpointFile(checkpoint, { recipe: "experiment", options: {} })])],
  });
  if (checkpoint !== undefined) {
    mkdirSync(dirname(checkpoint), { recursive: true });
    if (existsSync(checkpoint)) trainer.load(decodeCheckpoint(readFileSync(checkpoint)).state);
  }
  let diverged = false;
  await trainer.fit().catch((error: unknown) => {
    if (!(error instanceof DivergedError)) throw error;
    diverged = true;
  });
  if (checkpoint !== undefined) rmSync(checkpoint, { force: true });
  const seen = trainer.history.filter((h) => h["accuracy"] !== undefined);
  return {
    losses: trainer.history.map((h) => h.loss),
    accuracies: seen.map((h) => h["accuracy"]!),
    testLosses: seen.map((h) => h["testLoss"]!),
    diverged,
    seconds: trainer.history.reduce((sum, h) => sum + h["seconds"]!, 0),
  };
}

/** Accuracy and mean loss on `samples`. */
export function score(model: Module, samples: Samples, classes: number, loss: Loss = crossEntropy): Promise<Evaluation> {
  return evaluate(model, new DataLoader(samples, { batchSize: 250, seed: 0, name: "test set" }), {
    classes,
    predict([x, labels]) {
      const logits = logitsOf(model, x);
      return { logits, labels, loss: loss(logits, labels) };
    },
  });
}

/** Images as numbers with mean 0 and variance 1 over the whole set, converted once. */
export function standardised({ images, labels }: LabelledImages, mean: number, std: number): TensorDataset<[NdArray, NdArray]> {
  const data = Float32Array.from(images.data, (v) => (v / 255 - mean) / std);
  return new TensorDataset({ shape: images.shape, data }, labels);
}
