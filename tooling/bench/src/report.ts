/** Results as JSON lines, as a table to read, and as Markdown. */
import { availableParallelism, cpus, loadavg, totalmem, type } from "node:os";
import type { EngineInfo } from "@nn/kernels";
import type { Limits } from "./limits.ts";
import type { Measurement, Times } from "./measure.ts";
import type { PeerInfo } from "./peers.ts";
import { cost, type Missing, type Workload } from "./workloads.ts";

/** What all lines of a run share. */
export interface Run {
  readonly engine: EngineInfo;
  readonly limits: Limits;
  readonly peers: Readonly<Record<string, PeerInfo>>;
}

/** Speed in the unit of the workload's limit, and its share of that limit. */
function speed(workload: Workload, { median }: Times, limits: Limits) {
  const need = cost(workload.spec);
  if (need.limit === "compute") {
    const gflops = need.flops / median / 1e6;
    return { limit: "compute" as const, gflops: digits(gflops), share: digits(gflops / limits.gflops) };
  }
  const gbps = need.bytes / median / 1e6;
  return { limit: "memory" as const, gbps: digits(gbps), share: digits(gbps / limits.gbps) };
}

/** Four significant digits. */
const digits = (x: number): number => Number(x.toPrecision(4));
const rounded = (t: Times) => ({ median: digits(t.median), min: digits(t.min), n: t.n, ...(t.note && { note: t.note }) });

/** One line of JSON. Times in ms per iteration; ratio = the peer's median / ours, so above 1 we are faster. */
export function jsonLine(result: Measurement | Missing, { engine: { kind, isa, threads }, limits, peers }: Run): string {
  const engine = { engine: kind, isa, threads };
  if ("missing" in result) return JSON.stringify({ name: result.name, ...engine, missing: result.missing });
  const { workload, ours } = result;
  const compared = Object.entries(result.peers).map(([name, times]) => {
    const info = peers[name]!;
    if ("missing" in times) return [name, times];
    return [name, { ...rounded(times), ratio: digits(times.median / ours.median), ...("version" in info && { version: info.version, threads: info.threads }) }];
  });
  return JSON.stringify({
    name: workload.name, ...engine, ...(result.others !== undefined && { others: Number(result.others.toFixed(3)) }), ours: { ...rounded(ours), ...speed(workload, ours, limits) },
    limits: { gflops: digits(limits.gflops), gbps: digits(limits.gbps) }, peers: Object.fromEntries(compared),
  });
}

/** Other work took more than a twentieth of the machine. */
const disturbed = (result: Measurement | Missing): boolean => "others" in result && result.others! > 0.05;

const ms = (x: number): string => (x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toPrecision(3));

/** Cells of one workload: name, ms, spread, speed, share of the limit, then each peer's ms and ratio. */
function cells(result: Measurement | Missing, peers: readonly string[], limits: Limits): string[] {
  if ("missing" in result) return [result.name, "missing", "", "", "", ...peers.map(() => "")];
  const { workload, ours } = result;
  const s = speed(workload, ours, limits);
  const rate = s.limit === "compute" ? `${s.gflops.toFixed(0)} GFLOP/s` : `${s.gbps.toFixed(1)} GB/s`;
  const compared = peers.map((name) => {
    const times = result.peers[name]!;
    return "missing" in times ? "–" : `${ms(times.median)} (${(times.median / ours.median).toFixed(2)}×)`;
  });
  return [`${workload.name}${disturbed(result) ? " *" : ""}`, ms(ours.median), ms(ours.min), rate, `${Math.round(100 * s.share)} %`, ...compared];
}

/** Title and machine, for a document that holds the table. */
export function heading(title: string, date: Date): string {
  const gib = Math.round(totalmem() / 2 ** 30);
  return [
    `# ${title}`, "",
    `${date.toISOString().slice(0, 10)}, ${cpus()[0]?.model.trim() ?? "unknown processor"}, ${availableParallelism()} cores, ${gib} GiB, ${type()}, Node ${process.version}, load average at the start ${loadavg()[0]!.toFixed(1)}.`,
    "Times are medians in ms per iteration; behind each peer's time stands its ratio to ours, above 1 where we are faster. How it is measured: [tooling/bench](../bench/README.md).", "",
  ].join("\n");
}

/** Table of a whole run, padded for a terminal or as Markdown, with the reasons of what is missing below. */
export function table(results: readonly (Measurement | Missing)[], run: Run, markdown: boolean): string {
  const peers = Object.keys(run.peers).filter((name) => results.some((r) => "peers" in r && r.peers[name] && !("missing" in r.peers[name])));
  const head = ["workload", "ms", "best", "speed", "of limit", ...peers.map((p) => `${p} ms (ratio)`)];
  const rows = results.map((r) => cells(r, peers, run.limits));
  const lines = markdown
    ? [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...rows].map((row) => `| ${row.join(" | ")} |`)
    : padded([head, ...rows]);
  return [...lines, "", ...notes(results, run, markdown)].join("\n");
}

/** Columns aligned: the first to the left, the others to the right. */
export function padded(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "));
}

function notes(results: readonly (Measurement | Missing)[], run: Run, markdown: boolean): string[] {
  const { kind, isa, threads, why } = run.engine;
  const bullet = markdown ? "- " : "  ";
  const versions = Object.entries(run.peers).map(([name, p]) =>
    "missing" in p ? `${bullet}${name}: missing, ${p.missing}` : `${bullet}${name} ${p.version}, ${p.threads} thread${p.threads === 1 ? "" : "s"}${p.note ? ` (${p.note})` : ""}`,
  );
  return [
    `${bullet}ours: ${kind} (${isa}), ${threads} thread${threads === 1 ? "" : "s"}${why.length > 0 ? ` (${why.join("; ")})` : ""}`,
    ...versions,
    `${bullet}limits, measured in this run through our own engine: ${run.limits.gflops.toFixed(0)} GFLOP/s (best product on one thread × threads), ${run.limits.gbps.toFixed(1)} GB/s (passes over 64 MiB arrays)`,
    `${bullet}ratio = median of the peer / our median of the same interleaved rounds; above 1 we are faster`,
    ...(results.some(disturbed) ? [`${bullet}* other work took more than 5 % of the machine during these rounds`] : []),
    ...reasons(results).map(([reason, who]) => `${bullet}missing: ${who.join(", ")}: ${reason}`),
  ];
}

/** Reasons for missing results, each with whom it concerns. */
function reasons(results: readonly (Measurement | Missing)[]): [string, string[]][] {
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
