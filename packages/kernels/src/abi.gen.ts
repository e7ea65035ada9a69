// written by tooling/scripts/gen-abi.ts from packages/kernels/src/abi.ts: pnpm gen
import type { KernelName } from "./abi.ts";

/** Changes whenever a kernel or an argument does; engines built from another list are refused. */
export const abiHash = "a3cd04b35dc0";
/** Doubles that the largest argument list needs. */
export const maxDoubles = 122;

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
  channelSums: {
    rows: number;
    cols: number;
    x: number;
    dy: number;
    mean: number;
    dot: number;
    sum: number;
    scratch: number;
  };
  channelScale: {
    rows: number;
    cols: number;
    x: number;
    mean: number;
    scale: number;
    shift: number;
    dy: number;
    gain: number;
    y: number;
  };
}

/** Returns the place behind. */
function put(d: Float64Array, at: number, values: ArrayLike<number>, limit: number): number {
  if (values.length > limit) throw new RangeError(`kernel argument holds at most ${limit} values, got ${values.length}`);
  for (let i = 0; i < values.length; i++) d[at + i] = values[i]!;
  return at + limit;
}

/** Write a kernel's arguments to the shared array; the tail of a short array keeps old values, which no kernel reads. */
export const writers: { readonly [K in KernelName]: (d: Float64Array, a: KernelArgs[K]) => void } = {
  map(d, a) {
    let i = 0;
    d[i++] = a.program;
    d[i++] = a.ninstr;
    d[i++] = a.nin;
    d[i++] = a.nparam;
    d[i++] = a.nout;
    d[i++] = a.nd;
    i = put(d, i, a.shape, 8);
    i = put(d, i, a.in, 8);
    i = put(d, i, a.inType, 8);
    i = put(d, i, a.inStride, 64);
    i = put(d, i, a.param, 16);
    i = put(d, i, a.out, 4);
    i = put(d, i, a.outType, 4);
    put(d, i, a.outReg, 4);
  },
  mapList(d, a) {
    let i = 0;
    d[i++] = a.program;
    d[i++] = a.ninstr;
    d[i++] = a.nin;
    d[i++] = a.nparam;
    d[i++] = a.nout;
    d[i++] = a.segments;
    d[i++] = a.count;
    i = put(d, i, a.param, 16);
    put(d, i, a.outReg, 4);
  },
  copy(d, a) {
    let i = 0;
    d[i++] = a.elemSize;
    d[i++] = a.nd;
    i = put(d, i, a.shape, 8);
    d[i++] = a.src;
    i = put(d, i, a.srcStride, 8);
    d[i++] = a.dst;
    put(d, i, a.dstStride, 8);
  },
  fill(d, a) {
    let i = 0;
    d[i++] = a.dst;
    d[i++] = a.n;
    d[i++] = a.kind;
    d[i] = a.value;
  },
  gemm(d, a) {
    let i = 0;
    d[i++] = a.batch;
    d[i++] = a.m;
    d[i++] = a.n;
    d[i++] = a.k;
    d[i++] = a.a;
    d[i++] = a.aRow;
    d[i++] = a.aCol;
    d[i++] = a.aBatch;
    d[i++] = a.b;
    d[i++] = a.bRow;
    d[i++] = a.bCol;
    d[i++] = a.bBatch;
    d[i++] = a.c;
    d[i++] = a.cRow;
    d[i++] = a.cBatch;
    d[i++] = a.bias;
    d[i++] = a.act;
    d[i++] = a.accumulate;
    d[i] = a.scratch;
  },
  conv2d(d, a) {
    let i = 0;
    d[i++] = a.n;
    d[i++] = a.h;
    d[i++] = a.w;
    d[i++] = a.c;
    d[i++] = a.oc;
    d[i++] = a.kh;
    d[i++] = a.kw;
    d[i++] = a.oh;
    d[i++] = a.ow;
    d[i++] = a.strideH;
    d[i++] = a.strideW;
    d[i++] = a.padTop;
    d[i++] = a.padLeft;
    d[i++] = a.dilationH;
    d[i++] = a.dilationW;
    d[i++] = a.groups;
    d[i++] = a.x;
    d[i++] = a.weight;
    d[i++] = a.bias;
    d[i++] = a.y;
    d[i++] = a.act;
    d[i] = a.scratch;
  },
  conv2dInputGrad(d, a) {
    let i = 0;
    d[i++] = a.n;
    d[i++] = a.h;
    d[i++] = a.w;
    d[i++] = a.c;
    d[i++] = a.oc;
    d[i++] = a.kh;
    d[i++] = a.kw;
    d[i++] = a.oh;
    d[i++] = a.ow;
    d[i++] = a.strideH;
    d[i++] = a.strideW;
    d[i++] = a.padTop;
    d[i++] = a.padLeft;
    d[i++] = a.dilationH;
    d[i++] = a.dilationW;
    d[i++] = a.groups;
    d[i++] = a.dy;
    d[i++] = a.weight;
    d[i++] = a.dx;
    d[i] = a.scratch;
  },
  conv2dWeightGrad(d, a) {
    let i = 0;
    d[i++] = a.n;
    d[i++] = a.h;
    d[i++] = a.w;
    d[i++] = a.c;
    d[i++] = a.oc;
    d[i++] = a.kh;
    d[i++] = a.kw;
    d[i++] = a.oh;
    d[i++] = a.ow;
    d[i++] = a.strideH;
    d[i++] = a.strideW;
    d[i++] = a.padTop;
    d[i++] = a.padLeft;
    d[i++] = a.dilationH;
    d[i++] = a.dilationW;
    d[i++] = a.groups;
    d[i++] = a.x;
    d[i++] = a.dy;
    d[i++] = a.dw;
    d[i++] = a.db;
    d[i] = a.scratch;
  },
  maxPool2d(d, a) {
    let i = 0;
    d[i++] = a.n;
    d[i++] = a.h;
    d[i++] = a.w;
    d[i++] = a.c;
    d[i++] = a.kh;
    d[i++] = a.kw;
    d[i++] = a.oh;
    d[i++] = a.ow;
    d[i++] = a.strideH;
    d[i++] = a.strideW;
    d[i++] = a.padTop;
    d[i++] = a.padLeft;
    d[i++] = a.dilationH;
    d[i++] = a.dilationW;
    d[i++] = a.taps;
    d[i++] = a.wideTaps;
    d[i++] = a.relu;
    d[i++] = a.x;
    d[i] = a.y;
  },
  maxPool2dGrad(d, a) {
    let i = 0;
    d[i++] = a.n;
    d[i++] = a.h;
    d[i++] = a.w;
    d[i++] = a.c;
    d[i++] = a.kh;
    d[i++] = a.kw;
    d[i++] = a.oh;
    d[i++] = a.ow;
    d[i++] = a.strideH;
    d[i++] = a.strideW;
    d[i++] = a.padTop;
    d[i++] = a.padLeft;
    d[i++] = a.dilationH;
    d[i++] = a.dilationW;
    d[i++] = a.taps;
    d[i++] = a.wideTaps;
    d[i++] = a.dy;
    d[i] = a.dx;
  },
  avgPool2d(d, a) {
    let i = 0;
    d[i++] = a.n;
    d[i++] = a.h;
    d[i++] = a.w;
    d[i++] = a.c;
    d[i++] = a.kh;
    d[i++] = a.kw;
    d[i++] = a.oh;
    d[i++] = a.ow;
    d[i++] = a.strideH;
    d[i++] = a.strideW;
    d[i++] = a.padTop;
    d[i++] = a.padLeft;
    d[i++] = a.countH;
    d[i++] = a.countW;
    d[i++] = a.x;
    d[i] = a.y;
  },
  avgPool2dGrad(d, a) {
    let i = 0;
    d[i++] = a.n;
    d[i++] = a.h;
    d[i++] = a.w;
    d[i++] = a.c;
    d[i++] = a.kh;
    d[i++] = a.kw;
    d[i++] = a.oh;
    d[i++] = a.ow;
    d[i++] = a.strideH;
    d[i++] = a.strideW;
    d[i++] = a.padTop;
    d[i++] = a.padLeft;
    d[i++] = a.countH;
    d[i++] = a.countW;
    d[i++] = a.dy;
    d[i] = a.dx;
  },
  reduce(d, a) {
    let i = 0;
    d[i++] = a.kind;
    d[i++] = a.outer;
    d[i++] = a.r;
    d[i++] = a.inner;
    d[i++] = a.x;
    d[i] = a.y;
  },
  argMax(d, a) {
    let i = 0;
    d[i++] = a.outer;
    d[i++] = a.r;
    d[i++] = a.inner;
    d[i++] = a.x;
    d[i] = a.y;
  },
  softmax(d, a) {
    let i = 0;
    d[i++] = a.log;
    d[i++] = a.rows;
    d[i++] = a.cols;
    d[i++] = a.x;
    d[i] = a.y;
  },
  softmaxGrad(d, a) {
    let i = 0;
    d[i++] = a.log;
    d[i++] = a.rows;
    d[i++] = a.cols;
    d[i++] = a.y;
    d[i++] = a.dy;
    d[i] = a.dx;
  },
  crossEntropy(d, a) {
    let i = 0;
    d[i++] = a.rows;
    d[i++] = a.cols;
    d[i++] = a.logits;
    d[i++] = a.target;
    d[i++] = a.loss;
    d[i] = a.logSum;
  },
  crossEntropyGrad(d, a) {
    let i = 0;
    d[i++] = a.rows;
    d[i++] = a.cols;
    d[i++] = a.logits;
    d[i++] = a.target;
    d[i++] = a.logSum;
    d[i++] = a.dloss;
    d[i] = a.dlogits;
  },
  gatherRows(d, a) {
    let i = 0;
    d[i++] = a.outer;
    d[i++] = a.size;
    d[i++] = a.rows;
    d[i++] = a.inner;
    d[i++] = a.x;
    d[i++] = a.index;
    d[i++] = a.y;
    d[i] = a.elemSize;
  },
  scatterAddRows(d, a) {
    let i = 0;
    d[i++] = a.outer;
    d[i++] = a.size;
    d[i++] = a.rows;
    d[i++] = a.inner;
    d[i++] = a.dy;
    d[i++] = a.index;
    d[i++] = a.dx;
    d[i] = a.skip;
  },
  gather(d, a) {
    let i = 0;
    d[i++] = a.outer;
    d[i++] = a.size;
    d[i++] = a.rows;
    d[i++] = a.inner;
    d[i++] = a.x;
    d[i++] = a.index;
    d[i] = a.y;
  },
  gatherGrad(d, a) {
    let i = 0;
    d[i++] = a.outer;
    d[i++] = a.size;
    d[i++] = a.rows;
    d[i++] = a.inner;
    d[i++] = a.dy;
    d[i++] = a.index;
    d[i] = a.dx;
  },
  cumsum(d, a) {
    let i = 0;
    d[i++] = a.outer;
    d[i++] = a.r;
    d[i++] = a.inner;
    d[i++] = a.x;
    d[i++] = a.y;
    d[i] = a.reverse;
  },
  random(d, a) {
    let i = 0;
    d[i++] = a.kind;
    d[i++] = a.n;
    d[i++] = a.seedLo;
    d[i++] = a.seedHi;
    d[i++] = a.stream;
    d[i++] = a.offset;
    d[i] = a.out;
  },
  recurrent(d, a) {
    let i = 0;
    d[i++] = a.cell;
    d[i++] = a.steps;
    d[i++] = a.batch;
    d[i++] = a.hidden;
    d[i++] = a.reverse;
    d[i++] = a.weight;
    d[i++] = a.h0;
    d[i++] = a.c0;
    d[i++] = a.lengths;
    d[i++] = a.y;
    d[i++] = a.gates;
    d[i++] = a.bias;
    d[i++] = a.h;
    d[i++] = a.c;
    d[i] = a.scratch;
  },
  recurrentGrad(d, a) {
    let i = 0;
    d[i++] = a.cell;
    d[i++] = a.steps;
    d[i++] = a.batch;
    d[i++] = a.hidden;
    d[i++] = a.reverse;
    d[i++] = a.weight;
    d[i++] = a.h0;
    d[i++] = a.c0;
    d[i++] = a.lengths;
    d[i++] = a.y;
    d[i++] = a.gates;
    d[i++] = a.dy;
    d[i++] = a.dh;
    d[i++] = a.dc;
    d[i++] = a.dgates;
    d[i++] = a.dh0;
    d[i++] = a.dc0;
    d[i] = a.scratch;
  },
  localResponseNorm(d, a) {
    let i = 0;
    d[i++] = a.pixels;
    d[i++] = a.c;
    d[i++] = a.size;
    d[i++] = a.alpha;
    d[i++] = a.beta;
    d[i++] = a.k;
    d[i++] = a.x;
    d[i] = a.y;
  },
  localResponseNormGrad(d, a) {
    let i = 0;
    d[i++] = a.pixels;
    d[i++] = a.c;
    d[i++] = a.size;
    d[i++] = a.alpha;
    d[i++] = a.beta;
    d[i++] = a.k;
    d[i++] = a.x;
    d[i++] = a.dy;
    d[i] = a.dx;
  },
  layerNorm(d, a) {
    let i = 0;
    d[i++] = a.rms;
    d[i++] = a.rows;
    d[i++] = a.cols;
    d[i++] = a.eps;
    d[i++] = a.x;
    d[i++] = a.weight;
    d[i++] = a.bias;
    d[i++] = a.y;
    d[i++] = a.mean;
    d[i] = a.rstd;
  },
  layerNormGrad(d, a) {
    let i = 0;
    d[i++] = a.rms;
    d[i++] = a.rows;
    d[i++] = a.cols;
    d[i++] = a.x;
    d[i++] = a.weight;
    d[i++] = a.dy;
    d[i++] = a.mean;
    d[i++] = a.rstd;
    d[i++] = a.dx;
    d[i++] = a.dw;
    d[i++] = a.db;
    d[i] = a.scratch;
  },
  attention(d, a) {
    let i = 0;
    d[i++] = a.b;
    d[i++] = a.h;
    d[i++] = a.t;
    d[i++] = a.s;
    d[i++] = a.d;
    d[i++] = a.e;
    d[i++] = a.scale;
    d[i++] = a.causal;
    d[i++] = a.q;
    i = put(d, i, a.qStride, 3);
    d[i++] = a.k;
    i = put(d, i, a.kStride, 3);
    d[i++] = a.v;
    i = put(d, i, a.vStride, 3);
    d[i++] = a.mask;
    i = put(d, i, a.maskStride, 4);
    d[i++] = a.o;
    i = put(d, i, a.oStride, 3);
    d[i] = a.lse;
  },
  attentionGrad(d, a) {
    let i = 0;
    d[i++] = a.b;
    d[i++] = a.h;
    d[i++] = a.t;
    d[i++] = a.s;
    d[i++] = a.d;
    d[i++] = a.e;
    d[i++] = a.scale;
    d[i++] = a.causal;
    d[i++] = a.q;
    i = put(d, i, a.qStride, 3);
    d[i++] = a.k;
    i = put(d, i, a.kStride, 3);
    d[i++] = a.v;
    i = put(d, i, a.vStride, 3);
    d[i++] = a.mask;
    i = put(d, i, a.maskStride, 4);
    d[i++] = a.o;
    i = put(d, i, a.oStride, 3);
    d[i++] = a.lse;
    d[i++] = a.dy;
    i = put(d, i, a.dyStride, 3);
    d[i++] = a.dq;
    i = put(d, i, a.dqStride, 3);
    d[i++] = a.dk;
    i = put(d, i, a.dkStride, 3);
    d[i++] = a.dv;
    put(d, i, a.dvStride, 3);
  },
  poolGather(d, a) {
    let i = 0;
    d[i++] = a.n;
    d[i++] = a.h;
    d[i++] = a.w;
    d[i++] = a.c;
    d[i++] = a.kh;
    d[i++] = a.kw;
    d[i++] = a.oh;
    d[i++] = a.ow;
    d[i++] = a.strideH;
    d[i++] = a.strideW;
    d[i++] = a.padTop;
    d[i++] = a.padLeft;
    d[i++] = a.dilationH;
    d[i++] = a.dilationW;
    d[i++] = a.taps;
    d[i++] = a.wideTaps;
    d[i++] = a.x;
    d[i] = a.y;
  },
  channelSums(d, a) {
    let i = 0;
    d[i++] = a.rows;
    d[i++] = a.cols;
    d[i++] = a.x;
    d[i++] = a.dy;
    d[i++] = a.mean;
    d[i++] = a.dot;
    d[i++] = a.sum;
    d[i] = a.scratch;
  },
  channelScale(d, a) {
    let i = 0;
    d[i++] = a.rows;
    d[i++] = a.cols;
    d[i++] = a.x;
    d[i++] = a.mean;
    d[i++] = a.scale;
    d[i++] = a.shift;
    d[i++] = a.dy;
    d[i++] = a.gain;
    d[i] = a.y;
  },
};

/** Their order is that of the table in the engines. */
export const kernelIds = Object.fromEntries(Object.keys(writers).map((name, id) => [name, id])) as Record<KernelName, number>;
