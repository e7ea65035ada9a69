/**
 * What the machine can do, measured through our own engine in the same run, for the share that each workload reaches.
 *
 * gflops: the best product of several sizes on ONE thread, times the threads in use. Not the processor's nominal peak: about 90 % of it.
 * gbps: the better of negating an array and adding two into a third, arrays far beyond every cache, all threads; bytes read plus bytes written.
 * Data that stays in a cache can exceed it.
 */
import { randn, type Engine } from "@nn/tensor";

export interface Limits {
  readonly gflops: number;
  readonly gbps: number;
}

export function measureLimits(engine: Engine): Limits {
  const { threads } = engine;
  engine.setThreads(1);
  const single = Math.max(...[192, 384, 768].map((n) => gflopsOf(n)));
  engine.setThreads(threads);
  return { gflops: single * threads, gbps: bandwidth() };
}

/** Best of about 60 ms, and of eight at least: other work may have the processors meanwhile. */
function best(step: () => void, budget = 60): number {
  step();
  step();
  let least = Infinity;
  let count = 0;
  for (const start = performance.now(); count < 8 || performance.now() - start < budget; count++) {
    const before = performance.now();
    step();
    least = Math.min(least, performance.now() - before);
  }
  return least;
}

function gflopsOf(n: number): number {
  const [a, b] = [randn([n, n], { seed: 1 }), randn([n, n], { seed: 2 })];
  const repeats = Math.max(1, Math.round(384 ** 3 / n ** 3));
  const ms = best(() => {
    for (let i = 0; i < repeats; i++) a.matmul(b).dispose();
  });
  for (const t of [a, b]) t.dispose();
  return (2 * n ** 3 * repeats) / ms / 1e6;
}

function bandwidth(): number {
  const n = 16 * 2 ** 20;
  const [a, b] = [randn([n], { seed: 1 }), randn([n], { seed: 2 })];
  const negated = best(() => a.neg().dispose());
  const added = best(() => a.add(b).dispose());
  for (const t of [a, b]) t.dispose();
  return Math.max((8 * n) / negated, (12 * n) / added) / 1e6;
}
