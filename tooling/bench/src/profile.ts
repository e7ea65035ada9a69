/** Where the time of a workload goes, kernel by kernel. */
import { trace } from "@nn/tensor";
import { prepare } from "./ours.ts";
import { padded } from "./report.ts";
import type { Workload } from "./workloads.ts";

/** Per iteration. */
interface Line {
  readonly kernel: string;
  readonly calls: number;
  readonly ms: number;
}

/** Runs `workload` for about a second and sums its launches. What is left over is JavaScript: shapes, tape, memory, calls. */
export function profile({ name, spec }: Workload): string {
  const { step, dispose } = prepare(spec);
  // Long enough for the compiler of JavaScript to have done its work.
  for (const start = performance.now(); performance.now() - start < 500; ) step();
  const sums = new Map<string, { calls: number; ms: number }>();
  let iterations = 0;
  const start = performance.now();
  while (iterations < 3 || performance.now() - start < 1000) {
    for (const { kernel, ms } of trace(step).launches) {
      const sum = sums.get(kernel) ?? sums.set(kernel, { calls: 0, ms: 0 }).get(kernel)!;
      sum.calls++;
      sum.ms += ms;
    }
    iterations++;
  }
  const total = (performance.now() - start) / iterations;
  dispose();
  const lines: Line[] = [...sums].map(([kernel, { calls, ms }]) => ({ kernel, calls: calls / iterations, ms: ms / iterations })).sort((a, b) => b.ms - a.ms);
  const outside: Line = { kernel: "outside kernels", calls: 0, ms: total - lines.reduce((sum, l) => sum + l.ms, 0) };
  const rows = [...lines, outside].map(({ kernel, calls, ms }) => [kernel, calls > 0 ? calls.toFixed(0) : "", ms.toFixed(3), `${((100 * ms) / total).toFixed(1)} %`]);
  return [`${name}: ${total.toFixed(2)} ms per iteration, mean of ${iterations}`, ...padded([["kernel", "calls", "ms", "share"], ...rows])].join("\n");
}
