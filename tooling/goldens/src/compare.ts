/** The one rule by which a result is compared with a golden. */
import type { GoldenArray } from "./index.ts";

/** Allowed |ours − golden| / max|golden|, by the dtype of the computation. */
export const tolerance = { f32: 1e-5, f64: 1e-10 } as const;
export type Precision = keyof typeof tolerance;

export interface Result {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/**
 * What is wrong with `got`, in one line, or null. Integers and masks must be equal; floats within `tolerance` times the
 * largest finite |golden| of the tensor; infinities and NaN must be the same (f32: as the rounded golden).
 */
export function difference(got: Result, golden: GoldenArray, precision: Precision, { signedZero = false } = {}): string | null {
  if (got.shape.join() !== golden.shape.join()) return `shape [${got.shape}], expected [${golden.shape}]`;
  const isFloat = golden.dtype === "f64" || golden.dtype === "f32";
  const expected = Array.from(golden.data, (v) => (isFloat && precision === "f32" ? Math.fround(v) : v));
  const largest = expected.reduce((m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m), 0);
  const allowed = isFloat ? tolerance[precision] * largest : 0;
  for (const [i, e] of expected.entries()) {
    const g = got.data[i]!;
    const close = Object.is(g, e) || (Number.isFinite(e) ? Math.abs(g - e) <= allowed && !(signedZero && g === 0 && e === 0) : g === e);
    if (!close) return `at ${i}: got ${show(g)}, expected ${show(e)} (allowed ±${allowed.toExponential(1)})`;
  }
  return null;
}

const show = (v: number): string => (Object.is(v, -0) ? "-0" : String(v));
