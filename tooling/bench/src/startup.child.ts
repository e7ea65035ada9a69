/** One new process of startup.ts: argv holds the engine and the threads. The library is imported here, so that it can be timed. */
import type { EngineOptions } from "@nn/kernels";
import type { Startup } from "./startup.ts";

const [kind, threads] = process.argv.slice(2) as [NonNullable<EngineOptions["kind"]>, string | undefined];
const begin = performance.now();
const [{ prepare }, { all }, { endStep, noGrad, setEngine, tensor }] = await Promise.all([import("./ours.ts"), import("./workloads.ts"), import("@nn/tensor")]);
const imported = performance.now();
setEngine({ kind, ...(threads && { threads: Number(threads) }) });
const mlp = all.find(({ name }) => name === "mlp_train")!;
if ("missing" in mlp) throw new Error(mlp.missing);
const { step, dispose } = prepare(mlp.spec);
step();
const first = performance.now();
for (let i = 0; i < 8; i++) step();
const before = performance.now();
step();
const later = performance.now() - before;
dispose();

/** Microseconds of `f`, the best of many turns of 1000. */
function microseconds(f: () => void): number {
  let least = Infinity;
  for (const start = performance.now(); performance.now() - start < 400; ) {
    const from = performance.now();
    for (let i = 0; i < 1000; i++) f();
    least = Math.min(least, performance.now() - from);
  }
  return least;
}

const x = tensor([1]);
const y = tensor([2]);
const forward = noGrad(() => microseconds(() => x.add(y).dispose()));
x.requireGrad();
const recorded = microseconds(() => {
  x.add(y).dispose();
  endStep();
});
const result: Startup = { import: imported - begin, firstStep: first - imported, laterStep: later, forward, recorded };
console.log(JSON.stringify(result));
