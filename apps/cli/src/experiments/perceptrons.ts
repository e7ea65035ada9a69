/** A class for each perceptron: it is trained to tell its own from all the others, and the largest score names the class. */
import { gather } from "@nn/data";
import { Perceptron } from "@nn/layers/classic";
import { fromTyped, scope, tensor, type Tensor } from "@nn/tensor";
import type { Curves } from "./choose.ts";
import type { Samples } from "./fit.ts";

export interface PerceptronsOptions {
  readonly train: Samples;
  readonly test: Samples;
  readonly classes: number;
  readonly epochs: number;
  readonly seed: number;
  /** Answer with the mean of the weights after every sample, instead of the last. */
  readonly averaged: boolean;
  /** Epochs between two looks at the test samples. */
  readonly testEvery: number;
}

/** A loss here is the mean number of perceptrons that were wrong about a sample. From zero weights a rate changes no answer, so there is none. */
export async function fitPerceptrons({ train, test, classes, epochs, seed, averaged, testEvery }: PerceptronsOptions): Promise<Curves> {
  const [[x, y], [testX, testY]] = await Promise.all([rows(train), rows(test)]);
  const traces = Array.from({ length: classes }, (_, k) => new Perceptron(x.shape[1]!).fit(x, y.eq(k), { maxEpochs: epochs, averaged, shuffle: seed }).epochs);
  const accuracyAfter = (epoch: number): number =>
    scope(() => {
      const weights = traces.map((trace) => trace[Math.min(epoch, trace.length) - 1]!).map((e) => (averaged ? e.average! : e));
      const scores = testX.matmul(tensor(weights.map(({ weight }) => [...weight])).t()).add(tensor(weights.map(({ bias }) => bias)));
      return scores.argmax(1).eq(testY).cast("f32").mean().item();
    });
  const all = Array.from({ length: epochs }, (_, i) => i + 1);
  return {
    losses: all.map((epoch) => traces.reduce((sum, trace) => sum + (trace[epoch - 1]?.mistakes ?? 0), 0) / train.length),
    accuracies: all.filter((epoch) => epoch % testEvery === 0).map(accuracyAfter),
  };
}

/** All samples at once: [N, features] and [N]. */
async function rows(samples: Samples): Promise<[Tensor, Tensor]> {
  const [x, y] = await gather(samples, Int32Array.from({ length: samples.length }, (_, i) => i), { seed: 0, epoch: 0 });
  return [fromTyped(x.data, [samples.length, x.data.length / samples.length], "f32", "fitPerceptrons"), fromTyped(y.data, [samples.length], "i32", "fitPerceptrons")];
}
