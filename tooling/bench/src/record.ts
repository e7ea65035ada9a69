/** The documents that a run writes: a table of everything, and a short one for the README. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { judge } from "./bars.ts";
import { BenchError } from "./errors.ts";
import { heading, markdownTable, ms, onMachine, percent, speed, table } from "./report.ts";
import type { SuiteResult, View } from "./suite.ts";

const titleOf = ({ run: { engine } }: View): string => (engine.kind === "native" ? "Native" : "WebAssembly");

/** "41 of 45 bars hold", or nothing where none applies. */
function tally({ run, results }: View): string {
  const verdicts = results.flatMap((r) => ("missing" in r ? [] : judge(r, run)));
  return verdicts.length === 0 ? "" : `${verdicts.filter(({ holds }) => holds).length} of ${verdicts.length} bars hold`;
}

/** The whole table, one section per engine. */
export function document({ machine, asked, views }: SuiteResult): string {
  const sections = views.flatMap((view) => {
    const bars = tally(view);
    return [...(views.length > 1 ? [`## ${titleOf(view)}`, ""] : []), ...(bars ? [`${bars} (✓ and ✗ in the last column).`, ""] : []), table(view, true), ""];
  });
  return [heading(`Benchmark: ${asked}`, machine), ...sections].join("\n");
}

/** What the README shows, as far as it was measured. */
const shown = ["sgemm_1024", "conv3_fwdbwd", "alexnet_fwd", "alexnet_train", "cifar_train", "mlp_train", "textcnn_train", "lstm_train", "xformer_train", "ew_tanh_16M"];
const shownPeers = ["torch", "ort", "tfjs", "jax"];
const peerTitles: Readonly<Record<string, string>> = { torch: "PyTorch", ort: "ONNX Runtime", tfjs: "TensorFlow.js (WASM)", jax: "jax-js (WASM)" };

export function shortForm({ machine, views }: SuiteResult): string {
  const [first] = views;
  const find = ({ results }: View, name: string) => results.find((r) => "workload" in r && r.workload.name === name);
  const names = shown.filter((name) => views.some((view) => find(view, name)));
  const peers = shownPeers.filter((peer) => first!.results.some((r) => "peers" in r && r.peers[peer] && !("missing" in r.peers[peer])));
  const rows = names.map((name) => [
    name,
    ...views.map((view) => {
      const result = find(view, name);
      return result && "ours" in result ? `${ms(result.ours.median)} (${percent(speed(result.workload, result.ours.median, view.run.limits).share)})` : "–";
    }),
    ...peers.map((peer) => {
      const result = find(first!, name);
      const times = result && "ours" in result ? result.peers[peer] : undefined;
      return times && !("missing" in times) ? ms(times.median) : "–";
    }),
  ]);
  return [
    ...markdownTable([["workload", ...views.map((view) => `ours, ${titleOf(view)}`), ...peers.map((peer) => peerTitles[peer]!)], ...rows]), "",
    `Milliseconds per iteration, behind ours the share of what the machine can do; ${first!.run.engine.threads} threads, ${onMachine(machine)}`,
    "tfjs and jax-js have one thread in Node. A dash: it cannot, or not in reasonable time. All workloads, versions and spreads: [tooling/results/speed.md](tooling/results/speed.md).",
  ].join("\n");
}

const begin = "<!-- speed: written by `pnpm bench core --record` -->";
const end = "<!-- /speed -->";

/** `text` with what stands between the markers replaced. @throws BenchError if the markers are not there */
export function between(text: string, inner: string, file: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new BenchError("failure", `${file}: no place for the table, expected a line ${begin} and below it ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${inner}\n\n${text.slice(to)}`;
}

const root = new URL("../../../", import.meta.url);

/** Path of a file of the repository. @throws BenchError outside it */
export function inRepository(path: string): string {
  const file = fileURLToPath(new URL(path, root));
  if (!existsSync(fileURLToPath(new URL("tooling/results/", root)))) throw new BenchError("failure", "--record writes into tooling/results of the repository: it needs a clone");
  return file;
}

/** Writes tooling/results/speed.md and the table of README.md; returns what was written. */
export function record(result: SuiteResult): string[] {
  const [full, short] = [inRepository("tooling/results/speed.md"), inRepository("README.md")];
  const readme = between(readFileSync(short, "utf8"), shortForm(result), "README.md");
  writeFileSync(full, `${document(result).trimEnd()}\n`);
  writeFileSync(short, readme);
  return [full, short];
}
