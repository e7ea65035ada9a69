/** What a training workload takes from the operating system: peak memory, and pages touched for the first time per step. */
import { readFileSync } from "node:fs";
import { processStat } from "./others.ts";
import { Peer } from "./peers.ts";
import type { Workload } from "./workloads.ts";

export interface Memory {
  /** Most bytes of physical memory that the process held (VmHWM), its program and libraries included. */
  readonly peak: number;
  /** Page faults per step in steady state. */
  readonly faults: number;
}

/**
 * The steady state begins ten steps and this time after the start, which V8 needs to compile and to touch every page of its young generation once
 * (100 pages per step of a small network until then, none after); faults are counted over at least ten steps and half of it.
 */
const steps = 10, warmMs = 10_000;

/** Trains `workload` in a new process of the participant `name`; undefined where the system or the participant cannot tell. */
export async function memoryOf(workload: Workload, name: string, threads: number, layout?: string): Promise<Memory | undefined> {
  if (processStat(process.pid).length === 0) return undefined; // no Linux
  const peer = new Peer(name, threads, { limits: false });
  try {
    const ready = await peer.prepare({ name: workload.name, spec: { ...workload.spec, ...(layout && { layout }) } });
    if ("missing" in ready) return undefined;
    const ms = await trainFor(peer, steps, 100); // of the last of them: the first step takes several times as long
    if (ms === undefined || (await trainFor(peer, warmMs / ms, ms)) === undefined) return undefined;
    const before = faultsOf(peer.pid!);
    const counted = Math.ceil(Math.max(steps, warmMs / 2 / ms));
    if ((await trainFor(peer, counted, ms)) === undefined) return undefined;
    return { peak: peakOf(peer.pid!), faults: (faultsOf(peer.pid!) - before) / counted };
  } finally {
    peer.stop();
  }
}

/** Runs `steps` of about `ms` in requests of a second, so that none is given up. Returns the last one's milliseconds per step. */
async function trainFor(peer: Peer, steps: number, ms: number): Promise<number | undefined> {
  let took: number | undefined;
  for (let left = Math.ceil(steps); left > 0; ) {
    const now = Math.min(left, Math.max(1, Math.round(1000 / ms)));
    const answer = await peer.run(now);
    if (typeof answer !== "number") return undefined;
    took = answer;
    left -= now;
  }
  return took;
}

const faultsOf = (pid: number): number => Number(processStat(pid)[7]); // minflt

function peakOf(pid: number): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) * 1024;
}
