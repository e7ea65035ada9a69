/** Which kernels ran: proof that a fast path was taken, and the raw material of profiles. */

export interface Launch {
  /** Kernel and instruction set, e.g. `conv2d_avx512`; `reference:topk` where an op ran its reference. */
  readonly kernel: string;
  readonly ms: number;
}

let sink: Launch[] | null = null;

/** Runs one kernel launch, noted if a trace is on. */
export function launch(kernel: string, run: () => void): void {
  if (!sink) return run();
  const start = performance.now();
  run();
  sink.push({ kernel, ms: performance.now() - start });
}

/** Runs `f` and lists what it launched: `trace(() => x.matmul(w)).kernels` contains `"gemm_avx512"`. */
export function trace<T>(f: () => T): { result: T; launches: Launch[]; kernels: string[] } {
  const before = sink;
  const launches: Launch[] = [];
  sink = launches;
  try {
    return { result: f(), launches, kernels: launches.map((l) => l.kernel) };
  } finally {
    sink = before;
    before?.push(...launches);
  }
}
