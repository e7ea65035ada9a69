/** Rounds that alternate between us and every peer, so that all meet the same machine; medians of rounds. */
import { setTimeout as sleep } from "node:timers/promises";
import { prepare } from "./ours.ts";
import { memoryOf, type Memory } from "./memory.ts";
import { watchOthers } from "./others.ts";
import { engineKinds, type Peer } from "./peers.ts";
import type { Workload } from "./workloads.ts";

/** Times of one participant, in milliseconds per iteration. */
export interface Times {
  readonly median: number;
  readonly min: number;
  /** Rounds. */
  readonly n: number;
  /** How the participant did it, e.g. its memory layout. */
  readonly note?: string;
  /** Of several runs: the least and the greatest of their medians. */
  readonly spread?: readonly [number, number];
  readonly memory?: Memory;
}

/** ratio = the peer's median / ours, so above 1 we are faster. */
export type PeerTimes = (Times & { readonly ratio: number }) | { readonly missing: string };

export interface Measurement {
  readonly workload: Workload;
  readonly ours: Times;
  /** Share of the machine that other work took during the rounds, where the system tells. */
  readonly others?: number;
  readonly peers: Readonly<Record<string, PeerTimes>>;
}

export interface MeasureOptions {
  /** Rounds, or as many of at most seven as fit the time. */
  readonly rounds?: number;
  /** Measure memory too: under this name our engine runs as a participant of its own, with so many threads. */
  readonly memory?: { readonly ours: string; readonly threads: number };
}

interface Participant {
  readonly name: string;
  readonly run: (iterations: number) => number | Promise<number | { missing: string }>;
  readonly times: number[];
  readonly note?: string;
  iterations: number;
  missing?: string;
}

/** A round of short workloads repeats them for this long. */
const roundMs = 40;
/** Rounds of one workload, all participants together, stop adding up here (never before the third round). */
const workloadMs = 5000;
/** A peer this slow runs once: what others are timed in rounds for would take minutes. */
const slowMs = 1500;
/** A participant runs this long before the first round. */
const warmMs = 300;
/** Pause between participants: threads of the one before go to sleep. */
const restMs = 5;
/** What a turn runs before it is timed, if an iteration is shorter: threads wake and spread over the cores. */
const wakeMs = 10;

/** Measures `workload` in alternating rounds. */
export async function measure(workload: Workload, peers: readonly Peer[], { rounds, memory }: MeasureOptions = {}): Promise<Measurement> {
  const own = prepare(workload.spec);
  const us: Participant = { name: "ours", times: [], iterations: 1, run: (n) => timed(own.step, n) };
  own.step(); // reserves memory and compiles, as the peers do when they prepare
  const participants: Participant[] = [us];
  const missing: Record<string, { missing: string }> = {};
  for (const peer of peers) {
    const ready = await peer.prepare(workload);
    if ("missing" in ready) missing[peer.name] = { missing: ready.missing };
    else participants.push({ name: peer.name, times: [], iterations: 1, run: (n) => peer.run(n), ...(ready.note && { note: ready.note }) });
  }
  await warmUp(participants);
  const others = watchOthers(peers.flatMap((peer) => peer.pid ?? []));
  const start = performance.now();
  for (let round = 0; round < (rounds ?? 7); round++) {
    // Whoever runs first meets a rested machine: everybody gets that turn.
    for (let i = 0; i < participants.length; i++) await turn(participants[(i + round) % participants.length]!);
    if (rounds === undefined && round >= 2 && performance.now() - start > workloadMs) break;
  }
  const taken = others();
  own.dispose();
  for (const peer of peers) if (!(peer.name in missing)) await peer.release();
  const ours = await withMemory(summary(us), workload, memory?.ours, memory?.threads);
  const compared: Record<string, PeerTimes> = {};
  for (const p of participants.slice(1)) {
    if (p.missing !== undefined) missing[p.name] = { missing: p.missing };
    // Only libraries that a reader would train with instead of ours.
    else compared[p.name] = await withMemory({ ...summary(p), ratio: summary(p).median / ours.median }, workload, memory && comparable.includes(p.name) ? p.name : undefined, memory?.threads);
  }
  return { workload, ours, ...(taken !== undefined && { others: taken }), peers: { ...compared, ...missing } };
}

/** Participants whose memory is compared. */
const comparable: readonly string[] = ["torch", ...engineKinds];

const trains = ({ spec }: Workload): boolean => "pass" in spec && spec.pass === "train";

async function withMemory<T extends Times>(times: T, workload: Workload, name: string | undefined, threads = 1): Promise<T> {
  const memory = name !== undefined && trains(workload) ? await memoryOf(workload, name, threads, times.note) : undefined;
  return memory ? { ...times, memory } : times;
}

function timed(step: () => void, iterations: number): number {
  const start = performance.now();
  for (let i = 0; i < iterations; i++) step();
  return (performance.now() - start) / iterations;
}

/** Runs each for a while (compilers of JavaScript engines included); the last run says how many iterations fill a round. */
async function warmUp(participants: readonly Participant[]): Promise<void> {
  for (const p of participants) {
    const start = performance.now();
    do {
      const ms = await p.run(p.iterations);
      if (typeof ms !== "number") p.missing = ms.missing;
      else p.iterations = Math.min(1000, Math.max(1, Math.round(roundMs / ms)));
      if (typeof ms === "number" && tooSlow(p, ms)) p.times.push(ms);
    } while (p.missing === undefined && performance.now() - start < warmMs);
  }
}

const tooSlow = ({ name }: Participant, ms: number): boolean => name !== "ours" && ms > slowMs;

async function turn(p: Participant): Promise<void> {
  if (p.missing !== undefined || (p.times.length > 0 && tooSlow(p, p.times[0]!))) return;
  await sleep(restMs);
  if (p.iterations > 1) await p.run(Math.ceil((p.iterations * wakeMs) / roundMs));
  const ms = await p.run(p.iterations);
  if (typeof ms === "number") p.times.push(ms);
  else p.missing = ms.missing;
}

function summary({ times, note }: Participant): Times {
  return { median: median(times), min: Math.min(...times), n: times.length, ...(note && { note }) };
}

/** The middle of the numbers, or the mean of the middle two. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
