/** Jobs in a page. */
import { pageEngines } from "./engines.page.ts";

export * from "./jobs.public.ts";

const engines = pageEngines((shared) => (shared ? import("./wasm/jobs-shared.gen.ts") : import("./wasm/jobs.gen.ts")));

/** Loads and compiles the jobs. Call once in a page, before `createJobEngine`. @throws EngineError without WASM SIMD */
export const jobsReady = engines.ready;

/** An engine that runs jobs, with memory of its own. */
export const createJobEngine = engines.createEngine;
