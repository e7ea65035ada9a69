/**
 * The methods of Tensor: what users call. Types follow literal shapes; a JavaScript number broadcasts like a 0-d tensor.
 * Each method is one line over an op record or a composite.
 */
import type { DType } from "./dtype.ts";
import { ArgumentError } from "./errors.ts";
import { isContiguous, sizeOf, type Shape } from "./layout.ts";
import { scope } from "./memory.ts";
import * as c from "./ops/composites.ts";
import * as ops from "./ops/index.ts";
import { scalar } from "./scalar.ts";
import type { Broadcast, FitsBroadcast, FitsMatMul, MatMul, Misfit, Permute, Reduce, ReduceAll, ReshapeTo, Transpose2 } from "./shape-types.ts";
import { Tensor } from "./tensor.ts";

type Unary = <A extends Shape>(this: Tensor<A>) => Tensor<A>;
interface Binary {
  <A extends Shape>(this: Tensor<A>, other: number): Tensor<A>;
  <A extends Shape, B extends Shape>(this: Tensor<A>, other: Tensor<B> & FitsBroadcast<A, B>): Tensor<Broadcast<A, B>>;
}
export interface KeepDim<K extends boolean = boolean> {
  /** Leave reduced dimensions as size 1. */
  keepdim?: K;
}
interface Reduction {
  /** Over all elements. */
  <A extends Shape, K extends boolean = false>(this: Tensor<A>, dim?: undefined, options?: KeepDim<K>): Tensor<ReduceAll<A, K>>;
  /** Over one dimension, counted from the end if negative. */
  <A extends Shape, const D extends number, K extends boolean = false>(this: Tensor<A>, dim: D, options?: KeepDim<K>): Tensor<Reduce<A, D, K>>;
  /** Over several dimensions. */
  (this: Tensor, dims: readonly number[], options?: KeepDim): Tensor;
}
interface ArgReduction {
  <A extends Shape>(this: Tensor<A>): Tensor<[]>;
  <A extends Shape, const D extends number, K extends boolean = false>(this: Tensor<A>, dim: D, options?: KeepDim<K>): Tensor<Reduce<A, D, K>>;
}
interface Where {
  <A extends Shape>(this: Tensor<A>, x: number, y: number): Tensor<A>;
  (this: Tensor, x: Tensor | number, y: Tensor | number): Tensor;
}

export interface TensorMethods {
  // — element-wise —
  neg: Unary;
  abs: Unary;
  sign: Unary;
  sqrt: Unary;
  rsqrt: Unary;
  exp: Unary;
  expm1: Unary;
  log: Unary;
  log1p: Unary;
  sin: Unary;
  cos: Unary;
  tan: Unary;
  asin: Unary;
  acos: Unary;
  atan: Unary;
  sinh: Unary;
  cosh: Unary;
  tanh: Unary;
  sigmoid: Unary;
  erf: Unary;
  floor: Unary;
  ceil: Unary;
  /** To the nearest integer, halves to the even one. */
  round: Unary;
  trunc: Unary;
  square: Unary;
  reciprocal: Unary;
  relu: Unary;
  silu: Unary;
  softplus: Unary;
  logSigmoid: Unary;
  selu: Unary;
  mish: Unary;
  softsign: Unary;
  relu6: Unary;
  hardsigmoid: Unary;
  hardswish: Unary;
  /** x if x > 0, else slope·x; `slope` is `[1]`, or `[C]` for `[N, C, …]`. */
  prelu<A extends Shape>(this: Tensor<A>, slope: Tensor): Tensor<A>;
  isnan: Unary;
  isinf: Unary;
  isfinite: Unary;
  logicalNot: Unary;
  gelu<A extends Shape>(this: Tensor<A>, options?: { approximate?: "none" | "tanh" }): Tensor<A>;
  leakyRelu<A extends Shape>(this: Tensor<A>, options?: { negativeSlope?: number }): Tensor<A>;
  elu<A extends Shape>(this: Tensor<A>, options?: { alpha?: number }): Tensor<A>;
  hardtanh<A extends Shape>(this: Tensor<A>, options?: { minVal?: number; maxVal?: number }): Tensor<A>;
  clamp<A extends Shape>(this: Tensor<A>, limits: { min?: number; max?: number }): Tensor<A>;
  add: Binary;
  sub: Binary;
  mul: Binary;
  div: Binary;
  pow: Binary;
  maximum: Binary;
  minimum: Binary;
  atan2: Binary;
  /** a − b·⌊a/b⌋: the sign of the divisor. */
  remainder: Binary;
  eq: Binary;
  ne: Binary;
  lt: Binary;
  le: Binary;
  gt: Binary;
  ge: Binary;
  logicalAnd: Binary;
  logicalOr: Binary;
  logicalXor: Binary;
  /** `mask.where(x, y)`: x where the mask is true, else y. */
  where: Where;
  maskedFill<A extends Shape>(this: Tensor<A>, mask: Tensor, value: number): Tensor<A>;
  cast<A extends Shape>(this: Tensor<A>, dtype: DType): Tensor<A>;

  // — reductions —
  sum: Reduction;
  mean: Reduction;
  prod: Reduction;
  max: Reduction;
  min: Reduction;
  any: Reduction;
  all: Reduction;
  logsumexp: Reduction;
  /** Variance; `correction` 1 divides by n − 1. */
  var(this: Tensor, dim?: number | readonly number[], options?: KeepDim & { correction?: number }): Tensor;
  std(this: Tensor, dim?: number | readonly number[], options?: KeepDim & { correction?: number }): Tensor;
  /** (Σ|x|ᵖ)^(1/p); p = 2, 1, any positive number or Infinity. */
  norm(this: Tensor, dim?: number | readonly number[], options?: KeepDim & { p?: number }): Tensor;
  argmax: ArgReduction;
  argmin: ArgReduction;
  cumsum<A extends Shape>(this: Tensor<A>, dim: number): Tensor<A>;
  softmax<A extends Shape>(this: Tensor<A>, dim: number): Tensor<A>;
  logSoftmax<A extends Shape>(this: Tensor<A>, dim: number): Tensor<A>;
  /** Sums a broadcast gradient back to `shape`. */
  sumTo(this: Tensor, shape: Shape): Tensor;

  // — movement: views where memory allows —
  /** One size may be -1. */
  reshape<const T extends readonly number[]>(this: Tensor, shape: T): Tensor<ReshapeTo<T>>;
  /** The same values under a type with literal sizes, checked now. -1 passes any size. */
  as<const T extends readonly number[]>(this: Tensor, shape: T): Tensor<ReshapeTo<T>>;
  permute<A extends Shape, const D extends readonly number[]>(this: Tensor<A>, dims: D): Tensor<Permute<A, D>>;
  transpose(this: Tensor, dim0: number, dim1: number): Tensor;
  /** Transpose of a matrix. */
  t<A extends Shape>(this: Tensor<A>): Tensor<Transpose2<A>>;
  slice(this: Tensor, dim: number, start?: number, end?: number, step?: number): Tensor;
  /** Element `index` along the first dimension. */
  at(this: Tensor, index: number): Tensor;
  /** Repeats dimensions of size 1; -1 keeps a size. */
  expand<const T extends readonly number[]>(this: Tensor, shape: T): Tensor<ReshapeTo<T>>;
  flip<A extends Shape>(this: Tensor<A>, dims: number | readonly number[]): Tensor<A>;
  /** `pads`: [before, after] for each dimension, or for the last ones. */
  pad(this: Tensor, pads: readonly (readonly [number, number])[], value?: number): Tensor;
  squeeze(this: Tensor, dim?: number): Tensor;
  unsqueeze(this: Tensor, dim: number): Tensor;
  flatten(this: Tensor, startDim?: number, endDim?: number): Tensor;
  split(this: Tensor, sizes: number | readonly number[], dim?: number): Tensor[];
  /** Row-major memory; the tensor itself if it is so already. */
  contiguous<A extends Shape>(this: Tensor<A>): Tensor<A>;

  // — products —
  matmul<A extends Shape, B extends Shape>(this: Tensor<A>, other: Tensor<B> & FitsMatMul<A, B>): Tensor<MatMul<A, B>>;
  outer<N extends number, M extends number>(this: Tensor<readonly [N]>, other: Tensor<readonly [M]>): Tensor<[N, M]>;
  dot(this: Tensor, other: Tensor): Tensor<[]>;

  // — indexing —
  gather<I extends Shape>(this: Tensor, dim: number, index: Tensor<I>): Tensor<I>;
  scatterAdd<A extends Shape>(this: Tensor<A>, dim: number, index: Tensor, src: Tensor): Tensor<A>;
  indexSelect(this: Tensor, dim: number, index: Tensor): Tensor;
  oneHot(this: Tensor, numClasses: number): Tensor;
  topk(this: Tensor, k: number, dim?: number, options?: { largest?: boolean }): { values: Tensor; indices: Tensor };
  sort(this: Tensor, dim?: number, options?: { descending?: boolean }): { values: Tensor; indices: Tensor };
}

/** What a value with a misfitting shape is compared with; exported for type tests. */
export type { Misfit };

type Operand = Tensor | number;
const operand = (value: Operand, other: Tensor): Tensor => (typeof value === "number" ? scalar(value, other) : value);

type UnaryOp = (inputs: { x: Tensor }) => Tensor;
type BinaryOp = (inputs: { a: Tensor; b: Tensor }) => Tensor;
const unary = (op: UnaryOp) =>
  function (this: Tensor): Tensor {
    return op({ x: this });
  };
const binary = (op: BinaryOp) =>
  function (this: Tensor, other: Operand): Tensor {
    return op({ a: this, b: operand(other, this) });
  };
/** A composite whose first argument is the receiver. Its intermediate results end at once; a tape keeps what it needs. */
const on = <A extends unknown[], R>(f: (x: Tensor, ...args: A) => R) =>
  function (this: Tensor, ...args: A): R {
    return scope(() => f(this, ...args), f.name);
  };
/** The same for what makes one view: there is nothing to end. */
const view = <A extends unknown[], R>(f: (x: Tensor, ...args: A) => R) =>
  function (this: Tensor, ...args: A): R {
    return f(this, ...args);
  };
type ReduceOp = (inputs: { x: Tensor }, attrs: { dim?: number | readonly number[]; keepdim?: boolean }) => Tensor;
const reduction = (op: ReduceOp) =>
  function (this: Tensor, dim?: number | readonly number[], { keepdim = false }: KeepDim = {}): Tensor {
    return op({ x: this }, dim === undefined ? { keepdim } : { dim, keepdim });
  };

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- receivers and shapes are typed by TensorMethods
const methods: { [M in keyof TensorMethods]: (this: Tensor, ...args: any[]) => unknown } = {
  neg: unary(ops.neg),
  abs: unary(ops.abs),
  sign: unary(ops.sign),
  sqrt: unary(ops.sqrt),
  rsqrt: on(c.rsqrt),
  exp: unary(ops.exp),
  expm1: unary(ops.expm1),
  log: unary(ops.log),
  log1p: unary(ops.log1p),
  sin: unary(ops.sin),
  cos: unary(ops.cos),
  tan: unary(ops.tan),
  asin: unary(ops.asin),
  acos: unary(ops.acos),
  atan: unary(ops.atan),
  sinh: unary(ops.sinh),
  cosh: unary(ops.cosh),
  tanh: unary(ops.tanh),
  sigmoid: unary(ops.sigmoid),
  erf: unary(ops.erf),
  floor: unary(ops.floor),
  ceil: unary(ops.ceil),
  round: unary(ops.round),
  trunc: unary(ops.trunc),
  square: on(c.square),
  reciprocal: on(c.reciprocal),
  relu: unary(ops.relu),
  silu: on(c.silu),
  softplus: unary(ops.softplus),
  logSigmoid: on(c.logSigmoid),
  selu: on(c.selu),
  mish: on(c.mish),
  softsign: on(c.softsign),
  relu6: on(c.relu6),
  hardsigmoid: on(c.hardsigmoid),
  hardswish: on(c.hardswish),
  prelu: on(c.prelu),
  isnan: unary(ops.isnan),
  isinf: on(c.isinf),
  isfinite: on(c.isfinite),
  logicalNot: unary(ops.logicalNot),
  gelu: on(c.gelu),
  leakyRelu: on(c.leakyRelu),
  elu: on(c.elu),
  hardtanh: on(c.hardtanh),
  clamp: on(c.clamp),
  add: binary(ops.add),
  sub: binary(ops.sub),
  mul: binary(ops.mul),
  div: binary(ops.div),
  pow: binary(ops.pow),
  maximum: binary(ops.maximum),
  minimum: binary(ops.minimum),
  atan2: binary(ops.atan2),
  remainder: binary(ops.remainder),
  eq: binary(ops.eq),
  ne: binary(ops.ne),
  lt: binary(ops.lt),
  le: binary(ops.le),
  gt: binary(ops.gt),
  ge: binary(ops.ge),
  logicalAnd: binary(ops.logicalAnd),
  logicalOr: binary(ops.logicalOr),
  logicalXor: binary(ops.logicalXor),
  where(x: Operand, y: Operand) {
    const like = x instanceof Tensor ? x : y instanceof Tensor ? y : null;
    const value = (v: Operand): Tensor => (typeof v === "number" ? scalar(v, like ?? { dtype: "f32", backend: this.backend }) : v);
    return ops.where({ condition: this, a: value(x), b: value(y) });
  },
  maskedFill: on(c.maskedFill),
  cast(dtype: DType) {
    return dtype === this.dtype ? this : ops.cast({ x: this }, { dtype });
  },
  sum: reduction(ops.sum),
  mean: on(c.mean),
  prod: reduction(ops.prod),
  max: reduction(ops.max),
  min: reduction(ops.min),
  any: on(c.any),
  all: on(c.all),
  logsumexp: on(c.logsumexp),
  var: on(c.variance),
  std: on(c.std),
  norm: on(c.norm),
  argmax: reduction(ops.argmax as ReduceOp),
  argmin: reduction(ops.argmin as ReduceOp),
  cumsum(dim: number) {
    return ops.cumsum({ x: this }, { dim });
  },
  softmax: on(c.softmax),
  logSoftmax: on(c.logSoftmax),
  sumTo: on(c.sumTo),
  reshape(shape: Shape) {
    return ops.reshape({ x: this }, { shape: fillOne(this, shape) });
  },
  as(shape: Shape) {
    if (shape.length !== this.rank || shape.some((n, d) => n !== -1 && n !== this.shape[d])) {
      throw new ArgumentError("as", `the shape is [${this.shape.join(",")}], not [${shape.join(",")}]`, { hint: "as() checks a shape, reshape() changes it" });
    }
    return this;
  },
  permute(dims: readonly number[]) {
    return ops.permute({ x: this }, { dims });
  },
  transpose: view(c.transpose),
  t: view(c.t),
  slice: view(c.slice),
  at: on(c.at),
  expand(shape: Shape) {
    const lead = shape.length - this.rank;
    return ops.expand({ x: this }, { shape: shape.map((n, d) => (n === -1 && d >= lead ? this.shape[d - lead]! : n)) });
  },
  flip(dims: number | readonly number[]) {
    return ops.flip({ x: this }, { dims: typeof dims === "number" ? [dims] : dims });
  },
  pad: on(c.pad),
  squeeze: view(c.squeeze),
  unsqueeze: view(c.unsqueeze),
  flatten: view(c.flatten),
  split: on(c.split),
  contiguous() {
    return isContiguous(this) ? this : c.contiguous(this);
  },
  matmul(other: Tensor) {
    return ops.matmul({ a: this, b: other });
  },
  outer: on(c.outer),
  dot: on(c.dot),
  gather(dim: number, index: Tensor) {
    return ops.gather({ x: this, index }, { dim });
  },
  scatterAdd: on(c.scatterAdd),
  indexSelect(dim: number, index: Tensor) {
    return ops.indexSelect({ x: this, index }, { dim });
  },
  oneHot(numClasses: number) {
    return ops.oneHot({ x: this }, { numClasses });
  },
  topk(k: number, dim = -1, { largest = true } = {}) {
    return ops.topk({ x: this }, { k, dim, largest });
  },
  sort(dim = -1, { descending = false } = {}) {
    return ops.sort({ x: this }, { dim, descending });
  },
};

/** The one size given as -1 follows from the others. */
function fillOne(x: Tensor, shape: Shape): Shape {
  const hole = shape.indexOf(-1);
  if (hole < 0) return shape;
  const rest = sizeOf(shape.filter((_, d) => d !== hole));
  return shape.map((n, d) => (d === hole ? Math.floor(x.size / Math.max(rest, 1)) : n));
}

for (const [name, method] of Object.entries(methods)) {
  Object.defineProperty(Tensor.prototype, name, { value: method, writable: true, configurable: true });
}
