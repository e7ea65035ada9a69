import { type Engine, type EngineOptions } from "./engine.ts";
import { engineOf } from "./engines.node.ts";
// Static imports survive bundling into one file; the two texts cost about a millisecond.
import { wasm as relaxed } from "./wasm/relaxed-shared.gen.ts";
import { wasm as simd128 } from "./wasm/simd128-shared.gen.ts";

export * from "./public.ts";

/** Nothing to wait for in Node; here so that the same program runs in a page. */
export async function ready(): Promise<void> {}

/** An engine of the fastest kind that is present, or of the kind asked for. Threads start in the background and join in when they are up. */
export const createEngine = (options: EngineOptions = {}): Engine => engineOf({ relaxed, simd128 }, options);
