/** Where the time of a workload goes, op by op and kernel by kernel, and how far each is from the machine's limit. */
import { kernelCost, type KernelCost } from "@nn/kernels/costs";
import { getEngine, trace } from "@nn/tensor";
import type { Limits } from "./limits.ts";
import { prepare } from "./ours.ts";
import { padded } from "./report.ts";
import type { Workload } from "./workloads.ts";

/** All launches of a kernel for an op, per iteration. */
export interface Line {
  readonly op: string;
  readonly kernel: string;
  readonly calls: number;
  readonly ms: number;
  /** Sum over the launches; absent if one of them has no formula. */
  readonly cost?: KernelCost;
  /** Which limit asks for more time, summed over the launches. */
  readonly limit?: "compute" | "memory";
  /** That time's share of `ms`. Above 1 where data stays in a cache, or Winograd does with fewer operations. */
  readonly share?: number;
}

export interface Profile {
  readonly name: string;
  readonly iterations: number;
  /** Milliseconds per iteration, and those of them outside kernels: shapes, tape, memory, calls. */
  readonly ms: number;
  readonly rest: number;
  readonly lines: readonly Line[];
}

interface Sum { op: string; kernel: string; calls: number; ms: number; known: boolean; flops: number; bytes: number; compute: number; memory: number }

/** Runs `workload` for about a second and sums its launches. */
export function profile({ name, spec }: Workload, limits: Limits): Profile {
  const { step, dispose } = prepare(spec);
  // Long enough for the compiler of JavaScript to have done its work.
  for (const start = performance.now(); performance.now() - start < 500; ) step();
  const engine = getEngine();
  const sums = new Map<string, Sum>();
  let iterations = 0;
  let looking = 0; // time spent on costs, which is no part of the iteration
  const start = performance.now();
  while (iterations < 3 || performance.now() - start < 1000) {
    trace(step, ({ op, kernel, ms, call }) => {
      const before = performance.now();
      const key = `${op} ${kernel}`;
      const sum = sums.get(key) ?? sums.set(key, { op, kernel, calls: 0, ms: 0, known: true, flops: 0, bytes: 0, compute: 0, memory: 0 }).get(key)!;
      sum.calls++;
      sum.ms += ms;
      const cost = call ? kernelCost(call.name, call.args as never, engine) : null;
      if (cost) {
        const least = leastTime(cost, limits);
        sum.flops += cost.flops;
        sum.bytes += cost.bytes;
        sum[least.limit] += least.ms;
      } else {
        sum.known = false;
      }
      looking += performance.now() - before;
    });
    iterations++;
  }
  const ms = (performance.now() - start - looking) / iterations;
  dispose();
  const lines = [...sums.values()].map((s) => perIteration(s, iterations)).sort((a, b) => b.ms - a.ms);
  return { name, iterations, ms, rest: ms - lines.reduce((sum, l) => sum + l.ms, 0), lines };
}

/** The least milliseconds that the machine needs: whatever takes longer, calculating or moving the bytes. */
function leastTime({ flops, bytes }: KernelCost, limits: Limits): { ms: number; limit: "compute" | "memory" } {
  const calculating = flops / limits.gflops / 1e6;
  const moving = bytes / limits.gbps / 1e6;
  return calculating >= moving ? { ms: calculating, limit: "compute" } : { ms: moving, limit: "memory" };
}

function perIteration({ op, kernel, calls, ms, known, flops, bytes, compute, memory }: Sum, iterations: number): Line {
  const line = { op, kernel, calls: calls / iterations, ms: ms / iterations };
  if (!known) return line;
  return { ...line, cost: { flops: flops / iterations, bytes: bytes / iterations }, limit: compute >= memory ? "compute" : "memory", share: (compute + memory) / ms };
}

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;

function speed({ cost, limit, ms, share }: Line): string[] {
  if (!cost || share === undefined) return ["", ""];
  const rate = limit === "compute" ? `${(cost.flops / ms / 1e6).toFixed(1)} GFLOP/s` : `${(cost.bytes / ms / 1e6).toFixed(1)} GB/s`;
  return [rate, percent(share)];
}

/** The profile as a table. */
export function profileTable({ name, iterations, ms, rest, lines }: Profile, limits: Limits): string {
  const rows = lines.map((l) => [l.op, l.kernel, l.calls.toFixed(l.calls % 1 === 0 ? 0 : 1), l.ms.toFixed(3), percent(l.ms / ms), ...speed(l)]);
  return [
    `${name}: ${ms.toFixed(2)} ms per iteration, mean of ${iterations}; limits in this run: ${limits.gflops.toFixed(0)} GFLOP/s, ${limits.gbps.toFixed(1)} GB/s`,
    ...padded([["op", "kernel", "calls", "ms", "of time", "speed", "of limit"], ...rows, ["JavaScript and everything else", "", "", rest.toFixed(3), percent(rest / ms), "", ""]], 2),
  ].join("\n");
}
