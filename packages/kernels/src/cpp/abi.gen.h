#pragma once
// written by tooling/scripts/gen-abi.ts from packages/kernels/src/abi.ts: pnpm gen
#include <stdint.h>

#ifndef NN_ISA
#define NN_ISA baseline
#endif
#define NN_ABI_HASH "a3cd04b35dc0"
#define NN_ABI_MAX_DOUBLES 122
#define NN_KERNEL_COUNT 35
/** X(kernel function, its argument struct), in the order of kernel ids. */
#define NN_KERNELS(X) \
  X(map, MapArgs) \
  X(mapList, MapListArgs) \
  X(copy, CopyArgs) \
  X(fill, FillArgs) \
  X(gemm, GemmArgs) \
  X(conv2d, Conv2dArgs) \
  X(conv2dInputGrad, Conv2dInputGradArgs) \
  X(conv2dWeightGrad, Conv2dWeightGradArgs) \
  X(maxPool2d, MaxPool2dArgs) \
  X(maxPool2dGrad, MaxPool2dGradArgs) \
  X(avgPool2d, AvgPool2dArgs) \
  X(avgPool2dGrad, AvgPool2dGradArgs) \
  X(reduce, ReduceArgs) \
  X(argMax, ArgMaxArgs) \
  X(softmax, SoftmaxArgs) \
  X(softmaxGrad, SoftmaxGradArgs) \
  X(crossEntropy, CrossEntropyArgs) \
  X(crossEntropyGrad, CrossEntropyGradArgs) \
  X(gatherRows, GatherRowsArgs) \
  X(scatterAddRows, ScatterAddRowsArgs) \
  X(gather, GatherArgs) \
  X(gatherGrad, GatherGradArgs) \
  X(cumsum, CumsumArgs) \
  X(random, RandomArgs) \
  X(recurrent, RecurrentArgs) \
  X(recurrentGrad, RecurrentGradArgs) \
  X(localResponseNorm, LocalResponseNormArgs) \
  X(localResponseNormGrad, LocalResponseNormGradArgs) \
  X(layerNorm, LayerNormArgs) \
  X(layerNormGrad, LayerNormGradArgs) \
  X(attention, AttentionArgs) \
  X(attentionGrad, AttentionGradArgs) \
  X(poolGather, PoolGatherArgs) \
  X(channelSums, ChannelSumsArgs) \
  X(channelScale, ChannelScaleArgs)
#define NN_JOB_COUNT 2
/** The same for jobs, whose ids follow. */
#define NN_JOBS(X) \
  X(fastTextInit, FastTextInitArgs) \
  X(fastTextTrain, FastTextTrainArgs)

namespace nn { namespace NN_ISA {

/** Op codes of map programs: OP_mov, OP_neg, … */
enum MapOp : int32_t {
  OP_mov = 0,
  OP_neg = 1,
  OP_abs = 2,
  OP_sign = 3,
  OP_sqrt = 4,
  OP_exp = 5,
  OP_expm1 = 6,
  OP_log = 7,
  OP_log1p = 8,
  OP_sin = 9,
  OP_cos = 10,
  OP_tan = 11,
  OP_asin = 12,
  OP_acos = 13,
  OP_atan = 14,
  OP_sinh = 15,
  OP_cosh = 16,
  OP_tanh = 17,
  OP_sigmoid = 18,
  OP_erf = 19,
  OP_floor = 20,
  OP_ceil = 21,
  OP_round = 22,
  OP_trunc = 23,
  OP_recip = 24,
  OP_relu = 25,
  OP_not = 26,
  OP_isnan = 27,
  OP_add = 28,
  OP_sub = 29,
  OP_mul = 30,
  OP_div = 31,
  OP_pow = 32,
  OP_max = 33,
  OP_min = 34,
  OP_mod = 35,
  OP_atan2 = 36,
  OP_eq = 37,
  OP_ne = 38,
  OP_lt = 39,
  OP_le = 40,
  OP_gt = 41,
  OP_ge = 42,
  OP_and = 43,
  OP_or = 44,
  OP_xor = 45,
  OP_select = 46,
  OP_fma = 47,
};

struct MapArgs {
  int32_t* program;
  int64_t ninstr;
  int64_t nin;
  int64_t nparam;
  int64_t nout;
  int64_t nd;
  int64_t shape[8];
  void* in[8];
  int64_t inType[8];
  int64_t inStride[64];
  float param[16];
  void* out[4];
  int64_t outType[4];
  int64_t outReg[4];
  static MapArgs read(const double* d) {
    MapArgs a;
    a.program = (int32_t*)(uintptr_t)(uint64_t)d[0];
    a.ninstr = (int64_t)d[1];
    a.nin = (int64_t)d[2];
    a.nparam = (int64_t)d[3];
    a.nout = (int64_t)d[4];
    a.nd = (int64_t)d[5];
    for (int i = 0; i < 8; i++) a.shape[i] = (int64_t)d[6 + i];
    for (int i = 0; i < 8; i++) a.in[i] = (void*)(uintptr_t)(uint64_t)d[14 + i];
    for (int i = 0; i < 8; i++) a.inType[i] = (int64_t)d[22 + i];
    for (int i = 0; i < 64; i++) a.inStride[i] = (int64_t)d[30 + i];
    for (int i = 0; i < 16; i++) a.param[i] = (float)d[94 + i];
    for (int i = 0; i < 4; i++) a.out[i] = (void*)(uintptr_t)(uint64_t)d[110 + i];
    for (int i = 0; i < 4; i++) a.outType[i] = (int64_t)d[114 + i];
    for (int i = 0; i < 4; i++) a.outReg[i] = (int64_t)d[118 + i];
    return a;
  }
};

struct MapListArgs {
  int32_t* program;
  int64_t ninstr;
  int64_t nin;
  int64_t nparam;
  int64_t nout;
  double* segments;
  int64_t count;
  float param[16];
  int64_t outReg[4];
  static MapListArgs read(const double* d) {
    MapListArgs a;
    a.program = (int32_t*)(uintptr_t)(uint64_t)d[0];
    a.ninstr = (int64_t)d[1];
    a.nin = (int64_t)d[2];
    a.nparam = (int64_t)d[3];
    a.nout = (int64_t)d[4];
    a.segments = (double*)(uintptr_t)(uint64_t)d[5];
    a.count = (int64_t)d[6];
    for (int i = 0; i < 16; i++) a.param[i] = (float)d[7 + i];
    for (int i = 0; i < 4; i++) a.outReg[i] = (int64_t)d[23 + i];
    return a;
  }
};

struct CopyArgs {
  int64_t elemSize;
  int64_t nd;
  int64_t shape[8];
  void* src;
  int64_t srcStride[8];
  void* dst;
  int64_t dstStride[8];
  static CopyArgs read(const double* d) {
    CopyArgs a;
    a.elemSize = (int64_t)d[0];
    a.nd = (int64_t)d[1];
    for (int i = 0; i < 8; i++) a.shape[i] = (int64_t)d[2 + i];
    a.src = (void*)(uintptr_t)(uint64_t)d[10];
    for (int i = 0; i < 8; i++) a.srcStride[i] = (int64_t)d[11 + i];
    a.dst = (void*)(uintptr_t)(uint64_t)d[19];
    for (int i = 0; i < 8; i++) a.dstStride[i] = (int64_t)d[20 + i];
    return a;
  }
};

struct FillArgs {
  void* dst;
  int64_t n;
  int64_t kind;
  double value;
  static FillArgs read(const double* d) {
    FillArgs a;
    a.dst = (void*)(uintptr_t)(uint64_t)d[0];
    a.n = (int64_t)d[1];
    a.kind = (int64_t)d[2];
    a.value = (double)d[3];
    return a;
  }
};

struct GemmArgs {
  int64_t batch;
  int64_t m;
  int64_t n;
  int64_t k;
  float* a;
  int64_t aRow;
  int64_t aCol;
  int64_t aBatch;
  float* b;
  int64_t bRow;
  int64_t bCol;
  int64_t bBatch;
  float* c;
  int64_t cRow;
  int64_t cBatch;
  float* bias;
  int64_t act;
  int64_t accumulate;
  void* scratch;
  static GemmArgs read(const double* d) {
    GemmArgs a;
    a.batch = (int64_t)d[0];
    a.m = (int64_t)d[1];
    a.n = (int64_t)d[2];
    a.k = (int64_t)d[3];
    a.a = (float*)(uintptr_t)(uint64_t)d[4];
    a.aRow = (int64_t)d[5];
    a.aCol = (int64_t)d[6];
    a.aBatch = (int64_t)d[7];
    a.b = (float*)(uintptr_t)(uint64_t)d[8];
    a.bRow = (int64_t)d[9];
    a.bCol = (int64_t)d[10];
    a.bBatch = (int64_t)d[11];
    a.c = (float*)(uintptr_t)(uint64_t)d[12];
    a.cRow = (int64_t)d[13];
    a.cBatch = (int64_t)d[14];
    a.bias = (float*)(uintptr_t)(uint64_t)d[15];
    a.act = (int64_t)d[16];
    a.accumulate = (int64_t)d[17];
    a.scratch = (void*)(uintptr_t)(uint64_t)d[18];
    return a;
  }
};

struct Conv2dArgs {
  int64_t n;
  int64_t h;
  int64_t w;
  int64_t c;
  int64_t oc;
  int64_t kh;
  int64_t kw;
  int64_t oh;
  int64_t ow;
  int64_t strideH;
  int64_t strideW;
  int64_t padTop;
  int64_t padLeft;
  int64_t dilationH;
  int64_t dilationW;
  int64_t groups;
  float* x;
  float* weight;
  float* bias;
  float* y;
  int64_t act;
  void* scratch;
  static Conv2dArgs read(const double* d) {
    Conv2dArgs a;
    a.n = (int64_t)d[0];
    a.h = (int64_t)d[1];
    a.w = (int64_t)d[2];
    a.c = (int64_t)d[3];
    a.oc = (int64_t)d[4];
    a.kh = (int64_t)d[5];
    a.kw = (int64_t)d[6];
    a.oh = (int64_t)d[7];
    a.ow = (int64_t)d[8];
    a.strideH = (int64_t)d[9];
    a.strideW = (int64_t)d[10];
    a.padTop = (int64_t)d[11];
    a.padLeft = (int64_t)d[12];
    a.dilationH = (int64_t)d[13];
    a.dilationW = (int64_t)d[14];
    a.groups = (int64_t)d[15];
    a.x = (float*)(uintptr_t)(uint64_t)d[16];
    a.weight = (float*)(uintptr_t)(uint64_t)d[17];
    a.bias = (float*)(uintptr_t)(uint64_t)d[18];
    a.y = (float*)(uintptr_t)(uint64_t)d[19];
    a.act = (int64_t)d[20];
    a.scratch = (void*)(uintptr_t)(uint64_t)d[21];
    return a;
  }
};

struct Conv2dInputGradArgs {
  int64_t n;
  int64_t h;
  int64_t w;
  int64_t c;
  int64_t oc;
  int64_t kh;
  int64_t kw;
  int64_t oh;
  int64_t ow;
  int64_t strideH;
  int64_t strideW;
  int64_t padTop;
  int64_t padLeft;
  int64_t dilationH;
  int64_t dilationW;
  int64_t groups;
  float* dy;
  float* weight;
  float* dx;
  void* scratch;
  static Conv2dInputGradArgs read(const double* d) {
    Conv2dInputGradArgs a;
    a.n = (int64_t)d[0];
    a.h = (int64_t)d[1];
    a.w = (int64_t)d[2];
    a.c = (int64_t)d[3];
    a.oc = (int64_t)d[4];
    a.kh = (int64_t)d[5];
    a.kw = (int64_t)d[6];
    a.oh = (int64_t)d[7];
    a.ow = (int64_t)d[8];
    a.strideH = (int64_t)d[9];
    a.strideW = (int64_t)d[10];
    a.padTop = (int64_t)d[11];
    a.padLeft = (int64_t)d[12];
    a.dilationH = (int64_t)d[13];
    a.dilationW = (int64_t)d[14];
    a.groups = (int64_t)d[15];
    a.dy = (float*)(uintptr_t)(uint64_t)d[16];
    a.weight = (float*)(uintptr_t)(uint64_t)d[17];
    a.dx = (float*)(uintptr_t)(uint64_t)d[18];
    a.scratch = (void*)(uintptr_t)(uint64_t)d[19];
    return a;
  }
};

struct Conv2dWeightGradArgs {
  int64_t n;
  int64_t h;
  int64_t w;
  int64_t c;
  int64_t oc;
  int64_t kh;
  int64_t kw;
  int64_t oh;
  int64_t ow;
  int64_t strideH;
  int64_t strideW;
  int64_t padTop;
  int64_t padLeft;
  int64_t dilationH;
  int64_t dilationW;
  int64_t groups;
  float* x;
  float* dy;
  float* dw;
  float* db;
  void* scratch;
  static Conv2dWeightGradArgs read(const double* d) {
    Conv2dWeightGradArgs a;
    a.n = (int64_t)d[0];
    a.h = (int64_t)d[1];
    a.w = (int64_t)d[2];
    a.c = (int64_t)d[3];
    a.oc = (int64_t)d[4];
    a.kh = (int64_t)d[5];
    a.kw = (int64_t)d[6];
    a.oh = (int64_t)d[7];
    a.ow = (int64_t)d[8];
    a.strideH = (int64_t)d[9];
    a.strideW = (int64_t)d[10];
    a.padTop = (int64_t)d[11];
    a.padLeft = (int64_t)d[12];
    a.dilationH = (int64_t)d[13];
    a.dilationW = (int64_t)d[14];
    a.groups = (int64_t)d[15];
    a.x = (float*)(uintptr_t)(uint64_t)d[16];
    a.dy = (float*)(uintptr_t)(uint64_t)d[17];
    a.dw = (float*)(uintptr_t)(uint64_t)d[18];
    a.db = (float*)(uintptr_t)(uint64_t)d[19];
    a.scratch = (void*)(uintptr_t)(uint64_t)d[20];
    return a;
  }
};

struct MaxPool2dArgs {
  int64_t n;
  int64_t h;
  int64_t w;
  int64_t c;
  int64_t kh;
  int64_t kw;
  int64_t oh;
  int64_t ow;
  int64_t strideH;
  int64_t strideW;
  int64_t padTop;
  int64_t padLeft;
  int64_t dilationH;
  int64_t dilationW;
  void* taps;
  int64_t wideTaps;
  int64_t relu;
  float* x;
  float* y;
  static MaxPool2dArgs read(const double* d) {
    MaxPool2dArgs a;
    a.n = (int64_t)d[0];
    a.h = (int64_t)d[1];
    a.w = (int64_t)d[2];
    a.c = (int64_t)d[3];
    a.kh = (int64_t)d[4];
    a.kw = (int64_t)d[5];
    a.oh = (int64_t)d[6];
    a.ow = (int64_t)d[7];
    a.strideH = (int64_t)d[8];
    a.strideW = (int64_t)d[9];
    a.padTop = (int64_t)d[10];
    a.padLeft = (int64_t)d[11];
    a.dilationH = (int64_t)d[12];
    a.dilationW = (int64_t)d[13];
    a.taps = (void*)(uintptr_t)(uint64_t)d[14];
    a.wideTaps = (int64_t)d[15];
    a.relu = (int64_t)d[16];
    a.x = (float*)(uintptr_t)(uint64_t)d[17];
    a.y = (float*)(uintptr_t)(uint64_t)d[18];
    return a;
  }
};

struct MaxPool2dGradArgs {
  int64_t n;
  int64_t h;
  int64_t w;
  int64_t c;
  int64_t kh;
  int64_t kw;
  int64_t oh;
  int64_t ow;
  int64_t strideH;
  int64_t strideW;
  int64_t padTop;
  int64_t padLeft;
  int64_t dilationH;
  int64_t dilationW;
  void* taps;
  int64_t wideTaps;
  float* dy;
  float* dx;
  static MaxPool2dGradArgs read(const double* d) {
    MaxPool2dGradArgs a;
    a.n = (int64_t)d[0];
    a.h = (int64_t)d[1];
    a.w = (int64_t)d[2];
    a.c = (int64_t)d[3];
    a.kh = (int64_t)d[4];
    a.kw = (int64_t)d[5];
    a.oh = (int64_t)d[6];
    a.ow = (int64_t)d[7];
    a.strideH = (int64_t)d[8];
    a.strideW = (int64_t)d[9];
    a.padTop = (int64_t)d[10];
    a.padLeft = (int64_t)d[11];
    a.dilationH = (int64_t)d[12];
    a.dilationW = (int64_t)d[13];
    a.taps = (void*)(uintptr_t)(uint64_t)d[14];
    a.wideTaps = (int64_t)d[15];
    a.dy = (float*)(uintptr_t)(uint64_t)d[16];
    a.dx = (float*)(uintptr_t)(uint64_t)d[17];
    return a;
  }
};

struct AvgPool2dArgs {
  int64_t n;
  int64_t h;
  int64_t w;
  int64_t c;
  int64_t kh;
  int64_t kw;
  int64_t oh;
  int64_t ow;
  int64_t strideH;
  int64_t strideW;
  int64_t padTop;
  int64_t padLeft;
  int64_t countH;
  int64_t countW;
  float* x;
  float* y;
  static AvgPool2dArgs read(const double* d) {
    AvgPool2dArgs a;
    a.n = (int64_t)d[0];
    a.h = (int64_t)d[1];
    a.w = (int64_t)d[2];
    a.c = (int64_t)d[3];
    a.kh = (int64_t)d[4];
    a.kw = (int64_t)d[5];
    a.oh = (int64_t)d[6];
    a.ow = (int64_t)d[7];
    a.strideH = (int64_t)d[8];
    a.strideW = (int64_t)d[9];
    a.padTop = (int64_t)d[10];
    a.padLeft = (int64_t)d[11];
    a.countH = (int64_t)d[12];
    a.countW = (int64_t)d[13];
    a.x = (float*)(uintptr_t)(uint64_t)d[14];
    a.y = (float*)(uintptr_t)(uint64_t)d[15];
    return a;
  }
};

struct AvgPool2dGradArgs {
  int64_t n;
  int64_t h;
  int64_t w;
  int64_t c;
  int64_t kh;
  int64_t kw;
  int64_t oh;
  int64_t ow;
  int64_t strideH;
  int64_t strideW;
  int64_t padTop;
  int64_t padLeft;
  int64_t countH;
  int64_t countW;
  float* dy;
  float* dx;
  static AvgPool2dGradArgs read(const double* d) {
    AvgPool2dGradArgs a;
    a.n = (int64_t)d[0];
    a.h = (int64_t)d[1];
    a.w = (int64_t)d[2];
    a.c = (int64_t)d[3];
    a.kh = (int64_t)d[4];
    a.kw = (int64_t)d[5];
    a.oh = (int64_t)d[6];
    a.ow = (int64_t)d[7];
    a.strideH = (int64_t)d[8];
    a.strideW = (int64_t)d[9];
    a.padTop = (int64_t)d[10];
    a.padLeft = (int64_t)d[11];
    a.countH = (int64_t)d[12];
    a.countW = (int64_t)d[13];
    a.dy = (float*)(uintptr_t)(uint64_t)d[14];
    a.dx = (float*)(uintptr_t)(uint64_t)d[15];
    return a;
  }
};

struct ReduceArgs {
  int64_t kind;
  int64_t outer;
  int64_t r;
  int64_t inner;
  float* x;
  float* y;
  static ReduceArgs read(const double* d) {
    ReduceArgs a;
    a.kind = (int64_t)d[0];
    a.outer = (int64_t)d[1];
    a.r = (int64_t)d[2];
    a.inner = (int64_t)d[3];
    a.x = (float*)(uintptr_t)(uint64_t)d[4];
    a.y = (float*)(uintptr_t)(uint64_t)d[5];
    return a;
  }
};

struct ArgMaxArgs {
  int64_t outer;
  int64_t r;
  int64_t inner;
  float* x;
  int32_t* y;
  static ArgMaxArgs read(const double* d) {
    ArgMaxArgs a;
    a.outer = (int64_t)d[0];
    a.r = (int64_t)d[1];
    a.inner = (int64_t)d[2];
    a.x = (float*)(uintptr_t)(uint64_t)d[3];
    a.y = (int32_t*)(uintptr_t)(uint64_t)d[4];
    return a;
  }
};

struct SoftmaxArgs {
  int64_t log;
  int64_t rows;
  int64_t cols;
  float* x;
  float* y;
  static SoftmaxArgs read(const double* d) {
    SoftmaxArgs a;
    a.log = (int64_t)d[0];
    a.rows = (int64_t)d[1];
    a.cols = (int64_t)d[2];
    a.x = (float*)(uintptr_t)(uint64_t)d[3];
    a.y = (float*)(uintptr_t)(uint64_t)d[4];
    return a;
  }
};

struct SoftmaxGradArgs {
  int64_t log;
  int64_t rows;
  int64_t cols;
  float* y;
  float* dy;
  float* dx;
  static SoftmaxGradArgs read(const double* d) {
    SoftmaxGradArgs a;
    a.log = (int64_t)d[0];
    a.rows = (int64_t)d[1];
    a.cols = (int64_t)d[2];
    a.y = (float*)(uintptr_t)(uint64_t)d[3];
    a.dy = (float*)(uintptr_t)(uint64_t)d[4];
    a.dx = (float*)(uintptr_t)(uint64_t)d[5];
    return a;
  }
};

struct CrossEntropyArgs {
  int64_t rows;
  int64_t cols;
  float* logits;
  int32_t* target;
  float* loss;
  float* logSum;
  static CrossEntropyArgs read(const double* d) {
    CrossEntropyArgs a;
    a.rows = (int64_t)d[0];
    a.cols = (int64_t)d[1];
    a.logits = (float*)(uintptr_t)(uint64_t)d[2];
    a.target = (int32_t*)(uintptr_t)(uint64_t)d[3];
    a.loss = (float*)(uintptr_t)(uint64_t)d[4];
    a.logSum = (float*)(uintptr_t)(uint64_t)d[5];
    return a;
  }
};

struct CrossEntropyGradArgs {
  int64_t rows;
  int64_t cols;
  float* logits;
  int32_t* target;
  float* logSum;
  float* dloss;
  float* dlogits;
  static CrossEntropyGradArgs read(const double* d) {
    CrossEntropyGradArgs a;
    a.rows = (int64_t)d[0];
    a.cols = (int64_t)d[1];
    a.logits = (float*)(uintptr_t)(uint64_t)d[2];
    a.target = (int32_t*)(uintptr_t)(uint64_t)d[3];
    a.logSum = (float*)(uintptr_t)(uint64_t)d[4];
    a.dloss = (float*)(uintptr_t)(uint64_t)d[5];
    a.dlogits = (float*)(uintptr_t)(uint64_t)d[6];
    return a;
  }
};

struct GatherRowsArgs {
  int64_t outer;
  int64_t size;
  int64_t rows;
  int64_t inner;
  void* x;
  int32_t* index;
  void* y;
  int64_t elemSize;
  static GatherRowsArgs read(const double* d) {
    GatherRowsArgs a;
    a.outer = (int64_t)d[0];
    a.size = (int64_t)d[1];
    a.rows = (int64_t)d[2];
    a.inner = (int64_t)d[3];
    a.x = (void*)(uintptr_t)(uint64_t)d[4];
    a.index = (int32_t*)(uintptr_t)(uint64_t)d[5];
    a.y = (void*)(uintptr_t)(uint64_t)d[6];
    a.elemSize = (int64_t)d[7];
    return a;
  }
};

struct ScatterAddRowsArgs {
  int64_t outer;
  int64_t size;
  int64_t rows;
  int64_t inner;
  float* dy;
  int32_t* index;
  float* dx;
  int64_t skip;
  static ScatterAddRowsArgs read(const double* d) {
    ScatterAddRowsArgs a;
    a.outer = (int64_t)d[0];
    a.size = (int64_t)d[1];
    a.rows = (int64_t)d[2];
    a.inner = (int64_t)d[3];
    a.dy = (float*)(uintptr_t)(uint64_t)d[4];
    a.index = (int32_t*)(uintptr_t)(uint64_t)d[5];
    a.dx = (float*)(uintptr_t)(uint64_t)d[6];
    a.skip = (int64_t)d[7];
    return a;
  }
};

struct GatherArgs {
  int64_t outer;
  int64_t size;
  int64_t rows;
  int64_t inner;
  float* x;
  int32_t* index;
  float* y;
  static GatherArgs read(const double* d) {
    GatherArgs a;
    a.outer = (int64_t)d[0];
    a.size = (int64_t)d[1];
    a.rows = (int64_t)d[2];
    a.inner = (int64_t)d[3];
    a.x = (float*)(uintptr_t)(uint64_t)d[4];
    a.index = (int32_t*)(uintptr_t)(uint64_t)d[5];
    a.y = (float*)(uintptr_t)(uint64_t)d[6];
    return a;
  }
};

struct GatherGradArgs {
  int64_t outer;
  int64_t size;
  int64_t rows;
  int64_t inner;
  float* dy;
  int32_t* index;
  float* dx;
  static GatherGradArgs read(const double* d) {
    GatherGradArgs a;
    a.outer = (int64_t)d[0];
    a.size = (int64_t)d[1];
    a.rows = (int64_t)d[2];
    a.inner = (int64_t)d[3];
    a.dy = (float*)(uintptr_t)(uint64_t)d[4];
    a.index = (int32_t*)(uintptr_t)(uint64_t)d[5];
    a.dx = (float*)(uintptr_t)(uint64_t)d[6];
    return a;
  }
};

struct CumsumArgs {
  int64_t outer;
  int64_t r;
  int64_t inner;
  float* x;
  float* y;
  int64_t reverse;
  static CumsumArgs read(const double* d) {
    CumsumArgs a;
    a.outer = (int64_t)d[0];
    a.r = (int64_t)d[1];
    a.inner = (int64_t)d[2];
    a.x = (float*)(uintptr_t)(uint64_t)d[3];
    a.y = (float*)(uintptr_t)(uint64_t)d[4];
    a.reverse = (int64_t)d[5];
    return a;
  }
};

struct RandomArgs {
  int64_t kind;
  int64_t n;
  int64_t seedLo;
  int64_t seedHi;
  int64_t stream;
  int64_t offset;
  float* out;
  static RandomArgs read(const double* d) {
    RandomArgs a;
    a.kind = (int64_t)d[0];
    a.n = (int64_t)d[1];
    a.seedLo = (int64_t)d[2];
    a.seedHi = (int64_t)d[3];
    a.stream = (int64_t)d[4];
    a.offset = (int64_t)d[5];
    a.out = (float*)(uintptr_t)(uint64_t)d[6];
    return a;
  }
};

struct RecurrentArgs {
  int64_t cell;
  int64_t steps;
  int64_t batch;
  int64_t hidden;
  int64_t reverse;
  float* weight;
  float* h0;
  float* c0;
  int32_t* lengths;
  float* y;
  float* gates;
  float* bias;
  float* h;
  float* c;
  void* scratch;
  static RecurrentArgs read(const double* d) {
    RecurrentArgs a;
    a.cell = (int64_t)d[0];
    a.steps = (int64_t)d[1];
    a.batch = (int64_t)d[2];
    a.hidden = (int64_t)d[3];
    a.reverse = (int64_t)d[4];
    a.weight = (float*)(uintptr_t)(uint64_t)d[5];
    a.h0 = (float*)(uintptr_t)(uint64_t)d[6];
    a.c0 = (float*)(uintptr_t)(uint64_t)d[7];
    a.lengths = (int32_t*)(uintptr_t)(uint64_t)d[8];
    a.y = (float*)(uintptr_t)(uint64_t)d[9];
    a.gates = (float*)(uintptr_t)(uint64_t)d[10];
    a.bias = (float*)(uintptr_t)(uint64_t)d[11];
    a.h = (float*)(uintptr_t)(uint64_t)d[12];
    a.c = (float*)(uintptr_t)(uint64_t)d[13];
    a.scratch = (void*)(uintptr_t)(uint64_t)d[14];
    return a;
  }
};

struct RecurrentGradArgs {
  int64_t cell;
  int64_t steps;
  int64_t batch;
  int64_t hidden;
  int64_t reverse;
  float* weight;
  float* h0;
  float* c0;
  int32_t* lengths;
  float* y;
  float* gates;
  float* dy;
  float* dh;
  float* dc;
  float* dgates;
  float* dh0;
  float* dc0;
  void* scratch;
  static RecurrentGradArgs read(const double* d) {
    RecurrentGradArgs a;
    a.cell = (int64_t)d[0];
    a.steps = (int64_t)d[1];
    a.batch = (int64_t)d[2];
    a.hidden = (int64_t)d[3];
    a.reverse = (int64_t)d[4];
    a.weight = (float*)(uintptr_t)(uint64_t)d[5];
    a.h0 = (float*)(uintptr_t)(uint64_t)d[6];
    a.c0 = (float*)(uintptr_t)(uint64_t)d[7];
    a.lengths = (int32_t*)(uintptr_t)(uint64_t)d[8];
    a.y = (float*)(uintptr_t)(uint64_t)d[9];
    a.gates = (float*)(uintptr_t)(uint64_t)d[10];
    a.dy = (float*)(uintptr_t)(uint64_t)d[11];
    a.dh = (float*)(uintptr_t)(uint64_t)d[12];
    a.dc = (float*)(uintptr_t)(uint64_t)d[13];
    a.dgates = (float*)(uintptr_t)(uint64_t)d[14];
    a.dh0 = (float*)(uintptr_t)(uint64_t)d[15];
    a.dc0 = (float*)(uintptr_t)(uint64_t)d[16];
    a.scratch = (void*)(uintptr_t)(uint64_t)d[17];
    return a;
  }
};

struct LocalResponseNormArgs {
  int64_t pixels;
  int64_t c;
  int64_t size;
  float alpha;
  float beta;
  float k;
  float* x;
  float* y;
  static LocalResponseNormArgs read(const double* d) {
    LocalResponseNormArgs a;
    a.pixels = (int64_t)d[0];
    a.c = (int64_t)d[1];
    a.size = (int64_t)d[2];
    a.alpha = (float)d[3];
    a.beta = (float)d[4];
    a.k = (float)d[5];
    a.x = (float*)(uintptr_t)(uint64_t)d[6];
    a.y = (float*)(uintptr_t)(uint64_t)d[7];
    return a;
  }
};

struct LocalResponseNormGradArgs {
  int64_t pixels;
  int64_t c;
  int64_t size;
  float alpha;
  float beta;
  float k;
  float* x;
  float* dy;
  float* dx;
  static LocalResponseNormGradArgs read(const double* d) {
    LocalResponseNormGradArgs a;
    a.pixels = (int64_t)d[0];
    a.c = (int64_t)d[1];
    a.size = (int64_t)d[2];
    a.alpha = (float)d[3];
    a.beta = (float)d[4];
    a.k = (float)d[5];
    a.x = (float*)(uintptr_t)(uint64_t)d[6];
    a.dy = (float*)(uintptr_t)(uint64_t)d[7];
    a.dx = (float*)(uintptr_t)(uint64_t)d[8];
    return a;
  }
};

struct LayerNormArgs {
  int64_t rms;
  int64_t rows;
  int64_t cols;
  double eps;
  float* x;
  float* weight;
  float* bias;
  float* y;
  float* mean;
  float* rstd;
  static LayerNormArgs read(const double* d) {
    LayerNormArgs a;
    a.rms = (int64_t)d[0];
    a.rows = (int64_t)d[1];
    a.cols = (int64_t)d[2];
    a.eps = (double)d[3];
    a.x = (float*)(uintptr_t)(uint64_t)d[4];
    a.weight = (float*)(uintptr_t)(uint64_t)d[5];
    a.bias = (float*)(uintptr_t)(uint64_t)d[6];
    a.y = (float*)(uintptr_t)(uint64_t)d[7];
    a.mean = (float*)(uintptr_t)(uint64_t)d[8];
    a.rstd = (float*)(uintptr_t)(uint64_t)d[9];
    return a;
  }
};

struct LayerNormGradArgs {
  int64_t rms;
  int64_t rows;
  int64_t cols;
  float* x;
  float* weight;
  float* dy;
  float* mean;
  float* rstd;
  float* dx;
  float* dw;
  float* db;
  void* scratch;
  static LayerNormGradArgs read(const double* d) {
    LayerNormGradArgs a;
    a.rms = (int64_t)d[0];
    a.rows = (int64_t)d[1];
    a.cols = (int64_t)d[2];
    a.x = (float*)(uintptr_t)(uint64_t)d[3];
    a.weight = (float*)(uintptr_t)(uint64_t)d[4];
    a.dy = (float*)(uintptr_t)(uint64_t)d[5];
    a.mean = (float*)(uintptr_t)(uint64_t)d[6];
    a.rstd = (float*)(uintptr_t)(uint64_t)d[7];
    a.dx = (float*)(uintptr_t)(uint64_t)d[8];
    a.dw = (float*)(uintptr_t)(uint64_t)d[9];
    a.db = (float*)(uintptr_t)(uint64_t)d[10];
    a.scratch = (void*)(uintptr_t)(uint64_t)d[11];
    return a;
  }
};

struct AttentionArgs {
  int64_t b;
  int64_t h;
  int64_t t;
  int64_t s;
  int64_t d;
  int64_t e;
  float scale;
  int64_t causal;
  float* q;
  int64_t qStride[3];
  float* k;
  int64_t kStride[3];
  float* v;
  int64_t vStride[3];
  float* mask;
  int64_t maskStride[4];
  float* o;
  int64_t oStride[3];
  float* lse;
  static AttentionArgs read(const double* d) {
    AttentionArgs a;
    a.b = (int64_t)d[0];
    a.h = (int64_t)d[1];
    a.t = (int64_t)d[2];
    a.s = (int64_t)d[3];
    a.d = (int64_t)d[4];
    a.e = (int64_t)d[5];
    a.scale = (float)d[6];
    a.causal = (int64_t)d[7];
    a.q = (float*)(uintptr_t)(uint64_t)d[8];
    for (int i = 0; i < 3; i++) a.qStride[i] = (int64_t)d[9 + i];
    a.k = (float*)(uintptr_t)(uint64_t)d[12];
    for (int i = 0; i < 3; i++) a.kStride[i] = (int64_t)d[13 + i];
    a.v = (float*)(uintptr_t)(uint64_t)d[16];
    for (int i = 0; i < 3; i++) a.vStride[i] = (int64_t)d[17 + i];
    a.mask = (float*)(uintptr_t)(uint64_t)d[20];
    for (int i = 0; i < 4; i++) a.maskStride[i] = (int64_t)d[21 + i];
    a.o = (float*)(uintptr_t)(uint64_t)d[25];
    for (int i = 0; i < 3; i++) a.oStride[i] = (int64_t)d[26 + i];
    a.lse = (float*)(uintptr_t)(uint64_t)d[29];
    return a;
  }
};

struct AttentionGradArgs {
  int64_t b;
  int64_t h;
  int64_t t;
  int64_t s;
  int64_t d;
  int64_t e;
  float scale;
  int64_t causal;
  float* q;
  int64_t qStride[3];
  float* k;
  int64_t kStride[3];
  float* v;
  int64_t vStride[3];
  float* mask;
  int64_t maskStride[4];
  float* o;
  int64_t oStride[3];
  float* lse;
  float* dy;
  int64_t dyStride[3];
  float* dq;
  int64_t dqStride[3];
  float* dk;
  int64_t dkStride[3];
  float* dv;
  int64_t dvStride[3];
  static AttentionGradArgs read(const double* d) {
    AttentionGradArgs a;
    a.b = (int64_t)d[0];
    a.h = (int64_t)d[1];
    a.t = (int64_t)d[2];
    a.s = (int64_t)d[3];
    a.d = (int64_t)d[4];
    a.e = (int64_t)d[5];
    a.scale = (float)d[6];
    a.causal = (int64_t)d[7];
    a.q = (float*)(uintptr_t)(uint64_t)d[8];
    for (int i = 0; i < 3; i++) a.qStride[i] = (int64_t)d[9 + i];
    a.k = (float*)(uintptr_t)(uint64_t)d[12];
    for (int i = 0; i < 3; i++) a.kStride[i] = (int64_t)d[13 + i];
    a.v = (float*)(uintptr_t)(uint64_t)d[16];
    for (int i = 0; i < 3; i++) a.vStride[i] = (int64_t)d[17 + i];
    a.mask = (float*)(uintptr_t)(uint64_t)d[20];
    for (int i = 0; i < 4; i++) a.maskStride[i] = (int64_t)d[21 + i];
    a.o = (float*)(uintptr_t)(uint64_t)d[25];
    for (int i = 0; i < 3; i++) a.oStride[i] = (int64_t)d[26 + i];
    a.lse = (float*)(uintptr_t)(uint64_t)d[29];
    a.dy = (float*)(uintptr_t)(uint64_t)d[30];
    for (int i = 0; i < 3; i++) a.dyStride[i] = (int64_t)d[31 + i];
    a.dq = (float*)(uintptr_t)(uint64_t)d[34];
    for (int i = 0; i < 3; i++) a.dqStride[i] = (int64_t)d[35 + i];
    a.dk = (float*)(uintptr_t)(uint64_t)d[38];
    for (int i = 0; i < 3; i++) a.dkStride[i] = (int64_t)d[39 + i];
    a.dv = (float*)(uintptr_t)(uint64_t)d[42];
    for (int i = 0; i < 3; i++) a.dvStride[i] = (int64_t)d[43 + i];
    return a;
  }
};

struct PoolGatherArgs {
  int64_t n;
  int64_t h;
  int64_t w;
  int64_t c;
  int64_t kh;
  int64_t kw;
  int64_t oh;
  int64_t ow;
  int64_t strideH;
  int64_t strideW;
  int64_t padTop;
  int64_t padLeft;
  int64_t dilationH;
  int64_t dilationW;
  void* taps;
  int64_t wideTaps;
  float* x;
  float* y;
  static PoolGatherArgs read(const double* d) {
    PoolGatherArgs a;
    a.n = (int64_t)d[0];
    a.h = (int64_t)d[1];
    a.w = (int64_t)d[2];
    a.c = (int64_t)d[3];
    a.kh = (int64_t)d[4];
    a.kw = (int64_t)d[5];
    a.oh = (int64_t)d[6];
    a.ow = (int64_t)d[7];
    a.strideH = (int64_t)d[8];
    a.strideW = (int64_t)d[9];
    a.padTop = (int64_t)d[10];
    a.padLeft = (int64_t)d[11];
    a.dilationH = (int64_t)d[12];
    a.dilationW = (int64_t)d[13];
    a.taps = (void*)(uintptr_t)(uint64_t)d[14];
    a.wideTaps = (int64_t)d[15];
    a.x = (float*)(uintptr_t)(uint64_t)d[16];
    a.y = (float*)(uintptr_t)(uint64_t)d[17];
    return a;
  }
};

struct ChannelSumsArgs {
  int64_t rows;
  int64_t cols;
  float* x;
  float* dy;
  float* mean;
  float* dot;
  float* sum;
  void* scratch;
  static ChannelSumsArgs read(const double* d) {
    ChannelSumsArgs a;
    a.rows = (int64_t)d[0];
    a.cols = (int64_t)d[1];
    a.x = (float*)(uintptr_t)(uint64_t)d[2];
    a.dy = (float*)(uintptr_t)(uint64_t)d[3];
    a.mean = (float*)(uintptr_t)(uint64_t)d[4];
    a.dot = (float*)(uintptr_t)(uint64_t)d[5];
    a.sum = (float*)(uintptr_t)(uint64_t)d[6];
    a.scratch = (void*)(uintptr_t)(uint64_t)d[7];
    return a;
  }
};

struct ChannelScaleArgs {
  int64_t rows;
  int64_t cols;
  float* x;
  float* mean;
  float* scale;
  float* shift;
  float* dy;
  float* gain;
  float* y;
  static ChannelScaleArgs read(const double* d) {
    ChannelScaleArgs a;
    a.rows = (int64_t)d[0];
    a.cols = (int64_t)d[1];
    a.x = (float*)(uintptr_t)(uint64_t)d[2];
    a.mean = (float*)(uintptr_t)(uint64_t)d[3];
    a.scale = (float*)(uintptr_t)(uint64_t)d[4];
    a.shift = (float*)(uintptr_t)(uint64_t)d[5];
    a.dy = (float*)(uintptr_t)(uint64_t)d[6];
    a.gain = (float*)(uintptr_t)(uint64_t)d[7];
    a.y = (float*)(uintptr_t)(uint64_t)d[8];
    return a;
  }
};

struct FastTextInitArgs {
  float* x;
  int64_t n;
  double bound;
  int64_t seed;
  static FastTextInitArgs read(const double* d) {
    FastTextInitArgs a;
    a.x = (float*)(uintptr_t)(uint64_t)d[0];
    a.n = (int64_t)d[1];
    a.bound = (double)d[2];
    a.seed = (int64_t)d[3];
    return a;
  }
};

struct FastTextTrainArgs {
  int64_t model;
  int64_t loss;
  int64_t dim;
  int64_t ws;
  int64_t neg;
  int64_t wordNgrams;
  int64_t minn;
  int64_t maxn;
  int64_t bucket;
  int64_t words;
  int64_t labels;
  int32_t* table;
  int64_t slots;
  int32_t* starts;
  void* bytes;
  void* prefix;
  int64_t prefixBytes;
  int32_t* rows;
  int32_t* rowStarts;
  float* keep;
  int32_t* kept;
  float* input;
  float* output;
  int64_t targets;
  float* sigmoid;
  float* log;
  int32_t* negatives;
  int64_t negativeCount;
  int32_t* pathStarts;
  int32_t* pathNodes;
  void* pathCodes;
  double lr;
  double total;
  int64_t updateRate;
  void* counter;
  int64_t parts;
  double* part;
  int64_t capacity;
  int64_t ahead;
  static FastTextTrainArgs read(const double* d) {
    FastTextTrainArgs a;
    a.model = (int64_t)d[0];
    a.loss = (int64_t)d[1];
    a.dim = (int64_t)d[2];
    a.ws = (int64_t)d[3];
    a.neg = (int64_t)d[4];
    a.wordNgrams = (int64_t)d[5];
    a.minn = (int64_t)d[6];
    a.maxn = (int64_t)d[7];
    a.bucket = (int64_t)d[8];
    a.words = (int64_t)d[9];
    a.labels = (int64_t)d[10];
    a.table = (int32_t*)(uintptr_t)(uint64_t)d[11];
    a.slots = (int64_t)d[12];
    a.starts = (int32_t*)(uintptr_t)(uint64_t)d[13];
    a.bytes = (void*)(uintptr_t)(uint64_t)d[14];
    a.prefix = (void*)(uintptr_t)(uint64_t)d[15];
    a.prefixBytes = (int64_t)d[16];
    a.rows = (int32_t*)(uintptr_t)(uint64_t)d[17];
    a.rowStarts = (int32_t*)(uintptr_t)(uint64_t)d[18];
    a.keep = (float*)(uintptr_t)(uint64_t)d[19];
    a.kept = (int32_t*)(uintptr_t)(uint64_t)d[20];
    a.input = (float*)(uintptr_t)(uint64_t)d[21];
    a.output = (float*)(uintptr_t)(uint64_t)d[22];
    a.targets = (int64_t)d[23];
    a.sigmoid = (float*)(uintptr_t)(uint64_t)d[24];
    a.log = (float*)(uintptr_t)(uint64_t)d[25];
    a.negatives = (int32_t*)(uintptr_t)(uint64_t)d[26];
    a.negativeCount = (int64_t)d[27];
    a.pathStarts = (int32_t*)(uintptr_t)(uint64_t)d[28];
    a.pathNodes = (int32_t*)(uintptr_t)(uint64_t)d[29];
    a.pathCodes = (void*)(uintptr_t)(uint64_t)d[30];
    a.lr = (double)d[31];
    a.total = (double)d[32];
    a.updateRate = (int64_t)d[33];
    a.counter = (void*)(uintptr_t)(uint64_t)d[34];
    a.parts = (int64_t)d[35];
    a.part = (double*)(uintptr_t)(uint64_t)d[36];
    a.capacity = (int64_t)d[37];
    a.ahead = (int64_t)d[38];
    return a;
  }
};

} }  // namespace nn::NN_ISA
