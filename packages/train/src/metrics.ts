/** How good a classifier is, counted over batches. */
import { noGrad, type Tensor } from "@nn/tensor";

/** Counts of (true class, predicted class); from it follow accuracy and per-class accuracy. */
export class ConfusionMatrix {
  readonly classes: number;
  /** Row-major: true class × predicted class. */
  readonly counts: Int32Array;

  constructor(classes: number) {
    this.classes = classes;
    this.counts = new Int32Array(classes * classes);
  }

  /** Adds a batch: logits [N, K], labels i32 [N]. The class with the highest logit is predicted, ties go to the lower index. */
  add(logits: Tensor, labels: Tensor): void {
    const predicted = noGrad(() => logits.argmax(1).dataSync());
    const actual = labels.dataSync();
    for (let i = 0; i < actual.length; i++) this.counts[actual[i]! * this.classes + predicted[i]!]!++;
  }

  get total(): number {
    return this.counts.reduce((a, b) => a + b, 0);
  }
  /** Share of right predictions, 0 … 1. */
  get accuracy(): number {
    let right = 0;
    for (let k = 0; k < this.classes; k++) right += this.counts[k * this.classes + k]!;
    return right / Math.max(1, this.total);
  }
  /** The mistakes made most often, at most `limit`; of equally many the lower classes first. */
  mistakes(limit: number): { actual: number; predicted: number; count: number }[] {
    const all = [];
    for (const [i, count] of this.counts.entries()) {
      const [actual, predicted] = [Math.floor(i / this.classes), i % this.classes];
      if (count > 0 && actual !== predicted) all.push({ actual, predicted, count });
    }
    return all.sort((a, b) => b.count - a.count).slice(0, limit);
  }
  /** Accuracy within each true class; NaN for a class without samples. */
  perClass(): number[] {
    return Array.from({ length: this.classes }, (_, k) => {
      const row = this.counts.subarray(k * this.classes, (k + 1) * this.classes);
      return row[k]! / row.reduce((a, b) => a + b, 0);
    });
  }
}

/**
 * Share of samples whose label is not among the k highest scores, as ImageNet is judged by (k = 1 and 5). Of equal scores the one of the lower
 * index ranks first; a label whose score is not a number is wrong.
 */
export class TopKError {
  readonly k: number;
  #wrong = 0;
  #count = 0;

  constructor(k: number) {
    this.k = k;
  }

  /** Adds a batch: logits or probabilities [N, K], labels i32 [N]. */
  add(scores: Tensor, labels: Tensor): void {
    const [n, classes] = scores.shape as readonly [number, number];
    const values = scores.dataSync(), actual = labels.dataSync();
    for (let i = 0; i < n; i++) {
      const row = values.subarray(i * classes, (i + 1) * classes), label = actual[i]!, own = row[label]!;
      let above = 0;
      for (let j = 0; j < classes; j++) if (j !== label && !(row[j]! < own) && (row[j] !== own || j < label)) above++;
      if (above >= this.k) this.#wrong++;
    }
    this.#count += n;
  }

  /** 0 … 1; NaN before the first batch. */
  get value(): number {
    return this.#wrong / this.#count;
  }
}

/** Mean of values weighted by batch size. */
export class Mean {
  sum = 0;
  count = 0;
  add(value: number, weight = 1): void {
    this.sum += value * weight;
    this.count += weight;
  }
  get value(): number {
    return this.sum / this.count;
  }
}
