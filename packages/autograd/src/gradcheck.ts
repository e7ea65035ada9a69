/**
 * Checks gradient rules against differences along random directions: ⟨dy, J·v⟩ by central differences equals ⟨Jᵀ·dy, v⟩.
 * Cheap even for convolutions, and blind to nothing a full Jacobian would see, with probability one.
 */
import { GradError, Random, isFloat, scope, tensor, withRecording, type Tensor } from "@nn/tensor";
import { gradients } from "./backward.ts";

export interface GradcheckOptions {
  /** Step of the differences; default 1e-5. */
  eps?: number;
  /** Allowed |analytic − numeric| relative to max(1, |analytic|, |numeric|); default 1e-6. */
  tolerance?: number;
  /** Random directions tried; default 3. */
  directions?: number;
  seed?: number;
}

type Fn = (...xs: Tensor[]) => Tensor;

/** First order: compares the gradient of `f` at `xs` (f64) with differences. @throws GradError with both values where they disagree. */
export function gradcheck(f: Fn, xs: readonly Tensor[], options: GradcheckOptions = {}): void {
  const { eps = 1e-5, tolerance = 1e-6, directions = 3, seed = 0 } = options;
  requireDouble(xs);
  for (let k = 0; k < directions; k++) {
    const random = new Random(seed, k);
    scope(() => {
      const inputs = xs.map((x) => (isFloat(x.dtype) ? x.detach().requireGrad() : x));
      const wanted = inputs.filter((x) => x.requiresGrad);
      const y = withRecording(true, () => f(...inputs));
      const dy = noise(y, random, 0);
      const grads = gradients(y, wanted, { gradient: dy });
      let position = y.size;
      const vs = wanted.map((x) => {
        const v = noise(x, random, position);
        position += x.size;
        return v;
      });
      const analytic = grads.reduce((sum, g, i) => sum + (g ? dot(g, vs[i]!) : 0), 0);
      const along = (h: number): number => {
        let next = 0;
        const moved = inputs.map((x) => (x.requiresGrad ? x.detach().add(vs[next++]!.mul(h)) : x));
        return dot(withRecording(false, () => f(...moved)), dy);
      };
      const numeric = (along(eps) - along(-eps)) / (2 * eps);
      const error = Math.abs(analytic - numeric) / Math.max(1, Math.abs(analytic), Math.abs(numeric));
      if (!(error <= tolerance)) {
        throw new GradError("gradcheck", `gradient along a random direction is ${analytic}, differences give ${numeric} (error ${error.toExponential(1)}, allowed ${tolerance})`, {
          hint: "check the rule of each op in f; keep inputs away from kinks",
        });
      }
    }, "gradcheck()");
  }
}

/** Second order: gradcheck of the gradient itself, with respect to the inputs and to `dy`. */
export function gradgradcheck(f: Fn, xs: readonly Tensor[], options: GradcheckOptions = {}): void {
  requireDouble(xs);
  scope(() => {
    const y = withRecording(false, () => f(...xs));
    const dy = noise(y, new Random(options.seed ?? 0, 1000), 0);
    const floats = xs.map((x) => isFloat(x.dtype));
    const gradientOf = (...inputs: Tensor[]): Tensor => {
      const watched = inputs.slice(0, -1).map((x, i) => (floats[i] ? (x.requiresGrad ? x.reshape(x.shape) : x.detach().requireGrad()) : x));
      const wanted = watched.filter((x) => x.requiresGrad);
      const out = withRecording(true, () => f(...watched));
      const grads = gradients(out, wanted, { gradient: inputs.at(-1)!, createGraph: true });
      // One number that depends on every gradient: each weighted differently.
      return withRecording(true, () => grads.map((g, i) => (g ? g.mul(g.add(0.3 * (i + 1))).sum() : wanted[i]!.sum().mul(0))).reduce((a, b) => a.add(b)));
    };
    gradcheck(gradientOf, [...xs, dy], { tolerance: 1e-5, ...options });
  }, "gradgradcheck()");
}

function requireDouble(xs: readonly Tensor[]): void {
  const single = xs.find((x) => x.dtype === "f32");
  if (single) throw new GradError("gradcheck", "inputs are f32: differences need f64", { hint: 'x.cast("f64")' });
}

function noise(like: Tensor, random: Random, from: number): Tensor {
  const data = Float64Array.from({ length: like.size }, (_, i) => 2 * random.uniform(from + i) - 1);
  return tensor(data, { shape: like.shape });
}

function dot(a: Tensor, b: Tensor): number {
  const x = a.dataSync();
  const y = b.dataSync();
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}
