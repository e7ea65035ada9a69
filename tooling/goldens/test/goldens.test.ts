/** Every op of the first family against PyTorch, forward and gradients, on every engine. */
import "@nn/autograd";
import { createEngine, type Engine } from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { adapters } from "../src/adapters.ts";
import { tolerance } from "../src/compare.ts";
import { goldenOps, loadGoldens } from "../src/index.ts";
import { runGolden } from "../src/run.ts";

/** Folders whose files are not single ops. */
const larger = new Set(["optim", "network", "alexnet", "recurrent", "transformer"].flatMap((family) => goldenOps(family)));
const names = goldenOps().filter((op) => !larger.has(op));

/** An engine, or why this machine has none. */
function tryEngine(kind: "native" | "wasm" | "wasm-simd"): Engine | string {
  try {
    return createEngine({ kind, threads: 1 });
  } catch (error) {
    return (error as Error).message.split("\n")[0]!;
  }
}

const runs = (
  [
    ["f32 native", "native", "f32"],
    ["f32 wasm", "wasm", "f32"],
    ["f32 wasm-simd", "wasm-simd", "f32"],
    ["f64", "wasm", "f64"],
  ] as const
).map(([label, kind, precision]) => {
  const engine = tryEngine(kind);
  return { label: typeof engine === "string" ? `${label} (skipped: ${engine})` : label, engine, precision };
});

test("every golden has its call and every call its golden", () => {
  expect(Object.keys(adapters).sort()).toEqual([...names].sort());
});

test.each(names)("%s has at least 8 cases, an empty, a 0-d and a strided input or their refusal", (op) => {
  const cases = loadGoldens(op);
  expect(cases.length).toBeGreaterThanOrEqual(8);
  const inputs = cases.flatMap((c) => [...c.inputs.values()]);
  expect(inputs.some(({ view }) => view.length > 0)).toBe(true);
  expect(inputs.some(({ base }) => base.data.length === 0)).toBe(true);
  expect(inputs.some(({ base }) => base.shape.length === 0)).toBe(true);
});

describe.each(runs)("$label", ({ label, engine, precision }) => {
  test.skipIf(typeof engine === "string").each(names)(`%s within ${tolerance[precision]} · max|golden|`, (op) => {
    const wrong = loadGoldens(op).flatMap((golden) => runGolden(golden, adapters[op]!, engine as Engine, precision));
    expect(wrong, `${label}:\n${wrong.join("\n")}\n`).toEqual([]);
  });
});
