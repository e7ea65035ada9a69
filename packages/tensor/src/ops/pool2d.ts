/** Pooling over windows of an image. Results are channels-last in memory, like those of conv2d. */
import { defineOp, noGradient, type Aval, type RefArray } from "../define.ts";
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
const maxPool = (x: Shape, { relu = false, ...attrs }: Partial<MaxPoolAttrs> & { kernelSize: Pair; stride: Pair }) => {
  const { inputs, attrs: { countIncludePad: _, ...all } } = pool(x, attrs);
  return { inputs, attrs: { ...all, relu } };
};
const pooledSamples = [
  { attrs: { ...poolDefaults, kernelSize: [3, 3], stride: [1, 1] }, image: [2, 3, 4, 4], pooled: [2, 3, 2, 2], taps: { shape: [2, 3, 2, 2], dtype: "u8", low: 0, high: 3 } },
  { attrs: { ...poolDefaults, kernelSize: [3, 4], stride: [1, 1] }, image: [1, 19, 4, 5], pooled: [1, 19, 2, 2], taps: { shape: [1, 19, 2, 2], dtype: "u8", low: 0, high: 3 } },
  { attrs: { ...poolDefaults, kernelSize: [2, 2], stride: [2, 2] }, image: [0, 3, 4, 4], pooled: [0, 3, 2, 2], taps: { shape: [0, 3, 2, 2], dtype: "u8", low: 0, high: 3 } },
] as const;

export interface MaxPoolAttrs extends PoolAttrs {
  /** Negative maxima become 0: the ReLU before (or after) the pooling, on the smaller image. */
  readonly relu: boolean;
}

/** Taps are small numbers: bytes, unless a window has more than 255 of them. */
const tapType = ({ kernelSize }: PoolAttrs): DType => (kernelSize[0] * kernelSize[1] <= 255 ? "u8" : "i32");
/** The tap of a maximum that ReLU cut off. */
const noTap = (type: DType): number => (type === "u8" ? 255 : -1);

/** Visits every element of a pooled image that has a tap, with the tap's position in the image. */
function eachTap(taps: RefArray, [h, w]: Pair, attrs: PoolAttrs, visit: (at: number, position: number) => void): void {
  const none = noTap(tapType(attrs));
  eachWindow(taps.shape[0]! * taps.shape[1]!, [h, w], imageSize(taps.shape), attrs, (plane, at, _rows, _cols, i, j) => {
    const [tap, columns] = [taps.data[at]!, attrs.kernelSize[1]];
    if (tap === none) return;
    const row = i * attrs.stride[0] - attrs.padding[0] + Math.floor(tap / columns) * attrs.dilation[0];
    visit(at, (plane * h + row) * w + j * attrs.stride[1] - attrs.padding[2] + (tap % columns) * attrs.dilation[1]);
  });
}

/**
 * Largest value of each window and its tap, the place `row·kW + column` in the window. Padding counts as −∞, the first of equals wins,
 * NaN (the last one) wins over all. With `relu` a maximum that is not positive has no tap (−1, as a byte 255): no gradient passes.
 */
export const maxPool2d = defineOp({
  name: "maxPool2d",
  inputs: ["x"],
  outputs: ["y", "taps"],
  saves: ["taps"],
  infer({ x }, attrs: MaxPoolAttrs) {
    const shape = [...x.shape.slice(0, 2), ...poolSizes("maxPool2d", x, attrs)];
    return { y: { shape, dtype: floatType("maxPool2d", x) }, taps: { shape, dtype: tapType(attrs) } };
  },
  reference({ x }, attrs, { y, taps }) {
    const [h, w] = imageSize(x.shape);
    eachWindow(x.shape[0]! * x.shape[1]!, [h, w], imageSize(y.shape), attrs, (plane, at, rows, cols, i, j) => {
      const { kernelSize, stride, padding, dilation, relu } = attrs;
      let best = -Infinity;
      let [row, col] = [rows[0]!, cols[0]!];
      for (const r of rows)
        for (const c of cols) {
          const v = x.data[(plane * h + r) * w + c]!;
          if (v > best || Number.isNaN(v)) [best, row, col] = [v, r, c];
        }
      const tap = ((row - i * stride[0] + padding[0]) / dilation[0]) * kernelSize[1] + (col - j * stride[1] + padding[2]) / dilation[1];
      y.data[at] = relu && best <= 0 ? 0 : best;
      taps.data[at] = relu && best <= 0 ? noTap(tapType(attrs)) : tap;
    });
  },
  vjp: { x: ({ dy, taps, attrs: { relu: _, ...attrs }, avals }): Tensor => maxPool2dGrad({ grad: dy, taps }, { ...attrs, inputSize: imageSize(avals.x.shape) }) },
  samples: [
    maxPool([2, 3, 6, 8], { kernelSize: [2, 2], stride: [2, 2] }),
    maxPool([1, 5, 7, 5], { kernelSize: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1], relu: true }),
    maxPool([2, 1, 7, 6], { kernelSize: [3, 2], stride: [2, 3], ceilMode: true }),
    maxPool([1, 2, 9, 7], { kernelSize: [2, 3], stride: [1, 2], dilation: [3, 2], padding: [1, 0, 1, 1], relu: true }),
    maxPool([1, 17, 5, 5], { kernelSize: [3, 3], stride: [1, 1] }),
    maxPool([1, 2, 17, 18], { kernelSize: [16, 16], stride: [1, 2] }),
    maxPool([0, 2, 4, 4], { kernelSize: [2, 2], stride: [2, 2] }),
  ],
});

const places = noGradient("places in a window are whole numbers");

function checkTaps(op: string, taps: Aval, x: Aval, attrs: PoolAttrs): void {
  checkPooled(op, "taps", taps, x, poolSizes(op, x, attrs), tapType(attrs));
}

/** Sends each gradient to the tap its maximum came from, which lies in the image; overlapping windows add up. */
export const maxPool2dGrad = defineOp({
  name: "maxPool2dGrad",
  inputs: ["grad", "taps"],
  saves: ["taps"],
  infer({ grad, taps }, { inputSize, ...attrs }: PoolAttrs & { inputSize: Pair }) {
    checkImage("maxPool2dGrad", "gradient", grad);
    const x = { shape: [...grad.shape.slice(0, 2), ...inputSize], dtype: floatType("maxPool2dGrad", grad) };
    checkPooled("maxPool2dGrad", "gradient", grad, x, poolSizes("maxPool2dGrad", x, attrs));
    checkTaps("maxPool2dGrad", taps, x, attrs);
    return x;
  },
  reference: ({ grad, taps }, { inputSize, ...attrs }, y) => eachTap(taps, inputSize, attrs, (at, position) => (y.data[position]! += grad.data[at]!)),
  vjp: { grad: ({ dy, taps, attrs: { inputSize: _, ...attrs } }): Tensor => poolGather({ x: dy, taps }, attrs), taps: places },
  samples: pooledSamples.map(({ attrs, image, pooled, taps }) => ({ inputs: { grad: pooled, taps }, attrs: { ...attrs, inputSize: imageSize(image) } })),
});

/** Reads each window at its tap: what max pooling does once it knows where the maxima are. */
export const poolGather = defineOp({
  name: "poolGather",
  inputs: ["x", "taps"],
  saves: ["taps"],
  infer({ x, taps }, attrs: PoolAttrs) {
    checkTaps("poolGather", taps, x, attrs);
    return { shape: taps.shape, dtype: floatType("poolGather", x) };
  },
  reference: ({ x, taps }, attrs, y) => eachTap(taps, imageSize(x.shape), attrs, (at, position) => (y.data[at] = x.data[position]!)),
  vjp: { x: ({ dy, taps, attrs, avals }): Tensor => maxPool2dGrad({ grad: dy, taps }, { ...attrs, inputSize: imageSize(avals.x.shape) }), taps: places },
  samples: pooledSamples.map(({ attrs, image, taps }) => ({ inputs: { x: image, taps }, attrs })),
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
