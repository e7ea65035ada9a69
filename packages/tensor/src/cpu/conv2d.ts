/** Convolution kernels: dense NHWC images, dense OIHW weights. Images in another order are copied once. */
import { activationCodes, scratchBytes } from "@nn/kernels";
import { kernel } from "../backend.ts";
import type { Aval } from "../define.ts";
import { channelsLast, contiguous, sizeOf } from "../layout.ts";
import { convSizes, type Conv2dAttrs, type ConvAttrs, type ConvSizes, type InputGradAttrs, type WeightGradAttrs } from "../ops/conv2d.ts";
import { empty, pointerOf, type Tensor } from "../tensor.ts";
import { withLayouts } from "./dense.ts";
import { run, withScratch } from "./launch.ts";

const kernelSizes = (sizes: ConvSizes, { stride, padding, dilation, groups }: ConvAttrs) => ({
  ...sizes,
  strideH: stride[0], strideW: stride[1], padTop: padding[0], padLeft: padding[2], dilationH: dilation[0], dilationW: dilation[1], groups,
});

/** f32, and at least one channel: an empty sum is left to the reference. */
const someChannels = (inputs: readonly Tensor[], outputs: readonly Aval[]): boolean =>
  inputs.every((t) => t.dtype === "f32" && t.shape.slice(1).every((n) => n > 0)) && outputs.every((o) => o.dtype === "f32");

export const conv2d = kernel<{ x: Tensor; weight: Tensor; bias?: Tensor }, Conv2dAttrs, Aval>(({ x, weight, bias }, attrs, out) => {
  const y = empty(out, "conv2d", channelsLast(out.shape), x.backend);
  if (sizeOf(out.shape) === 0) return y;
  const sizes = kernelSizes(convSizes("conv2d", x, weight, attrs), attrs);
  withLayouts((as) => {
    const args = {
      ...sizes,
      x: pointerOf(as(x, channelsLast(x.shape))),
      weight: pointerOf(as(weight, contiguous(weight.shape))),
      bias: bias ? pointerOf(as(bias, contiguous(bias.shape))) : 0,
      y: pointerOf(y),
      act: activationCodes[attrs.act],
    };
    withScratch(x.backend, scratchBytes.conv2d(sizes), (scratch) => run(x.backend, "conv2d", { ...args, scratch }));
  });
  return y;
}, someChannels);

export const conv2dInputGrad = kernel<{ grad: Tensor; weight: Tensor }, InputGradAttrs, Aval>(({ grad, weight }, attrs, out) => {
  const dx = empty(out, "conv2dInputGrad", channelsLast(out.shape), grad.backend);
  if (sizeOf(out.shape) === 0) return dx;
  const sizes = kernelSizes(convSizes("conv2dInputGrad", out, weight, attrs), attrs);
  withLayouts((as) => {
    const args = {
      ...sizes,
      dy: pointerOf(as(grad, channelsLast(grad.shape))),
      weight: pointerOf(as(weight, contiguous(weight.shape))),
      dx: pointerOf(dx),
    };
    withScratch(grad.backend, scratchBytes.conv2dInputGrad(sizes), (scratch) => run(grad.backend, "conv2dInputGrad", { ...args, scratch }));
  });
  return dx;
}, someChannels);

export const conv2dWeightGrad = kernel<{ x: Tensor; grad: Tensor }, WeightGradAttrs, { dweight: Aval; dbias: Aval }>(({ x, grad }, attrs, out) => {
  const dweight = empty(out.dweight, "conv2dWeightGrad", contiguous(out.dweight.shape), x.backend);
  const dbias = empty(out.dbias, "conv2dWeightGrad", contiguous(out.dbias.shape), x.backend);
  if (sizeOf(out.dweight.shape) === 0) return { dweight, dbias };
  const sizes = kernelSizes(convSizes("conv2dWeightGrad", x, out.dweight, attrs), attrs);
  withLayouts((as) => {
    const args = {
      ...sizes,
      x: pointerOf(as(x, channelsLast(x.shape))),
      dy: pointerOf(as(grad, channelsLast(grad.shape))),
      dw: pointerOf(dweight),
      db: attrs.bias ? pointerOf(dbias) : 0,
    };
    withScratch(x.backend, scratchBytes.conv2dWeightGrad(sizes), (scratch) => run(x.backend, "conv2dWeightGrad", { ...args, scratch }));
  });
  return { dweight, dbias };
}, someChannels);
