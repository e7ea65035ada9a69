/** Loss and accuracy over epochs. */
import { lineChart } from "./line-chart.ts";
import type { EpochInfo } from "./trainer.ts";

/** One chart for the losses, one for the accuracies of the history. */
export function curves(history: readonly EpochInfo[]): string {
  const names = [...new Set(history.flatMap((h) => Object.keys(h)))].filter((n) => n !== "epoch" && n !== "lr");
  const of = (what: RegExp) => names.filter((n) => what.test(n)).map((name) => ({ name, points: history.map((h) => [h.epoch, h[name] ?? NaN] as const) }));
  const charts = [lineChart({ title: "Loss", x: "epoch", y: "loss", lines: of(/loss/i) })];
  const accuracies = of(/accuracy/i);
  if (accuracies.length > 0) charts.push(lineChart({ title: "Accuracy", x: "epoch", y: "accuracy", percent: true, lines: accuracies }));
  return `<div class="charts">${charts.join("")}</div>`;
}
