import { maxDoubles, type KernelArgs } from "./abi.gen.ts";
import type { KernelName } from "./abi.ts";
import { checkThreads, spinRounds, writeArgs, type Engine } from "./engine.ts";
import { Pool, type ArenaSource, type Pointer } from "./pool.ts";

const PAGE = 65536, MAX_PAGES = 65536;
const STACK = 256 * 1024;

interface Exports {
  readonly __heap_base: WebAssembly.Global;
  readonly __stack_pointer: WebAssembly.Global;
  args(): Pointer;
  run(id: number): void;
  work(index: number): void;
  setThreads(threads: number, spin: number): void;
}

/** What a pool thread needs: it instantiates the module on the shared memory, sets its stack and enters `work`. */
export interface WorkerStart { module: WebAssembly.Module; memory: WebAssembly.Memory; stack: Pointer; index: number }

/** Source of a pool thread's body, given a `WorkerStart` named `start`. */
export const workerBody = `
  const instance = new WebAssembly.Instance(start.module, { env: { memory: start.memory } });
  instance.exports.__stack_pointer.value = start.stack;
  instance.exports.work(start.index);
`;

export interface WasmOptions {
  module: WebAssembly.Module;
  isa: "relaxed-simd" | "simd128";
  /** Built for shared memory. */
  shared: boolean;
  cores: number;
  /** Starts a pool thread and returns what ends it; absent: one thread only. */
  startWorker?: (start: WorkerStart) => () => void;
}

/** The bytes of an embedded module: base64 of gzip. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Kernels as WebAssembly over one growing memory of at most 4 GiB. Threads share it and join whenever they have started. */
export class WasmEngine implements Engine {
  readonly kind = "wasm";
  readonly isa: string;
  readonly #options: WasmOptions;
  readonly #memory: WebAssembly.Memory;
  readonly #exports: Exports;
  readonly #pool: Pool;
  #buffer: ArrayBufferLike;
  readonly #argsAt: Pointer;
  #args: Float64Array;
  #threads = 1;
  readonly #workers: (() => void)[] = [];

  constructor(options: WasmOptions) {
    this.#options = options;
    this.isa = options.isa;
    this.#memory = new WebAssembly.Memory({ initial: 32, maximum: MAX_PAGES, shared: options.shared });
    const instance = new WebAssembly.Instance(options.module, { env: { memory: this.#memory } });
    this.#exports = instance.exports as unknown as Exports;
    this.#buffer = this.#memory.buffer;
    this.#argsAt = this.#exports.args();
    this.#args = new Float64Array(this.#buffer, this.#argsAt, maxDoubles);
    this.#pool = new Pool(this.#arenas());
    if (options.shared) this.#exports.setThreads(1, 0);
  }

  #arenas(): ArenaSource {
    const memory = this.#memory, base = Number(this.#exports.__heap_base.value);
    let first = true;
    return {
      limit: PAGE * MAX_PAGES,
      largest: 2 ** 31 - PAGE,  // the compiler takes no object to be larger
      grow: (bytes) => {
        const size = memory.buffer.byteLength;
        if (first && size - base - 64 >= bytes) {
          first = false;
          return { start: base, bytes: size - base };
        }
        const start = first ? base : size;
        const need = Math.ceil((start + bytes + 64 - size) / PAGE);
        const ahead = Math.max(need, Math.ceil(Math.min(Math.max(size, 2 ** 24), 2 ** 28) / PAGE));
        const most = MAX_PAGES - size / PAGE;
        for (const pages of new Set([Math.min(ahead, most), need])) {
          if (pages < need || pages > most) continue;
          try {
            memory.grow(pages);
          } catch {
            continue;
          }
          first = false;
          this.#refresh();
          return { start, bytes: memory.buffer.byteLength - start };
        }
        return undefined;
      },
    };
  }

  #refresh(): void {
    this.#buffer = this.#memory.buffer;
    this.#args = new Float64Array(this.#buffer, this.#argsAt, maxDoubles);
  }

  get threads(): number { return this.#threads; }
  get memory(): Engine["memory"] { return this.#pool.memory; }

  setThreads(n: number): void {
    checkThreads(n);
    const { startWorker, module, cores } = this.#options;
    if (startWorker === undefined) return;
    while (this.#workers.length < n - 1) {
      const stack = this.#pool.alloc(STACK) + STACK;
      this.#workers.push(startWorker({ module, memory: this.#memory, stack, index: this.#workers.length + 1 }));
    }
    this.#threads = n;
    this.#exports.setThreads(n, spinRounds(n, cores, 150));
  }

  endThreads(): void {
    this.setThreads(1);
    for (const end of this.#workers.splice(0)) end();
  }

  alloc(bytes: number): Pointer { return this.#pool.alloc(bytes); }
  free(p: Pointer): void { this.#pool.free(p); }
  f32(p: Pointer, n: number): Float32Array { return new Float32Array(this.#buffer, p, n); }
  f64(p: Pointer, n: number): Float64Array { return new Float64Array(this.#buffer, p, n); }
  i32(p: Pointer, n: number): Int32Array { return new Int32Array(this.#buffer, p, n); }
  u8(p: Pointer, n: number): Uint8Array { return new Uint8Array(this.#buffer, p, n); }

  run<K extends KernelName>(kernel: K, args: KernelArgs[K]): void {
    this.#exports.run(writeArgs(this.#args, kernel, args));
  }

  call(id: number, write: (slots: Float64Array) => void): void {
    write(this.#args);
    this.#exports.run(id);
  }
}
