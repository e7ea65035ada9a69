/** Experiments by name. */
import { nearest } from "@nn/layers";
import type { Experiment } from "@nn/train";
import { usage } from "./errors.ts";
import { activationRace } from "./experiments/activation-race.ts";
import { alexnetAblations } from "./experiments/alexnet-ablations.ts";
import { alexnetFigure1 } from "./experiments/alexnet-figure1.ts";
import { cifarKrizhevsky } from "./experiments/cifar-krizhevsky.ts";
import { fashionClassics } from "./experiments/fashion-classics.ts";
import { gradientHealth } from "./experiments/gradient-health.ts";
import { optimizerRace } from "./experiments/optimizer-race.ts";
import { tabular } from "./experiments/tabular.ts";

export const experiments: ReadonlyMap<string, Experiment> = new Map(
  [fashionClassics, activationRace, optimizerRace, tabular, gradientHealth, alexnetFigure1, alexnetAblations, cifarKrizhevsky].map((e) => [e.name, e]),
);

/** @throws CliError with the nearest name if there is none of that name. */
export function findExperiment(name: string): Experiment {
  const known = experiments.get(name);
  if (known) return known;
  const near = nearest(name, experiments.keys());
  throw usage(`unknown experiment '${name}'`, near ? `did you mean '${near}'?` : `known: ${[...experiments.keys()].join(", ")}`);
}
