/** Pooling as users call it. */
import { ShapeError } from "../errors.ts";
import { contiguous, type Shape } from "../layout.ts";
import { empty, type Tensor } from "../tensor.ts";
import * as records from "./pool2d.ts";
import { checkImage, toPadding, toPair, type PaddingLike, type PairLike } from "./window.ts";
import { composite } from "./composite.ts";

export interface PoolOptions {
  /** Default: the kernel size, so that windows do not overlap. */
  stride?: PairLike;
  /** As for conv2d; at most half a window is sensible. */
  padding?: PaddingLike;
  /** Also count windows that hang over the end, if they start inside. */
  ceilMode?: boolean;
}
export interface MaxPoolOptions extends PoolOptions {
  dilation?: PairLike;
  /** Also apply ReLU, which may come before or after a maximum: the same result and gradient, in the same pass over the smaller image. */
  relu?: boolean;
}
export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts in the divisor; default true, as PyTorch. */
  countIncludePad?: boolean;
}

function poolAttrs(op: string, x: Tensor, kernelSize: PairLike, { stride = kernelSize, padding = 0, dilation = 1, ceilMode = false }: Omit<MaxPoolOptions, "relu">): records.PoolAttrs {
  checkImage(op, "input", x);
  const kernel = toPair(op, "kernelSize", kernelSize);
  const steps = toPair(op, "stride", stride);
  const holes = toPair(op, "dilation", dilation);
  const pads = toPadding(op, padding, [x.shape[2]!, x.shape[3]!], kernel, steps, holes);
  return { kernelSize: kernel, stride: steps, padding: pads, dilation: holes, ceilMode };
}

const maxima = (x: Tensor, kernelSize: PairLike, { relu = false, ...options }: MaxPoolOptions): { y: Tensor; taps: Tensor } =>
  records.maxPool2d({ x }, { ...poolAttrs("maxPool2d", x, kernelSize, options), relu });

/** Largest value of each window of `[N,C,H,W]`. */
export const maxPool2d = (x: Tensor, kernelSize: PairLike, options: MaxPoolOptions = {}): Tensor => {
  const { y, taps } = maxima(x, kernelSize, options);
  taps.dispose(); // the tape keeps its own
  return y;
};

/** The same with the position `row·W + column` each maximum came from. */
export const maxPool2dWithIndices = composite("maxPool2dWithIndices", (x: Tensor, kernelSize: PairLike, options: Omit<MaxPoolOptions, "relu"> = {}): { y: Tensor; indices: Tensor } => {
  const { y, taps } = maxima(x, kernelSize, options);
  const [n, c, h, w] = x.shape as readonly [number, number, number, number];
  const plane = constant(x, [1, 1, h, w], h * w <= 2 ** 24 ? "f32" : "f64"); // holds its own positions, exactly
  plane.unsafeView().forEach((_, i, values) => (values[i] = i));
  return { y, indices: records.poolGather({ x: plane.expand([n, c, h, w]), taps }, poolAttrs("maxPool2d", x, kernelSize, options)).cast("i32") };
});

/** Mean of each window of `[N,C,H,W]`. */
export const avgPool2d = (x: Tensor, kernelSize: PairLike, { countIncludePad = true, ...options }: AvgPoolOptions = {}): Tensor =>
  records.avgPool2d({ x }, { ...poolAttrs("avgPool2d", x, kernelSize, options), countIncludePad });

/**
 * Means over a grid of `outputSize` windows that cover the image: window i reaches from ⌊i·in/out⌋ to ⌈(i+1)·in/out⌉, as PyTorch.
 * Even splits are an avgPool2d, others two products with averaging matrices.
 */
export const adaptiveAvgPool2d = composite("adaptiveAvgPool2d", (x: Tensor, outputSize: PairLike): Tensor => {
  checkImage("adaptiveAvgPool2d", "input", x);
  const [oh, ow] = toPair("adaptiveAvgPool2d", "outputSize", outputSize);
  const [h, w] = [x.shape[2]!, x.shape[3]!];
  if (h === 0 || w === 0) throw new ShapeError("adaptiveAvgPool2d", `the image of [${x.shape.join(",")}] has no pixels`);
  if (h % oh === 0 && w % ow === 0) return avgPool2d(x, [h / oh, w / ow]);
  const rows = averaging(x, oh, h); // [oh,h]
  const cols = averaging(x, ow, w); // [ow,w]
  return rows.matmul(x.matmul(cols.t())); // [oh,h] @ [N,C,h,ow]
});

/** Matrix whose row i averages the elements of window i. */
function averaging(like: Tensor, out: number, size: number): Tensor {
  const matrix = constant(like, [out, size]);
  const values = matrix.unsafeView();
  for (let i = 0; i < out; i++) {
    const [start, end] = [Math.floor((i * size) / out), Math.ceil(((i + 1) * size) / out)];
    for (let j = 0; j < size; j++) values[i * size + j] = j >= start && j < end ? 1 / (end - start) : 0;
  }
  return matrix;
}

const constant = (like: Tensor, shape: Shape, dtype = like.dtype): Tensor => empty({ shape, dtype }, "pooling", contiguous(shape), like.backend);
