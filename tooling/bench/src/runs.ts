/** Several runs as one, and one run as another of its participants sees it. */
import { availableParallelism, cpus, loadavg, totalmem, type } from "node:os";
import type { EngineInfo } from "@nn/kernels";
import type { Limits } from "./limits.ts";
import { median, type Measurement, type PeerTimes, type Times } from "./measure.ts";
import type { PeerInfo } from "./peers.ts";
import type { Missing } from "./workloads.ts";

/** What all results of a run share. */
export interface Run {
  readonly engine: Pick<EngineInfo, "kind" | "isa" | "threads" | "why">;
  readonly limits: Limits;
  readonly peers: Readonly<Record<string, PeerInfo>>;
  /** How many runs this stands for. */
  readonly runs: number;
}

export type Result = Measurement | Missing;

/** Where and when. */
export interface Machine {
  readonly date: Date;
  readonly processor: string;
  readonly cores: number;
  readonly gib: number;
  readonly system: string;
  readonly node: string;
  readonly load: number;
}

export const thisMachine = (): Machine => ({
  date: new Date(), processor: cpus()[0]?.model.trim() ?? "unknown processor", cores: availableParallelism(),
  gib: Math.round(totalmem() / 2 ** 30), system: type(), node: process.version, load: loadavg()[0]!,
});

/** Medians of the runs' medians; ratios are medians of the runs' ratios. A participant that misses one run is missing. */
export function combine(runs: readonly { readonly run: Run; readonly results: readonly Result[] }[]): { run: Run; results: Result[] } {
  const [first] = runs;
  if (runs.length === 1) return { run: first!.run, results: [...first!.results] };
  const limit = (of: keyof Limits): number => median(runs.map(({ run }) => run.limits[of]));
  const results = first!.results.map((one, i) => ("missing" in one ? one : combined(runs.map(({ results }) => results[i] as Measurement))));
  return { run: { ...first!.run, limits: { gflops: limit("gflops"), gbps: limit("gbps") }, runs: runs.length }, results };
}

function combined(all: readonly Measurement[]): Measurement {
  const taken = all.flatMap(({ others }) => others ?? []);
  const peers = Object.keys(all[0]!.peers).map((name): [string, PeerTimes] => {
    const times = all.map((m) => m.peers[name]!);
    const missing = times.find((t) => "missing" in t);
    if (missing) return [name, missing];
    const present = times as (Times & { ratio: number })[];
    return [name, { ...combinedTimes(present), ratio: median(present.map(({ ratio }) => ratio)) }];
  });
  return { workload: all[0]!.workload, ours: combinedTimes(all.map(({ ours }) => ours)), ...(taken.length > 0 && { others: Math.max(...taken) }), peers: Object.fromEntries(peers) };
}

function combinedTimes(all: readonly Times[]): Times {
  const medians = all.map((t) => t.median);
  const memories = all.flatMap(({ memory }) => memory ?? []);
  return {
    median: median(medians), min: Math.min(...all.map((t) => t.min)), n: all.reduce((sum, t) => sum + t.n, 0),
    spread: [Math.min(...medians), Math.max(...medians)],
    ...(all[0]!.note && { note: all[0]!.note }),
    ...(memories.length > 0 && { memory: { peak: median(memories.map((m) => m.peak)), faults: median(memories.map((m) => m.faults)) } }),
  };
}

/** The same run with our engine `name`, a participant until now, in the place of ours. */
export function seenFrom(name: string, { run, results }: { readonly run: Run; readonly results: readonly Result[] }): { run: Run; results: Result[] } {
  const info = run.peers[name]!;
  if ("missing" in info || !info.engine || !info.limits) {
    const why = "missing" in info ? info.missing : "not our library";
    return { run, results: results.map((r) => ({ name: "missing" in r ? r.name : r.workload.name, missing: `${name}: ${why}` })) };
  }
  const { [name]: self, ...peers } = run.peers;
  const ours: PeerInfo = { version: run.engine.isa, threads: run.engine.threads, engine: run.engine, limits: run.limits };
  const engine = { ...info.engine, threads: info.threads, why: [] } as Run["engine"];
  return {
    run: { ...run, engine, limits: info.limits, peers: { [run.engine.kind]: ours, ...peers } },
    results: results.map((r) => ("missing" in r ? r : turned(r, name, run.engine.kind))),
  };
}

function turned(result: Measurement, name: string, before: string): Result {
  const { [name]: self, ...others } = result.peers;
  if (!self || "missing" in self) return { name: result.workload.name, missing: `${name}: ${self?.missing ?? "not measured"}` };
  const peers = Object.entries({ [before]: { ...result.ours, ratio: 1 }, ...others }).map(([peer, times]): [string, PeerTimes] =>
    "missing" in times ? [peer, times] : [peer, { ...times, ratio: times.ratio / self.ratio }],
  );
  const { ratio: _, ...ours } = self;
  return { ...result, ours, peers: Object.fromEntries(peers) };
}
