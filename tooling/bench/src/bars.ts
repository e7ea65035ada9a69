/** What each workload has to reach: the bars of the project, as data, and whether a result holds them. */
import type { Measurement } from "./measure.ts";
import type { Run } from "./runs.ts";
import { cost } from "./workloads.ts";

interface Bar {
  readonly engine: "native" | "wasm";
  readonly workloads: RegExp;
  /** The peer's time / ours has to be at least this … */
  readonly ratio?: number;
  /** … against the fastest of these that is present. */
  readonly peers?: readonly string[];
  /** The peer, which is our own library elsewhere, may take at most this much of our time. */
  readonly slower?: number;
  /** The ratio counts per thread of either side: a peer without threads is compared with one of ours. */
  readonly perThread?: true;
  /** GFLOP/s by the number of threads. */
  readonly gflops?: Readonly<Record<number, number>>;
  /** Bytes at the peak, as a multiple of the peer's. */
  readonly memory?: number;
  /** Page faults per step. */
  readonly faults?: number;
}

/** FMA peak of one core of the machine that the bars were set on, GFLOP/s: 256 or 512 bits wide, and 128 as in WebAssembly. */
const peak = { native: 116, wasm: 58.5 };

const native = "native", wasm = "wasm";
const trained = /^(alexnet|alexnet_lrn|cifar|mlp|textcnn|lstm|xformer)_train$/;

export const bars: readonly Bar[] = [
  { engine: native, workloads: /^sgemm_/, peers: ["torch"], ratio: 1 },
  { engine: native, workloads: /^sgemm_/, peers: ["openblas", "onednn"], ratio: 0.95 },
  { engine: native, workloads: /^conv[2-5]_fwd(bwd)?$/, peers: ["torch"], ratio: 1 },
  { engine: native, workloads: /^conv1_fwd(bwd)?$/, peers: ["torch"], ratio: 1.5 },
  { engine: native, workloads: /^alexnet_fwd(_b1)?$/, peers: ["ort"], ratio: 1 },
  { engine: native, workloads: /^alexnet(_lrn)?_train$/, peers: ["torch"], ratio: 1.1 },
  { engine: native, workloads: /^(cifar|textcnn|lstm|mlp)_train$/, peers: ["torch"], ratio: 1.5 },
  { engine: native, workloads: /^xformer_train$/, peers: ["torch"], ratio: 1.3 },
  { engine: native, workloads: /^(ew_.*_4M|softmax_4M|sum_16M)$/, peers: ["torch"], ratio: 1 },
  { engine: native, workloads: /^ew_.*_16M$/, peers: ["torch"], ratio: 2 },
  { engine: native, workloads: /^alexnet_train$/, peers: ["torch"], memory: 1 },
  { engine: native, workloads: trained, faults: 10 },

  // 80 % of the peak on one thread, 1.8 times that on two.
  { engine: wasm, workloads: /^sgemm_(256|512|1024|2048)$/, gflops: { 1: 0.8 * peak.wasm, 2: 1.8 * 0.8 * peak.wasm } },
  // 1256 ms of tfjs in a page, of which 0.9, beside 480 ms of PyTorch.
  { engine: wasm, workloads: /^alexnet_fwd$/, peers: ["torch"], ratio: 480 / (0.9 * 1256) },
  // At most 8, 250 and 350 ms where PyTorch needs 3.2, 110 and 180.
  { engine: wasm, workloads: /^mlp_train$/, peers: ["torch"], ratio: 3.2 / 8 },
  { engine: wasm, workloads: /^lstm_train$/, peers: ["torch"], ratio: 110 / 250 },
  { engine: wasm, workloads: /^xformer_train$/, peers: ["torch"], ratio: 180 / 350 },
  // At least 85 % of the share of its own peak that native reaches of its own: stricter than 2.6 times native's time.
  { engine: wasm, workloads: trained, peers: [native], ratio: (0.85 * peak.wasm) / peak.native },
  { engine: wasm, workloads: /^(sgemm_|conv\d_fwd$)/, peers: ["tfjs", "jax"], ratio: 1.6, perThread: true },
  { engine: wasm, workloads: /^cifar_train$/, peers: ["tfjs", "jax"], ratio: 10 },
  { engine: wasm, workloads: /^mlp_train$/, peers: ["tfjs"], ratio: 20 },
  // Node 22 and a page within 15 % of Node 24.
  { engine: wasm, workloads: /./, peers: ["node22"], slower: 1.15 },
  { engine: wasm, workloads: /./, peers: ["chromium"], slower: 1.15 },
];

export interface Verdict {
  /** The bar, e.g. "torch ≥ 1.5". */
  readonly bar: string;
  /** What was reached, e.g. "1.62". */
  readonly figure: string;
  readonly holds: boolean;
}

/** A bar of 1 is met by this much: what the noise of a machine leaves of a tie. */
const tie = 0.97;

/** The bars of a result that can be judged: those whose peers took part. */
export function judge(result: Measurement, run: Run): Verdict[] {
  return bars.filter(({ engine, workloads }) => engine === run.engine.kind && workloads.test(result.workload.name)).flatMap((bar) => verdict(bar, result, run) ?? []);
}

function verdict(bar: Bar, result: Measurement, run: Run): Verdict | null {
  if (bar.gflops) {
    const least = bar.gflops[run.engine.threads];
    const need = cost(result.workload.spec);
    if (least === undefined || need.limit !== "compute") return null;
    const gflops = need.flops / result.ours.median / 1e6;
    return { bar: `${least.toFixed(0)} GFLOP/s`, figure: gflops.toFixed(0), holds: gflops >= least };
  }
  if (bar.faults !== undefined) {
    const faults = result.ours.memory?.faults;
    return faults === undefined ? null : { bar: `faults ≤ ${bar.faults}`, figure: faults.toFixed(0), holds: faults <= bar.faults };
  }
  const best = (bar.peers ?? []).flatMap((name) => {
    const times = result.peers[name];
    const info = run.peers[name];
    return !times || !info || "missing" in times || "missing" in info ? [] : [{ name, times, threads: info.threads }];
  }).sort((a, b) => a.times.ratio - b.times.ratio)[0];
  if (!best) return null;
  if (bar.memory !== undefined) {
    const [ours, theirs] = [result.ours.memory?.peak, best.times.memory?.peak];
    if (ours === undefined || theirs === undefined) return null;
    return { bar: `memory ≤ ${bar.memory} × ${best.name}`, figure: (ours / theirs).toFixed(2), holds: ours <= bar.memory * theirs };
  }
  const { name, threads, times: { ratio } } = best;
  if (bar.slower !== undefined) return { bar: `${name} ≤ ${bar.slower}`, figure: ratio.toFixed(2), holds: ratio <= bar.slower };
  const counted = bar.perThread ? (ratio * threads) / run.engine.threads : ratio;
  const least = bar.ratio!;
  return { bar: `${name}${bar.perThread ? " per thread" : ""} ≥ ${Number(least.toFixed(2))}`, figure: counted.toFixed(2), holds: counted >= (least === 1 ? tie : least) };
}
