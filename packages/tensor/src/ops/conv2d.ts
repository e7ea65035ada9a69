/**
 * Convolution (cross-correlation, as every framework) and its two gradients. The three are linear in both of their inputs and
 * each is the gradient of the others, so any order of differentiation stays inside this file.
 *
 * `y[n,o,i,j] = b[o] + Σ_{c,p,q} w[o,c,p,q] · x[n,c, i·sH − top + p·dH, j·sW − left + q·dW]`
 */
import { defineOp, oncePerNode, type Aval } from "../define.ts";
import { isFloat, promote, type DType } from "../dtype.ts";
import { ArgumentError, DTypeError, ShapeError } from "../errors.ts";
import { showShape, type Shape } from "../layout.ts";
import { isRecording } from "../recorder.ts";
import type { Tensor } from "../tensor.ts";
import { activations, beforeActivation, checkActivation, type Activation } from "./activation.ts";
import { show } from "./shape-rules.ts";
import { checkImage, windowCounts, type Pair, type Sliding } from "./window.ts";

export interface ConvAttrs extends Sliding {
  readonly groups: number;
}

/** All sizes of a convolution. */
export interface ConvSizes {
  readonly n: number;
  readonly c: number;
  readonly h: number;
  readonly w: number;
  readonly oc: number;
  readonly kh: number;
  readonly kw: number;
  readonly oh: number;
  readonly ow: number;
}

/** Sizes from the shapes of image `[N,C,H,W]` and weight `[O,C/groups,kH,kW]`. @throws ShapeError, ArgumentError */
export function convSizes(op: string, x: Aval, weight: Aval, attrs: ConvAttrs): ConvSizes {
  checkImage(op, "input", x);
  if (weight.shape.length !== 4) throw new ShapeError(op, `weight must be [out, in/groups, kH, kW], got ${show(weight)}`);
  const [n, c, h, w] = x.shape as readonly [number, number, number, number];
  const [oc, cg, kh, kw] = weight.shape as readonly [number, number, number, number];
  const { groups } = attrs;
  if (!Number.isInteger(groups) || groups < 1) throw new ArgumentError(op, `groups is ${groups}`, { hint: "a whole number ≥ 1" });
  if (c !== cg * groups) {
    const fits = cg > 0 && c % cg === 0 && oc % (c / cg) === 0;
    throw new ShapeError(op, `expected ${x.dtype}[N,${cg * groups},H,W], got ${show(x)}`, {
      hint: fits ? `weight ${showShape(weight.shape)} fits this input with groups=${c / cg} (${c} = ${c / cg} × ${cg})` : `weight ${showShape(weight.shape)} reads ${cg * groups} channels${groups > 1 ? ` (groups=${groups} × ${cg})` : ""}; images are [N,C,H,W]`,
    });
  }
  if (oc % groups !== 0) throw new ShapeError(op, `${oc} output channels do not split into groups=${groups}`, { hint: "groups must divide input and output channels" });
  const [oh, ow] = windowCounts(op, x, [kh, kw], attrs);
  return { n, c, h, w, oc, kh, kw, oh, ow };
}

function floatType(op: string, ...inputs: Aval[]): DType {
  const dtype = inputs.map((t) => t.dtype).reduce(promote);
  if (!isFloat(dtype)) throw new DTypeError(op, `needs floating-point inputs, got ${inputs.map(show).join(" and ")}`, { hint: 'x.cast("f32")' });
  return dtype;
}

function checkResult(op: string, grad: Aval, { n, oc, oh, ow }: ConvSizes): void {
  const expected = [n, oc, oh, ow];
  if (grad.shape.join() !== expected.join()) {
    throw new ShapeError(op, `gradient ${show(grad)} does not have the shape ${showShape(expected)} of the convolution's result`, { hint: "sizes, stride, padding and dilation must be those of the forward convolution" });
  }
}

/** Visits every product of a convolution, by positions in y, x and w: the definition of all three ops. */
function eachProduct(s: ConvSizes, { stride, padding, dilation, groups }: ConvAttrs, visit: (y: number, x: number, w: number) => void): void {
  const cg = s.c / groups;
  const og = s.oc / groups;
  for (let n = 0; n < s.n; n++)
    for (let o = 0; o < s.oc; o++)
      for (let i = 0; i < s.oh; i++)
        for (let j = 0; j < s.ow; j++)
          for (let c = 0; c < cg; c++)
            for (let p = 0; p < s.kh; p++)
              for (let q = 0; q < s.kw; q++) {
                const row = i * stride[0] - padding[0] + p * dilation[0];
                const col = j * stride[1] - padding[2] + q * dilation[1];
                if (row < 0 || row >= s.h || col < 0 || col >= s.w) continue;
                const channel = Math.floor(o / og) * cg + c;
                visit(((n * s.oc + o) * s.oh + i) * s.ow + j, ((n * s.c + channel) * s.h + row) * s.w + col, ((o * cg + c) * s.kh + p) * s.kw + q);
              }
}

const hw = (shape: Shape): Pair => [shape[2]!, shape[3]!];
const geometry = ({ stride, padding, dilation, groups }: ConvAttrs): ConvAttrs => ({ stride, padding, dilation, groups });

// — samples —
const defaults: ConvAttrs = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };
function sample(x: Shape, weight: Shape, { bias = false, act = "none", ...attrs }: Partial<Conv2dAttrs> & { bias?: boolean } = {}) {
  return { inputs: bias ? { x, weight, bias: [weight[0]!] } : { x, weight }, attrs: { ...defaults, act, ...attrs } };
}

export interface Conv2dAttrs extends ConvAttrs {
  readonly act: Activation;
}

interface Conv2dNode {
  readonly dy: Tensor;
  readonly x: Tensor;
  readonly y: Tensor;
  readonly attrs: Conv2dAttrs;
  readonly avals: { readonly weight: Aval };
  readonly wanted: ReadonlySet<string>;
}

/** The bias's gradient comes with the weight's, in one pass over dy; not where it is to be differentiated again. */
const biasComesAlong = ({ wanted }: Conv2dNode): boolean => wanted.has("weight") && wanted.has("bias") && !isRecording();
const filterGrads = oncePerNode((node: Conv2dNode) =>
  conv2dWeightGrad({ x: node.x, grad: beforeActivation(node) }, { ...geometry(node.attrs), kernelSize: hw(node.avals.weight.shape), bias: biasComesAlong(node) }));

/** `y = act(x ⋆ weight + bias)`; the result is channels-last in memory. */
export const conv2d = defineOp({
  name: "conv2d",
  inputs: ["x", "weight", "bias?"],
  saves: ["x", "weight", "y"],
  infer({ x, weight, bias }, attrs: Conv2dAttrs) {
    const { n, oc, oh, ow } = convSizes("conv2d", x, weight, attrs);
    checkActivation("conv2d", attrs.act);
    if (bias && bias.shape.join() !== `${oc}`) throw new ShapeError("conv2d", `bias must be [${oc}], one number per output channel, got ${show(bias)}`);
    return { shape: [n, oc, oh, ow], dtype: floatType("conv2d", x, weight, ...(bias ? [bias] : [])) };
  },
  reference({ x, weight, bias }, attrs, y) {
    const sizes = convSizes("conv2d", { ...x, dtype: "f64" }, { ...weight, dtype: "f64" }, attrs);
    const area = sizes.oh * sizes.ow;
    if (bias) for (let i = 0; i < y.data.length; i++) y.data[i] = bias.data[Math.floor(i / area) % sizes.oc]!;
    eachProduct(sizes, attrs, (i, j, k) => (y.data[i]! += x.data[j]! * weight.data[k]!));
    for (let i = 0; i < y.data.length; i++) y.data[i] = activations[attrs.act].value(y.data[i]!);
  },
  unread: ({ act }) => (act === "none" ? ["y"] : []),
  vjp: {
    x: (node): Tensor => conv2dInputGrad({ grad: beforeActivation(node), weight: node.weight }, { ...geometry(node.attrs), inputSize: hw(node.avals.x.shape) }),
    weight: (node): Tensor => filterGrads(node).dweight,
    bias: (node): Tensor => (biasComesAlong(node) ? filterGrads(node).dbias : beforeActivation(node).sum([0, 2, 3])),
  },
  samples: [
    sample([2, 3, 5, 7], [4, 3, 3, 3], { bias: true, padding: [1, 1, 1, 1] }),
    sample([1, 1, 5, 5], [1, 1, 3, 3], { stride: [2, 2] }),
    sample([2, 4, 6, 5], [6, 2, 3, 2], { groups: 2, stride: [2, 1], padding: [1, 0, 2, 1], bias: true, act: "relu" }),
    sample([1, 2, 9, 8], [3, 2, 3, 3], { dilation: [2, 3], padding: [2, 2, 3, 3], act: "tanh" }),
    sample([3, 5, 4, 4], [7, 5, 1, 1], { bias: true, act: "sigmoid" }),
    sample([2, 3, 6, 6], [3, 1, 3, 3], { groups: 3, padding: [0, 1, 0, 1], stride: [3, 2] }),
    sample([0, 3, 4, 4], [2, 3, 3, 3], { bias: true }),
  ],
});

export interface InputGradAttrs extends ConvAttrs {
  readonly inputSize: Pair;
}

/** `dx` from `grad = dy`: every output pixel spreads over the window it was computed from. Also the transposed convolution. */
export const conv2dInputGrad = defineOp({
  name: "conv2dInputGrad",
  inputs: ["grad", "weight"],
  saves: ["grad", "weight"],
  infer({ grad, weight }, attrs: InputGradAttrs) {
    checkImage("conv2dInputGrad", "gradient", grad);
    const dtype = floatType("conv2dInputGrad", grad, weight);
    const shape = [grad.shape[0]!, (weight.shape[1] ?? 0) * attrs.groups, ...attrs.inputSize];
    checkResult("conv2dInputGrad", grad, convSizes("conv2dInputGrad", { shape, dtype }, weight, attrs));
    return { shape, dtype };
  },
  reference({ grad, weight }, attrs, y) {
    const sizes = convSizes("conv2dInputGrad", { ...y, dtype: "f64" }, { ...weight, dtype: "f64" }, attrs);
    eachProduct(sizes, attrs, (i, j, k) => (y.data[j]! += grad.data[i]! * weight.data[k]!));
  },
  vjp: {
    grad: ({ dy, weight, attrs }): Tensor => conv2d({ x: dy, weight }, { ...geometry(attrs), act: "none" }),
    weight: ({ dy, grad, attrs, avals }): Tensor => conv2dWeightGrad({ x: dy, grad }, { ...geometry(attrs), kernelSize: hw(avals.weight.shape), bias: false }).dweight,
  },
  samples: [
    { inputs: { grad: [2, 4, 3, 5], weight: [4, 3, 3, 3] }, attrs: { ...defaults, inputSize: [5, 7] } },
    { inputs: { grad: [1, 6, 3, 6], weight: [6, 2, 3, 2] }, attrs: { ...defaults, groups: 2, stride: [2, 1], padding: [1, 0, 2, 0], inputSize: [6, 5] } },
    { inputs: { grad: [1, 3, 2, 2], weight: [3, 2, 2, 3] }, attrs: { ...defaults, dilation: [2, 1], stride: [3, 3], inputSize: [8, 8] } },
    { inputs: { grad: [0, 2, 2, 2], weight: [2, 3, 3, 3] }, attrs: { ...defaults, inputSize: [4, 4] } },
  ],
});

export interface WeightGradAttrs extends ConvAttrs {
  readonly kernelSize: Pair;
  /** Also sum `grad` itself. */
  readonly bias: boolean;
}

/**
 * `dweight` from the image and `grad = dy`: sums over batch and positions. With `bias` also `dbias`, the sums of `grad`, in the same
 * pass; it has no gradient of its own (where one is needed, the sums are taken by `sum`) and is empty otherwise.
 */
export const conv2dWeightGrad = defineOp({
  name: "conv2dWeightGrad",
  inputs: ["x", "grad"],
  outputs: ["dweight", "dbias"],
  saves: ["x", "grad"],
  infer({ x, grad }, attrs: WeightGradAttrs) {
    checkImage("conv2dWeightGrad", "input", x);
    checkImage("conv2dWeightGrad", "gradient", grad);
    const dtype = floatType("conv2dWeightGrad", x, grad);
    const shape = [grad.shape[1]!, Math.floor(x.shape[1]! / attrs.groups), ...attrs.kernelSize];
    checkResult("conv2dWeightGrad", grad, convSizes("conv2dWeightGrad", x, { shape, dtype }, attrs));
    return { dweight: { shape, dtype }, dbias: { shape: [attrs.bias ? shape[0]! : 0], dtype } };
  },
  reference({ x, grad }, attrs, { dweight, dbias }) {
    const sizes = convSizes("conv2dWeightGrad", { ...x, dtype: "f64" }, { ...dweight, dtype: "f64" }, attrs);
    eachProduct(sizes, attrs, (i, j, k) => (dweight.data[k]! += x.data[j]! * grad.data[i]!));
    if (attrs.bias) grad.data.forEach((d, i) => (dbias.data[Math.floor(i / (sizes.oh * sizes.ow)) % sizes.oc]! += d));
  },
  vjp: {
    x: ({ dy, grad, attrs, avals }): Tensor => conv2dInputGrad({ grad, weight: dy }, { ...geometry(attrs), inputSize: hw(avals.x.shape) }),
    grad: ({ dy, x, attrs }): Tensor => conv2d({ x, weight: dy }, { ...geometry(attrs), act: "none" }),
  },
  samples: [
    { inputs: { x: [2, 3, 5, 7], grad: [2, 4, 3, 5] }, attrs: { ...defaults, kernelSize: [3, 3], bias: true } },
    { inputs: { x: [1, 4, 6, 5], grad: [1, 6, 3, 6] }, attrs: { ...defaults, groups: 2, stride: [2, 1], padding: [1, 0, 2, 0], kernelSize: [3, 2], bias: true } },
    { inputs: { x: [1, 2, 8, 8], grad: [1, 3, 2, 2] }, attrs: { ...defaults, dilation: [2, 1], stride: [3, 3], kernelSize: [2, 3], bias: false } },
    { inputs: { x: [0, 3, 4, 4], grad: [0, 2, 2, 2] }, attrs: { ...defaults, kernelSize: [3, 3], bias: true } },
  ],
});
