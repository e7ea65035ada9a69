/** Results as JSON lines and as tables, to read or in Markdown. */
import { judge, type Verdict } from "./bars.ts";
import type { Limits } from "./limits.ts";
import type { Measurement, Times } from "./measure.ts";
import type { Machine, Result, Run } from "./runs.ts";
import { cost, type Workload } from "./workloads.ts";

/** Speed in the unit of the workload's limit, and its share of that limit. */
export function speed(workload: Workload, ms: number, limits: Limits) {
  const need = cost(workload.spec);
  if (need.limit === "compute") {
    const gflops = need.flops / ms / 1e6;
    return { limit: "compute" as const, gflops: digits(gflops), share: digits(gflops / limits.gflops) };
  }
  const gbps = need.bytes / ms / 1e6;
  return { limit: "memory" as const, gbps: digits(gbps), share: digits(gbps / limits.gbps) };
}

/** Four significant digits. */
const digits = (x: number): number => Number(x.toPrecision(4));
const MiB = 2 ** 20;
const rounded = (t: Times) => ({
  median: digits(t.median), min: digits(t.min), n: t.n,
  ...(t.spread && { spread: t.spread.map(digits) }),
  ...(t.memory && { peakMiB: digits(t.memory.peak / MiB), faults: digits(t.memory.faults) }),
  ...(t.note && { note: t.note }),
});

/** One line of JSON. Times in ms per iteration; ratio = the peer's median / ours, so above 1 we are faster. */
export function jsonLine(result: Result, run: Run): string {
  const { engine: { kind, isa, threads }, limits, peers, runs } = run;
  const engine = { engine: kind, isa, threads, ...(runs > 1 && { runs }) };
  if ("missing" in result) return JSON.stringify({ name: result.name, ...engine, missing: result.missing });
  const { workload, ours } = result;
  const compared = Object.entries(result.peers).map(([name, times]) => {
    const info = peers[name]!;
    if ("missing" in times) return [name, times];
    return [name, { ...rounded(times), ratio: digits(times.ratio), ...("version" in info && { version: info.version, threads: info.threads }) }];
  });
  return JSON.stringify({
    name: workload.name, ...engine, ...(result.others !== undefined && { others: Number(result.others.toFixed(3)) }), ours: { ...rounded(ours), ...speed(workload, ours.median, limits) },
    limits: { gflops: digits(limits.gflops), gbps: digits(limits.gbps) }, peers: Object.fromEntries(compared), bars: judge(result, run),
  });
}

/** Other work took more than a twentieth of the machine. */
export const disturbed = (result: Result): boolean => "others" in result && result.others! > 0.05;

export const ms = (x: number): string => (x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toPrecision(3));
export const percent = (x: number): string => `${Math.round(100 * x)} %`;

/** "torch ≥ 1.5: 1.09 ✗" */
const showVerdict = ({ bar, figure, holds }: Verdict): string => `${bar}: ${figure} ${holds ? "✓" : "✗"}`;

/** Cells of one workload: name, ms, best or spread, speed, share of the limit, each peer's ms and ratio, and the bars. */
function cells(result: Result, run: Run, peers: readonly string[], markdown: boolean): string[] {
  if ("missing" in result) return [result.name, "missing", "", "", "", ...peers.map(() => ""), ...(markdown ? [""] : [])];
  const { workload, ours } = result;
  const s = speed(workload, ours.median, run.limits);
  const rate = s.limit === "compute" ? `${s.gflops.toFixed(0)} GFLOP/s` : `${s.gbps.toFixed(1)} GB/s`;
  const compared = peers.map((name) => {
    const times = result.peers[name];
    return !times || "missing" in times ? "–" : `${ms(times.median)} (${times.ratio.toFixed(2)}×)`;
  });
  const range = ours.spread ? `${ms(ours.spread[0])}–${ms(ours.spread[1])}` : ms(ours.min);
  return [`${workload.name}${disturbed(result) ? " *" : ""}`, ms(ours.median), range, rate, percent(s.share), ...compared, ...(markdown ? [judge(result, run).map(showVerdict).join("; ")] : [])];
}

/** Date and machine, in one sentence. */
export const onMachine = ({ date, processor, cores, gib, system, node, load }: Machine): string =>
  `${date.toISOString().slice(0, 10)}, ${processor}, ${cores} cores, ${gib} GiB, ${system}, Node ${node}, load average at the start ${load.toFixed(1)}.`;

/** Title and machine, for a document that holds the table. */
export const heading = (title: string, machine: Machine): string =>
  [`# ${title}`, "", onMachine(machine), "Times are medians in ms per iteration; behind each peer's time stands its ratio to ours, above 1 where we are faster. How it is measured: [tooling/bench](../bench/README.md).", ""].join("\n");

/** Table of a whole run, padded for a terminal or as Markdown, with the reasons of what is missing below. In Markdown it shows the bars too. */
export function table({ run, results }: { readonly run: Run; readonly results: readonly Result[] }, markdown: boolean): string {
  const peers = Object.keys(run.peers).filter((name) => results.some((r) => "peers" in r && r.peers[name] && !("missing" in r.peers[name])));
  const head = ["workload", "ms", run.runs > 1 ? "spread" : "best", "speed", "of limit", ...peers.map((p) => `${p} ms (ratio)`), ...(markdown ? ["bars"] : [])];
  const rows = results.map((r) => cells(r, run, peers, markdown));
  return [...(markdown ? markdownTable([head, ...rows]) : padded([head, ...rows])), "", ...memoryTable(results, markdown), ...notes(results, run, markdown)].join("\n");
}

/** The first row is the head; the first column stands to the left, the others to the right. */
export function markdownTable([head, ...rows]: readonly (readonly string[])[]): string[] {
  return [head!, head!.map((_, i) => (i === 0 ? "---" : "---:")), ...rows].map((row) => `| ${row.join(" | ")} |`);
}

/** Columns aligned: the first `left` to the left, the others to the right. */
export function padded(rows: readonly (readonly string[])[], left = 1): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) => row.map((cell, i) => (i < left ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ").trimEnd());
}

/** Memory of the workloads for which it was measured. */
function memoryTable(results: readonly Result[], markdown: boolean): string[] {
  const measured = results.filter((r): r is Measurement => "ours" in r && r.ours.memory !== undefined);
  if (measured.length === 0) return [];
  const peers = [...new Set(measured.flatMap(({ peers }) => Object.keys(peers).filter((name) => "memory" in peers[name]!)))];
  const show = (t: Times | { missing: string } | undefined): string[] => (t && "memory" in t && t.memory ? [(t.memory.peak / MiB).toFixed(0), t.memory.faults.toFixed(0)] : ["–", "–"]);
  const rows = [
    ["workload", ...["ours", ...peers].flatMap((name) => [`${name}: peak MiB`, "page faults per step"])],
    ...measured.map((r) => [r.workload.name, ...show(r.ours), ...peers.flatMap((name) => show(r.peers[name]))]),
  ];
  return [...(markdown ? markdownTable(rows) : padded(rows)), ""];
}

function notes(results: readonly Result[], run: Run, markdown: boolean): string[] {
  const { kind, isa, threads, why } = run.engine;
  const bullet = markdown ? "- " : "  ";
  const versions = Object.entries(run.peers).map(([name, p]) =>
    "missing" in p ? `${bullet}${name}: missing, ${p.missing}` : `${bullet}${name} ${p.version}, ${p.threads} thread${p.threads === 1 ? "" : "s"}${p.note ? ` (${p.note})` : ""}`,
  );
  return [
    `${bullet}ours: ${kind} (${isa}), ${threads} thread${threads === 1 ? "" : "s"}${why.length > 0 ? ` (${why.join("; ")})` : ""}`,
    ...versions,
    `${bullet}limits, measured in this run through this engine: ${run.limits.gflops.toFixed(0)} GFLOP/s (best product on one thread × threads), ${run.limits.gbps.toFixed(1)} GB/s (passes over 64 MiB arrays)`,
    `${bullet}ratio = median of the peer / our median of the same interleaved rounds; above 1 we are faster`,
    ...(run.runs > 1 ? [`${bullet}${run.runs} runs: medians of their medians, spread from the least to the greatest, medians of their ratios`] : []),
    ...(results.some(disturbed) ? [`${bullet}* other work took more than 5 % of the machine during these rounds`] : []),
    ...reasons(results).map(([reason, who]) => `${bullet}missing: ${who.join(", ")}: ${reason}`),
  ];
}

/** Reasons for missing results, each with whom it concerns. */
function reasons(results: readonly Result[]): [string, string[]][] {
  const found = new Map<string, Map<string, string[]>>();
  const note = (reason: string, who: string, workload?: string) => {
    const names = found.get(reason) ?? found.set(reason, new Map()).get(reason)!;
    names.set(who, [...(names.get(who) ?? []), ...(workload ? [workload] : [])]);
  };
  for (const r of results) {
    if ("missing" in r) note(r.missing, r.name);
    else for (const [peer, times] of Object.entries(r.peers)) if ("missing" in times) note(times.missing, peer, r.workload.name);
  }
  const measured = results.filter((r) => "peers" in r).length;
  const on = (workloads: readonly string[]): string => (workloads.length === measured ? "all" : workloads.length > 4 ? `${workloads.length} workloads` : workloads.join(" "));
  return [...found].map(([reason, who]) => [reason, [...who].map(([name, workloads]) => (workloads.length === 0 ? name : `${name} (${on(workloads)})`))]);
}
