/** Pooling kernels over dense NHWC images. */
import { kernel, singlePrecision } from "../backend.ts";
import type { Aval } from "../define.ts";
import { channelsLast, sizeOf, type Shape } from "../layout.ts";
import type { AvgPoolAttrs, MaxPoolAttrs, PoolAttrs } from "../ops/pool2d.ts";
import type { Pair } from "../ops/window.ts";
import { empty, pointerOf, type Tensor } from "../tensor.ts";
import { withLayouts } from "./dense.ts";
import { run } from "./launch.ts";

/** Sizes as the kernels want them, from the image and the pooled image. */
function poolSizes(image: Shape, pooled: Shape, { kernelSize, stride, padding, dilation }: PoolAttrs) {
  const [n, c, h, w] = image as readonly [number, number, number, number];
  return {
    n, c, h, w, kh: kernelSize[0], kw: kernelSize[1], oh: pooled[2]!, ow: pooled[3]!,
    strideH: stride[0], strideW: stride[1], padTop: padding[0], padLeft: padding[2], dilationH: dilation[0], dilationW: dilation[1],
  };
}

/** f32 values; taps are bytes or i32. */
const withTaps = (inputs: readonly Tensor[], outputs: readonly Aval[]): boolean => [...inputs, ...outputs].every(({ dtype }) => dtype !== "f64");
const tapsIn = (taps: Tensor) => ({ taps: pointerOf(taps), wideTaps: Number(taps.dtype === "i32") });

export const maxPool2d = kernel<{ x: Tensor }, MaxPoolAttrs, { y: Aval; taps: Aval }>(({ x }, attrs, out) => {
  const layout = channelsLast(out.y.shape);
  const y = empty(out.y, "maxPool2d", layout, x.backend);
  const taps = empty(out.taps, "maxPool2d", layout, x.backend);
  if (sizeOf(out.y.shape) > 0) {
    const relu = Number(attrs.relu);
    withLayouts((as) => run(x.backend, "maxPool2d", { ...poolSizes(x.shape, out.y.shape, attrs), relu, x: pointerOf(as(x, channelsLast(x.shape))), y: pointerOf(y), ...tapsIn(taps) }));
  }
  return { y, taps };
}, withTaps);

export const maxPool2dGrad = kernel<{ grad: Tensor; taps: Tensor }, PoolAttrs & { inputSize: Pair }, Aval>(({ grad, taps }, attrs, out) => {
  const dx = empty(out, "maxPool2dGrad", channelsLast(out.shape), grad.backend);
  if (sizeOf(out.shape) === 0) return dx;
  withLayouts((as) => {
    const layout = channelsLast(grad.shape);
    run(grad.backend, "maxPool2dGrad", { ...poolSizes(out.shape, grad.shape, attrs), dy: pointerOf(as(grad, layout)), ...tapsIn(as(taps, layout)), dx: pointerOf(dx) });
  });
  return dx;
}, withTaps);

export const poolGather = kernel<{ x: Tensor; taps: Tensor }, PoolAttrs, Aval>(({ x, taps }, attrs, out) => {
  const layout = channelsLast(out.shape);
  const y = empty(out, "poolGather", layout, x.backend);
  if (sizeOf(out.shape) === 0) return y;
  withLayouts((as) => run(x.backend, "poolGather", { ...poolSizes(x.shape, out.shape, attrs), x: pointerOf(as(x, channelsLast(x.shape))), ...tapsIn(as(taps, layout)), y: pointerOf(y) }));
  return y;
}, withTaps);

/** The same for means: padding counts up to the end of the padded image, or not at all. */
function meanSizes(image: Shape, pooled: Shape, attrs: AvgPoolAttrs) {
  const { dilationH: _h, dilationW: _w, ...sizes } = poolSizes(image, pooled, attrs);
  const [, bottom, , right] = attrs.padding;
  return { ...sizes, countH: attrs.countIncludePad ? sizes.h + bottom : 0, countW: attrs.countIncludePad ? sizes.w + right : 0 };
}

export const avgPool2d = kernel<{ x: Tensor }, AvgPoolAttrs, Aval>(({ x }, attrs, out) => {
  const y = empty(out, "avgPool2d", channelsLast(out.shape), x.backend);
  if (sizeOf(out.shape) === 0) return y;
  withLayouts((as) => run(x.backend, "avgPool2d", { ...meanSizes(x.shape, out.shape, attrs), x: pointerOf(as(x, channelsLast(x.shape))), y: pointerOf(y) }));
  return y;
}, singlePrecision);

export const avgPool2dGrad = kernel<{ grad: Tensor }, AvgPoolAttrs & { inputSize: Pair }, Aval>(({ grad }, attrs, out) => {
  const dx = empty(out, "avgPool2dGrad", channelsLast(out.shape), grad.backend);
  if (sizeOf(out.shape) === 0) return dx;
  withLayouts((as) => run(grad.backend, "avgPool2dGrad", { ...meanSizes(out.shape, grad.shape, attrs), dy: pointerOf(as(grad, channelsLast(grad.shape))), dx: pointerOf(dx) }));
  return dx;
}, singlePrecision);
