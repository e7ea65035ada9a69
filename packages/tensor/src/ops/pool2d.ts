/** Pooling over windows of an image. Results are channels-last in memory, like those of conv2d. */
import { defineOp, noGradient, type Aval } from "../define.ts";
import { isFloat, type DType } from "../dtype.ts";
import { ArgumentError, DTypeError, ShapeError } from "../errors.ts";
import type { Shape } from "../layout.ts";
import type { Tensor } from "../tensor.ts";
import { show } from "./shape-rules.ts";
import { checkImage, effectiveSize, windowCounts, type Pair, type Sliding } from "./window.ts";

export interface PoolAttrs extends Sliding {
  readonly kernelSize: Pair;
  /** Windows that hang over the end count if they start inside, as in PyTorch. */
  readonly ceilMode: boolean;
}

/** Result size. @throws ShapeError, ArgumentError */
export function poolSizes(op: string, x: Aval, attrs: PoolAttrs): [oh: number, ow: number] {
  checkImage(op, "input", x);
  const counts = windowCounts(op, x, attrs.kernelSize, attrs, attrs.ceilMode);
  for (const d of [0, 1] as const) {
    const { kernelSize, stride, padding, dilation } = attrs;
    const size = x.shape[2 + d]!;
    if (Math.max(padding[2 * d]!, padding[2 * d + 1]!) >= effectiveSize(kernelSize[d], dilation[d])) {
      throw new ShapeError(op, `padding [${padding.join(",")}] is as large as the window ${kernelSize.join("×")}`, { hint: "a window would hold padding alone; use at most kernelSize / 2" });
    }
    for (let i = 0; dilation[d] > 1 && i < counts[d]; i++) {
      const start = i * stride[d] - padding[2 * d]!;
      const first = start < 0 ? start + Math.ceil(-start / dilation[d]) * dilation[d] : start;
      if (first >= Math.min(size, start + effectiveSize(kernelSize[d], dilation[d]))) throw new ShapeError(op, `window ${i} of ${show(x)} holds padding alone`, { hint: "use less padding or dilation" });
    }
  }
  return counts;
}

function floatType(op: string, x: Aval): DType {
  if (!isFloat(x.dtype)) throw new DTypeError(op, `needs a floating-point input, got ${show(x)}`, { hint: 'x.cast("f32")' });
  return x.dtype;
}

/** Visits every window: plane, position in the result, and the part of the window inside the image. */
function eachWindow(planes: number, [h, w]: Pair, [oh, ow]: Pair, a: PoolAttrs, visit: (plane: number, at: number, rows: number[], cols: number[], i: number, j: number) => void): void {
  const inside = (start: number, size: number, kernel: number, dilation: number): number[] =>
    Array.from({ length: kernel }, (_, p) => start + p * dilation).filter((v) => v >= 0 && v < size);
  for (let plane = 0; plane < planes; plane++)
    for (let i = 0; i < oh; i++)
      for (let j = 0; j < ow; j++) {
        const rows = inside(i * a.stride[0] - a.padding[0], h, a.kernelSize[0], a.dilation[0]);
        const cols = inside(j * a.stride[1] - a.padding[2], w, a.kernelSize[1], a.dilation[1]);
        visit(plane, (plane * oh + i) * ow + j, rows, cols, i, j);
      }
}

const imageSize = (shape: Shape): Pair => [shape[2]!, shape[3]!];

function checkPooled(op: string, name: string, pooled: Aval, x: Aval, counts: Pair, dtype = pooled.dtype): void {
  const expected = { shape: [...x.shape.slice(0, 2), ...counts], dtype };
  if (show(pooled) !== show(expected)) throw new ShapeError(op, `${name} ${show(pooled)} must be ${show(expected)}, the pooled ${show(x)}`);
}

// — samples —
const poolDefaults = { padding: [0, 0, 0, 0], dilation: [1, 1], ceilMode: false, countIncludePad: true } as const;
function pool(x: Shape, attrs: Partial<AvgPoolAttrs> & { kernelSize: Pair; stride: Pair }) {
  return { inputs: { x: { shape: x, distinct: true } }, attrs: { ...poolDefaults, ...attrs } };
}
// Positions that lie in every window.
const pooledSamples = [
  { attrs: { ...poolDefaults, kernelSize: [3, 3], stride: [1, 1] }, image: [2, 3, 4, 4], pooled: [2, 3, 2, 2], indices: { shape: [2, 3, 2, 2], dtype: "i32", low: 5, high: 6 } },
  { attrs: { ...poolDefaults, kernelSize: [3, 4], stride: [1, 1] }, image: [1, 19, 4, 5], pooled: [1, 19, 2, 2], indices: { shape: [1, 19, 2, 2], dtype: "i32", low: 6, high: 8 } },
  { attrs: { ...poolDefaults, kernelSize: [2, 2], stride: [2, 2] }, image: [0, 3, 4, 4], pooled: [0, 3, 2, 2], indices: { shape: [0, 3, 2, 2], dtype: "i32", low: 0, high: 1 } },
] as const;

/** Largest value of each window and where it was: `y·W + x` in its plane. Padding counts as −∞, the first of equals wins, NaN (the last one) wins over all. */
export const maxPool2d = defineOp({
  name: "maxPool2d",
  inputs: ["x"],
  outputs: ["y", "indices"],
  saves: ["indices"],
  infer({ x }, attrs: PoolAttrs) {
    const shape = [...x.shape.slice(0, 2), ...poolSizes("maxPool2d", x, attrs)];
    return { y: { shape, dtype: floatType("maxPool2d", x) }, indices: { shape, dtype: "i32" } };
  },
  reference({ x }, attrs, { y, indices }) {
    const [h, w] = imageSize(x.shape);
    eachWindow(x.shape[0]! * x.shape[1]!, [h, w], imageSize(y.shape), attrs, (plane, at, rows, cols) => {
      let best = rows[0]! * w + cols[0]!;
      const value = (i: number) => x.data[plane * h * w + i]!;
      for (const r of rows) for (const c of cols) if (value(r * w + c) > value(best) || Number.isNaN(value(r * w + c))) best = r * w + c;
      y.data[at] = value(best);
      indices.data[at] = best;
    });
  },
  vjp: { x: ({ dy, indices, attrs, avals }): Tensor => maxPool2dGrad({ grad: dy, indices }, { ...attrs, inputSize: imageSize(avals.x.shape) }) },
  samples: [
    pool([2, 3, 6, 8], { kernelSize: [2, 2], stride: [2, 2] }),
    pool([1, 5, 7, 5], { kernelSize: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] }),
    pool([2, 1, 7, 6], { kernelSize: [3, 2], stride: [2, 3], ceilMode: true }),
    pool([1, 2, 9, 7], { kernelSize: [2, 3], stride: [1, 2], dilation: [3, 2], padding: [1, 0, 1, 1] }),
    pool([1, 17, 5, 5], { kernelSize: [3, 3], stride: [1, 1] }),
    pool([0, 2, 4, 4], { kernelSize: [2, 2], stride: [2, 2] }),
  ],
});

const positions = noGradient("positions are whole numbers");

/** Sends each gradient to the position its maximum came from, which lies in its window; overlapping windows add up. */
export const maxPool2dGrad = defineOp({
  name: "maxPool2dGrad",
  inputs: ["grad", "indices"],
  saves: ["indices"],
  infer({ grad, indices }, { inputSize, ...attrs }: PoolAttrs & { inputSize: Pair }) {
    checkImage("maxPool2dGrad", "gradient", grad);
    const x = { shape: [...grad.shape.slice(0, 2), ...inputSize], dtype: floatType("maxPool2dGrad", grad) };
    checkPooled("maxPool2dGrad", "gradient", grad, x, poolSizes("maxPool2dGrad", x, attrs));
    checkPooled("maxPool2dGrad", "indices", indices, x, poolSizes("maxPool2dGrad", x, attrs), "i32");
    return x;
  },
  reference({ grad, indices }, { inputSize: [h, w] }, y) {
    const area = grad.shape[2]! * grad.shape[3]!;
    for (let i = 0; i < grad.data.length; i++) y.data[Math.floor(i / area) * h * w + indices.data[i]!]! += grad.data[i]!;
  },
  vjp: { grad: ({ dy, indices, attrs: { inputSize: _, ...attrs } }): Tensor => poolGather({ x: dy, indices }, attrs), indices: positions },
  samples: pooledSamples.map(({ attrs, image, pooled, indices }) => ({ inputs: { grad: pooled, indices }, attrs: { ...attrs, inputSize: imageSize(image) } })),
});

/** Reads each plane at the positions of `indices`: what max pooling does once it knows where the maxima are. */
export const poolGather = defineOp({
  name: "poolGather",
  inputs: ["x", "indices"],
  saves: ["indices"],
  infer({ x, indices }, attrs: PoolAttrs) {
    checkPooled("poolGather", "indices", indices, x, poolSizes("poolGather", x, attrs), "i32");
    return { shape: indices.shape, dtype: floatType("poolGather", x) };
  },
  reference({ x, indices }, _, y) {
    const area = y.shape[2]! * y.shape[3]!;
    const plane = x.shape[2]! * x.shape[3]!;
    for (let i = 0; i < y.data.length; i++) y.data[i] = x.data[Math.floor(i / area) * plane + indices.data[i]!]!;
  },
  vjp: { x: ({ dy, indices, attrs, avals }): Tensor => maxPool2dGrad({ grad: dy, indices }, { ...attrs, inputSize: imageSize(avals.x.shape) }), indices: positions },
  samples: pooledSamples.map(({ attrs, image, indices }) => ({ inputs: { x: image, indices }, attrs })),
});

export interface AvgPoolAttrs extends PoolAttrs {
  /** Whether padding counts in the divisor (PyTorch's default) or only real elements do (TensorFlow). */
  readonly countIncludePad: boolean;
}

/** Divisor of window (i, j). What hangs over the padded image (`ceilMode`) never counts. */
function divisor([h, w]: Pair, { kernelSize, stride, padding, countIncludePad }: AvgPoolAttrs, rows: number[], cols: number[], i: number, j: number): number {
  if (!countIncludePad) return rows.length * cols.length;
  const start = [i * stride[0] - padding[0], j * stride[1] - padding[2]] as const;
  return (Math.min(start[0] + kernelSize[0], h + padding[1]) - start[0]) * (Math.min(start[1] + kernelSize[1], w + padding[3]) - start[1]);
}

function avgSizes(op: string, x: Aval, attrs: AvgPoolAttrs): Pair {
  if (attrs.dilation.some((d) => d !== 1)) throw new ArgumentError(op, `dilation is [${attrs.dilation.join(",")}]`, { hint: "average pooling has none: use [1, 1]" });
  return poolSizes(op, x, attrs);
}

/** Mean of each window. */
export const avgPool2d = defineOp({
  name: "avgPool2d",
  inputs: ["x"],
  saves: [],
  infer: ({ x }, attrs: AvgPoolAttrs) => ({ shape: [...x.shape.slice(0, 2), ...avgSizes("avgPool2d", x, attrs)], dtype: floatType("avgPool2d", x) }),
  reference({ x }, attrs, y) {
    const [h, w] = imageSize(x.shape);
    eachWindow(x.shape[0]! * x.shape[1]!, [h, w], imageSize(y.shape), attrs, (plane, at, rows, cols, i, j) => {
      let sum = 0;
      for (const r of rows) for (const c of cols) sum += x.data[(plane * h + r) * w + c]!;
      y.data[at] = sum / divisor([h, w], attrs, rows, cols, i, j);
    });
  },
  vjp: { x: ({ dy, attrs, avals }): Tensor => avgPool2dGrad({ grad: dy }, { ...attrs, inputSize: imageSize(avals.x.shape) }) },
  samples: [
    pool([2, 3, 6, 8], { kernelSize: [2, 2], stride: [2, 2] }),
    pool([1, 5, 7, 5], { kernelSize: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] }),
    pool([1, 5, 7, 5], { kernelSize: [3, 3], stride: [2, 2], padding: [1, 0, 0, 1], countIncludePad: false }),
    pool([2, 1, 7, 6], { kernelSize: [3, 2], stride: [2, 3], ceilMode: true, padding: [1, 1, 0, 1] }),
    pool([1, 17, 5, 5], { kernelSize: [3, 3], stride: [1, 1] }),
    pool([0, 2, 4, 4], { kernelSize: [2, 2], stride: [2, 2] }),
  ],
});

/** Spreads each gradient evenly over its window. */
export const avgPool2dGrad = defineOp({
  name: "avgPool2dGrad",
  inputs: ["grad"],
  saves: [],
  infer({ grad }, { inputSize, ...attrs }: AvgPoolAttrs & { inputSize: Pair }) {
    checkImage("avgPool2dGrad", "gradient", grad);
    const x = { shape: [...grad.shape.slice(0, 2), ...inputSize], dtype: floatType("avgPool2dGrad", grad) };
    checkPooled("avgPool2dGrad", "gradient", grad, x, avgSizes("avgPool2dGrad", x, attrs));
    return x;
  },
  reference({ grad }, { inputSize: [h, w], ...attrs }, y) {
    eachWindow(grad.shape[0]! * grad.shape[1]!, [h, w], imageSize(grad.shape), attrs, (plane, at, rows, cols, i, j) => {
      const share = grad.data[at]! / divisor([h, w], attrs, rows, cols, i, j);
      for (const r of rows) for (const c of cols) y.data[(plane * h + r) * w + c]! += share;
    });
  },
  vjp: { grad: ({ dy, attrs: { inputSize: _, ...attrs } }): Tensor => avgPool2d({ x: dy }, attrs) },
  samples: [
    { inputs: { grad: [2, 3, 3, 4] }, attrs: { ...poolDefaults, kernelSize: [2, 2], stride: [2, 2], inputSize: [6, 8] } },
    { inputs: { grad: [1, 5, 4, 3] }, attrs: { ...poolDefaults, kernelSize: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1], inputSize: [7, 5] } },
    { inputs: { grad: [1, 5, 3, 2] }, attrs: { ...poolDefaults, kernelSize: [3, 3], stride: [2, 2], padding: [1, 0, 0, 1], countIncludePad: false, inputSize: [7, 5] } },
    { inputs: { grad: [0, 2, 2, 2] }, attrs: { ...poolDefaults, kernelSize: [2, 2], stride: [2, 2], inputSize: [4, 4] } },
  ],
});
