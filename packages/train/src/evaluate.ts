/** Running a model over a data set without training it. */
import type { DataLoader, Fields, TensorsOf } from "@nn/data";
import type { Module } from "@nn/layers";
import { ArgumentError, noGrad, type Tensor } from "@nn/tensor";
import { breath } from "./breath.ts";
import { ConfusionMatrix, Mean, TopKError } from "./metrics.ts";

export interface Evaluation {
  readonly loss: number;
  /** Share of right predictions, 0 … 1. */
  readonly accuracy: number;
  /** Share of images whose class is not among the five with the highest scores. */
  readonly top5Error: number;
  readonly confusion: ConfusionMatrix;
}

export interface EvaluateOptions<F extends Fields> {
  classes: number;
  /** Logits [N, K], labels [N] and loss of a batch. */
  predict: (batch: TensorsOf<F>, model: Module) => { logits: Tensor; labels: Tensor; loss: Tensor };
}

/**
 * Evaluates in `eval()` mode; the model is left in the mode it was in.
 *
 * @throws ArgumentError if there is nothing to evaluate on.
 */
export async function evaluate<F extends Fields>(model: Module, loader: DataLoader<F>, { classes, predict }: EvaluateOptions<F>): Promise<Evaluation> {
  if (loader.length === 0) throw new ArgumentError("evaluate", `${loader.name} has no batches`);
  const { training } = model;
  const breathe = breath();
  const confusion = new ConfusionMatrix(classes);
  const mean = new Mean();
  const top5 = new TopKError(5);
  model.eval();
  try {
    for await (const batch of loader) {
      const { logits, labels, loss } = noGrad(() => predict(batch, model));
      confusion.add(logits, labels);
      top5.add(logits, labels);
      mean.add(loss.item(), labels.size);
      await breathe();
    }
  } finally {
    model.train(training);
  }
  return { loss: mean.value, accuracy: confusion.accuracy, top5Error: top5.value, confusion };
}
