/** Normalisation of each row over its last dimensions: layer norm and RMS norm. */
import { defineOp, noGradient, oncePerNode, type Aval, type RefArray } from "../define.ts";
import { isFloat, promote, toFloat } from "../dtype.ts";
import { DTypeError, ShapeError } from "../errors.ts";
import { showShape, sizeOf, type Shape } from "../layout.ts";
import type { Tensor } from "../tensor.ts";
import { show } from "./shape-rules.ts";

export interface NormAttrs {
  /** Sizes of the last dimensions of x, which are normalised together. */
  normalizedShape: Shape;
  /** Added to the variance. */
  eps: number;
}

/** @throws ShapeError or DTypeError; the result's aval and that of one number per row. */
function inferNorm(op: string, { x, weight, bias }: { x: Aval; weight?: Aval; bias?: Aval }, { normalizedShape }: NormAttrs): { y: Aval; row: Aval } {
  const at = x.shape.length - normalizedShape.length;
  if (normalizedShape.length === 0 || at < 0 || x.shape.slice(at).join() !== normalizedShape.join()) {
    throw new ShapeError(op, `expected ${x.dtype}[…,${normalizedShape.join(",")}], got ${show(x)}`, { hint: `normalizedShape ${showShape(normalizedShape)} names the last dimensions` });
  }
  for (const [name, t] of [["weight", weight], ["bias", bias]] as const) {
    if (t && t.shape.join() !== normalizedShape.join()) throw new ShapeError(op, `${name} must be ${showShape(normalizedShape)}, got ${show(t)}`);
  }
  if (!isFloat(x.dtype)) throw new DTypeError(op, `needs floating-point input, got ${show(x)}`, { hint: 'x.cast("f32")' });
  const dtype = [x, weight, bias].flatMap((t) => (t ? [t.dtype] : [])).reduce(promote);
  return { y: { shape: x.shape, dtype }, row: { shape: x.shape.slice(0, at), dtype: toFloat(dtype) } };
}

/** Mean (0 for rms) and 1/√(variance + eps) of each row. */
function moments(x: Float64Array, first: number, cols: number, eps: number, rms: boolean): { mean: number; rstd: number } {
  let mean = 0;
  if (!rms) for (let j = 0; j < cols; j++) mean += x[first + j]! / cols;
  let square = 0;
  for (let j = 0; j < cols; j++) square += (x[first + j]! - mean) ** 2 / cols;
  return { mean, rstd: 1 / Math.sqrt(square + eps) };
}

function normalise(inputs: { x: RefArray; weight?: RefArray; bias?: RefArray }, { normalizedShape, eps }: NormAttrs, out: { y: RefArray; mean?: RefArray; rstd: RefArray }): void {
  const cols = sizeOf(normalizedShape);
  for (let r = 0; r < out.rstd.data.length; r++) {
    const { mean, rstd } = moments(inputs.x.data, r * cols, cols, eps, !out.mean);
    if (out.mean) out.mean.data[r] = mean;
    out.rstd.data[r] = rstd;
    for (let j = 0; j < cols; j++) {
      out.y.data[r * cols + j] = (inputs.x.data[r * cols + j]! - mean) * rstd * (inputs.weight?.data[j] ?? 1) + (inputs.bias?.data[j] ?? 0);
    }
  }
}

/** What the rules of layerNorm and rmsNorm read. */
interface Node {
  readonly dy: Tensor;
  readonly x: Tensor;
  readonly weight?: Tensor;
  readonly mean?: Tensor;
  readonly rstd: Tensor;
  readonly attrs: NormAttrs;
}

// One pass gives the gradients of x, weight and bias.
const gradientsOf = oncePerNode(({ dy, x, weight, mean, rstd, attrs }: Node) => normGrad({ x, dy, rstd, ...(weight && { weight }), ...(mean && { mean }) }, attrs));

/** The same from ops that have gradients of their own. */
const composed = (rms: boolean) => ({ x, weight, bias }: { x: Tensor; weight?: Tensor; bias?: Tensor }, { normalizedShape, eps }: NormAttrs): { y: Tensor } => {
  const inner = normalizedShape.map((_, i) => x.rank - normalizedShape.length + i);
  const average = (t: Tensor): Tensor => t.mean(inner, { keepdim: true });
  const centred = rms ? x : x.sub(average(x));
  const hat: Tensor = centred.mul(average(centred.square()).add(eps).rsqrt());
  const scaled: Tensor = weight ? hat.mul(weight) : hat;
  return { y: bias ? scaled.add(bias) : scaled };
};

const fromRows = (shape: Shape, rest: Shape, affine: boolean) => ({ inputs: { x: shape, ...(affine && { weight: rest, bias: rest }) }, attrs: { normalizedShape: rest, eps: 1e-5 } });
const samples = [
  fromRows([3, 5], [5], true),
  fromRows([2, 3, 4], [3, 4], true),
  fromRows([2, 3, 17], [17], false),
  fromRows([7], [7], true),
  fromRows([150, 33], [33], true),
  fromRows([0, 4], [4], true),
];

/** `y = (x − mean)·rstd·weight + bias` with mean and `rstd = 1/√(var + eps)` over the last dimensions (Ba 2016). */
export const layerNorm = defineOp({
  name: "layerNorm",
  inputs: ["x", "weight?", "bias?"],
  outputs: ["y", "mean", "rstd"],
  saves: ["x", "weight", "bias", "mean", "rstd"],
  infer(inputs, attrs: NormAttrs) {
    const { y, row } = inferNorm("layerNorm", inputs, attrs);
    return { y, mean: row, rstd: row };
  },
  reference: normalise,
  vjp: { x: (node): Tensor => gradientsOf(node).dx, weight: (node): Tensor => gradientsOf(node).dw, bias: (node): Tensor => gradientsOf(node).db },
  decompose: composed(false),
  samples,
});

/** `y = x·rstd·weight` with `rstd = 1/√(mean(x²) + eps)` over the last dimensions (Zhang & Sennrich 2019). */
export const rmsNorm = defineOp({
  name: "rmsNorm",
  inputs: ["x", "weight?"],
  outputs: ["y", "rstd"],
  saves: ["x", "weight", "rstd"],
  infer(inputs, attrs: NormAttrs) {
    const { y, row } = inferNorm("rmsNorm", inputs, attrs);
    return { y, rstd: row };
  },
  reference: normalise,
  vjp: { x: (node): Tensor => gradientsOf(node).dx, weight: (node): Tensor => gradientsOf(node).dw },
  decompose: composed(true),
  samples: samples.map(({ inputs: { x, weight }, attrs }) => ({ inputs: { x: x!, ...(weight && { weight }) }, attrs })),
});

const onlyThrough = noGradient("second derivatives go through the decomposition of layerNorm and rmsNorm");

/** All gradients of layerNorm (or, without `mean`, of rmsNorm) in one pass; `rstd` and `mean` are what forward found. */
export const normGrad = defineOp({
  name: "normGrad",
  inputs: ["x", "dy", "rstd", "weight?", "mean?"],
  outputs: ["dx", "dw", "db"],
  saves: [],
  infer({ x, dy, rstd, weight, mean }, attrs: NormAttrs) {
    const { y, row } = inferNorm("normGrad", { x, ...(weight && { weight }) }, attrs);
    if (dy.shape.join() !== x.shape.join()) throw new ShapeError("normGrad", `gradient ${show(dy)} and input ${show(x)} differ`);
    for (const t of [rstd, mean]) if (t && t.shape.join() !== row.shape.join()) throw new ShapeError("normGrad", `needs one number per row, ${showShape(row.shape)}, got ${show(t)}`);
    const line = { shape: attrs.normalizedShape, dtype: y.dtype };
    return { dx: y, dw: line, db: line };
  },
  reference({ x, dy, rstd, weight, mean }, { normalizedShape }, { dx, dw, db }) {
    const cols = sizeOf(normalizedShape);
    for (let r = 0; r < rstd.data.length; r++) {
      const hat = (j: number): number => (x.data[r * cols + j]! - (mean?.data[r] ?? 0)) * rstd.data[r]!;
      const g = (j: number): number => dy.data[r * cols + j]! * (weight?.data[j] ?? 1);
      let [c1, c2] = [0, 0];
      for (let j = 0; j < cols; j++) {
        if (mean) c1 += g(j) / cols;
        c2 += (g(j) * hat(j)) / cols;
        dw.data[j]! += dy.data[r * cols + j]! * hat(j);
        db.data[j]! += dy.data[r * cols + j]!;
      }
      for (let j = 0; j < cols; j++) dx.data[r * cols + j] = (g(j) - c1 - hat(j) * c2) * rstd.data[r]!;
    }
  },
  vjp: { x: onlyThrough, dy: onlyThrough, rstd: onlyThrough, weight: onlyThrough, mean: onlyThrough },
  samples: samples.map(({ inputs: { x, weight }, attrs }) => {
    const row = x!.slice(0, x!.length - attrs.normalizedShape.length);
    return { inputs: { x: x!, dy: x!, rstd: { shape: row, low: 0.5, high: 2 }, ...(weight && { weight, mean: row }) }, attrs };
  }),
});
