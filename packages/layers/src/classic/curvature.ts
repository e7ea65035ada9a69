import { hessianVector } from "@nn/autograd";
import { Random, scope, tensor, type Tensor } from "@nn/tensor";

export interface Curvature {
  /** Largest eigenvalue of the Hessian. */
  readonly largest: number;
  /** 2/λmax: on a quadratic, descent converges below this rate and not above. Infinity where nothing curves upwards. */
  readonly bound: number;
}

/** Largest curvature of `f` at `x` by power iteration, and the rate that it bounds. For a quadratic it is the same everywhere. */
export function stabilityBound(f: (x: Tensor) => Tensor, x: Tensor, { iterations = 200, tolerance = 1e-12 } = {}): Curvature {
  const vector = hessianVector(f);
  const product = (v: readonly number[]): number[] => scope(() => Array.from(vector(x, tensor(v, { shape: [...x.shape], dtype: x.dtype }) as Tensor).dataSync()));
  // The eigenvalue of largest size; shifted by its size all are ≥ 0 and the largest one wins.
  const first = power(product, x.size, iterations, tolerance);
  const largest = first >= 0 ? first : first + power((v) => product(v).map((h, i) => h - first * v[i]!), x.size, iterations, tolerance);
  return { largest, bound: largest > 0 ? 2 / largest : Infinity };
}

/** Rayleigh quotient of the vector that repeated multiplication turns to. */
function power(multiply: (v: readonly number[]) => number[], size: number, iterations: number, tolerance: number): number {
  const random = new Random(1);
  let v = unit(Array.from({ length: size }, (_, i) => random.normal(i)));
  let value = 0;
  for (let k = 0; k < iterations; k++) {
    const h = multiply(v);
    const next = h.reduce((sum, a, i) => sum + a * v[i]!, 0);
    const settled = Math.abs(next - value) <= tolerance * Math.abs(next);
    value = next;
    if ((settled && k > 0) || h.every((a) => a === 0)) break;
    v = unit(h);
  }
  return value;
}

function unit(v: readonly number[]): number[] {
  const norm = Math.hypot(...v);
  return v.map((a) => a / norm);
}
