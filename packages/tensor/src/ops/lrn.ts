/**
 * Local response normalisation across channels (Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep
 * convolutional neural networks", section 3.3): `y = x·D^−β` with `D = k + α·S(x²)`, where S sums over the `size` channels
 * around each: ⌊size/2⌋ before it and ⌊(size−1)/2⌋ behind, as PyTorch.
 */
import { defineOp, noGradient, type Aval, type RefArray } from "../define.ts";
import { toFloat } from "../dtype.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import type { Tensor } from "../tensor.ts";
import { around } from "./axes.ts";
import { show } from "./shape-rules.ts";

export interface LrnAttrs {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;
}

function infer(op: string, x: Aval, { size }: LrnAttrs): Aval {
  if (x.shape.length < 2) throw new ShapeError(op, `input must be [N,C,…], got ${show(x)}`, { hint: "channels are dimension 1" });
  if (!Number.isInteger(size) || size < 1) throw new ArgumentError(op, `size is ${size}`, { hint: "a whole number ≥ 1 of channels" });
  return { shape: x.shape, dtype: toFloat(x.dtype) };
}

/** Calls `f(i, j)` for each element i and each element j of the same place within `before` channels before and `behind` behind it. */
function eachNeighbour({ shape }: RefArray, before: number, behind: number, f: (i: number, j: number) => void): void {
  const { outer, size, inner } = around(shape, 1);
  for (let o = 0; o < outer; o++)
    for (let c = 0; c < size; c++)
      for (let j = Math.max(0, c - before); j <= Math.min(size - 1, c + behind); j++)
        for (let p = 0; p < inner; p++) f((o * size + c) * inner + p, (o * size + j) * inner + p);
}

const before = ({ size }: LrnAttrs): number => Math.floor(size / 2);
const behind = ({ size }: LrnAttrs): number => Math.floor((size - 1) / 2);

function denominators(x: RefArray, attrs: LrnAttrs): Float64Array {
  const d = new Float64Array(x.data.length).fill(attrs.k);
  eachNeighbour(x, before(attrs), behind(attrs), (i, j) => (d[i]! += attrs.alpha * x.data[j]! ** 2));
  return d;
}

/** Σ over channels c−first … c+last of each, as tensor code. */
function windowSum(x: Tensor, first: number, last: number): Tensor {
  const channels = x.shape[1]!;
  const padded = x.pad(x.shape.map((_, d): [number, number] => (d === 1 ? [first, last] : [0, 0])));
  let sum = padded.slice(1, 0, channels);
  for (let i = 1; i <= first + last; i++) sum = sum.add(padded.slice(1, i, i + channels));
  return sum;
}

const shapes = [[2, 7, 3, 2], [3, 5], [1, 3, 4], [2, 33, 2, 1], [2, 0, 3], [0, 4, 2, 2]];
const options: LrnAttrs[] = [{ size: 5, alpha: 0.3, beta: 0.75, k: 2 }, { size: 4, alpha: 0.2, beta: 0.6, k: 1 }];
const samples = shapes.flatMap((shape) => options.map((attrs) => ({ shape, attrs })));

export const localResponseNorm = defineOp({
  name: "localResponseNorm",
  inputs: ["x"],
  saves: ["x"],
  infer: ({ x }, attrs: LrnAttrs) => infer("localResponseNorm", x, attrs),
  reference({ x }, attrs, y) {
    denominators(x, attrs).forEach((d, i) => (y.data[i] = x.data[i]! * d ** -attrs.beta));
  },
  vjp: { x: ({ dy, x, attrs }): Tensor => localResponseNormGrad({ x, grad: dy }, attrs) },
  decompose: ({ x }, attrs) => x.mul(windowSum(x.square(), before(attrs), behind(attrs)).mul(attrs.alpha).add(attrs.k).pow(-attrs.beta)),
  samples: samples.map(({ shape, attrs }) => ({ inputs: { x: shape }, attrs })),
});

const onlyThrough = noGradient("second derivatives go through the decomposition of localResponseNorm");

/** `dx = grad·D^−β − 2αβ·x·S′(grad·x·D^(−β−1))`; S′ sums over the channels whose window holds this one. */
export const localResponseNormGrad = defineOp({
  name: "localResponseNormGrad",
  inputs: ["x", "grad"],
  saves: [],
  infer({ x, grad }, attrs: LrnAttrs) {
    if (grad.shape.join() !== x.shape.join()) throw new ShapeError("localResponseNormGrad", `gradient ${show(grad)} and input ${show(x)} differ`);
    return infer("localResponseNormGrad", x, attrs);
  },
  reference({ x, grad }, attrs, y) {
    const { alpha, beta } = attrs;
    const d = denominators(x, attrs);
    for (let i = 0; i < d.length; i++) y.data[i] = grad.data[i]! * d[i]! ** -beta;
    eachNeighbour(x, behind(attrs), before(attrs), (i, j) => (y.data[i]! -= 2 * alpha * beta * x.data[i]! * grad.data[j]! * x.data[j]! * d[j]! ** (-beta - 1)));
  },
  vjp: { x: onlyThrough, grad: onlyThrough },
  samples: samples.map(({ shape, attrs }) => ({ inputs: { x: shape, grad: shape }, attrs })),
});
