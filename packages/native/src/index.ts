import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** What the addon exports; `@nn/kernels` (native-engine.ts) describes what `create` returns and wraps it as an `Engine`. */
export interface NativeTable {
  /** Must equal `abiHash` of `@nn/kernels`. */
  readonly abi: string;
  /** Instruction sets this processor runs, best first. */
  readonly isas: readonly string[];
  create(isa?: string): object;
}

function load(): { table: NativeTable } | { why: string } {
  try {
    return { table: createRequire(import.meta.url)("../build/nn.node") as NativeTable };
  } catch (error) {
    try {
      return { why: readFileSync(new URL("../build/status.txt", import.meta.url), "utf8").trim() };
    } catch {
      return { why: `not built (${(error as Error).message.split("\n")[0]}); build it: npm rebuild @nn/native, or in a clone of the repository: npx pnpm --filter @nn/native run install` };
    }
  }
}

/** The addon, or the reason why there is none. */
export const native = load();
