/** A self-contained HTML report: curves, filters, confusion matrix, sample predictions. One file, no external assets, readable on a phone. */
import { encodePng, type LabelledImages } from "@nn/data";
import type { Evaluation } from "./evaluate.ts";
import type { EpochInfo } from "./trainer.ts";
import type { Look } from "./diagnosis/watch.ts";
import type { Published } from "./recipe.ts";
import { curves } from "./report-curves.ts";
import { diagnosisSection } from "./report-diagnosis.ts";
import { style } from "./report-style.ts";

export interface ReportInput {
  readonly title: string;
  readonly description: string;
  readonly classes: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly history: readonly EpochInfo[];
  readonly evaluation: Evaluation;
  /** First-layer weights [out, in, kH, kW], row-major; none are shown where out is 0. */
  readonly filters: { readonly data: ArrayLike<number>; readonly shape: readonly number[] };
  readonly pictures: LabelledImages;
  readonly published?: readonly Published[];
  /** What a GradientWatch saw. */
  readonly looks?: readonly Look[];
  /** Predicted class and its probability, for the first pictures. */
  readonly predictions: readonly { readonly predicted: number; readonly probability: number }[];
}

const escape = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const percent = (share: number): string => `${(100 * share).toFixed(1)}\u00a0%`;

/** The report as one HTML document. */
export async function renderReport(r: ReportInput): Promise<string> {
  const { evaluation } = r;
  const sections = [
    section("Training", curves(r.history)),
    ...((r.published?.length ?? 0) > 0 ? [section("Published figures", published(r), "Accuracy that others reached on the whole data set, and this run's on its own.")] : []),
    section("Sample predictions", await samples(r), "Green frames are right, red ones wrong; below each picture the predicted class, its probability, and the true class where they differ."),
    section("Confusion matrix", confusion(r), "Rows are true classes, columns predictions; colours are shares of the row."),
    section("Accuracy per class", perClass(r)),
    ...(r.filters.shape[0]! > 0 ? [section("Filters of the first layer", await filters(r), "Each tile is one filter as a picture, scaled to its own range.")] : []),
    ...((r.looks?.length ?? 0) > 0 ? [section("Gradients", diagnosisSection(r.looks!, escape), "Norms at the first batch of the last epoch, and shares of units; a healthy update is about a thousandth of the weights.")] : []),
    section("Options", options(r.options)),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(r.title)}</title><style>${style}</style></head><body><main>
<header><h1>${escape(r.title)}</h1><p>${escape(r.description)}</p>
<p class="figures"><b>${percent(evaluation.accuracy)}</b> test accuracy · loss ${evaluation.loss.toFixed(4)} on ${evaluation.confusion.total} images · ${r.history.length} epoch${r.history.length === 1 ? "" : "s"}</p></header>
${sections.join("\n")}
</main></body></html>
`;
}

const section = (title: string, body: string, note = ""): string => `<section><h2>${title}</h2>${note === "" ? "" : `<p class="note">${note}</p>`}${body}</section>`;

async function image(pixels: Uint8Array, width: number, height: number): Promise<string> {
  const png = await encodePng(pixels, width, height);
  let binary = "";
  for (const byte of png) binary += String.fromCharCode(byte);
  return `data:image/png;base64,${btoa(binary)}`;
}

async function samples({ pictures, predictions, classes }: ReportInput): Promise<string> {
  const [, channels, height, width] = pictures.images.shape as [number, number, number, number];
  const size = channels * height * width;
  const tiles = predictions.map(async ({ predicted, probability }, i) => {
    const truth = pictures.labels.data[i]!;
    const src = await image(interleaved(pictures.images.data.subarray(i * size, (i + 1) * size), channels), width, height);
    const right = predicted === truth;
    const caption = `${escape(classes[predicted]!)} ${percent(probability)}${right ? "" : `<br><s>${escape(classes[truth]!)}</s>`}`;
    return `<figure class="${right ? "right" : "wrong"}"><img src="${src}" alt="${escape(classes[truth]!)}" width="${width}" height="${height}"><figcaption>${caption}</figcaption></figure>`;
  });
  return `<div class="tiles">${(await Promise.all(tiles)).join("")}</div>`;
}

/** [C,H,W] → [H,W,C]. */
function interleaved(planes: Uint8Array, channels: number): Uint8Array {
  if (channels === 1) return planes;
  const size = planes.length / channels;
  return Uint8Array.from(planes, (_, i) => planes[(i % channels) * size + Math.floor(i / channels)]!);
}

async function filters({ filters: { data, shape } }: ReportInput): Promise<string> {
  const [count, channels, height, width] = shape as [number, number, number, number];
  const size = channels * height * width;
  const shown = channels === 3 ? 3 : 1;
  const tiles = Array.from({ length: Math.min(count, 96) }, async (_, f) => {
    const weights = Array.from({ length: shown * height * width }, (_, i) => data[f * size + i]!);
    const [low, high] = [Math.min(...weights), Math.max(...weights)];
    const bytes = Uint8Array.from(weights, (w) => (255 * (w - low)) / (high - low || 1));
    return `<img class="filter" src="${await image(interleaved(bytes, shown), width, height)}" alt="filter ${f}">`;
  });
  return `<div class="filters">${(await Promise.all(tiles)).join("")}</div>`;
}

/** A table up to a hundred classes; the mistakes made most often of more. */
function confusion({ evaluation, classes }: ReportInput): string {
  const { counts, classes: n } = evaluation.confusion;
  if (n > 100) {
    const mistakes = evaluation.confusion.mistakes(50).map((m) => `<tr><td>${m.count}</td><th>${escape(classes[m.actual]!)}</th><td>taken for ${escape(classes[m.predicted]!)}</td></tr>`);
    return `<table>${mistakes.join("")}</table>`;
  }
  const head = classes.map((c) => `<th class="column"><span>${escape(c)}</span></th>`).join("");
  const rows = classes.map((c, k) => {
    const row = counts.subarray(k * n, (k + 1) * n);
    const total = row.reduce((a, b) => a + b, 0) || 1;
    const cells = [...row].map((count, j) => `<td style="--share:${(count / total).toFixed(3)}" class="${j === k ? "hit" : "miss"}">${count === 0 ? "" : count}</td>`);
    return `<tr><th>${escape(c)}</th>${cells.join("")}</tr>`;
  });
  return `<div class="scroll"><table class="confusion"><tr><th></th>${head}</tr>${rows.join("")}</table></div>`;
}

function published({ published = [], evaluation }: ReportInput): string {
  const row = (what: string, accuracy: number, source: string): string => `<tr><th>${escape(what)}</th><td>${percent(accuracy)}</td><td>${escape(source)}</td></tr>`;
  return `<table>${row("this run", evaluation.accuracy, "")}${published.map((p) => row(p.what, p.accuracy, p.source)).join("")}</table>`;
}

function perClass({ evaluation, classes }: ReportInput): string {
  const row = (share: number, name: string): string => `<tr><th>${escape(name)}</th><td class="meter"><i style="width:${(100 * share).toFixed(1)}%"></i></td><td>${percent(share)}</td></tr>`;
  const rows = evaluation.confusion.perClass().map((share, k) => (Number.isNaN(share) ? `<tr><th>${escape(classes[k]!)}</th><td class="meter"></td><td>no images</td></tr>` : row(share, classes[k]!)));
  return `<table class="bars">${rows.join("")}</table>`;
}

const options = (all: Readonly<Record<string, unknown>>): string =>
  `<table>${Object.entries(all).map(([name, value]) => `<tr><th>${escape(name)}</th><td>${escape(String(value))}</td></tr>`).join("")}</table>`;
