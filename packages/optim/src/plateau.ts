/** Lowers the rate when a measure stops getting better. */
import { ArgumentError } from "@nn/tensor";
import type { Schedule } from "./schedule.ts";

export interface PlateauOptions {
  /** Is a lower or a higher measure better? */
  mode: "min" | "max";
  /** What the rate is multiplied with. */
  factor: number;
  /** So many measures in a row may be no better. */
  patience: number;
  /** Better means by more than this: as a share of the best ("rel") or as it is ("abs"). */
  threshold: number;
  thresholdMode: "rel" | "abs";
  /** So many measures after a cut are not counted. */
  cooldown: number;
  /** Lowest factor on the base rate, and the smallest change of it that is made. */
  minFactor: number;
  eps: number;
}

/** All that changes; plain numbers, for a checkpoint. `best` is null before the first measure. */
export interface PlateauState {
  factor: number;
  best: number | null;
  bad: number;
  cooling: number;
}

/**
 * `update(measure)` after every epoch; `schedule` (for a Trainer) or the returned factor times the base rate is the rate from then on.
 * Defaults as in PyTorch's ReduceLROnPlateau.
 */
export class ReduceOnPlateau {
  readonly options: PlateauOptions;
  #state: PlateauState = { factor: 1, best: null, bad: 0, cooling: 0 };

  constructor(options: Partial<PlateauOptions> = {}) {
    this.options = { mode: "min", factor: 0.1, patience: 10, threshold: 1e-4, thresholdMode: "rel", cooldown: 0, minFactor: 0, eps: 1e-8, ...options };
    const { factor } = this.options;
    if (!(factor > 0 && factor < 1)) throw new ArgumentError("ReduceOnPlateau", `factor is ${factor}, must be in (0, 1)`);
  }

  /** Factor on the base rate. */
  get factor(): number {
    return this.#state.factor;
  }

  /** The factor as it is now, whatever the update. */
  readonly schedule: Schedule = () => this.#state.factor;

  /** Takes a measure and returns the factor. NaN is never better. */
  update(measure: number): number {
    const { patience, cooldown } = this.options;
    const state = this.#state;
    if (this.#isBetter(measure)) [state.best, state.bad] = [measure, 0];
    else state.bad++;
    if (state.cooling > 0) {
      state.cooling--;
      state.bad = 0;
    }
    if (state.bad > patience) {
      this.#cut();
      state.cooling = cooldown;
      state.bad = 0;
    }
    return state.factor;
  }

  #cut(): void {
    const { factor, minFactor, eps } = this.options;
    const next = Math.max(this.#state.factor * factor, minFactor);
    if (this.#state.factor - next > eps) this.#state.factor = next;
  }

  #isBetter(measure: number): boolean {
    const { mode, threshold, thresholdMode } = this.options;
    const { best } = this.#state;
    if (best === null) return mode === "min" ? measure < Infinity : measure > -Infinity;
    const sign = mode === "min" ? -1 : 1;
    const bar = thresholdMode === "rel" ? best * (1 + sign * threshold) : best + sign * threshold;
    return mode === "min" ? measure < bar : measure > bar;
  }

  state(): PlateauState {
    return { ...this.#state };
  }
  load(state: PlateauState): void {
    this.#state = { ...state };
  }
}
