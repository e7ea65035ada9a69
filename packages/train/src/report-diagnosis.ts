/** What the gradients did, for the report: the last look as a table, and norms of all looks as a strip per layer. */
import { cells } from "./diagnosis/diagnose.ts";
import type { Look } from "./diagnosis/watch.ts";

/** Verdict, table of layers and findings with cures; nothing without looks. */
export function diagnosisSection(looks: readonly Look[], escape: (text: string) => string): string {
  const last = looks.at(-1);
  if (!last) return "";
  const { diagnosis } = last;
  const head = ["layer", "kind", "gradient", "weight", "update", "saturated", "dead"].map((h) => `<th>${h}</th>`).join("");
  const rows = diagnosis.layers.map((l, i) => `<tr>${cells(l).map((c, k) => `<t${k === 0 ? "h" : "d"}>${escape(c)}</t${k === 0 ? "h" : "d"}>`).join("")}<td>${strip(looks, i)}</td></tr>`);
  const findings = diagnosis.findings.map((f) => `<li>${escape(f.text)}<br><span class="note">try: ${escape(f.cures.join("; "))}</span></li>`).join("");
  return `<p>Epoch ${last.epoch}: <b>${diagnosis.verdict}</b></p><div class="scroll"><table>${`<tr>${head}<th>gradient over the looks</th></tr>`}${rows.join("")}</table></div>${findings === "" ? "" : `<ul>${findings}</ul>`}`;
}

/** Gradient norms of one layer as bars, on a logarithmic scale of its own largest three decades. */
function strip(looks: readonly Look[], layer: number): string {
  const norms = looks.map(({ diagnosis }) => diagnosis.layers[layer]?.gradNorm ?? 0);
  const most = Math.max(...norms);
  if (!(most > 0)) return "";
  const bars = norms.map((n, i) => {
    const height = Math.max(1, 20 * (1 + Math.log10(Math.max(n, 1e-30) / most) / 3));
    return `<rect x="${4 * i}" y="${(20 - height).toFixed(1)}" width="3" height="${height.toFixed(1)}"/>`;
  });
  return `<svg class="strip" viewBox="0 0 ${4 * norms.length} 20" width="${Math.min(160, 4 * norms.length)}" height="20" role="img" aria-label="gradient norms over epochs">${bars.join("")}</svg>`;
}
