import type { KernelArgs } from "./abi.gen.ts";
import type { KernelName } from "./abi.ts";
import { checkThreads, spinRounds, writeArgs, type Engine } from "./engine.ts";
import { Pool, type ArenaSource, type Pointer } from "./pool.ts";

/** One engine of the addon (packages/native/src/addon.cc). Described here, for `@nn/native` may be absent. */
interface NativeInstance {
  readonly isa: string;
  /** Float64 slots: kernel id, then its arguments. */
  readonly call: ArrayBuffer;
  /** Runs the kernel described in `call`. */
  run(): void;
  /** Sets the number of threads and their spin rounds; returns the number in use. */
  setThreads(threads: number, spin: number): number;
  /** Fresh memory and its address, or undefined if there is none. */
  arena(bytes: number): { buffer: ArrayBuffer; address: number } | undefined;
}
/** What `@nn/native` exports as `native`. */
export type NativeAddon =
  | { readonly table: { readonly abi: string; readonly isas: readonly string[]; create(isa?: string): NativeInstance } }
  | { readonly why: string };

const ARENA = 256 * 2 ** 20;

interface Arena { start: Pointer; end: Pointer; buffer: ArrayBuffer }

/** Kernels as machine code over arenas of 256 MB and more, mapped on demand. */
export class NativeEngine implements Engine {
  readonly kind = "native";
  readonly isa: string;
  readonly #instance: NativeInstance;
  readonly #id: Float64Array;
  readonly #args: Float64Array;
  readonly #pool: Pool;
  readonly #cores: number;
  readonly #arenas: Arena[] = [];
  #recent: Arena = { start: 0, end: 0, buffer: new ArrayBuffer(0) };
  #threads = 1;

  /** `limit`: bytes that all arenas together may reach, usually the machine's memory. */
  constructor(instance: NativeInstance, options: { cores: number; limit: number }) {
    this.#instance = instance;
    this.isa = instance.isa;
    this.#id = new Float64Array(instance.call, 0, 1);
    this.#args = new Float64Array(instance.call, 8);
    this.#cores = options.cores;
    this.#pool = new Pool(this.#source(options.limit));
  }

  #source(limit: number): ArenaSource {
    return {
      limit,
      largest: limit,
      grow: (bytes) => {
        const size = Math.max(ARENA, Math.ceil((bytes + 64) / 2 ** 22) * 2 ** 22);
        const arena = this.#instance.arena(size);
        if (arena === undefined) return undefined;
        this.#arenas.push({ start: arena.address, end: arena.address + size, buffer: arena.buffer });
        return { start: arena.address, bytes: size };
      },
    };
  }

  get threads(): number { return this.#threads; }
  get memory(): Engine["memory"] { return this.#pool.memory; }

  setThreads(n: number): void {
    this.#threads = this.#instance.setThreads(checkThreads(n), spinRounds(n, this.#cores, 60));
  }

  /** The addon ends them with the engine. */
  endThreads(): void { this.setThreads(1); }

  alloc(bytes: number): Pointer { return this.#pool.alloc(bytes); }
  free(p: Pointer): void { this.#pool.free(p); }

  #arenaOf(p: Pointer): Arena {
    if (p < this.#recent.start || p >= this.#recent.end) {
      const arena = this.#arenas.find((a) => p >= a.start && p < a.end);
      if (arena === undefined) throw new RangeError(`${p} is not an address of this engine`);
      this.#recent = arena;
    }
    return this.#recent;
  }
  f32(p: Pointer, n: number): Float32Array { const a = this.#arenaOf(p); return new Float32Array(a.buffer, p - a.start, n); }
  f64(p: Pointer, n: number): Float64Array { const a = this.#arenaOf(p); return new Float64Array(a.buffer, p - a.start, n); }
  i32(p: Pointer, n: number): Int32Array { const a = this.#arenaOf(p); return new Int32Array(a.buffer, p - a.start, n); }
  u8(p: Pointer, n: number): Uint8Array { const a = this.#arenaOf(p); return new Uint8Array(a.buffer, p - a.start, n); }

  run<K extends KernelName>(kernel: K, args: KernelArgs[K]): void {
    this.#id[0] = writeArgs(this.#args, kernel, args);
    this.#instance.run();
  }

  call(id: number, write: (slots: Float64Array) => void): void {
    this.#id[0] = id;
    write(this.#args);
    this.#instance.run();
  }
}
