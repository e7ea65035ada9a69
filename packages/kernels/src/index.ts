import { checkThreads, explain, type Engine, type EngineOptions } from "./engine.ts";
import { EngineError } from "./errors.ts";
import { fromBase64, WasmEngine, workerBody, type WorkerStart } from "./wasm-engine.ts";

export * from "./public.ts";

interface Build { isa: "relaxed-simd" | "simd128"; module: WebAssembly.Module }
let build: Build | undefined;

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

/** Loads and compiles one variant of the kernels. Call once in a page, before `createEngine`. @throws EngineError without WASM SIMD */
export async function ready(): Promise<void> {
  if (build !== undefined) return;
  const shared = threadsAllowed() === undefined;
  const module = relaxedSimd()
    ? await compile((shared ? await import("./wasm/relaxed-shared.gen.ts") : await import("./wasm/relaxed.gen.ts")).wasm) : undefined;
  build = module && { isa: "relaxed-simd", module };
  if (build !== undefined) return;
  const plain = await compile((shared ? await import("./wasm/simd128-shared.gen.ts") : await import("./wasm/simd128.gen.ts")).wasm);
  if (plain === undefined) throw new EngineError("this browser has no WebAssembly SIMD");
  build = { isa: "simd128", module: plain };
}

/** Does the browser know `f32x4.relaxed_madd`? Asked of a module of one instruction, so that only one build is downloaded. */
function relaxedSimd(): boolean {
  return WebAssembly.validate(new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0,
    65, 0, 253, 17, 65, 0, 253, 17, 65, 0, 253, 17, 253, 133, 2, 11,
  ]));
}

/** An engine over the variant that `ready` loaded. */
export function createEngine(options: EngineOptions = {}): Engine {
  if (options.kind === "native") throw new EngineError("native: only in Node");
  if (build === undefined) throw new EngineError("call `await ready()` once before the first engine");
  if (options.kind === "wasm-simd" && build.isa !== "simd128") throw new EngineError("wasm-simd: this page loaded the relaxed build");
  const why: string[] = [], single = threadsAllowed();
  if (build.isa === "simd128") why.push("wasm: no relaxed SIMD in this browser");
  if (single !== undefined) why.push(single);
  const cores = navigator.hardwareConcurrency || 1;
  const engine = new WasmEngine({ ...build, shared: single === undefined, cores, ...(single === undefined ? { startWorker } : {}) });
  engine.setThreads(single === undefined ? checkThreads(options.threads ?? cores) : 1);
  return explain(engine, why);
}

function startWorker(start: WorkerStart): void {
  const source = `onmessage = ({ data: start }) => {${workerBody}}`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url, { name: "nn kernels" });
  worker.onerror = () => {};  // a thread that cannot start is only missing: its chunks are claimed by the others
  worker.postMessage(start);
}
