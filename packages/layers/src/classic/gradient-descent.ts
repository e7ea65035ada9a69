import { valueAndGrad } from "@nn/autograd";
import { ArgumentError, scope, tensor, type Tensor } from "@nn/tensor";
import { stabilityBound } from "./curvature.ts";

export interface DescentOptions {
  /** α; default 0.1. */
  rate?: number;
  /** Stop when ‖∇f‖ is at most this; default 1e-8. */
  gradTol?: number;
  /** Default 1000. */
  maxIter?: number;
  /** ‖∇f‖ may grow to this many times its first value (or 1) before the descent counts as diverged; default 1e6. */
  growth?: number;
}
export interface DescentStep {
  readonly x: readonly number[];
  readonly value: number;
  readonly gradNorm: number;
}
export interface Descent {
  /** The last point whose value and gradient are finite. */
  readonly x: Tensor;
  readonly value: number;
  /** ‖∇f(x)‖. Small at minima, but at maxima and saddles too. */
  readonly gradNorm: number;
  readonly iterations: number;
  readonly stop: "gradTol" | "maxIter" | "diverged";
  /** Every point on the way, the start first. */
  readonly path: readonly DescentStep[];
  /** What happened if it diverged, with the rate that would have been stable at the start; else null. */
  readonly report: string | null;
}

/**
 * `x ← x − α∇f(x)` on any differentiable scalar-valued `f`, from `x0`. On a quadratic with Hessian H it converges iff 0 < α < 2/λmax(H);
 * `stabilityBound` gives that rate. f64 starting points are worth it here.
 */
export function gradientDescent(f: (x: Tensor) => Tensor, x0: Tensor, { rate = 0.1, gradTol = 1e-8, maxIter = 1000, growth = 1e6 }: DescentOptions = {}): Descent {
  if (!(rate > 0)) throw new ArgumentError("gradientDescent", `rate is ${rate}`, { hint: "a positive number" });
  const evaluate = valueAndGrad(f);
  const at = (x: Float64Array): { value: number; g: ArrayLike<number>; norm: number } =>
    scope(() => {
      const { value, grads } = evaluate(tensor(x, { shape: [...x0.shape], dtype: x0.dtype }) as Tensor);
      const g = grads[0].dataSync();
      return { value: value.item(), g, norm: Math.hypot(...g) };
    });

  let x: Float64Array = Float64Array.from(x0.dataSync());
  let here = at(x);
  const limit = growth * Math.max(1, here.norm);
  const path: DescentStep[] = [];
  let stop: Descent["stop"] | null = Number.isFinite(here.value) && Number.isFinite(here.norm) ? null : "diverged";
  for (let k = 0; ; k++) {
    path.push({ x: [...x], value: here.value, gradNorm: here.norm });
    stop ??= here.norm <= gradTol ? "gradTol" : here.norm > limit ? "diverged" : k >= maxIter ? "maxIter" : null;
    if (stop) break;
    const next = x.map((v, i) => v - rate * here.g[i]!);
    const there = at(next);
    if (!Number.isFinite(there.value) || !Number.isFinite(there.norm)) {
      stop = "diverged";
      break;
    }
    [x, here] = [next, there];
  }
  const last = path.at(-1)!;
  return {
    x: tensor(x, { shape: [...x0.shape], dtype: x0.dtype }) as Tensor,
    value: last.value,
    gradNorm: last.gradNorm,
    iterations: path.length - 1,
    stop,
    path,
    report: stop === "diverged" ? divergence(f, x0, rate, path) : null,
  };
}

function divergence(f: (x: Tensor) => Tensor, x0: Tensor, rate: number, path: readonly DescentStep[]): string {
  const steps = path.length - 1;
  const [first, last] = [path[0]!.gradNorm, path.at(-1)!.gradNorm];
  if (!Number.isFinite(first)) return "diverged at once: f or its gradient is not finite at the starting point";
  const { largest, bound } = stabilityBound(f, x0);
  const factor = steps > 0 ? `, ×${short((last / first) ** (1 / steps))} a step` : " and are not finite after one more step";
  const advice = rate >= bound ? `rate ${rate} is not below 2/λmax = ${short(bound)} (λmax = ${short(largest)} at the start): use a lower rate` : `2/λmax = ${short(bound)} at the start allows rate ${rate}, the way leads where f curves more: use a lower rate`;
  return `diverged: after ${steps} steps the gradient norm went from ${short(first)} to ${short(last)}${factor}; ${advice}`;
}

const short = (v: number): string => String(Number(v.toPrecision(4)));
