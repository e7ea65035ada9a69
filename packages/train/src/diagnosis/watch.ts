/** The diagnosis as a callback of the Trainer: a look at the first batch of every epoch, or more often. */
import type { Parameter } from "@nn/layers";
import { noGrad, scope, variable, type Tensor, type Variable } from "@nn/tensor";
import type { Callback, StepInfo, TrainerView } from "../trainer.ts";
import { Diagnosis } from "./diagnose.ts";
import type { Thresholds } from "./judge.ts";
import { measure, normOf, type Measured } from "./measure.ts";

export interface WatchOptions {
  /** Batches from one look to the next; default: the first of every epoch. */
  every?: number;
  thresholds?: Partial<Thresholds>;
  /** Hears of each diagnosis as it is made. */
  report?: (diagnosis: Diagnosis, info: StepInfo) => void;
}

/** One diagnosis with its place in the training. */
export interface Look {
  readonly epoch: number;
  readonly batch: number;
  readonly diagnosis: Diagnosis;
}

/** Diagnoses while training; `looks` has them all. Costs one more forward and backward pass per look and changes no bit of the training. */
export class GradientWatch implements Callback {
  readonly looks: Look[] = [];
  readonly #options: WatchOptions;
  #pending: { measured: Measured; before: Map<Parameter, Variable> } | null = null;

  constructor(options: WatchOptions = {}) {
    this.#options = options;
  }

  onBatch(batch: number, loss: () => Tensor, { model }: TrainerView): void {
    const { every } = this.#options;
    if (this.#pending || (every === undefined ? batch !== 1 : (batch - 1) % every !== 0)) return;
    this.#pending = { measured: measure(model, loss), before: new Map(model.parameters().map((p) => [p, variable(p)])) };
  }

  /** After the update that follows a look: how far did the weights move? */
  onStep(info: StepInfo): void {
    if (!this.#pending) return;
    const { measured, before } = this.#pending;
    const layers = measured.layers.map((l, i) => ({ ...l, updateRatio: l.weightNorm ? moved(measured.parameters[i]!, before) / l.weightNorm : null }));
    if (layers.every((l) => !l.updateRatio)) return; // between the batches of one update
    for (const copy of before.values()) copy.dispose();
    this.#pending = null;
    const diagnosis = new Diagnosis(measured.loss, layers, this.#options.thresholds);
    this.looks.push({ epoch: info.epoch, batch: info.batch, diagnosis });
    this.#options.report?.(diagnosis, info);
  }
}

/** ‖Δθ‖ over some parameters. */
const moved = (parameters: readonly Parameter[], before: ReadonlyMap<Parameter, Variable>): number =>
  scope(() => noGrad(() => Math.hypot(...parameters.map((p) => normOf(p.sub(before.get(p)!))))), "update ratio");
