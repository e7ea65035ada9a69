/** Learning-rate schedules: pure functions from the update number (0, 1, …) to a factor on the base rate. */
import { ArgumentError } from "@nn/tensor";
import { checkRange } from "./check.ts";

export type Schedule = (step: number) => number;

export const constant: Schedule = () => 1;

/** Any function, checked at every update: a rate must be finite and not negative. */
export const lambda = (f: Schedule): Schedule => (step) => {
  const factor = f(step);
  checkRange("schedule.lambda", `the factor of update ${step}`, factor, 0);
  return factor;
};

/** × gamma every `every` updates. */
export const stepDecay = (every: number, gamma = 0.1): Schedule => (step) => gamma ** Math.floor(step / every);

/** × gamma at each of `milestones`; one that is named twice counts twice. */
export const multiStep = (milestones: readonly number[], gamma = 0.1): Schedule => (step) => gamma ** milestones.filter((m) => step >= m).length;

/** gammaᵗ */
export const exponential = (gamma: number): Schedule => (step) => gamma ** step;

/** Share of `total` that is done: 0 … 1. */
const share = (step: number, total: number): number => (step >= total ? 1 : step / total);
/** From `from` to `to` along half a cosine. */
const bend = (from: number, to: number, done: number): number => to + (from - to) * 0.5 * (1 + Math.cos(Math.PI * done));
const straight = (from: number, to: number, done: number): number => from * (1 - done) + to * done;

/** Half a cosine from 1 to `floor` over `total` updates (Loshchilov & Hutter 2016, without restarts). */
export const cosine = (total: number, floor = 0): Schedule => (step) => bend(1, floor, share(step, total));

/** Half cosines from 1 to `floor` over `first`, `first·mult`, `first·mult²`, … updates, each starting anew at 1 (Loshchilov & Hutter 2016, "SGDR"). */
export function warmRestarts(first: number, { mult = 1, floor = 0 }: { mult?: number; floor?: number } = {}): Schedule {
  checkRange("schedule.warmRestarts", "first", first, 1);
  checkRange("schedule.warmRestarts", "mult", mult, 1);
  return (step) => {
    let length = first;
    let at = mult === 1 ? step % first : step;
    while (at >= length) {
      at -= length;
      length *= mult;
    }
    return bend(1, floor, at / length);
  };
}

/** From `from` to `to` in a straight line over `total` updates. */
export const linear = (total: number, { from = 1 / 3, to = 1 }: { from?: number; to?: number } = {}): Schedule => (step) => straight(from, to, share(step, total));

/** Linear from 0 to 1 over `steps` updates (the first is `1/steps`), then `after`. */
export const warmup = (steps: number, after: Schedule = constant): Schedule => (step) => (step < steps ? (step + 1) / steps : after(step - steps));

/** `(1 − t/total)^power` down to `end`. */
export const polynomial = (total: number, { power = 1, end = 0 }: { power?: number; end?: number } = {}): Schedule => (step) => end + (1 - end) * (1 - share(step, total)) ** power;

/** `d^−½ · min(t^−½, t · warmup^−1½)`, t = 1, 2, … (Vaswani 2017, "Attention is all you need"): the rate itself, so the base rate is 1 or a scale. */
export function noam(dModel: number, warmup: number): Schedule {
  checkRange("schedule.noam", "dModel", dModel, 1);
  checkRange("schedule.noam", "warmup", warmup, 1);
  return (step) => dModel ** -0.5 * Math.min((step + 1) ** -0.5, (step + 1) * warmup ** -1.5);
}

export interface OneCycleOptions {
  /** Share of all updates on the way up. */
  pctStart?: number;
  /** The first factor is `1/divFactor`, the last that over `finalDivFactor`. */
  divFactor?: number;
  finalDivFactor?: number;
  anneal?: "cos" | "linear";
  /** Go back down to the first factor in as many updates as up, and only then to the last. */
  threePhase?: boolean;
}

/** Up to 1 and down to almost nothing over `total` updates (Smith & Topin 2017, "Super-convergence"). The base rate is the highest one. */
export function oneCycle(total: number, { pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4, anneal = "cos", threePhase = false }: OneCycleOptions = {}): Schedule {
  checkRange("schedule.oneCycle", "divFactor", divFactor, 1);
  checkRange("schedule.oneCycle", "finalDivFactor", finalDivFactor, 1);
  const low = 1 / divFactor;
  const last = low / finalDivFactor;
  const top = pctStart * total - 1;
  if (!(top > 0 && (threePhase ? 2 * top : top) < total - 1)) throw new ArgumentError("schedule.oneCycle", `a share of ${pctStart} on the way up leaves a phase of ${total} updates empty`);
  const phases = threePhase
    ? [{ end: top, from: low, to: 1 }, { end: 2 * top, from: 1, to: low }, { end: total - 1, from: low, to: last }]
    : [{ end: top, from: low, to: 1 }, { end: total - 1, from: 1, to: last }];
  const between = anneal === "cos" ? bend : straight;
  return (step) => {
    let start = 0;
    for (const { end, from, to } of phases) {
      if (step <= end) return between(from, to, (step - start) / (end - start));
      start = end;
    }
    return last;
  };
}

/** `schedules[0]` until `milestones[0]`, then `schedules[1]` from its own update 0 until `milestones[1]`, … */
export function sequence(schedules: readonly Schedule[], milestones: readonly number[]): Schedule {
  if (schedules.length !== milestones.length + 1) throw new ArgumentError("schedule.sequence", `${schedules.length} schedules with ${milestones.length} milestones, must be one more`);
  return (step) => {
    const i = milestones.filter((m) => step >= m).length;
    return schedules[i]!(step - (milestones[i - 1] ?? 0));
  };
}
