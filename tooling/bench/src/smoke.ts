/**
 * A minute that finds catastrophes: every workload for a moment, without peers, against recorded figures.
 * It fails only where something is ten times slower than recorded, so that a busy machine passes.
 *
 * What is compared is the share of the limit measured in the same run, so a slow machine passes too.
 * The limits come from our own kernels and could collapse with them: they are compared with a loop of plain JavaScript.
 */
import type { Engine } from "@nn/kernels";
import { floors, type Floors } from "./floors.ts";
import { measureLimits, type Limits } from "./limits.ts";
import { prepare } from "./ours.ts";
import { ms, speed } from "./report.ts";
import { all, type Missing, type Workload } from "./workloads.ts";

/** This much slower than recorded is a catastrophe. */
const catastrophe = 10;

/** One run of the smoke test. */
export interface Smoke {
  readonly limits: Limits;
  readonly threads: number;
  /** Additions per second of a plain loop, in millions: how fast the machine is, told by something that is not ours. */
  readonly plain: number;
  readonly workloads: readonly { readonly workload: Workload; readonly ms: number }[];
}

/** How many times slower than recorded, for a machine of this speed. */
const slowdown = (workload: Workload, took: number, limits: Limits, recorded: Floors): number => (recorded.shares[workload.name] ?? 0) / speed(workload, took, limits).share;

/** Sentences about what is ten times slower than recorded; none if all is well. Workloads that are not recorded pass. */
export function catastrophes({ limits, threads, plain, workloads }: Smoke, recorded: Floors): string[] {
  const found: string[] = [];
  const machine = plain / recorded.plain;
  const expected = { gflops: recorded.gflops * threads * machine, gbps: recorded.gbps * machine };
  for (const [name, unit] of [["gflops", "GFLOP/s"], ["gbps", "GB/s"]] as const) {
    if (limits[name] * catastrophe < expected[name]) found.push(`limit: ${limits[name].toPrecision(3)} ${unit}, recorded ${expected[name].toPrecision(3)} ${unit} for a machine of this speed: ${(expected[name] / limits[name]).toFixed(0)} times slower`);
  }
  for (const { workload, ms: took } of workloads) {
    const times = slowdown(workload, took, limits, recorded);
    if (times > catastrophe) found.push(`${workload.name}: ${ms(took)} ms, recorded ${ms(took / times)} ms for a machine of this speed: ${times.toFixed(0)} times slower`);
  }
  return found;
}

/** A workload runs at least twice, the first time to reserve memory, and repeats within this time. */
const budgetMs = 150;

/** Milliseconds: the best iteration or, where other work had the processors, the processor time that an iteration took. */
function quickest({ spec }: Workload): number {
  const { step, dispose } = prepare(spec);
  step();
  let least = Infinity;
  let count = 0;
  const start = performance.now();
  const used = process.cpuUsage();
  do {
    const before = performance.now();
    step();
    least = Math.min(least, performance.now() - before);
    count++;
  } while (performance.now() - start < budgetMs);
  const { user, system } = process.cpuUsage(used);
  dispose();
  return Math.min(least, (user + system) / 1000 / count);
}

/** Millions of dependent additions per second. */
function plainSpeed(): number {
  let best = 0;
  for (let round = 0; round < 5; round++) {
    const n = 20e6;
    const start = performance.now();
    let sum = 0;
    for (let i = 0; i < n; i++) sum += i * 0.5;
    if (sum > 0) best = Math.max(best, n / (performance.now() - start) / 1e3);
  }
  return best;
}

/** What looks like a catastrophe is measured so often: other work may have had the processors. */
const attempts = 4;

export function measureSmoke(engine: Engine, recorded: Floors | undefined, say: (line: string) => void, workloads: readonly (Workload | Missing)[] = all): Smoke {
  const plain = plainSpeed();
  const limits = measureLimits(engine);
  const results = workloads.flatMap((workload) => {
    if ("missing" in workload) return [];
    let took = quickest(workload);
    for (let i = 1; i < attempts && recorded && slowdown(workload, took, limits, recorded) > catastrophe; i++) took = Math.min(took, quickest(workload));
    say(`${workload.name}: ${ms(took)} ms`);
    return [{ workload, ms: took }];
  });
  return { limits, threads: engine.threads, plain, workloads: results };
}

/** The figures of a run in the form of floors.ts, to record another kind of machine. */
export function asFloors({ limits, threads, plain, workloads }: Smoke): Floors {
  const shares = Object.fromEntries(workloads.map(({ workload, ms: took }) => [workload.name, Number(speed(workload, took, limits).share.toPrecision(2))]));
  return { gflops: Math.round(limits.gflops / threads), gbps: Math.round(limits.gbps), plain: Math.round(plain), shares };
}

/** Runs the smoke test; returns the exit code, 1 for a catastrophe. */
export function smoke(engine: Engine, { form }: { readonly form: string }, write: (line: string) => void, say: (line: string) => void): number {
  const start = performance.now();
  const recorded = floors[engine.isa];
  const result = measureSmoke(engine, recorded, say);
  if (form === "json") write(JSON.stringify({ [engine.isa]: asFloors(result) }));
  if (!recorded) {
    say(`smoke: nothing is recorded for ${engine.isa}; passed`);
    return 0;
  }
  const found = catastrophes(result, recorded);
  for (const line of found) say(`smoke: ${line}`);
  const unrecorded = result.workloads.map(({ workload }) => workload.name).filter((name) => !(name in recorded.shares));
  if (unrecorded.length > 0) say(`smoke: not recorded yet: ${unrecorded.join(", ")}`);
  say(`smoke: ${result.workloads.length} workloads on ${engine.kind} (${engine.isa}) in ${((performance.now() - start) / 1000).toFixed(0)} s, ${found.length === 0 ? "none" : found.length} ten times slower than recorded`);
  return found.length === 0 ? 0 : 1;
}
