/** What the optimizer race found, as tables and plots. */
import { markdownTable, mean, meanAndInterval, type Block } from "@nn/train";
import type { Problem, ProblemData } from "./race-problems.ts";

/** Points (epochs, training loss). */
export type Curve = [x: number, y: number][];

/** One optimizer on one problem; null where it diverged. */
export interface Racer {
  readonly name: string;
  /** Rates (passes for L-BFGS), ascending, and the one with the lowest loss on the held-out samples. */
  readonly tried: readonly number[];
  readonly chosen: number;
  /** The default rate, and the held-out accuracy there and at the chosen one. */
  readonly usual?: { readonly rate: number; readonly accuracy: number | null; readonly chosen: number | null };
  /** Of the last epoch, one per seed. */
  readonly losses: readonly (number | null)[];
  /** On the test samples, one per seed. */
  readonly accuracies: readonly (number | null)[];
  readonly curve: Curve;
  readonly seconds: number;
}

export interface Lane {
  readonly problem: Problem;
  readonly data: ProblemData;
  readonly racers: readonly Racer[];
  /** Name of the optimizer that the advisor names. */
  readonly advised: string;
}

/** NaN where a run diverged. */
const meanOf = (values: readonly (number | null)[]): number => mean(values.map((v) => v ?? NaN));
const accuracy = (r: Racer): number => meanOf(r.accuracies);
const loss = (r: Racer): number => meanOf(r.losses);
const interval = (values: readonly (number | null)[], scale: number, digits: number): string =>
  values.includes(null) ? "diverged" : meanAndInterval(values.map((v) => scale * v!), digits);
const percent = (share: number | null): string => (share === null ? "diverged" : (100 * share).toFixed(1));

const count = ({ length }: { readonly length: number }): string => length.toLocaleString("en");

/** Best first; what diverged comes last. */
const ranked = (racers: readonly Racer[], by: (r: Racer) => number): Racer[] => [...racers].sort((a, b) => (Number.isNaN(by(a)) ? 1 : Number.isNaN(by(b)) ? -1 : by(a) - by(b)));
const byAccuracy = (racers: readonly Racer[]): Racer[] => ranked(racers, (r) => -accuracy(r));
const byLoss = (racers: readonly Racer[]): Racer[] => ranked(racers, loss);

/** How it is done, and all problems together. */
export function describeRace(lanes: readonly Lane[], { epochs, batch, seeds, samples }: { epochs: number; batch: number; seeds: number; samples: number }): Block[] {
  const names = [...new Set(lanes.flatMap(({ racers }) => racers.map((r) => r.name)))];
  const place = (name: string, { racers }: Lane): number => byAccuracy(racers).findIndex((r) => r.name === name) + 1;
  const rows = names
    .map((name) => ({ name, places: lanes.map((lane) => place(name, lane)) }))
    .map(({ name, places }) => ({ name, places, all: places.includes(0) ? Infinity : places.reduce((a, b) => a + b, 0) / places.length }))
    .sort((a, b) => a.all - b.all);
  return [
    `${epochs} epochs in batches of ${batch} over at most ${samples.toLocaleString("en")} training samples, constant rates, all other options as the library has them. Momentum is \`SGD\` with momentum 0.9, Nesterov that with \`nesterov\`; MomentumEMA is Momentum at a tenth of the rate. ` +
      "A rate is chosen with seed 0 by the loss on held-out samples after the last epoch, from half decades around the default; while the best of them lies at an end, the next one out is tried too. " +
      `The tables hold mean and 95 % interval over seeds 1 to ${seeds} at that rate, the loss as it was met in training during the last epoch, the accuracy on test samples that nothing was chosen on.`,
    "Places by test accuracy; **bold** is what `adviseOptimizer` names. Intervals of neighbours mostly overlap: a place or two means nothing.",
    markdownTable(
      ["optimizer", ...lanes.map(({ problem }) => problem.name), "mean place", "points of held-out accuracy lost at the default rate"],
      rows.map(({ name, places, all }) => [name, ...places.map((p, i) => (p === 0 ? "" : lanes[i]!.advised === name ? `**${p}**` : p)), Number.isFinite(all) ? all.toFixed(1) : "", untuned(name, lanes)]),
    ),
    lanes.map(({ problem, racers, advised }) => `- ${problem.name}: ${verdict(racers, advised)}`).join("\n"),
  ];
}

/** What it costs not to choose a rate, over all problems. */
function untuned(name: string, lanes: readonly Lane[]): string {
  const lost = lanes.flatMap(({ racers }) => racers.filter((r) => r.name === name)).map(({ usual }) => (usual ? (usual.chosen ?? NaN) - (usual.accuracy ?? NaN) : NaN));
  return Number.isNaN(mean(lost)) ? "" : (100 * mean(lost)).toFixed(1);
}

/** The advice beside what won. */
function verdict(racers: readonly Racer[], advised: string): string {
  const [accurate, low] = [byAccuracy(racers), byLoss(racers)];
  const at = accurate.findIndex((r) => r.name === advised);
  const its = accurate[at]!, best = accurate[0]!;
  const behind = at === 0 ? "the best test accuracy" : `${(100 * (accuracy(best) - accuracy(its))).toFixed(1)} points of test accuracy behind ${best.name}`;
  return `advised ${advised}, ${behind}, place ${low.indexOf(its) + 1} of ${low.length} by training loss (first: ${low[0]!.name}).`;
}

/** One problem: table, curves. */
export function describeProblem({ problem, data, racers }: Lane, epochs: number): Block[] {
  const goal = loss(racers.find((r) => r.name === "SGD")!);
  const rows = byAccuracy(racers).map((r) => [
    r.name,
    r.tried.map((v) => (v === r.chosen ? `**${v}**` : v)).join(" ") + (r.usual ? "" : " passes"),
    r.usual ? `${percent(r.usual.accuracy)} → ${percent(r.usual.chosen)}` : "",
    interval(r.accuracies, 100, 1),
    interval(r.losses, 1, 3),
    r.curve.find(([, y]) => y <= goal)?.[0].toFixed(1) ?? "–",
    lastEpoch(r.curve),
    r.seconds.toFixed(1),
  ]);
  return [
    `## ${problem.title}`,
    `${count(data.train)} training, ${count(data.held)} held-out and ${count(data.test)} test samples` +
      `, ${data.model().parameterCount().toLocaleString("en")} parameters${problem.clipNorm === undefined ? "" : `, gradient norm clipped at ${problem.clipNorm}`}.`,
    markdownTable(["optimizer", "rates tried", "held-out accuracy at the default rate → chosen, %", "test accuracy, %", "training loss", "epochs to the loss that SGD ends with", "fall of the loss in the last epoch, %", "s per run"], rows),
    {
      file: problem.name,
      title: problem.name,
      x: "epoch",
      y: "training loss",
      log: true,
      lines: byLoss(racers).map(({ name, curve }) => ({ name, points: curve.filter(([x]) => x <= epochs) })),
    },
  ];
}

/** By how much the loss fell from the last epoch but one to the last. */
function lastEpoch(curve: Curve): string {
  const end = curve.at(-1)?.[0] ?? 0;
  const over = (from: number): number => mean(curve.filter(([x]) => x > from + 1e-9 && x <= from + 1 + 1e-9).map(([, y]) => y));
  const fall = 1 - over(end - 1) / over(end - 2);
  return Number.isFinite(fall) ? (100 * fall).toFixed(0) : "–";
}
