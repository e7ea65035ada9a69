/** Choosing a learning rate and a number of epochs on held-out training data, so that the test set plays no part in it. */
import { trainTestSplit } from "@nn/data";
import type { Bench, ExperimentSettings } from "@nn/train";
import type { Fit, Samples } from "./fit.ts";

/** What choosing needs to know of a training run. */
export type Curves = Pick<Fit, "losses" | "accuracies">;

export interface Choice {
  readonly rate: number;
  readonly epochs: number;
  /** Held-out accuracy after those epochs. */
  readonly accuracy: number;
  /** Held-out accuracy after each epoch at that rate, as points of a plot. */
  readonly curve: readonly (readonly [epoch: number, accuracy: number])[];
}

/**
 * The rate with the best held-out accuracy, after its best epoch or, where a schedule ends with the last, after that; of equals the first. One
 * trial for each rate: `fitAt` trains with it and is tested on the held-out samples after every epoch.
 */
export async function choose(trial: Bench<ExperimentSettings>["trial"], name: string, rates: readonly number[], judged: "best epoch" | "last epoch", fitAt: (rate: number) => Promise<Curves>): Promise<Choice> {
  let best: Choice = { rate: rates[0]!, epochs: 1, accuracy: 0, curve: [] };
  for (const rate of rates) {
    const { accuracies } = await trial(`${name}, rate ${rate}, held out`, async () => {
      const { losses, accuracies } = await fitAt(rate);
      return { losses, accuracies, accuracy: Math.max(0, ...accuracies) };
    });
    const accuracy = judged === "best epoch" ? Math.max(0, ...accuracies) : (accuracies.at(-1) ?? 0);
    const epochs = judged === "best epoch" ? accuracies.indexOf(accuracy) + 1 : accuracies.length;
    if (accuracy > best.accuracy) best = { rate, epochs, accuracy, curve: accuracies.map((a, i) => [i + 1, a]) };
  }
  return best;
}

/** Nine tenths to train on and one to choose by, each with all classes in equal shares. */
export const holdOutTenth = (samples: Samples, labels: ArrayLike<number>): [train: Samples, heldOut: Samples] => trainTestSplit(samples, { testSize: 0.1, seed: 0, stratify: labels });

/** A setting that lists numbers: `"0.1 0.3"`. */
export const numbersIn = (setting: string): number[] => setting.split(/[\s,]+/).map(Number);
