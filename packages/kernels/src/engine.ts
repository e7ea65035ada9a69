import { kernelIds, writers, type KernelArgs } from "./abi.gen.ts";
import type { KernelName } from "./abi.ts";
import type { Pointer } from "./pool.ts";

/** Runs kernels over memory of its own. Pointers of one engine mean nothing to another. */
export interface Engine {
  readonly kind: "native" | "wasm";
  /** "avx512" | "avx2" | "baseline" (SSE2 or NEON) | "relaxed-simd" | "simd128" */
  readonly isa: string;
  /** Threads that share a kernel's work, the caller included. Results do not depend on it, bit for bit. */
  readonly threads: number;
  /** May exceed the number of cores; threads that are not needed sleep. */
  setThreads(n: number): void;
  /** Ends the threads that the engine started, so that its memory can be collected; it goes on with the caller's. */
  endThreads(): void;
  /** From the caching pool, 64-byte aligned, contents undefined. @throws OutOfMemoryError */
  alloc(bytes: number): Pointer;
  /** Back to the pool. */
  free(p: Pointer): void;
  /** Views of n elements at p. Use at once: an alloc may move WASM memory and detach them. */
  f32(p: Pointer, n: number): Float32Array;
  f64(p: Pointer, n: number): Float64Array;
  i32(p: Pointer, n: number): Int32Array;
  u8(p: Pointer, n: number): Uint8Array;
  /** Runs a kernel of abi.ts to its end. */
  run<K extends KernelName>(kernel: K, args: KernelArgs[K]): void;
  /** Runs function `id` of the build with the arguments that `write` puts into the shared array: how jobs are reached (`runJob`). */
  call(id: number, write: (slots: Float64Array) => void): void;
  /** Bytes handed out, waiting for reuse, most ever handed out; number of arenas. */
  readonly memory: { inUse: number; pooled: number; peak: number; arenas: number };
}

export interface EngineOptions {
  /** "auto": native if built, else the best WASM. Forced kinds throw EngineError when they cannot run. */
  kind?: "auto" | "native" | "wasm" | "wasm-simd";
  /** Default: physical cores. */
  threads?: number;
  /** Native only, for tests: an instruction set other than the best. */
  isa?: string;
}

export interface EngineInfo { kind: Engine["kind"]; isa: string; threads: number; why: string[] }

const reasons = new WeakMap<Engine, string[]>();

/** Attaches the reasons that `engineInfo` reports. */
export function explain<E extends Engine>(engine: E, why: string[]): E {
  reasons.set(engine, why);
  return engine;
}

/** Which engine this is and, in plain sentences, why not a faster one. */
export function engineInfo(engine: Engine): EngineInfo {
  return { kind: engine.kind, isa: engine.isa, threads: engine.threads, why: [...(reasons.get(engine) ?? [])] };
}

/** Writes `args` to the shared argument array and returns the kernel's id. */
export function writeArgs<K extends KernelName>(slots: Float64Array, kernel: K, args: KernelArgs[K]): number {
  (writers[kernel] as (d: Float64Array, a: KernelArgs[K]) => void)(slots, args);
  return kernelIds[kernel];
}

export function checkThreads(n: number): number {
  if (!Number.isInteger(n) || n < 1 || n > 256) throw new RangeError(`threads must be a whole number from 1 to 256, got ${n}`);
  return n;
}

/** Rounds a thread looks for work before it sleeps: about 20 µs, none when threads outnumber the cores. */
export function spinRounds(threads: number, cores: number, perMicrosecond: number): number {
  return threads > cores ? 0 : 20 * perMicrosecond;
}
