/** Which kernels ran: proof that a fast path was taken, and the raw material of profiles. */
import type { KernelArgs, KernelName } from "@nn/kernels";

/** A kernel and its arguments. */
export type KernelCall = { [K in KernelName]: { readonly name: K; readonly args: KernelArgs[K] } }[KernelName];

export interface Launch {
  /** Kernel and instruction set, e.g. `conv2d_avx512`; `reference:topk` where an op ran its reference. */
  readonly kernel: string;
  /** The op whose work it was, or what else asked for it, e.g. `relu`, `conv2dInputGrad`, `SGD.step`. */
  readonly op: string;
  readonly ms: number;
  /** Absent where an op ran its reference. */
  readonly call?: KernelCall;
}

type Sink = (launch: Launch) => void;
let sink: Sink | null = null;
let running = "";
export const isTracing = (): boolean => sink !== null;

/** Names what the next launches are for. */
export function launchesFor(op: string): void {
  running = op;
}

/** Runs one kernel launch, noted if a trace is on. */
export function launch(kernel: string, run: () => void, call?: KernelCall): void {
  if (!sink) return run();
  const start = performance.now();
  run();
  const ms = performance.now() - start;
  sink({ kernel, op: running, ms, ...(call && { call }) });
}

/**
 * Runs `f` and lists what it launched: `trace(() => x.matmul(w)).kernels` contains `"gemm_avx512"`.
 * `seen` hears of each launch when it has just run, while the memory that its arguments point at is still its own.
 */
export function trace<T>(f: () => T, seen?: (launch: Launch) => void): { result: T; launches: Launch[]; kernels: string[] } {
  const before = sink;
  const launches: Launch[] = [];
  sink = (one) => {
    launches.push(one);
    seen?.(one);
    before?.(one);
  };
  try {
    return { result: f(), launches, kernels: launches.map((l) => l.kernel) };
  } finally {
    sink = before;
  }
}
