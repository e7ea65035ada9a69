/** Loss and accuracy over epochs as inline SVG. */
import type { EpochInfo } from "./trainer.ts";

const width = 460;
const height = 220;
const margin = { left: 44, right: 12, top: 12, bottom: 30 };

interface Line {
  readonly name: string;
  readonly values: readonly number[];
}

/** One chart for the losses, one for the accuracies of the history. */
export function curves(history: readonly EpochInfo[]): string {
  const names = [...new Set(history.flatMap((h) => Object.keys(h)))].filter((n) => n !== "epoch" && n !== "lr");
  const line = (name: string): Line => ({ name, values: history.map((h) => h[name] ?? NaN) });
  const accuracies = names.filter((n) => /accuracy/i.test(n));
  const charts = [chart("loss", names.filter((n) => /loss/i.test(n)).map(line))];
  if (accuracies.length > 0) charts.push(chart("accuracy", accuracies.map(line)));
  return `<div class="charts">${charts.join("")}</div>`;
}

function chart(title: string, lines: readonly Line[]): string {
  const finite = lines.flatMap((l) => l.values).filter(Number.isFinite);
  const ticks = roundTicks(Math.min(...finite), Math.max(...finite));
  const [low, high] = [ticks[0]!, ticks.at(-1)!];
  const span = high - low;
  const epochs = Math.max(...lines.map((l) => l.values.length));
  const x = (i: number) => margin.left + (i / Math.max(1, epochs - 1)) * (width - margin.left - margin.right);
  const y = (v: number) => margin.top + (1 - (v - low) / span) * (height - margin.top - margin.bottom);
  const grid = ticks.map((v) => `<path class="grid" d="M${margin.left} ${y(v).toFixed(1)}H${width - margin.right}"/><text x="${margin.left - 6}" y="${(y(v) + 4).toFixed(1)}" text-anchor="end">${label(title, v, ticks[1]! - low)}</text>`);
  // Names stand where the curves are not: above falling losses, below rising accuracies.
  const legend = title === "accuracy" ? height - margin.bottom - 10 - 16 * (lines.length - 1) : margin.top + 14;
  const paths = lines.map(({ name, values }, k) => {
    const points = values.map((v, i) => (Number.isFinite(v) ? `${x(i).toFixed(1)} ${y(v).toFixed(1)}` : null)).filter((p) => p !== null);
    const dots = points.map((p) => `<circle cx="${p.split(" ")[0]}" cy="${p.split(" ")[1]}" r="2.5"/>`);
    return `<g class="line line${k}"><path d="M${points.join("L")}"/>${dots.join("")}<text x="${width - margin.right}" y="${legend + 16 * k}" text-anchor="end">${name}</text></g>`;
  });
  const last = `<text x="${margin.left}" y="${height - 8}">epoch 1</text><text x="${width - margin.right}" y="${height - 8}" text-anchor="end">${epochs}</text>`;
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title} over epochs">${grid.join("")}${last}${paths.join("")}</svg>`;
}

/** Three to seven round numbers from below `low` to above `high`: steps are 1, 2 or 5 times a power of ten. */
function roundTicks(low: number, high: number): number[] {
  const rough = (high - low || Math.abs(high) || 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= rough)!;
  const first = Math.floor(low / step);
  return Array.from({ length: Math.max(1, Math.ceil(high / step) - first) + 1 }, (_, i) => (first + i) * step);
}

function label(title: string, v: number, step: number): string {
  const digits = (unit: number): number => Math.max(0, -Math.floor(Math.log10(unit) + 1e-9));
  return title === "accuracy" ? `${(100 * v).toFixed(digits(100 * step))} %` : v.toFixed(digits(step));
}
