/**
 * The one list of kernels and their arguments, read by `pnpm gen` (tooling/scripts/gen-abi.ts), which writes
 * `abi.gen.ts` (typed writers, ids) and `cpp/abi.gen.h` (one struct per kernel), so both sides agree by construction.
 *
 * Every argument travels as a double in one shared Float64Array, in the order given here.
 * Pointers are byte addresses as numbers, 0 = absent. All strides are in elements.
 */

/** `f32*` … are pointers to that element type, `ptr` to anything; `[N]` is a fixed array of which a prefix may be given. */
export type ArgKind =
  | "ptr" | "f32*" | "f64*" | "i32*"
  | "int" | "float" | "double"
  | `${"int" | "float" | "ptr"}[${number}]`;
export type KernelShape = Readonly<Record<string, ArgKind>>;

/** Limits of `map` and `mapList` programs. */
export const mapLimits = { inputs: 8, params: 16, outputs: 4, dims: 8, registers: 64, block: 512 } as const;

/** Op codes of `map` programs in order: unary | binary | ternary. See cpp/map.hpp for each one's meaning. */
export const instructions = [
  "mov", "neg", "abs", "sign", "sqrt", "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos", "atan",
  "sinh", "cosh", "tanh", "sigmoid", "erf", "floor", "ceil", "round", "trunc", "recip", "relu", "not", "isnan",
  "add", "sub", "mul", "div", "pow", "max", "min", "mod", "atan2", "eq", "ne", "lt", "le", "gt", "ge", "and", "or", "xor",
  "select", "fma",
] as const;
export type Instruction = (typeof instructions)[number];

/** Element type codes of kernel arguments. */
export const dtypeCodes = { f32: 0, i32: 1, u8: 2, bool: 2 } as const;
/** Codes of `act`, the activation fused behind gemm and conv2d. */
export const activationCodes = { none: 0, relu: 1, sigmoid: 2, tanh: 3 } as const;
/** Codes of `kind` in `reduce`. */
export const reduceKinds = { sum: 0, max: 1, prod: 2 } as const;
/** Codes of `cell` in `recurrent`. */
export const cellCodes = { lstm: 0, gru: 1, tanh: 2, relu: 3 } as const;
/** Codes of `kind` in `random`. */
export const randomKinds = { uniform: 0, normal: 1 } as const;

const conv = {
  n: "int", h: "int", w: "int", c: "int", oc: "int", kh: "int", kw: "int", oh: "int", ow: "int",
  strideH: "int", strideW: "int", padTop: "int", padLeft: "int", dilationH: "int", dilationW: "int", groups: "int",
} as const;
const pool = {
  n: "int", h: "int", w: "int", c: "int", kh: "int", kw: "int", oh: "int", ow: "int",
  strideH: "int", strideW: "int", padTop: "int", padLeft: "int",
} as const;
const sequences = {
  cell: "int", steps: "int", batch: "int", hidden: "int", reverse: "int",
  weight: "f32*", h0: "f32*", c0: "f32*", lengths: "i32*", y: "f32*", gates: "f32*",
} as const;
/** q[b,h,t,d], k[b,h,s,d], v[b,h,s,e] by strides of b, h and t (or s); the last dimension is dense. mask[b,h,t,s] is added to the scores, 0 = absent. */
const attention = {
  b: "int", h: "int", t: "int", s: "int", d: "int", e: "int", scale: "float", causal: "int",
  q: "f32*", qStride: "int[3]", k: "f32*", kStride: "int[3]", v: "f32*", vStride: "int[3]",
  mask: "f32*", maskStride: "int[4]",
} as const;
/** Windows count padding from their start to row countH and column countW of the image (its size and the padding behind); where those are 0, real elements alone. */
const avgPool = { ...pool, countH: "int", countW: "int" } as const;
const maxPool = { ...pool, dilationH: "int", dilationW: "int", taps: "ptr", wideTaps: "int" } as const;
const rows = { outer: "int", size: "int", rows: "int", inner: "int" } as const;

export const kernels = {
  /** Element-wise program over strided inputs, dense outputs in iteration order. `program`: int32[ninstr][5] = op, dst, a, b, c. */
  map: {
    program: "i32*", ninstr: "int", nin: "int", nparam: "int", nout: "int", nd: "int", shape: "int[8]",
    in: "ptr[8]", inType: "int[8]", inStride: "int[64]", param: "float[16]",
    out: "ptr[4]", outType: "int[4]", outReg: "int[4]",
  },
  /** The same over `count` contiguous f32 segments: double[count][1+nin+nout] = n, in…, out…. Outputs may alias inputs. */
  mapList: {
    program: "i32*", ninstr: "int", nin: "int", nparam: "int", nout: "int",
    segments: "f64*", count: "int", param: "float[16]", outReg: "int[4]",
  },
  /** Strided n-d copy of elements of 1, 4 or 8 bytes; src strides may be 0 or negative, src and dst must not overlap. */
  copy: { elemSize: "int", nd: "int", shape: "int[8]", src: "ptr", srcStride: "int[8]", dst: "ptr", dstStride: "int[8]" },
  /** n elements of dtype code `kind` at dst set to value. */
  fill: { dst: "ptr", n: "int", kind: "int", value: "double" },

  /** C[m,n] (+)= act(A·B + bias[n]) per batch; c's column stride is 1. scratch: `scratchBytes.gemm`. */
  gemm: {
    batch: "int", m: "int", n: "int", k: "int",
    a: "f32*", aRow: "int", aCol: "int", aBatch: "int",
    b: "f32*", bRow: "int", bCol: "int", bBatch: "int",
    c: "f32*", cRow: "int", cBatch: "int",
    bias: "f32*", act: "int", accumulate: "int", scratch: "ptr",
  },
  /** y[n,oh,ow,oc] = act(x[n,h,w,c] ⋆ weight[oc,c/groups,kh,kw] + bias[oc]); bottom/right padding is implied by oh, ow. */
  conv2d: { ...conv, x: "f32*", weight: "f32*", bias: "f32*", y: "f32*", act: "int", scratch: "ptr" },
  conv2dInputGrad: { ...conv, dy: "f32*", weight: "f32*", dx: "f32*", scratch: "ptr" },
  /** db = 0: no bias gradient. */
  conv2dWeightGrad: { ...conv, x: "f32*", dy: "f32*", dw: "f32*", db: "f32*", scratch: "ptr" },

  /** NHWC. taps: row·kw + column in the window, as bytes or (wideTaps) i32; all ones for a maximum that relu cuts off. */
  maxPool2d: { ...maxPool, relu: "int", x: "f32*", y: "f32*" },
  /** dx is zeroed, then overlaps are summed. */
  maxPool2dGrad: { ...maxPool, dy: "f32*", dx: "f32*" },
  avgPool2d: { ...avgPool, x: "f32*", y: "f32*" },
  avgPool2dGrad: { ...avgPool, dy: "f32*", dx: "f32*" },

  /** y[outer,inner] = kind over r of x[outer,r,inner]. */
  reduce: { kind: "int", outer: "int", r: "int", inner: "int", x: "f32*", y: "f32*" },
  /** y (i32) = position of the extreme along r; the first wins ties, the first NaN wins over all. */
  argMax: { outer: "int", r: "int", inner: "int", x: "f32*", y: "i32*" },

  /** y = softmax (log = 0) or log-softmax (log = 1) of each row of x[rows,cols]. */
  softmax: { log: "int", rows: "int", cols: "int", x: "f32*", y: "f32*" },
  softmaxGrad: { log: "int", rows: "int", cols: "int", y: "f32*", dy: "f32*", dx: "f32*" },
  /** loss[row] = max − logits[row, target] + logSum[row] with logSum = log Σ e^(logits − max); rows with a negative target give 0. */
  crossEntropy: { rows: "int", cols: "int", logits: "f32*", target: "i32*", loss: "f32*", logSum: "f32*" },
  crossEntropyGrad: {
    rows: "int", cols: "int", logits: "f32*", target: "i32*", logSum: "f32*", dloss: "f32*", dlogits: "f32*",
  },

  /** y[outer,rows,inner] = x[outer,size,inner] at index[rows], elements of elemSize (1, 4, 8) bytes. */
  gatherRows: { ...rows, x: "ptr", index: "i32*", y: "ptr", elemSize: "int" },
  /** dx[outer,size,inner] = 0, then dx[:, index[row], :] += dy[:, row, :] in row order, but for rows with index `skip` (-1: none). */
  scatterAddRows: { ...rows, dy: "f32*", index: "i32*", dx: "f32*", skip: "int" },
  /** y[o,row,i] = x[o, index[o,row,i], i] (torch.gather along the middle axis). */
  gather: { ...rows, x: "f32*", index: "i32*", y: "f32*" },
  /** dx = 0, then dx[o, index[o,row,i], i] += dy[o,row,i] in row order. */
  gatherGrad: { ...rows, dy: "f32*", index: "i32*", dx: "f32*" },

  cumsum: { outer: "int", r: "int", inner: "int", x: "f32*", y: "f32*", reverse: "int" },
  /** Philox4x32-10: out[i] depends on (seed, stream, offset + i) only. */
  random: {
    kind: "int", n: "int", seedLo: "int", seedHi: "int", stream: "int", offset: "int", out: "f32*",
  },

  /**
   * A recurrent layer over whole sequences, from the input projections on: y[t,b] from h·weightᵀ + bias, weight = W_hh[gates·hidden, hidden].
   * gates[t,b] holds the projections and leaves with what the gradient needs: lstm i f g o c (5·hidden; c is not read), gru n r z and
   * the state's part of n (4·hidden; the last not read). Plain cells have their projections in y, and no gates.
   * h, c: the last states; h0, c0, lengths, bias may be absent. scratch: `scratchBytes.recurrent`.
   */
  recurrent: { ...sequences, bias: "f32*", h: "f32*", c: "f32*", scratch: "ptr" },
  /**
   * dgates[t,b]: gradients before the activations, lstm i f g o, gru n r z and the state's part of n, else one; dh0, dc0 from those of all
   * outputs (dy, dh, dc may be absent). scratch: `scratchBytes.recurrentGrad`.
   */
  recurrentGrad: { ...sequences, dy: "f32*", dh: "f32*", dc: "f32*", dgates: "f32*", dh0: "f32*", dc0: "f32*", scratch: "ptr" },
  /** y = x·(k + alpha·Σ x²)^-beta per pixel x[c], the sum over `size` (at most 256) channels around each; size/2 of them before it. */
  localResponseNorm: { pixels: "int", c: "int", size: "int", alpha: "float", beta: "float", k: "float", x: "f32*", y: "f32*" },
  localResponseNormGrad: {
    pixels: "int", c: "int", size: "int", alpha: "float", beta: "float", k: "float", x: "f32*", dy: "f32*", dx: "f32*",
  },
  /** y = (x − mean)·rstd·weight + bias of each row of x[rows,cols]; rms = 1: mean is 0. weight, bias, mean: 0 = absent. */
  layerNorm: { rms: "int", rows: "int", cols: "int", eps: "double", x: "f32*", weight: "f32*", bias: "f32*", y: "f32*", mean: "f32*", rstd: "f32*" },
  /** dw, db = 0: not wanted. scratch: `scratchBytes.layerNormGrad`. */
  layerNormGrad: {
    rms: "int", rows: "int", cols: "int", x: "f32*", weight: "f32*", dy: "f32*", mean: "f32*", rstd: "f32*",
    dx: "f32*", dw: "f32*", db: "f32*", scratch: "ptr",
  },
  /** o[b,h,t,:] = Σₛ softmax over s of (scale·q·k + mask)·v; lse = log Σ exp of each row, +inf where everything is masked. */
  attention: { ...attention, o: "f32*", oStride: "int[3]", lse: "f32*" },
  /** Gradients from o, its gradient and lse; dq, dk, dv have the strides of dqStride, dkStride, dvStride. */
  attentionGrad: {
    ...attention, o: "f32*", oStride: "int[3]", lse: "f32*", dy: "f32*", dyStride: "int[3]",
    dq: "f32*", dqStride: "int[3]", dk: "f32*", dkStride: "int[3]", dv: "f32*", dvStride: "int[3]",
  },
  /** y = x at the tap of each window, 0 where it has none. */
  poolGather: { ...maxPool, x: "f32*", y: "f32*" },
  /** dot[c] = Σ g·(x − mean[c]) and sum[c] = Σ g over the rows of x[rows,cols], g = dy or, where that is absent, x − mean. scratch: `scratchBytes.channelSums`. */
  channelSums: { rows: "int", cols: "int", x: "f32*", dy: "f32*", mean: "f32*", dot: "f32*", sum: "f32*", scratch: "ptr" },
  /** y = (x − mean[c])·scale[c] + shift[c], and + dy·gain[c] where there is dy. */
  channelScale: { rows: "int", cols: "int", x: "f32*", mean: "f32*", scale: "f32*", shift: "f32*", dy: "f32*", gain: "f32*", y: "f32*" },
} as const satisfies Record<string, KernelShape>;

export type KernelName = keyof typeof kernels;
