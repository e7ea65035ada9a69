/** Precision and recall of predicted labels, overall and per label. */
export interface Scores {
  /** Hits among the predicted labels. NaN: none was predicted. */
  precision: number;
  /** Hits among the true labels. NaN: there are none. */
  recall: number;
  f1: number;
}

class Counts {
  gold = 0;
  predicted = 0;
  hits = 0;
  get scores(): Scores {
    const { gold, predicted, hits } = this;
    return { precision: hits / predicted, recall: hits / gold, f1: (2 * hits) / (predicted + gold) };
  }
}

export class Meter {
  /** Lines that have words and labels. */
  examples = 0;
  readonly #all = new Counts();
  readonly #labels: Counts[];

  constructor(labels: number) { this.#labels = Array.from({ length: labels }, () => new Counts()); }

  add(gold: readonly number[], predicted: readonly { id: number }[]): void {
    this.examples++;
    this.#all.gold += gold.length;
    this.#all.predicted += predicted.length;
    for (const { id } of predicted) {
      this.#labels[id]!.predicted++;
      if (!gold.includes(id)) continue;
      this.#all.hits++;
      this.#labels[id]!.hits++;
    }
    for (const label of gold) this.#labels[label]!.gold++;
  }

  get scores(): Scores { return this.#all.scores; }
  labelScores(label: number): Scores { return this.#labels[label]!.scores; }
}
