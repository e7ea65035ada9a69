import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createEngine } from "@nn/kernels";
import { describe, it } from "vitest";
import { conformance, gradientRules, updated } from "../src/index.ts";

const file = fileURLToPath(new URL("../COVERAGE.md", import.meta.url));

gradientRules();

for (const kind of ["native", "wasm", "wasm-simd"] as const) {
  try {
    const engine = createEngine({ kind, threads: 2 });
    conformance(`${kind} (${engine.isa})`, () => engine, (rows) => {
      const before = existsSync(file) ? readFileSync(file, "utf8") : "";
      const after = updated(before, kind, rows);
      if (after !== before) writeFileSync(file, after);
    });
  } catch (error) {
    describe(kind, () => {
      it.skip(`skipped: ${(error as Error).message.split("\n")[0]}`, () => {});
    });
  }
}
