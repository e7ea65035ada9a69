/** Engines in Node: the addon, or embedded WASM with worker threads. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, totalmem } from "node:os";
import { Worker } from "node:worker_threads";
import { gunzipSync } from "node:zlib";
import { abiHash } from "./abi.gen.ts";
import { checkThreads, explain, type Engine, type EngineOptions } from "./engine.ts";
import { EngineError } from "./errors.ts";
import { NativeEngine, type NativeAddon } from "./native-engine.ts";
import { fromBase64, WasmEngine, workerBody, type WorkerStart } from "./wasm-engine.ts";

/** Embedded WASM modules of the same functions; without a relaxed one, the other is as good. */
export interface Builds { relaxed?: string; simd128: string }

/** An engine of the fastest kind that is present, or of the kind asked for. Threads start in the background and join in when they are up. */
export function engineOf(builds: Builds, options: EngineOptions): Engine {
  const kind = options.kind ?? "auto";
  const cores = physicalCores();
  const threads = checkThreads(options.threads ?? cores);
  const why: string[] = [];
  const engine = kind === "auto" || kind === "native" ? nativeEngine(options.isa, cores, why) : undefined;
  if (engine === undefined && kind === "native") throw new EngineError(why.join("; "));
  const chosen = engine ?? wasmEngine(builds, kind === "wasm-simd", cores, why);
  chosen.setThreads(threads);
  if (options.threads === undefined) why.push(`threads: one per physical core (${cores})`);
  return explain(chosen, why);
}

function nativeEngine(isa: string | undefined, cores: number, why: string[]): Engine | undefined {
  let loaded: NativeAddon;
  try {
    ({ native: loaded } = createRequire(import.meta.url)("@nn/native") as { native: NativeAddon });
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND";
    loaded = { why: absent ? "@nn/native is not installed" : `@nn/native does not load: ${(error as Error).message}` };
  }
  if ("why" in loaded) {
    why.push(`native: ${loaded.why}`);
  } else if (loaded.table.abi !== abiHash) {
    why.push(`native: built for another version of the kernels (${loaded.table.abi}, needed ${abiHash}); rebuild it: npm rebuild @nn/native, or in a clone of the repository: npx pnpm --filter @nn/native run install`);
  } else if (isa !== undefined && !loaded.table.isas.includes(isa)) {
    why.push(`native: no instruction set ${isa} here, only ${loaded.table.isas.join(", ")}`);
  } else {
    return new NativeEngine(loaded.table.create(isa), { cores, limit: process.constrainedMemory() || totalmem() });
  }
  return undefined;
}

const modules = new Map<string, WebAssembly.Module>();
/** The module of a text, if this Node can run it. */
function moduleOf(text: string): WebAssembly.Module | undefined {
  const known = modules.get(text);
  if (known !== undefined) return known;
  const bytes = gunzipSync(fromBase64(text));
  if (!WebAssembly.validate(bytes)) return undefined;
  const module = new WebAssembly.Module(bytes);
  modules.set(text, module);
  return module;
}

function wasmEngine({ relaxed, simd128 }: Builds, simdOnly: boolean, cores: number, why: string[]): Engine {
  const fastest = relaxed === undefined || simdOnly ? undefined : moduleOf(relaxed);
  if (relaxed !== undefined && !simdOnly && fastest === undefined) why.push("wasm: no relaxed SIMD in this Node (22 has it)");
  const module = fastest ?? moduleOf(simd128);
  if (module === undefined) throw new EngineError("this Node has no WebAssembly SIMD");
  return new WasmEngine({ module, isa: fastest === undefined ? "simd128" : "relaxed-simd", shared: true, cores, startWorker });
}

function startWorker(start: WorkerStart): () => void {
  const worker = new Worker(`const start = require("node:worker_threads").workerData;${workerBody}`, {
    eval: true, workerData: start, execArgv: [], name: "nn kernels",
  });
  worker.on("error", () => {});  // a thread that cannot start is only missing: its chunks are claimed by the others
  worker.unref();
  return () => void worker.terminate();
}

/** Cores with hyper-threads counted once, within what this process may use. */
function physicalCores(): number {
  const logical = availableParallelism();
  try {
    const siblings = readFileSync("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "utf8");
    const perCore = siblings.trim().split(",").reduce((n, part) => {
      const [from, to] = part.split("-").map(Number);
      return n + (to === undefined ? 1 : to - from! + 1);
    }, 0);
    return Math.max(1, Math.floor(logical / perCore));
  } catch {
    return Math.max(1, logical);  // no such file outside Linux
  }
}
