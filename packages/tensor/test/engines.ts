/** The engines of this machine, and the comparison every family of kernels is held to: kernel = reference. */
import { createEngine, trace, withEngine, withReference, type Engine, type Tensor } from "../src/index.ts";
import { describe, expect, test } from "vitest";

interface Found {
  readonly kind: "native" | "wasm" | "wasm-simd";
  readonly engine: Engine | null;
  /** Why there is none. */
  readonly missing: string;
}

function find(kind: Found["kind"]): Found {
  try {
    return { kind, engine: createEngine({ kind, threads: 2 }), missing: "" };
  } catch (error) {
    return { kind, engine: null, missing: (error as Error).message.split("\n")[0]! };
  }
}

const found = (["native", "wasm", "wasm-simd"] as const).map(find);

/** One suite per engine; those that are missing are skipped, with the reason in their name. */
export function onEveryEngine(name: string, suite: (engine: Engine) => void): void {
  for (const { kind, engine, missing } of found) {
    if (engine) describe(`${name} (${kind})`, () => suite(engine));
    else test.skip(`${name} (${kind}): ${missing}`, () => {});
  }
}

/** Largest |a − b| relative to the largest |b|; 0 for empty tensors. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let worst = 0;
  let largest = 0;
  for (let i = 0; i < b.length; i++) {
    worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
    largest = Math.max(largest, Math.abs(b[i]!));
  }
  return worst / Math.max(largest, 1e-30);
}

/** Runs `f` on the kernels of `engine` and on the references: same shapes, same values, and the kernel was `kernel`. */
export function expectKernelIsReference(engine: Engine, kernel: string, f: () => Tensor, tolerance = 1e-5): void {
  withEngine(engine, () => {
    const { result, kernels } = trace(f);
    const reference = withReference(f);
    expect(result.shape).toEqual(reference.shape);
    expect(relativeError(result.dataSync(), reference.dataSync())).toBeLessThan(tolerance);
    if (result.size > 0) expect(kernels).toContain(`${kernel}_${engine.isa}`);
    expect(kernels.filter((k) => k.startsWith("reference:"))).toEqual([]);
  });
}
