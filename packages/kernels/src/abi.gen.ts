// written by tooling/scripts/gen-abi.ts from packages/kernels/src/abi.ts: pnpm gen
import type { KernelName } from "./abi.ts";

/** Changes whenever a kernel or an argument does; engines built from another list are refused. */
export const abiHash = "92e13ff9a681";
/** Doubles that the largest argument list needs. */
export const maxDoubles = 122;

export const kernelIds = {
  map: 0,
  mapList: 1,
  copy: 2,
  fill: 3,
  gemm: 4,
  conv2d: 5,
  conv2dInputGrad: 6,
  conv2dWeightGrad: 7,
  maxPool2d: 8,
  maxPool2dGrad: 9,
  avgPool2d: 10,
  avgPool2dGrad: 11,
  reduce: 12,
  argMax: 13,
  softmax: 14,
  softmaxGrad: 15,
  crossEntropy: 16,
  crossEntropyGrad: 17,
  gatherRows: 18,
  scatterAddRows: 19,
  gather: 20,
  gatherGrad: 21,
  cumsum: 22,
  random: 23,
  recurrent: 24,
  recurrentGrad: 25,
  localResponseNorm: 26,
  localResponseNormGrad: 27,
  layerNorm: 28,
  layerNormGrad: 29,
  attention: 30,
  attentionGrad: 31,
  poolGather: 32,
} as const satisfies Record<KernelName, number>;

/** Arguments by kernel. Pointers are byte addresses (0 = absent); arrays may be shorter than their fixed length. */
export interface KernelArgs {
  map: {
    program: number;
    ninstr: number;
    nin: number;
    nparam: number;
    nout: number;
    nd: number;
    shape: ArrayLike<number>;
    in: ArrayLike<number>;
    inType: ArrayLike<number>;
    inStride: ArrayLike<number>;
    param: ArrayLike<number>;
    out: ArrayLike<number>;
    outType: ArrayLike<number>;
    outReg: ArrayLike<number>;
  };
  mapList: {
    program: number;
    ninstr: number;
    nin: number;
    nparam: number;
    nout: number;
    segments: number;
    count: number;
    param: ArrayLike<number>;
    outReg: ArrayLike<number>;
  };
  copy: {
    elemSize: number;
    nd: number;
    shape: ArrayLike<number>;
    src: number;
    srcStride: ArrayLike<number>;
    dst: number;
    dstStride: ArrayLike<number>;
  };
  fill: {
    dst: number;
    n: number;
    kind: number;
    value: number;
  };
  gemm: {
    batch: number;
    m: number;
    n: number;
    k: number;
    a: number;
    aRow: number;
    aCol: number;
    aBatch: number;
    b: number;
    bRow: number;
    bCol: number;
    bBatch: number;
    c: number;
    cRow: number;
    cBatch: number;
    bias: number;
    act: number;
    accumulate: number;
    scratch: number;
  };
  conv2d: {
    n: number;
    h: number;
    w: number;
    c: number;
    oc: number;
    kh: number;
    kw: number;
    oh: number;
    ow: number;
    strideH: number;
    strideW: number;
    padTop: number;
    padLeft: number;
    dilationH: number;
    dilationW: number;
    groups: number;
    x: number;
    weight: number;
    bias: number;
    y: number;
    act: number;
    scratch: number;
  };
  conv2dInputGrad: {
    n: number;
    h: number;
    w: number;
    c: number;
    oc: number;
    kh: number;
    kw: number;
    oh: number;
    ow: number;
    strideH: number;
    strideW: number;
    padTop: number;
    padLeft: number;
    dilationH: number;
    dilationW: number;
    groups: number;
    dy: number;
    weight: number;
    dx: number;
    scratch: number;
  };
  conv2dWeightGrad: {
    n: number;
    h: number;
    w: number;
    c: number;
    oc: number;
    kh: number;
    kw: number;
    oh: number;
    ow: number;
    strideH: number;
    strideW: number;
    padTop: number;
    padLeft: number;
    dilationH: number;
    dilationW: number;
    groups: number;
    x: number;
    dy: number;
    dw: number;
    db: number;
    scratch: number;
  };
  maxPool2d: {
    n: number;
    h: number;
    w: number;
    c: number;
    kh: number;
    kw: number;
    oh: number;
    ow: number;
    strideH: number;
    strideW: number;
    padTop: number;
    padLeft: number;
    dilationH: number;
    dilationW: number;
    taps: number;
    wideTaps: number;
    relu: number;
    x: number;
    y: number;
  };
  maxPool2dGrad: {
    n: number;
    h: number;
    w: number;
    c: number;
    kh: number;
    kw: number;
    oh: number;
    ow: number;
    strideH: number;
    strideW: number;
    padTop: number;
    padLeft: number;
    dilationH: number;
    dilationW: number;
    taps: number;
    wideTaps: number;
    dy: number;
    dx: number;
  };
  avgPool2d: {
    n: number;
    h: number;
    w: number;
    c: number;
    kh: number;
    kw: number;
    oh: number;
    ow: number;
    strideH: number;
    strideW: number;
    padTop: number;
    padLeft: number;
    countH: number;
    countW: number;
    x: number;
    y: number;
  };
  avgPool2dGrad: {
    n: number;
    h: number;
    w: number;
    c: number;
    kh: number;
    kw: number;
    oh: number;
    ow: number;
    strideH: number;
    strideW: number;
    padTop: number;
    padLeft: number;
    countH: number;
    countW: number;
    dy: number;
    dx: number;
  };
  reduce: {
    kind: number;
    outer: number;
    r: number;
    inner: number;
    x: number;
    y: number;
  };
  argMax: {
    outer: number;
    r: number;
    inner: number;
    x: number;
    y: number;
  };
  softmax: {
    log: number;
    rows: number;
    cols: number;
    x: number;
    y: number;
  };
  softmaxGrad: {
    log: number;
    rows: number;
    cols: number;
    y: number;
    dy: number;
    dx: number;
  };
  crossEntropy: {
    rows: number;
    cols: number;
    logits: number;
    target: number;
    loss: number;
    logSum: number;
  };
  crossEntropyGrad: {
    rows: number;
    cols: number;
    logits: number;
    target: number;
    logSum: number;
    dloss: number;
    dlogits: number;
  };
  gatherRows: {
    outer: number;
    size: number;
    rows: number;
    inner: number;
    x: number;
    index: number;
    y: number;
    elemSize: number;
  };
  scatterAddRows: {
    outer: number;
    size: number;
    rows: number;
    inner: number;
    dy: number;
    index: number;
    dx: number;
    skip: number;
  };
  gather: {
    outer: number;
    size: number;
    rows: number;
    inner: number;
    x: number;
    index: number;
    y: number;
  };
  gatherGrad: {
    outer: number;
    size: number;
    rows: number;
    inner: number;
    dy: number;
    index: number;
    dx: number;
  };
  cumsum: {
    outer: number;
    r: number;
    inner: number;
    x: number;
    y: number;
    reverse: number;
  };
  random: {
    kind: number;
    n: number;
    seedLo: number;
    seedHi: number;
    stream: number;
    offset: number;
    out: number;
  };
  recurrent: {
    cell: number;
    steps: number;
    batch: number;
    hidden: number;
    reverse: number;
    weight: number;
    h0: number;
    c0: number;
    lengths: number;
    y: number;
    gates: number;
    bias: number;
    h: number;
    c: number;
    scratch: number;
  };
  recurrentGrad: {
    cell: number;
    steps: number;
    batch: number;
    hidden: number;
    reverse: number;
    weight: number;
    h0: number;
    c0: number;
    lengths: number;
    y: number;
    gates: number;
    dy: number;
    dh: number;
    dc: number;
    dgates: number;
    dh0: number;
    dc0: number;
    scratch: number;
  };
  localResponseNorm: {
    pixels: number;
    c: number;
    size: number;
    alpha: number;
    beta: number;
    k: number;
    x: number;
    y: number;
  };
  localResponseNormGrad: {
    pixels: number;
    c: number;
    size: number;
    alpha: number;
    beta: number;
    k: number;
    x: number;
    dy: number;
    dx: number;
  };
  layerNorm: {
    rms: number;
    rows: number;
    cols: number;
    eps: number;
    x: number;
    weight: number;
    bias: number;
    y: number;
    mean: number;
    rstd: number;
  };
  layerNormGrad: {
    rms: number;
    rows: number;
    cols: number;
    x: number;
    weight: number;
    dy: number;
    mean: number;
    rstd: number;
    dx: number;
    dw: number;
    db: number;
    scratch: number;
  };
  attention: {
    b: number;
    h: number;
    t: number;
    s: number;
    d: number;
    e: number;
    scale: number;
    causal: number;
    q: number;
    qStride: ArrayLike<number>;
    k: number;
    kStride: ArrayLike<number>;
    v: number;
    vStride: ArrayLike<number>;
    mask: number;
    maskStride: ArrayLike<number>;
    o: number;
    oStride: ArrayLike<number>;
    lse: number;
  };
  attentionGrad: {
    b: number;
    h: number;
    t: number;
    s: number;
    d: number;
    e: number;
    scale: number;
    causal: number;
    q: number;
    qStride: ArrayLike<number>;
    k: number;
    kStride: ArrayLike<number>;
    v: number;
    vStride: ArrayLike<number>;
    mask: number;
    maskStride: ArrayLike<number>;
    o: number;
    oStride: ArrayLike<number>;
    lse: number;
    dy: number;
    dyStride: ArrayLike<number>;
    dq: number;
    dqStride: ArrayLike<number>;
    dk: number;
    dkStride: ArrayLike<number>;
    dv: number;
    dvStride: ArrayLike<number>;
  };
  poolGather: {
    n: number;
    h: number;
    w: number;
    c: number;
    kh: number;
    kw: number;
    oh: number;
    ow: number;
    strideH: number;
    strideW: number;
    padTop: number;
    padLeft: number;
    dilationH: number;
    dilationW: number;
    taps: number;
    wideTaps: number;
    x: number;
    y: number;
  };
}

function put(d: Float64Array, at: number, values: ArrayLike<number>, limit: number): void {
  if (values.length > limit) throw new RangeError(`kernel argument holds at most ${limit} values, got ${values.length}`);
  for (let i = 0; i < values.length; i++) d[at + i] = values[i]!;
}

/** Write a kernel's arguments to the shared array; the tail of a short array keeps old values, which no kernel reads. */
export const writers: { readonly [K in KernelName]: (d: Float64Array, a: KernelArgs[K]) => void } = {
  map(d, a) {
    d[0] = a.program;
    d[1] = a.ninstr;
    d[2] = a.nin;
    d[3] = a.nparam;
    d[4] = a.nout;
    d[5] = a.nd;
    put(d, 6, a.shape, 8);
    put(d, 14, a.in, 8);
    put(d, 22, a.inType, 8);
    put(d, 30, a.inStride, 64);
    put(d, 94, a.param, 16);
    put(d, 110, a.out, 4);
    put(d, 114, a.outType, 4);
    put(d, 118, a.outReg, 4);
  },
  mapList(d, a) {
    d[0] = a.program;
    d[1] = a.ninstr;
    d[2] = a.nin;
    d[3] = a.nparam;
    d[4] = a.nout;
    d[5] = a.segments;
    d[6] = a.count;
    put(d, 7, a.param, 16);
    put(d, 23, a.outReg, 4);
  },
  copy(d, a) {
    d[0] = a.elemSize;
    d[1] = a.nd;
    put(d, 2, a.shape, 8);
    d[10] = a.src;
    put(d, 11, a.srcStride, 8);
    d[19] = a.dst;
    put(d, 20, a.dstStride, 8);
  },
  fill(d, a) {
    d[0] = a.dst;
    d[1] = a.n;
    d[2] = a.kind;
    d[3] = a.value;
  },
  gemm(d, a) {
    d[0] = a.batch;
    d[1] = a.m;
    d[2] = a.n;
    d[3] = a.k;
    d[4] = a.a;
    d[5] = a.aRow;
    d[6] = a.aCol;
    d[7] = a.aBatch;
    d[8] = a.b;
    d[9] = a.bRow;
    d[10] = a.bCol;
    d[11] = a.bBatch;
    d[12] = a.c;
    d[13] = a.cRow;
    d[14] = a.cBatch;
    d[15] = a.bias;
    d[16] = a.act;
    d[17] = a.accumulate;
    d[18] = a.scratch;
  },
  conv2d(d, a) {
    d[0] = a.n;
    d[1] = a.h;
    d[2] = a.w;
    d[3] = a.c;
    d[4] = a.oc;
    d[5] = a.kh;
    d[6] = a.kw;
    d[7] = a.oh;
    d[8] = a.ow;
    d[9] = a.strideH;
    d[10] = a.strideW;
    d[11] = a.padTop;
    d[12] = a.padLeft;
    d[13] = a.dilationH;
    d[14] = a.dilationW;
    d[15] = a.groups;
    d[16] = a.x;
    d[17] = a.weight;
    d[18] = a.bias;
    d[19] = a.y;
    d[20] = a.act;
    d[21] = a.scratch;
  },
  conv2dInputGrad(d, a) {
    d[0] = a.n;
    d[1] = a.h;
    d[2] = a.w;
    d[3] = a.c;
    d[4] = a.oc;
    d[5] = a.kh;
    d[6] = a.kw;
    d[7] = a.oh;
    d[8] = a.ow;
    d[9] = a.strideH;
    d[10] = a.strideW;
    d[11] = a.padTop;
    d[12] = a.padLeft;
    d[13] = a.dilationH;
    d[14] = a.dilationW;
    d[15] = a.groups;
    d[16] = a.dy;
    d[17] = a.weight;
    d[18] = a.dx;
    d[19] = a.scratch;
  },
  conv2dWeightGrad(d, a) {
    d[0] = a.n;
    d[1] = a.h;
    d[2] = a.w;
    d[3] = a.c;
    d[4] = a.oc;
    d[5] = a.kh;
    d[6] = a.kw;
    d[7] = a.oh;
    d[8] = a.ow;
    d[9] = a.strideH;
    d[10] = a.strideW;
    d[11] = a.padTop;
    d[12] = a.padLeft;
    d[13] = a.dilationH;
    d[14] = a.dilationW;
    d[15] = a.groups;
    d[16] = a.x;
    d[17] = a.dy;
    d[18] = a.dw;
    d[19] = a.db;
    d[20] = a.scratch;
  },
  maxPool2d(d, a) {
    d[0] = a.n;
    d[1] = a.h;
    d[2] = a.w;
    d[3] = a.c;
    d[4] = a.kh;
    d[5] = a.kw;
    d[6] = a.oh;
    d[7] = a.ow;
    d[8] = a.strideH;
    d[9] = a.strideW;
    d[10] = a.padTop;
    d[11] = a.padLeft;
    d[12] = a.dilationH;
    d[13] = a.dilationW;
    d[14] = a.taps;
    d[15] = a.wideTaps;
    d[16] = a.relu;
    d[17] = a.x;
    d[18] = a.y;
  },
  maxPool2dGrad(d, a) {
    d[0] = a.n;
    d[1] = a.h;
    d[2] = a.w;
    d[3] = a.c;
    d[4] = a.kh;
    d[5] = a.kw;
    d[6] = a.oh;
    d[7] = a.ow;
    d[8] = a.strideH;
    d[9] = a.strideW;
    d[10] = a.padTop;
    d[11] = a.padLeft;
    d[12] = a.dilationH;
    d[13] = a.dilationW;
    d[14] = a.taps;
    d[15] = a.wideTaps;
    d[16] = a.dy;
    d[17] = a.dx;
  },
  avgPool2d(d, a) {
    d[0] = a.n;
    d[1] = a.h;
    d[2] = a.w;
    d[3] = a.c;
    d[4] = a.kh;
    d[5] = a.kw;
    d[6] = a.oh;
    d[7] = a.ow;
    d[8] = a.strideH;
    d[9] = a.strideW;
    d[10] = a.padTop;
    d[11] = a.padLeft;
    d[12] = a.countH;
    d[13] = a.countW;
    d[14] = a.x;
    d[15] = a.y;
  },
  avgPool2dGrad(d, a) {
    d[0] = a.n;
    d[1] = a.h;
    d[2] = a.w;
    d[3] = a.c;
    d[4] = a.kh;
    d[5] = a.kw;
    d[6] = a.oh;
    d[7] = a.ow;
    d[8] = a.strideH;
    d[9] = a.strideW;
    d[10] = a.padTop;
    d[11] = a.padLeft;
    d[12] = a.countH;
    d[13] = a.countW;
    d[14] = a.dy;
    d[15] = a.dx;
  },
  reduce(d, a) {
    d[0] = a.kind;
    d[1] = a.outer;
    d[2] = a.r;
    d[3] = a.inner;
    d[4] = a.x;
    d[5] = a.y;
  },
  argMax(d, a) {
    d[0] = a.outer;
    d[1] = a.r;
    d[2] = a.inner;
    d[3] = a.x;
    d[4] = a.y;
  },
  softmax(d, a) {
    d[0] = a.log;
    d[1] = a.rows;
    d[2] = a.cols;
    d[3] = a.x;
    d[4] = a.y;
  },
  softmaxGrad(d, a) {
    d[0] = a.log;
    d[1] = a.rows;
    d[2] = a.cols;
    d[3] = a.y;
    d[4] = a.dy;
    d[5] = a.dx;
  },
  crossEntropy(d, a) {
    d[0] = a.rows;
    d[1] = a.cols;
    d[2] = a.logits;
    d[3] = a.target;
    d[4] = a.loss;
    d[5] = a.logSum;
  },
  crossEntropyGrad(d, a) {
    d[0] = a.rows;
    d[1] = a.cols;
    d[2] = a.logits;
    d[3] = a.target;
    d[4] = a.logSum;
    d[5] = a.dloss;
    d[6] = a.dlogits;
  },
  gatherRows(d, a) {
    d[0] = a.outer;
    d[1] = a.size;
    d[2] = a.rows;
    d[3] = a.inner;
    d[4] = a.x;
    d[5] = a.index;
    d[6] = a.y;
    d[7] = a.elemSize;
  },
  scatterAddRows(d, a) {
    d[0] = a.outer;
    d[1] = a.size;
    d[2] = a.rows;
    d[3] = a.inner;
    d[4] = a.dy;
    d[5] = a.index;
    d[6] = a.dx;
    d[7] = a.skip;
  },
  gather(d, a) {
    d[0] = a.outer;
    d[1] = a.size;
    d[2] = a.rows;
    d[3] = a.inner;
    d[4] = a.x;
    d[5] = a.index;
    d[6] = a.y;
  },
  gatherGrad(d, a) {
    d[0] = a.outer;
    d[1] = a.size;
    d[2] = a.rows;
    d[3] = a.inner;
    d[4] = a.dy;
    d[5] = a.index;
    d[6] = a.dx;
  },
  cumsum(d, a) {
    d[0] = a.outer;
    d[1] = a.r;
    d[2] = a.inner;
    d[3] = a.x;
    d[4] = a.y;
    d[5] = a.reverse;
  },
  random(d, a) {
    d[0] = a.kind;
    d[1] = a.n;
    d[2] = a.seedLo;
    d[3] = a.seedHi;
    d[4] = a.stream;
    d[5] = a.offset;
    d[6] = a.out;
  },
  recurrent(d, a) {
    d[0] = a.cell;
    d[1] = a.steps;
    d[2] = a.batch;
    d[3] = a.hidden;
    d[4] = a.reverse;
    d[5] = a.weight;
    d[6] = a.h0;
    d[7] = a.c0;
    d[8] = a.lengths;
    d[9] = a.y;
    d[10] = a.gates;
    d[11] = a.bias;
    d[12] = a.h;
    d[13] = a.c;
    d[14] = a.scratch;
  },
  recurrentGrad(d, a) {
    d[0] = a.cell;
    d[1] = a.steps;
    d[2] = a.batch;
    d[3] = a.hidden;
    d[4] = a.reverse;
    d[5] = a.weight;
    d[6] = a.h0;
    d[7] = a.c0;
    d[8] = a.lengths;
    d[9] = a.y;
    d[10] = a.gates;
    d[11] = a.dy;
    d[12] = a.dh;
    d[13] = a.dc;
    d[14] = a.dgates;
    d[15] = a.dh0;
    d[16] = a.dc0;
    d[17] = a.scratch;
  },
  localResponseNorm(d, a) {
    d[0] = a.pixels;
    d[1] = a.c;
    d[2] = a.size;
    d[3] = a.alpha;
    d[4] = a.beta;
    d[5] = a.k;
    d[6] = a.x;
    d[7] = a.y;
  },
  localResponseNormGrad(d, a) {
    d[0] = a.pixels;
    d[1] = a.c;
    d[2] = a.size;
    d[3] = a.alpha;
    d[4] = a.beta;
    d[5] = a.k;
    d[6] = a.x;
    d[7] = a.dy;
    d[8] = a.dx;
  },
  layerNorm(d, a) {
    d[0] = a.rms;
    d[1] = a.rows;
    d[2] = a.cols;
    d[3] = a.eps;
    d[4] = a.x;
    d[5] = a.weight;
    d[6] = a.bias;
    d[7] = a.y;
    d[8] = a.mean;
    d[9] = a.rstd;
  },
  layerNormGrad(d, a) {
    d[0] = a.rms;
    d[1] = a.rows;
    d[2] = a.cols;
    d[3] = a.x;
    d[4] = a.weight;
    d[5] = a.dy;
    d[6] = a.mean;
    d[7] = a.rstd;
    d[8] = a.dx;
    d[9] = a.dw;
    d[10] = a.db;
    d[11] = a.scratch;
  },
  attention(d, a) {
    d[0] = a.b;
    d[1] = a.h;
    d[2] = a.t;
    d[3] = a.s;
    d[4] = a.d;
    d[5] = a.e;
    d[6] = a.scale;
    d[7] = a.causal;
    d[8] = a.q;
    put(d, 9, a.qStride, 3);
    d[12] = a.k;
    put(d, 13, a.kStride, 3);
    d[16] = a.v;
    put(d, 17, a.vStride, 3);
    d[20] = a.mask;
    put(d, 21, a.maskStride, 4);
    d[25] = a.o;
    put(d, 26, a.oStride, 3);
    d[29] = a.lse;
  },
  attentionGrad(d, a) {
    d[0] = a.b;
    d[1] = a.h;
    d[2] = a.t;
    d[3] = a.s;
    d[4] = a.d;
    d[5] = a.e;
    d[6] = a.scale;
    d[7] = a.causal;
    d[8] = a.q;
    put(d, 9, a.qStride, 3);
    d[12] = a.k;
    put(d, 13, a.kStride, 3);
    d[16] = a.v;
    put(d, 17, a.vStride, 3);
    d[20] = a.mask;
    put(d, 21, a.maskStride, 4);
    d[25] = a.o;
    put(d, 26, a.oStride, 3);
    d[29] = a.lse;
    d[30] = a.dy;
    put(d, 31, a.dyStride, 3);
    d[34] = a.dq;
    put(d, 35, a.dqStride, 3);
    d[38] = a.dk;
    put(d, 39, a.dkStride, 3);
    d[42] = a.dv;
    put(d, 43, a.dvStride, 3);
  },
  poolGather(d, a) {
    d[0] = a.n;
    d[1] = a.h;
    d[2] = a.w;
    d[3] = a.c;
    d[4] = a.kh;
    d[5] = a.kw;
    d[6] = a.oh;
    d[7] = a.ow;
    d[8] = a.strideH;
    d[9] = a.strideW;
    d[10] = a.padTop;
    d[11] = a.padLeft;
    d[12] = a.dilationH;
    d[13] = a.dilationW;
    d[14] = a.taps;
    d[15] = a.wideTaps;
    d[16] = a.x;
    d[17] = a.y;
  },
};
