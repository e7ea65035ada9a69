/** A suite from start to end: every run, on every engine that was asked for. */
import { engineInfo, type Engine } from "@nn/kernels";
import { setEngine } from "@nn/tensor";
import { BenchError } from "./errors.ts";
import { measureLimits } from "./limits.ts";
import { measure } from "./measure.ts";
import type { Options } from "./options.ts";
import { Peer, type PeerInfo } from "./peers.ts";
import { combine, seenFrom, thisMachine, type Machine, type Result, type Run } from "./runs.ts";

/** Results as one of our engines sees them. */
export interface View {
  readonly run: Run;
  readonly results: readonly Result[];
}

/** All that documents are made of: where it was measured, and a view per engine that was asked for. */
export interface SuiteResult {
  readonly machine: Machine;
  readonly asked: string;
  readonly views: readonly View[];
}

/** The default engine from now on. @throws BenchError if it cannot run here */
export function chooseEngine(kind: Options["engines"][number], threads?: number): Engine {
  try {
    return setEngine({ kind, ...(threads !== undefined && { threads }) });
  } catch (error) {
    throw new BenchError("failure", `engine ${kind}: ${(error as Error).message}`);
  }
}

/** `done` hears of each result as soon as it stands: with several runs that is at the end. */
export async function runSuite(options: Options, say: (line: string) => void, done: (result: Result, run: Run) => void): Promise<SuiteResult> {
  const [first, ...further] = options.engines;
  const machine = thisMachine();
  const engine = chooseEngine(first!, options.threads);
  const viewsOf = (all: View): View[] => [all, ...further.map((name) => seenFrom(name, all))];
  const tell = (all: View) => viewsOf(all).forEach(({ run, results }) => results.forEach((result) => done(result, run)));
  const several = options.runs > 1;
  const runs: View[] = [];
  for (let i = 0; i < options.runs; i++) {
    const progress = (line: string) => say(several ? `run ${i + 1}/${options.runs} ${line}` : line);
    runs.push(await once(options, engine, further, progress, (result, run) => !several && tell({ run, results: [result] })));
  }
  const all = combine(runs);
  if (several) tell(all);
  return { machine, asked: options.asked, views: viewsOf(all) };
}

async function once(options: Options, engine: Engine, further: readonly string[], say: (line: string) => void, done: (result: Result, run: Run) => void): Promise<View> {
  const peers = [...further, ...options.peers].map((name) => new Peer(name, engine.threads));
  try {
    const info: [string, PeerInfo][] = [];
    for (const peer of peers) info.push([peer.name, await peer.start()]);
    const run: Run = { engine: engineInfo(engine), limits: measureLimits(engine), peers: Object.fromEntries(info), runs: 1 };
    const ours = engine.isa === "simd128" ? "wasm-simd" : engine.kind;
    const how = { ...(options.rounds !== undefined && { rounds: options.rounds }), ...(options.memory && { memory: { ours, threads: engine.threads } }) };
    const results: Result[] = [];
    for (const [i, w] of options.workloads.entries()) {
      say(`[${i + 1}/${options.workloads.length}] ${w.name}`);
      const result = "missing" in w ? w : await measure(w, peers, how);
      results.push(result);
      done(result, run);
    }
    return { run, results };
  } finally {
    for (const peer of peers) peer.stop();
  }
}
