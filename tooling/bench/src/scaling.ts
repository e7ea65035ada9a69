/** Time against batch, size and threads. */
import type { Engine } from "@nn/kernels";
import { measureLimits, type Limits } from "./limits.ts";
import { median } from "./measure.ts";
import { prepare } from "./ours.ts";
import { markdownTable, ms, onMachine, padded, percent, speed } from "./report.ts";
import { thisMachine } from "./runs.ts";
import { all, type Spec, type Workload } from "./workloads.ts";

interface Series {
  readonly title: string;
  /** What grows. */
  readonly of: "batch" | "n";
  readonly sizes: readonly number[];
  readonly spec: Spec;
}

const specOf = (name: string): Spec => (all.find((w): w is Workload => w.name === name && "spec" in w)!).spec;
const batches = [1, 2, 4, 8, 16, 32, 64, 128, 256];

export const series: readonly Series[] = [
  { title: "sgemm", of: "n", sizes: [64, 128, 256, 512, 1024, 2048], spec: specOf("sgemm_512") },
  ...["mlp_train", "cifar_train", "alexnet_fwd"].map((name): Series => ({ title: name, of: "batch", sizes: batches, spec: specOf(name) })),
];

/** Milliseconds of one size by the number of threads. */
export interface Point {
  readonly size: number;
  readonly ms: Readonly<Record<number, number>>;
}

/** A turn repeats short workloads for this long; turns of one size, all threads together, stop adding up at the second number. */
const turnMs = 60, sizeMs = 3000;

/** Measures one size with each number of threads in turn, so that all meet the same machine. */
function measurePoint(engine: Engine, spec: Spec, threads: readonly number[]): Readonly<Record<number, number>> {
  const { step, dispose } = prepare(spec);
  const times = threads.map((): number[] => []);
  step();
  const start = performance.now();
  for (let round = 0; round < 9 && (round < 3 || performance.now() - start < sizeMs); round++) {
    threads.forEach((n, i) => {
      engine.setThreads(n);
      step(); // threads wake, compilers have seen it
      const from = performance.now();
      let count = 0;
      do {
        step();
        count++;
      } while (performance.now() - from < turnMs);
      times[i]!.push((performance.now() - from) / count);
    });
  }
  dispose();
  return Object.fromEntries(threads.map((n, i) => [n, median(times[i]!)]));
}

/** Columns: size, ms by threads, efficiency of the most threads, speed and share of the limit with them, and with a growing batch the time per item. */
export function seriesTable({ title, of, spec }: Series, points: readonly Point[], threads: readonly number[], limits: Limits): string[][] {
  const most = Math.max(...threads);
  const head = [of, ...threads.map((n) => `${n} thread${n === 1 ? "" : "s"}, ms`), ...(most > 1 ? [`efficiency on ${most}`] : []), "speed", "of limit", ...(of === "batch" ? ["ms per item"] : [])];
  return [head, ...points.map(({ size, ms: by }) => {
    const s = speed({ name: title, spec: { ...spec, [of]: size } as Spec }, by[most]!, limits);
    const rate = s.limit === "compute" ? `${s.gflops.toFixed(0)} GFLOP/s` : `${s.gbps.toFixed(1)} GB/s`;
    return [`${size}`, ...threads.map((n) => ms(by[n]!)), ...(most > 1 ? [percent(by[1]! / (most * by[most]!))] : []), rate, percent(s.share), ...(of === "batch" ? [(by[most]! / size).toPrecision(3)] : [])];
  })];
}

/** Runs the series of these titles on one thread and on all of them. */
export function scaling(engine: Engine, titles: readonly string[], markdown: boolean, say: (line: string) => void): string {
  const machine = thisMachine();
  const limits = measureLimits(engine);
  const threads = [...new Set([1, engine.threads])];
  const parts = series.filter(({ title }) => titles.includes(title)).flatMap((one) => {
    const points = one.sizes.map((size): Point => {
      say(`${one.title}, ${one.of} ${size}`);
      return { size, ms: measurePoint(engine, { ...one.spec, [one.of]: size } as Spec, threads) };
    });
    const rows = seriesTable(one, points, threads, limits);
    return markdown ? [`## ${one.title}`, "", ...markdownTable(rows), ""] : [one.title, ...padded(rows), ""];
  });
  engine.setThreads(Math.max(...threads));
  const ours = `${engine.kind} (${engine.isa}); limits in this run: ${limits.gflops.toFixed(0)} GFLOP/s with ${Math.max(...threads)} threads, ${limits.gbps.toFixed(1)} GB/s. Medians of 3 to 9 turns that alternate between the numbers of threads.`;
  return [...(markdown ? ["# Scaling", ""] : []), onMachine(machine), `Ours: ${ours}`, "", ...parts].join("\n").trimEnd();
}
