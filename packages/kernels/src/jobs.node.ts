/** Jobs in Node. */
import { type Engine, type EngineOptions } from "./engine.ts";
import { engineOf } from "./engines.node.ts";
import { wasm as simd128 } from "./wasm/jobs-shared.gen.ts";

export * from "./jobs.public.ts";

/** Nothing to wait for in Node; here so that the same program runs in a page. */
export async function jobsReady(): Promise<void> {}

/** An engine that runs jobs, with memory of its own. */
export const createJobEngine = (options: EngineOptions = {}): Engine => engineOf({ simd128 }, options);
