import { pageEngines } from "./engines.page.ts";

export * from "./public.ts";

const engines = pageEngines(
  (shared) => (shared ? import("./wasm/simd128-shared.gen.ts") : import("./wasm/simd128.gen.ts")),
  (shared) => (shared ? import("./wasm/relaxed-shared.gen.ts") : import("./wasm/relaxed.gen.ts")),
);

/** Loads and compiles one variant of the kernels. Call once in a page, before `createEngine`. @throws EngineError without WASM SIMD */
export const ready = engines.ready;

/** An engine over the variant that `ready` loaded. */
export const createEngine = engines.createEngine;
