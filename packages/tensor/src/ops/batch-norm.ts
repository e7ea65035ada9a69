/** Batch normalisation by the statistics of the batch itself (Ioffe & Szegedy 2015): per channel of x [N, C, …], over everything else. */
import { defineOp, noGradient, oncePerNode, type Aval, type RefArray } from "../define.ts";
import { promote, toFloat } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import type { Tensor } from "../tensor.ts";
import { around } from "./axes.ts";
import { show } from "./shape-rules.ts";

export interface BatchNormAttrs {
  /** Added to the variance. */
  readonly eps: number;
}

/** @throws ShapeError unless x is [N, C, …] and all of `lines` are [C]. */
export function channelsOf(op: string, x: Aval, lines: Readonly<Record<string, Aval | null | undefined>>): number {
  if (x.shape.length < 2) throw new ShapeError(op, `needs [N, C, …], got ${show(x)}`);
  const c = x.shape[1]!;
  for (const [name, t] of Object.entries(lines)) if (t && t.shape.join() !== `${c}`) throw new ShapeError(op, `${name} must be [${c}], one number per channel, got ${show(t)}`);
  return c;
}

/** [C] beside [N, C, …]. */
export const perChannel = (line: Tensor, x: Aval): Tensor => line.reshape([-1, ...new Array<number>(x.shape.length - 2).fill(1)]);

/** `(x − mean)/√(variance + eps)·weight + bias`. Centred first: x·scale − mean·scale would lose digits where the mean is large. */
export function normalise(x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | null | undefined, bias: Tensor | null | undefined, eps: number): Tensor {
  const rstd: Tensor = variance.add(eps).rsqrt();
  const y: Tensor = x.sub(perChannel(mean, x)).mul(perChannel(weight ? rstd.mul(weight) : rstd, x));
  return bias ? y.add(perChannel(bias, x)) : y;
}

/** Calls `f(element, channel)` for every element of an array [N, C, …]. */
function eachElement({ shape }: RefArray, f: (i: number, c: number) => void): void {
  const { outer, size, inner } = around(shape, 1);
  for (let i = 0; i < outer * size * inner; i++) f(i, Math.floor(i / inner) % size);
}

const gradientsOf = oncePerNode(({ dy, x, weight, mean, variance, attrs }: { readonly dy: Tensor; readonly x: Tensor; readonly weight?: Tensor; readonly mean: Tensor; readonly variance: Tensor; readonly attrs: BatchNormAttrs }) =>
  batchNormGrad({ x, dy, mean, variance, ...(weight && { weight }) }, attrs));

const shapes = [[5, 3], [3, 70], [2, 17, 3, 3], [1, 1, 7], [0, 3]];

/** `y = (x − mean)/√(variance + eps)·weight + bias` with the mean and the (biased) variance of each channel, which come out too. */
export const batchNorm = defineOp({
  name: "batchNorm",
  inputs: ["x", "weight?", "bias?"],
  outputs: ["y", "mean", "variance"],
  saves: ["x", "weight", "bias", "mean", "variance"],
  infer({ x, ...lines }, _: BatchNormAttrs) {
    const c = channelsOf("batchNorm", x, lines);
    const dtype = toFloat(Object.values(lines).reduce((d, t) => promote(d, t.dtype), x.dtype));
    const line = { shape: [c], dtype };
    return { y: { shape: x.shape, dtype }, mean: line, variance: line };
  },
  reference({ x, weight, bias }, { eps }, { y, mean, variance }) {
    const n = x.data.length / mean.data.length;
    eachElement(x, (i, c) => (mean.data[c]! += x.data[i]! / n));
    eachElement(x, (i, c) => (variance.data[c]! += (x.data[i]! - mean.data[c]!) ** 2 / n));
    eachElement(x, (i, c) => (y.data[i] = ((x.data[i]! - mean.data[c]!) / Math.sqrt(variance.data[c]! + eps)) * (weight?.data[c] ?? 1) + (bias?.data[c] ?? 0)));
  },
  vjp: { x: (node): Tensor => gradientsOf(node).dx, weight: (node): Tensor => gradientsOf(node).dw, bias: (node): Tensor => gradientsOf(node).db },
  decompose({ x, weight, bias }, { eps }) {
    const others = x.shape.map((_, d) => d).filter((d) => d !== 1);
    const mean: Tensor = x.mean(others);
    return { y: normalise(x, mean, x.sub(perChannel(mean, x)).square().mean(others), weight, bias, eps) };
  },
  samples: shapes.flatMap((x) => [{ inputs: { x, weight: [x[1]!], bias: [x[1]!] }, attrs: { eps: 1e-5 } }, { inputs: { x }, attrs: { eps: 0.1 } }]),
});

const onlyThrough = noGradient("second derivatives go through the decomposition of batchNorm");

/** All gradients of batchNorm; `mean` and `variance` are what forward found. */
export const batchNormGrad = defineOp({
  name: "batchNormGrad",
  inputs: ["x", "dy", "mean", "variance", "weight?"],
  outputs: ["dx", "dw", "db"],
  saves: [],
  infer({ x, dy, mean }, _: BatchNormAttrs) {
    const line = { shape: mean.shape, dtype: dy.dtype };
    return { dx: { shape: x.shape, dtype: dy.dtype }, dw: line, db: line };
  },
  reference({ x, dy, mean, variance, weight }, { eps }, { dx, dw, db }) {
    const n = x.data.length / mean.data.length;
    const rstd = (c: number): number => 1 / Math.sqrt(variance.data[c]! + eps);
    const hat = (i: number, c: number): number => (x.data[i]! - mean.data[c]!) * rstd(c);
    eachElement(x, (i, c) => {
      dw.data[c]! += dy.data[i]! * hat(i, c);
      db.data[c]! += dy.data[i]!;
    });
    eachElement(x, (i, c) => (dx.data[i] = (dy.data[i]! - db.data[c]! / n - (hat(i, c) * dw.data[c]!) / n) * rstd(c) * (weight?.data[c] ?? 1)));
  },
  vjp: { x: onlyThrough, dy: onlyThrough, mean: onlyThrough, variance: onlyThrough, weight: onlyThrough },
  samples: shapes.flatMap((x) => [true, false].map((affine) => ({ inputs: { x, dy: x, mean: [x[1]!], variance: { shape: [x[1]!], low: 0.5, high: 2 }, ...(affine && { weight: [x[1]!] }) }, attrs: { eps: 1e-5 } }))),
});
