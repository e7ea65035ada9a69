/** Engines in a page: one variant of an embedded WASM build, loaded on demand. */
import { checkThreads, explain, type Engine, type EngineOptions } from "./engine.ts";
import { EngineError } from "./errors.ts";
import { fromBase64, WasmEngine, workerBody, type WorkerStart } from "./wasm-engine.ts";

/** How to import an embedded module, for one thread or for shared memory. */
type Load = (shared: boolean) => Promise<{ wasm: string }>;
interface Build { isa: "relaxed-simd" | "simd128"; module: WebAssembly.Module }
/** A page may share memory only when isolated, and only a worker may block while other threads finish. */
function threadsAllowed(): string | undefined {
  if (typeof SharedArrayBuffer === "undefined" || !globalThis.crossOriginIsolated)
    return "threads: 1, the page is not cross-origin isolated (COOP and COEP headers)";
  if (!("WorkerGlobalScope" in globalThis)) return "threads: 1, the main thread of a page may not block; run in a worker";
  return undefined;
}

async function compile(text: string): Promise<WebAssembly.Module | undefined> {
  const zipped = new Blob([fromBase64(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = await new Response(zipped).arrayBuffer();
  return WebAssembly.validate(bytes) ? WebAssembly.compile(bytes) : undefined;
}

/** `ready` loads and compiles one variant, `createEngine` makes engines over it. Without `relaxed`, the other build is as good. */
export function pageEngines(simd128: Load, relaxed?: Load): { ready(): Promise<void>; createEngine(options?: EngineOptions): Engine } {
  let build: Build | undefined;
  return {
    async ready() {
      if (build !== undefined) return;
      const shared = threadsAllowed() === undefined;
      const fastest = relaxed !== undefined && relaxedSimd() ? await compile((await relaxed(shared)).wasm) : undefined;
      build = fastest && { isa: "relaxed-simd", module: fastest };
      if (build !== undefined) return;
      const plain = await compile((await simd128(shared)).wasm);
      if (plain === undefined) throw new EngineError("this browser has no WebAssembly SIMD");
      build = { isa: "simd128", module: plain };
    },
    createEngine(options = {}) {
      if (options.kind === "native") throw new EngineError("native: only in Node");
      if (build === undefined) throw new EngineError("call `await ready()` once before the first engine");
      if (options.kind === "wasm-simd" && build.isa !== "simd128") throw new EngineError("wasm-simd: this page loaded the relaxed build");
      const why: string[] = [], single = threadsAllowed();
      if (relaxed !== undefined && build.isa === "simd128") why.push("wasm: no relaxed SIMD in this browser");
      if (single !== undefined) why.push(single);
      const cores = navigator.hardwareConcurrency || 1;
      const engine = new WasmEngine({ ...build, shared: single === undefined, cores, ...(single === undefined ? { startWorker } : {}) });
      engine.setThreads(single === undefined ? checkThreads(options.threads ?? cores) : 1);
      return explain(engine, why);
    },
  };
}

/** Does the browser know `f32x4.relaxed_madd`? Asked of a module of one instruction, so that only one build is downloaded. */
function relaxedSimd(): boolean {
  return WebAssembly.validate(new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0,
    65, 0, 253, 17, 65, 0, 253, 17, 65, 0, 253, 17, 253, 133, 2, 11,
  ]));
}

function startWorker(start: WorkerStart): () => void {
  const source = `onmessage = ({ data: start }) => {${workerBody}}`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url, { name: "nn kernels" });
  worker.onerror = () => {};  // a thread that cannot start is only missing: its chunks are claimed by the others
  worker.postMessage(start);
  return () => worker.terminate();
}
