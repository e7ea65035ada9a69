import { createEngine, type Engine, type EngineOptions, type KernelArgs, type KernelName } from "@nn/kernels";
import { describe, expect, test } from "vitest";

type Floats = Float32Array;
type Array_ = Float32Array | Int32Array | Uint8Array;
export class Out<T extends Array_ = Array_> {
  readonly make: (n: number) => T;
  readonly n: number;
  constructor(make: (n: number) => T, n: number) { this.make = make; this.n = n; }
}
/** Arguments that a kernel writes: n elements, returned by `Runner.run`. */
export const out = {
  f32: (n: number) => new Out((m) => new Float32Array(m), n),
  i32: (n: number) => new Out((m) => new Int32Array(m), n),
  u8: (n: number) => new Out((m) => new Uint8Array(m), n),
};

type Loose<A> = { [P in keyof A]: A[P] extends number ? number | Array_ | Out : A[P] };
type Outputs<A> = { [P in keyof A as A[P] extends Out ? P : never]: A[P] extends Out<infer T> ? T : never };
const guard = 16; // elements behind every output that must stay as they are
const guardByte = 0xa5;

/** Runs kernels with JavaScript arrays as arguments. */
export class Runner {
  readonly engine: Engine;
  constructor(engine: Engine) { this.engine = engine; }

  /** One call per thread count 1, 2, 3: outputs must agree bit for bit and nothing behind them may change. */
  run<K extends KernelName, A extends Loose<KernelArgs[K]>>(kernel: K, args: A): Outputs<A> {
    const runs = [1, 2, 3].map((threads) => {
      this.engine.setThreads(threads);
      return this.once(kernel, args);
    });
    for (const other of runs.slice(1))
      for (const [name, value] of Object.entries(runs[0]!))
        if (Buffer.compare(bytes(value), bytes(other[name]!)) !== 0) expect.unreachable(`${kernel}.${name} depends on the number of threads`);
    return runs[0] as Outputs<A>;
  }

  private once(kernel: KernelName, args: object): Record<string, Array_> {
    const { engine } = this, held: number[] = [], plain: Record<string, unknown> = {};
    const hold = (n: number) => { const p = engine.alloc(Math.max(1, n)); held.push(p); return p; };
    const outs: [string, Out, number][] = [];
    for (const [name, value] of Object.entries(args)) {
      if (value instanceof Out) {
        const size = (value.n + guard) * value.make(0).BYTES_PER_ELEMENT, p = hold(size);
        engine.u8(p, size).fill(guardByte);
        outs.push([name, value, plain[name] = p]);
      } else if (ArrayBuffer.isView(value)) {
        const p = plain[name] = hold(value.byteLength);
        engine.u8(p, value.byteLength).set(bytes(value as Array_));
      } else plain[name] = value;
    }
    engine.run(kernel, plain as never);
    const results: Record<string, Array_> = {};
    for (const [name, { make, n }, p] of outs) {
      const result = make(n), all = engine.u8(p, result.byteLength + guard * result.BYTES_PER_ELEMENT);
      bytes(result).set(all.subarray(0, result.byteLength));
      if (all.subarray(result.byteLength).some((b) => b !== guardByte)) expect.unreachable(`${kernel} wrote behind ${name}`);
      results[name] = result;
    }
    for (const p of held) engine.free(p);
    return results;
  }
}
function bytes(a: Array_): Uint8Array { return new Uint8Array(a.buffer, a.byteOffset, a.byteLength); }

/** The same tests on every engine; one that cannot run here is skipped with its reason. */
export function onEveryEngine(body: (k: Runner) => void): void {
  const engines: [string, EngineOptions][] = [
    ["native", { kind: "native" }], ["native avx2", { kind: "native", isa: "avx2" }], ["native baseline", { kind: "native", isa: "baseline" }],
    ["wasm", { kind: "wasm" }], ["wasm-simd", { kind: "wasm-simd" }],
  ];
  for (const [name, options] of engines) {
    let engine: Engine;
    try {
      engine = createEngine(options);
    } catch (error) {
      describe(name, () => test.skip(`not here: ${(error as Error).message}`));
      continue;
    }
    describe(name, () => body(new Runner(engine)));
  }
}

/** Reproducible numbers in [0, 1) (mulberry32). */
export function numbers(seed: number): () => number {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
export const uniform = (n: number, seed: number, low = -1, high = 1): Floats => {
  const next = numbers(seed);
  return Float32Array.from({ length: n }, () => low + (high - low) * next());
};
export const integers = (n: number, seed: number, end: number): Int32Array => {
  const next = numbers(seed);
  return Int32Array.from({ length: n }, () => Math.floor(next() * end));
};

/** |got - want| <= tolerance · (scale or 1 + |want|), NaN equal to NaN, infinities exact. */
export function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, tolerance: number, what: string, scale?: ArrayLike<number>): void {
  expect(got.length, what).toBe(want.length);
  for (let i = 0; i < want.length; i++) {
    const g = got[i]!, w = want[i]!;
    if (Object.is(g, w) || g === w) continue;
    if (!(Math.abs(g - w) <= tolerance * (scale ? scale[i]! : 1 + Math.abs(w)))) expect.unreachable(`${what} [${i}]: got ${g}, want ${w}`);
  }
}
