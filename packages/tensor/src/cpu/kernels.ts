/** The cpu backend: for every op a kernel, or a reason why its reference is good enough. The compiler lists what is missing. */
import type { Engine } from "@nn/kernels";
import { fallback, type Backend, type Fallback, type Kernel } from "../backend.ts";
import type { Aval, InputMap, Op } from "../define.ts";
import type * as ops from "../ops/index.ts";
import type { Tensor } from "../tensor.ts";
import { attention, attentionGrad, attentionQkv, attentionQkvGrad } from "./attention.ts";
import { batchNorm, batchNormGrad } from "./batch-norm.ts";
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from "./conv2d.ts";
import { binary, cast, softplus, unary, where } from "./elementwise.ts";
import { gather, gatherGrad, indexSelect, indexSelectGrad, oneHot } from "./indexing.ts";
import { localResponseNorm, localResponseNormGrad } from "./lrn.ts";
import { activationGrad, linear, matmul } from "./matmul.ts";
import { concat, contiguous, pad, reshape, unslice } from "./movement.ts";
import { layerNorm, normGrad, rmsNorm } from "./norm.ts";
import { avgPool2d, avgPool2dGrad, maxPool2d, maxPool2dGrad, poolGather } from "./pool2d.ts";
import { argReduce, cumsum, max, min, reduce } from "./reduce.ts";
import { recurrent, recurrentGrad } from "./recurrent.ts";
import { logSoftmax, softmax, softmaxCrossEntropy, softmaxCrossEntropyGrad, softmaxGrad } from "./softmax.ts";

/** One entry per op of ops/index.ts, typed by the op's own inputs and attributes. */
export type KernelTable = {
  readonly [P in keyof typeof ops]: (typeof ops)[P] extends Op<infer K, infer A, infer Out>
    ? Kernel<InputMap<K, Tensor>, A, [Out] extends ["y"] ? Aval : Record<Out, Aval>> | Fallback
    : never;
};

/** Always a view: no element is moved, so there is nothing to run. */
const view = fallback("always a view");

export const kernels = {
  neg: unary("neg"),
  abs: unary("abs"),
  sign: unary("sign"),
  sqrt: unary("sqrt"),
  exp: unary("exp"),
  expm1: unary("expm1"),
  log: unary("log"),
  log1p: unary("log1p"),
  sin: unary("sin"),
  cos: unary("cos"),
  tan: unary("tan"),
  asin: unary("asin"),
  acos: unary("acos"),
  atan: unary("atan"),
  sinh: unary("sinh"),
  cosh: unary("cosh"),
  tanh: unary("tanh"),
  sigmoid: unary("sigmoid"),
  erf: unary("erf"),
  floor: unary("floor"),
  ceil: unary("ceil"),
  round: unary("round"),
  trunc: unary("trunc"),
  relu: unary("relu"),
  softplus,
  isnan: unary("isnan"),
  logicalNot: unary("not"),
  add: binary("add"),
  sub: binary("sub"),
  mul: binary("mul"),
  div: binary("div"),
  pow: binary("pow"),
  maximum: binary("max"),
  minimum: binary("min"),
  atan2: binary("atan2"),
  remainder: binary("mod"),
  eq: binary("eq"),
  ne: binary("ne"),
  lt: binary("lt"),
  le: binary("le"),
  gt: binary("gt"),
  ge: binary("ge"),
  logicalAnd: binary("and"),
  logicalOr: binary("or"),
  logicalXor: binary("xor"),
  where,
  cast,
  reshape,
  contiguous,
  permute: view,
  slice: view,
  unslice,
  expand: view,
  flip: view,
  pad,
  concat,
  sum: reduce("sum"),
  prod: reduce("prod"),
  max,
  min,
  argmax: argReduce("max"),
  argmin: argReduce("min"),
  cumsum,
  gather,
  gatherGrad,
  indexSelect,
  indexSelectGrad,
  oneHot,
  sort: fallback("comparison sort of each line: rare in training, and JavaScript's stable sort is the definition"),
  topk: fallback("selection of a few elements per line, outside training loops"),
  activationGrad,
  matmul,
  linear,
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  maxPool2d,
  maxPool2dGrad,
  poolGather,
  avgPool2d,
  avgPool2dGrad,
  recurrent,
  recurrentGrad,
  softmax,
  logSoftmax,
  softmaxGrad,
  softmaxCrossEntropy,
  softmaxCrossEntropyGrad,
  localResponseNorm,
  localResponseNormGrad,
  layerNorm,
  rmsNorm,
  normGrad,
  batchNorm,
  batchNormGrad,
  attention,
  attentionGrad,
  attentionQkv,
  attentionQkvGrad,
} satisfies KernelTable;

export const cpuBackend = (engine: Engine): Backend => ({ name: "cpu", engine, kernels });
