/**
 * Golden → call: how each op of the goldens is called through the public API.
 * Inputs come in PyTorch's order, attributes as stored in the file; several results are named as there.
 */
import {
  adaptiveAvgPool2d, avgPool2d, batchNorm, concat, conv1d, conv2d, crossEntropy, einsum, embedding, embeddingBag, groupNorm, instanceNorm, layerNorm, localResponseNorm, maxPool2d, maxout, ops,
  rmsNorm, scaledDotProductAttention, stack, step,
  type AttentionOptions, type AvgPoolOptions, type Conv1dOptions, type Conv2dOptions, type CrossEntropyOptions, type DType, type EmbeddingBagOptions,
  type LocalResponseNormOptions,
  type MaxPoolOptions, type Tensor,
} from "@nn/tensor";
import * as layers from "@nn/layers";
import * as pool from "@nn/layers/pool";
import { ConvTranspose1d } from "@nn/layers/sequence";
import { discriminatorLoss, generatorLoss } from "@nn/layers/gan";
import type { Attrs } from "./index.ts";

export type Outputs = Tensor | Record<string, Tensor>;
export type Adapter = (inputs: Tensor[], attrs: Attrs) => Outputs;

// What a recipe wrote into an attribute is what the op takes; that is what these tests show, so they do not check it twice.
type Method = keyof Tensor & string;
type Loose = Record<string, (...args: unknown[]) => Tensor>;
const method = (x: Tensor, name: Method, ...args: unknown[]): Tensor => (x as unknown as Loose)[name]!(...args);

/** `x.name(options)`, `x.name(dim, options)`, `a.name(b)` where b is a tensor or a number. */
const plain = (name: Method): Adapter => ([x]) => method(x!, name);
const withOptions = (name: Method): Adapter => ([x], attrs) => method(x!, name, attrs);
const along = (name: Method): Adapter => ([x], { dim, ...options }) => method(x!, name, dim, options);
const binary = (name: Method): Adapter => ([a, b], attrs) => method(a!, name, b ?? attrs["b"]);
/** `x.name(first, second, …)`: attributes as positional arguments. */
const positional = (name: Method, ...attributes: string[]): Adapter => ([x], attrs) => method(x!, name, ...attributes.map((a) => attrs[a]));

const table = (names: readonly Method[], make: (name: Method) => Adapter): Record<string, Adapter> =>
  Object.fromEntries(names.map((name) => [name, make(name)]));

const infinity = (value: unknown): number => Number(String(value).replace("inf", "Infinity"));

/** A loss of `n` tensors; what follows them is a mask (`bool`) or, in the order of `names`, weights. */
const loss = (name: keyof typeof layers, n: number): Adapter => (inputs, { names = ["weight"], ...options }) => {
  const rest = inputs.slice(n);
  const weights = rest.filter((t) => t.dtype !== "bool").map((t, i) => [(names as string[])[i]!, t] as const);
  const call = layers[name] as unknown as (...args: unknown[]) => Tensor;
  return call(...inputs.slice(0, n), { ...options, ...Object.fromEntries(weights), mask: rest.find((t) => t.dtype === "bool") ?? null });
};

/** A transposed convolution, which has its weight as [in, out / groups, …kernel]; leaves of the case stand in for its parameters. */
const transposed = (make: (inside: number, out: number, kernel: number[], options: layers.ConvTranspose2dOptions) => layers.Module): Adapter => ([x, weight, bias], attrs) => {
  const [inside, perGroup, ...kernel] = weight!.shape as [number, number, ...number[]];
  const layer = make(inside, perGroup * ((attrs["groups"] as number | undefined) ?? 1), kernel, attrs);
  Object.assign(layer, { weight, bias: bias ?? null });
  return (layer.call as (x: Tensor) => Tensor)(x!);
};

export const adapters: Record<string, Adapter> = {
  ...table(
    ["neg", "abs", "sign", "sqrt", "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "sigmoid", "erf",
     "floor", "ceil", "round", "trunc", "relu", "square", "reciprocal", "rsqrt", "silu", "softplus", "selu", "logSigmoid", "mish", "softsign", "relu6", "hardsigmoid", "hardswish", "isnan", "isinf", "isfinite", "logicalNot"],
    plain,
  ),
  ...table(["gelu", "leakyRelu", "elu", "hardtanh", "clamp"], withOptions),
  ...table(
    ["add", "sub", "mul", "div", "pow", "maximum", "minimum", "atan2", "remainder", "eq", "ne", "lt", "le", "gt", "ge",
     "logicalAnd", "logicalOr", "logicalXor", "matmul", "outer"],
    binary,
  ),
  rreluEvaluation: ([x], attrs) => new layers.RReLU(attrs).eval().call(x!),
  softplusBeta: ([x], { beta }) => new layers.Softplus({ beta: beta as number }).call(x!),
  weightNorm: ([x, g, v, bias], { dim = 0 }) => {
    const [out, inside, kh, kw] = v!.shape;
    const layer: layers.Module = v!.rank === 2 ? new layers.Linear(inside!, out!) : new layers.Conv2d(inside!, out!, [kh!, kw!]);
    layers.weightNorm(layer, { dim: dim as number | null });
    Object.assign(layer, { weight_g: g, weight_v: v, bias: bias ?? null }); // leaves of the case in place of parameters
    return (layer.call as (x: Tensor) => Tensor)(x!);
  },
  maxoutLayer: ([x, weight, bias], { pieces = 2 }) => {
    const layer = new layers.Maxout(weight!.shape[1]!, weight!.shape[0]! / (pieces as number), pieces as number);
    Object.assign(layer.linear, { weight, bias: bias ?? null });
    return layer.call(x!);
  },
  batchNormLayer: ([x, then, weight = null, bias = null], attrs) => {
    const layer = new (x!.rank === 4 ? layers.BatchNorm2d : layers.BatchNorm1d)(x!.shape[1] ?? 1, { ...attrs, affine: false });
    Object.assign(layer, { weight, bias });
    for (const [name, b] of [...layer.namedBuffers()]) if (b.dtype === "f32") Object.assign(layer, { [name]: layers.buffer(b.cast(x!.dtype) as Tensor) });
    const results = { first: layer.call(x!), second: layer.call(then!), evaluated: layer.eval().call(x!) };
    return layer.running_mean && layer.running_var ? { ...results, mean: layer.running_mean, variance: layer.running_var } : results;
  },
  step: ([x]) => step(x!.detach()),
  prelu: ([x, slope]) => x!.prelu(slope!),
  maxout: ([x], { dim }) => maxout(x!, dim as number),
  where: ([condition, x, y]) => condition!.where(x!, y!),
  cast: ([x], { dtype }) => x!.cast(dtype as DType),

  ...table(["sum", "mean", "max", "min", "prod", "argmax", "argmin", "var", "std", "logsumexp", "any", "all"], along),
  norm: ([x], { dim, p = 2, ...options }) => x!.norm(dim as number, { ...options, p: infinity(p) }),
  ...table(["cumsum", "softmax", "logSoftmax"], (name) => positional(name, "dim")),

  reshape: positional("reshape", "shape"),
  permute: positional("permute", "dims"),
  transpose: positional("transpose", "dim0", "dim1"),
  slice: positional("slice", "dim", "start", "end", "step"),
  pad: ([x], { pads, value = 0 }) => x!.pad(pads as [number, number][], infinity(value)),
  expand: positional("expand", "shape"),
  flip: positional("flip", "dims"),
  concat: (xs, { dim }) => concat(xs, dim as number),
  stack: (xs, { dim }) => stack(xs, dim as number),
  split: ([x], { sizes, dim }) => Object.fromEntries(x!.split(sizes as number | number[], dim as number).entries()),
  squeeze: positional("squeeze", "dim"),
  unsqueeze: positional("unsqueeze", "dim"),
  flatten: positional("flatten", "startDim", "endDim"),

  einsum: (xs, { equation }) => einsum(equation as string, ...xs),
  linear: ([x, weight, bias]) => ops.linear({ x: x!, weight: weight!, ...(bias ? { bias } : {}) }, { act: "none" }),
  conv1d: ([x, weight, bias], attrs) => conv1d(x!, weight!, { bias: bias ?? null, ...attrs } as Conv1dOptions),
  conv2d: ([x, weight, bias], attrs) => conv2d(x!, weight!, { bias: bias ?? null, ...attrs } as Conv2dOptions),
  convTranspose1d: transposed((inside, out, [k], options) => new ConvTranspose1d(inside, out, k!, options as { stride?: number })),
  convTranspose2d: transposed((inside, out, kernel, options) => new layers.ConvTranspose2d(inside, out, kernel as [number, number], options)),
  maxPool2d: ([x], { kernelSize, ...options }) => maxPool2d(x!, kernelSize as number, options as MaxPoolOptions),
  avgPool2d: ([x], { kernelSize, ...options }) => avgPool2d(x!, kernelSize as number, options as AvgPoolOptions),
  adaptiveAvgPool2d: ([x], { outputSize }) => adaptiveAvgPool2d(x!, outputSize as number),
  adaptiveMaxPool2d: ([x], { outputSize }) => new pool.AdaptiveMaxPool2d(outputSize as number).call(x!),
  adaptiveAvgPool1d: ([x], { outputSize }) => new pool.AdaptiveAvgPool1d(outputSize as number).call(x!),
  adaptiveMaxPool1d: ([x], { outputSize }) => new pool.AdaptiveMaxPool1d(outputSize as number).call(x!),
  maxPool1d: ([x], { kernelSize, ...options }) => new pool.MaxPool1d(kernelSize as number, options).call(x!),
  avgPool1d: ([x], { kernelSize, ...options }) => new pool.AvgPool1d(kernelSize as number, options).call(x!),
  globalAvgPool: ([x, mask], { lengths, ...options }) => new pool.GlobalAvgPool(options).call(x!, { mask: mask ?? null, lengths: lengths as number[] }),
  globalMaxPool: ([x, mask], { lengths, ...options }) => new pool.GlobalMaxPool(options).call(x!, { mask: mask ?? null, lengths: lengths as number[] }),

  gather: ([x, index], { dim }) => x!.gather(dim as number, index!),
  scatterAdd: ([x, index, src], { dim }) => x!.scatterAdd(dim as number, index!, src!),
  indexSelect: ([x, index], { dim }) => x!.indexSelect(dim as number, index!),
  oneHot: ([x], { numClasses }) => x!.oneHot(numClasses as number),
  topk: ([x], { k, dim, largest }) => x!.topk(k as number, dim as number | undefined, { largest: largest as boolean | undefined } as { largest?: boolean }),
  sort: ([x], { dim, descending }) => x!.sort(dim as number | undefined, { descending: descending as boolean | undefined } as { descending?: boolean }),
  ...Object.fromEntries(
    (["mseLoss", "halfMse", "halfSse", "maeLoss", "huberLoss", "smoothL1Loss", "bceLoss", "bceWithLogits", "klDiv", "hingeLoss", "multiMarginLoss", "nllLoss"] as const).map((name) => [name, loss(name, 2)]),
  ),
  crossEntropyMasked: loss("crossEntropy", 2),
  cosineEmbeddingLoss: loss("cosineEmbeddingLoss", 3),
  tripletMarginLoss: loss("tripletMarginLoss", 3),
  discriminatorLoss: ([real, fake]) => discriminatorLoss(real!, fake!),
  generatorLoss: ([fake], attrs) => generatorLoss(fake!, attrs),
  embedding: ([weight, ids], attrs) => embedding(ids!, weight!, attrs),
  embeddingBag: ([weight, ids], { bagOffsets, ...options }) => embeddingBag(ids!, weight!, { ...(bagOffsets ? { offsets: bagOffsets as number[] } : {}), ...options } as EmbeddingBagOptions),
  localResponseNorm: ([x], attrs) => localResponseNorm(x!, attrs as LocalResponseNormOptions),
  layerNorm: (inputs, { normalizedShape, ...options }) => {
    const [x, weight = null, bias = null] = inputs;
    return layerNorm(x!, normalizedShape as number[], { weight, bias, ...options });
  },
  rmsNorm: ([x, weight], { normalizedShape, eps }) => rmsNorm(x!, normalizedShape as number[], { weight: weight ?? null, eps: (eps as number | undefined) ?? 1e-6 }),
  batchNorm: ([x, weight = null, bias = null, mean, variance], attrs) => batchNorm(x!, { weight, bias, statistics: mean && variance ? { mean, variance } : null, ...attrs }),
  groupNorm: ([x, weight = null, bias = null], { groups, ...options }) => groupNorm(x!, groups as number, { weight, bias, ...options }),
  instanceNorm: ([x, weight = null, bias = null], attrs) => instanceNorm(x!, { weight, bias, ...attrs }),
  scaledDotProductAttention: ([q, k, v, mask], attrs) => scaledDotProductAttention(q!, k!, v!, { mask: mask ?? null, ...attrs } as AttentionOptions),
  crossEntropy: ([logits, target, weight], attrs) => crossEntropy(logits!, target!, { ...(weight ? { weight } : {}), ...attrs } as CrossEntropyOptions),
};
