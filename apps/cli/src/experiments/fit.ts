/** What experiments have in common: train a classifier, and say how it went after every epoch. */
import { DataLoader, TensorDataset, type Dataset, type LabelledImages, type NdArray } from "@nn/data";
import { crossEntropy, type Module } from "@nn/layers";
import type { Optimizer } from "@nn/optim";
import { DivergedError, evaluate, logitsOf, Trainer, type Callback, type EpochInfo } from "@nn/train";
import type { Tensor } from "@nn/tensor";

export type Samples = Dataset<[NdArray, NdArray]>;

export interface FitOptions {
  readonly train: Samples;
  readonly test: Samples;
  readonly classes: number;
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
  /** Of a batch; default cross-entropy of the logits. */
  readonly loss?: (logits: Tensor, labels: Tensor) => Tensor;
  readonly schedule?: (step: number) => number;
  readonly clipNorm?: number;
  readonly callbacks?: readonly Callback[];
}

export interface Fit {
  /** Mean training loss of each epoch. */
  readonly losses: number[];
  /** Accuracy on the test samples after each epoch. */
  readonly accuracies: number[];
  /** The loss stopped being finite; the lists end there. */
  readonly diverged: boolean;
}

/** Trains for all epochs, or until the loss is not finite any more. */
export async function fit(model: Module, optimizer: Optimizer<{ lr: number }>, { train, test, classes, epochs, batch, seed, loss = crossEntropy, schedule, clipNorm, callbacks = [] }: FitOptions): Promise<Fit> {
  const held = new DataLoader(test, { batchSize: 250, seed: 0, name: "test set" });
  const score: Callback = {
    async onEpoch(info: EpochInfo & Record<string, number>) {
      const predict = ([x, labels]: [Tensor, Tensor]) => {
        const logits = logitsOf(model, x);
        return { logits, labels, loss: loss(logits, labels) };
      };
      info["accuracy"] = (await evaluate(model, held, { classes, predict })).accuracy;
    },
  };
  const trainer = new Trainer<[NdArray, NdArray]>({
    model, optimizer, epochs,
    loader: new DataLoader(train, { batchSize: batch, shuffle: true, seed, name: "training set" }),
    loss: ([x, y]) => loss(logitsOf(model, x), y),
    ...(schedule && { schedule }),
    ...(clipNorm !== undefined && { clipNorm }),
    callbacks: [score, ...callbacks],
  });
  let diverged = false;
  await trainer.fit().catch((error: unknown) => {
    if (!(error instanceof DivergedError)) throw error;
    diverged = true;
  });
  return { losses: trainer.history.map((h) => h.loss), accuracies: trainer.history.map((h) => h["accuracy"]!), diverged };
}

/** Images as numbers with mean 0 and variance 1 over the whole set, converted once. */
export function standardised({ images, labels }: LabelledImages, mean: number, std: number): TensorDataset<[NdArray, NdArray]> {
  const data = Float32Array.from(images.data, (v) => (v / 255 - mean) / std);
  return new TensorDataset({ shape: images.shape, data }, labels);
}
