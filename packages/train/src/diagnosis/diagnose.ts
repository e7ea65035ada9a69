/** Is the gradient healthy all the way through? */
import type { Module } from "@nn/layers";
import type { Tensor } from "@nn/tensor";
import { defaultThresholds, judge, verdictOf, type Finding, type LayerReport, type Thresholds, type Verdict } from "./judge.ts";
import { measure } from "./measure.ts";

/** What was found; `String(diagnosis)` is a table to read. */
export class Diagnosis {
  readonly loss: number;
  readonly layers: readonly LayerReport[];
  /** Gravest first, each with cures. */
  readonly findings: readonly Finding[];
  readonly verdict: Verdict;

  constructor(loss: number, layers: readonly LayerReport[], thresholds: Partial<Thresholds> = {}) {
    this.loss = loss;
    this.layers = layers;
    this.findings = judge(loss, layers, { ...defaultThresholds, ...thresholds });
    this.verdict = verdictOf(this.findings);
  }

  toString(): string {
    const rows = [["layer", "kind", "|grad|", "|weight|", "update", "saturated", "dead"], ...this.layers.map(cells)];
    const widths = rows[0]!.map((_, i) => Math.max(...rows.map((r) => r[i]!.length)));
    const lines = rows.map((r) => r.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ").trimEnd());
    const found = this.findings.map((f) => `- ${f.text}\n  try: ${f.cures.join("; ")}`);
    return [`${this.verdict} (loss ${this.loss.toPrecision(4)})`, ...lines, ...found].join("\n");
  }
}

/** A layer as the table shows it: path, kind, norms, ratio and shares. */
export function cells(l: LayerReport): string[] {
  const number = (v: number | null): string => (v === null ? "" : v.toExponential(1));
  const share = (v: number | null): string => (v === null ? "" : `${(100 * v).toFixed(0)} %`);
  return [l.path, l.kind, number(l.gradNorm), number(l.weightNorm), number(l.updateRatio), share(l.saturated), share(l.dead)];
}

/**
 * Runs `loss` forward and backward once and judges what flowed: gradient and weight norm of every layer, saturated and
 * dead units, NaN, growth along depth and (for modules called again and again) along time.
 * Changes nothing in the model, its gradients or the random streams.
 *
 * ```ts
 * console.log(String(diagnose(model, () => crossEntropy(model.call(x), y))));
 * ```
 */
export function diagnose(model: Module, loss: () => Tensor, thresholds: Partial<Thresholds> = {}): Diagnosis {
  const { loss: value, layers } = measure(model, loss);
  return new Diagnosis(value, layers, thresholds);
}
