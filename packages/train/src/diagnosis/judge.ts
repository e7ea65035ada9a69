/** From measurements to a verdict. Everything here is plain numbers: what is measured stands in measure.ts. */

/** One module that has parameters or is an activation, in the order of the forward pass. */
export interface LayerReport {
  readonly path: string;
  readonly kind: string;
  /** ‖∂L/∂θ‖ over the module's own parameters; null without any. */
  readonly gradNorm: number | null;
  readonly weightNorm: number | null;
  /** ‖Δθ‖/‖θ‖ of one update; about 1e-3 is healthy. Known only in training. */
  readonly updateRatio: number | null;
  /** Share of outputs beyond ±0.99 (tanh) or outside [0.01, 0.99] (sigmoid). */
  readonly saturated: number | null;
  /** Share of ReLU units (features, channels) that are zero for the whole batch. */
  readonly dead: number | null;
  /** NaN and ∞ in the output and in the gradients. */
  readonly nonFinite: number;
  /** Norms of ∂L/∂h for a module that runs through time, first step first. */
  readonly overTime: readonly number[] | null;
}

/** When a measurement counts as a finding. */
export interface Thresholds {
  /** Vanishing: gradient norm of the first over the last layer, or of the first over the last time step, below this. */
  vanishing: number;
  /** Exploding: it grows by more than this along depth or time. */
  exploding: number;
  /** Share of saturated outputs of one activation. */
  saturated: number;
  /** Share of dead units of one ReLU. */
  dead: number;
  /** Update-to-weight ratio outside of this. */
  updateRatio: readonly [low: number, high: number];
}
export const defaultThresholds: Thresholds = { vanishing: 1e-4, exploding: 1e3, saturated: 0.5, dead: 0.5, updateRatio: [1e-6, 1e-1] };

export type Verdict = "healthy" | "vanishing" | "exploding";

/** Something to look at, with the figure that says so and what usually helps. */
export interface Finding {
  readonly kind: "vanishing" | "exploding" | "non-finite" | "saturated" | "dead" | "update too small" | "update too large";
  readonly where: string;
  readonly value: number;
  readonly text: string;
  readonly cures: readonly string[];
}

const cures = {
  vanishing: ["ReLU, ELU or another unsaturating activation", "He or orthogonal initialisation", "normalisation between layers", "residual connections", "in recurrent nets: LSTM or GRU gates"],
  exploding: ["clip the global gradient norm (1 to 5 is usual)", "a lower learning rate", "He, Glorot or orthogonal initialisation", "normalisation between layers", "in recurrent nets: LSTM or GRU gates"],
  "non-finite": ["a lower learning rate", "clip gradients", "look for the op with detectAnomaly()", "check the data for NaN and extreme values"],
  saturated: ["smaller initial weights, or inputs scaled to mean 0 and variance 1", "ReLU or ELU instead", "normalisation before the activation"],
  dead: ["a lower learning rate", "leaky ReLU, PReLU or ELU", "He initialisation with zero biases", "normalisation before the activation"],
  "update too small": ["a higher learning rate", "an adaptive optimizer such as Adam"],
  "update too large": ["a lower learning rate", "a warm-up of the rate", "clip gradients"],
} satisfies Record<Finding["kind"], readonly string[]>;

/** All findings, gravest first. */
export function judge(loss: number, layers: readonly LayerReport[], limits: Thresholds): Finding[] {
  const findings: Finding[] = [];
  const find = (kind: Finding["kind"], where: string, value: number, text: string): void => void findings.push({ kind, where, value, text, cures: cures[kind] });
  if (!Number.isFinite(loss)) find("non-finite", "loss", loss, `the loss is ${loss}`);
  for (const { path, nonFinite } of layers) if (nonFinite > 0) find("non-finite", path, nonFinite, `${path}: ${nonFinite} values of its output and gradients are NaN or infinite`);
  const deep = layers.filter((l): l is LayerReport & { gradNorm: number } => l.gradNorm !== null);
  along("depth", deep.map((l) => l.path), deep.map((l) => l.gradNorm));
  for (const { path, overTime } of layers) if (overTime) along(`time in ${path}`, overTime.map((_, t) => `step ${t + 1}`), overTime);
  for (const { path, saturated, dead, updateRatio } of layers) {
    if (saturated !== null && saturated > limits.saturated) find("saturated", path, saturated, `${path}: ${percent(saturated)} of its outputs are saturated`);
    if (dead !== null && dead > limits.dead) find("dead", path, dead, `${path}: ${percent(dead)} of its units are zero for the whole batch`);
    if (updateRatio !== null && updateRatio < limits.updateRatio[0]) find("update too small", path, updateRatio, `${path}: one update changes the weights by ${updateRatio.toExponential(1)} of their size`);
    if (updateRatio !== null && updateRatio > limits.updateRatio[1]) find("update too large", path, updateRatio, `${path}: one update changes the weights by ${updateRatio.toExponential(1)} of their size`);
  }
  return findings;

  /** Gradients flow from the last name to the first. */
  function along(what: string, names: readonly string[], norms: readonly number[]): void {
    const last = norms.at(-1);
    if (norms.length < 2 || last === undefined || !norms.every(Number.isFinite)) return;
    const ratio = norms[0]! / last; // NaN for 0/0: nothing flows at all, which is not a matter of depth
    const most = Math.max(...norms);
    const peak = names[norms.indexOf(most)]!;
    if (ratio < limits.vanishing) find("vanishing", what, ratio, `along ${what} the gradient falls to ${ratio.toExponential(1)}: ${last.toExponential(1)} at ${names.at(-1)!}, ${norms[0]!.toExponential(1)} at ${names[0]!}`);
    if (most / last > limits.exploding) find("exploding", what, most / last, `along ${what} the gradient grows ${(most / last).toExponential(1)} times: ${last.toExponential(1)} at ${names.at(-1)!}, ${most.toExponential(1)} at ${peak}`);
  }
}

/** Exploding before vanishing before healthy: a loss or gradient that is not a number is an explosion that has arrived. */
export const verdictOf = (findings: readonly Finding[]): Verdict =>
  findings.some((f) => f.kind === "exploding" || f.kind === "non-finite") ? "exploding" : findings.some((f) => f.kind === "vanishing") ? "vanishing" : "healthy";

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
