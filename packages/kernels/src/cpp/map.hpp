#pragma once
// Element-wise programs: a short list of instructions over registers of one block (512 elements), so that a chain of
// operations reads and writes memory once and stays in L1 between.
//
// Registers: inputs 0..nin-1, then params (one splat vector each), then temporaries. Contiguous f32 inputs are read in
// place, others are gathered (and converted) to a block first; a temporary that is an output is computed in place,
// or in a block from which it is streamed to memory if inputs and results together are larger than the caches.
// A tail shorter than a vector is run on padded copies, so every element takes the same path: same bits anywhere.
// Limit: memory bandwidth (add: 12 bytes per element) or, for exp and its kin, arithmetic.
#include "abi.gen.h"
#include "math.h"
#include "parallel.h"
#include "simd.h"

namespace nn { namespace NN_ISA {
namespace map_detail {

constexpr int kBlock = 512, kMaxIn = 8, kMaxParam = 16, kMaxOut = 4, kMaxTemp = 32, kMaxReg = 64;
constexpr int kF32 = 0, kI32 = 1;
constexpr int64_t kCached = 32 << 20;  // bytes; a usual last-level cache

/** One operand: element i is at p[i & mask]; mask 0 re-reads one splat vector. */
struct Operand { const float* p; int64_t mask; };
struct Program { const int32_t* code; int ninstr, nin, nparam, nout; };

#define NN_LOOP(expr)                                             \
  for (int64_t i = 0; i < n; i += W) {                            \
    vf x = load(a.p + (i & a.mask));                              \
    store(d + i, expr);                                           \
  }                                                               \
  break;
#define NN_LOOP2(expr)                                            \
  for (int64_t i = 0; i < n; i += W) {                            \
    vf x = load(a.p + (i & a.mask)), y = load(b.p + (i & b.mask)); \
    store(d + i, expr);                                           \
  }                                                               \
  break;
#define NN_LOOP3(expr)                                            \
  for (int64_t i = 0; i < n; i += W) {                            \
    vf x = load(a.p + (i & a.mask)), y = load(b.p + (i & b.mask)), z = load(c.p + (i & c.mask)); \
    store(d + i, expr);                                           \
  }                                                               \
  break;

NN_INLINE vf truth(vi m) { return (vf)(m & 0x3f800000); }  // 1.0f or 0.0f

/** d[0..n) = op(a, b, c); n is a multiple of W. */
NN_NOINLINE inline void step(int op, float* d, Operand a, Operand b, Operand c, int64_t n) {
  switch (op) {
    case OP_mov: NN_LOOP(x)
    case OP_neg: NN_LOOP(-x)
    case OP_abs: NN_LOOP(abs(x))
    case OP_sign: NN_LOOP(sign(x))
    case OP_sqrt: NN_LOOP(sqrt(x))
    case OP_exp: NN_LOOP(exp(x))
    case OP_expm1: NN_LOOP(expm1(x))
    case OP_log: NN_LOOP(log(x))
    case OP_log1p: NN_LOOP(log1p(x))
    case OP_sin: NN_LOOP(sin(x))
    case OP_cos: NN_LOOP(cos(x))
    case OP_tan: NN_LOOP(tan(x))
    case OP_asin: NN_LOOP(asin(x))
    case OP_acos: NN_LOOP(acos(x))
    case OP_atan: NN_LOOP(atan(x))
    case OP_sinh: NN_LOOP(sinh(x))
    case OP_cosh: NN_LOOP(cosh(x))
    case OP_tanh: NN_LOOP(tanh(x))
    case OP_sigmoid: NN_LOOP(sigmoid(x))
    case OP_erf: NN_LOOP(erf(x))
    case OP_floor: NN_LOOP(floor(x))
    case OP_ceil: NN_LOOP(ceil(x))
    case OP_round: NN_LOOP(round_even(x))
    case OP_trunc: NN_LOOP(trunc(x))
    case OP_recip: NN_LOOP(1.f / x)
    case OP_relu: NN_LOOP(select(x < 0.f, splat(0.f), x))  // NaN stays NaN
    case OP_not: NN_LOOP(truth(x == 0.f))
    case OP_isnan: NN_LOOP(truth(x != x))
    case OP_add: NN_LOOP2(x + y)
    case OP_sub: NN_LOOP2(x - y)
    case OP_mul: NN_LOOP2(x * y)
    case OP_div: NN_LOOP2(x / y)
    case OP_pow: NN_LOOP2(pow(x, y))
    case OP_max: NN_LOOP2(max_nan(x, y))
    case OP_min: NN_LOOP2(min_nan(x, y))
    case OP_mod: NN_LOOP2(mod(x, y))
    case OP_atan2: NN_LOOP2(atan2(x, y))
    case OP_eq: NN_LOOP2(truth(x == y))
    case OP_ne: NN_LOOP2(truth(x != y))
    case OP_lt: NN_LOOP2(truth(x < y))
    case OP_le: NN_LOOP2(truth(x <= y))
    case OP_gt: NN_LOOP2(truth(x > y))
    case OP_ge: NN_LOOP2(truth(x >= y))
    case OP_and: NN_LOOP2(truth((x != 0.f) & (y != 0.f)))
    case OP_or: NN_LOOP2(truth((x != 0.f) | (y != 0.f)))
    case OP_xor: NN_LOOP2(truth((x != 0.f) ^ (y != 0.f)))
    case OP_select: NN_LOOP3(select(x != 0.f, y, z))
    case OP_fma: NN_LOOP3(fma(x, y, z))
  }
}
#undef NN_LOOP
#undef NN_LOOP2
#undef NN_LOOP3

/** Runs a program over n elements (a multiple of W): operands of inputs and params are set, temporaries get `temps` or, where `direct` is given, output memory. */
NN_INLINE void run_program(const Program& p, Operand* reg, int64_t n) {
  for (int k = 0; k < p.ninstr; k++) {
    const int32_t* q = p.code + 5 * k;
    step(q[0], (float*)reg[q[1]].p, reg[q[2]], reg[q[3]], reg[q[4]], n);
  }
}

/** Which output may be computed straight into its memory: its register is a temporary of only this output. */
struct Direct {
  int last[kMaxOut];  // index of the first write to the output's register; -1: copy at the end instead
  /** `alias(k, o)`: does input k share memory with output o? Then k must not be read after the first write of o. */
  template <class Alias> void find(const Program& p, const int64_t* outReg, Alias alias) {
    for (int o = 0; o < p.nout; o++) {
      last[o] = -1;
      if (outReg[o] < p.nin + p.nparam) continue;
      bool ok = true;
      for (int other = 0; other < p.nout; other++) {
        ok &= other == o || outReg[other] != outReg[o];
        ok &= !(outReg[other] < p.nin && alias((int)outReg[other], o));  // copied at the end, so read late
      }
      int first = -1;
      for (int k = 0; k < p.ninstr; k++) {
        const int32_t* q = p.code + 5 * k;
        if (first >= 0)
          for (int j = 2; j < 5; j++) ok &= !(q[j] < p.nin && alias(q[j], o));
        if (first < 0 && q[1] == outReg[o]) first = k;
      }
      if (ok) last[o] = first;
    }
  }
};

/** Elements per chunk: about 10 µs of work or more. Element-wise results do not depend on it. */
inline int64_t chunk_size(const Program& p, int64_t total) {
  int64_t weight = 0;
  for (int k = 0; k < p.ninstr; k++) {
    int op = p.code[5 * k];
    weight += op >= OP_exp && op <= OP_erf ? 6 : op == OP_pow || op == OP_mod || op == OP_atan2 ? 12 : 1;
  }
  int64_t blocks = 256 / imax(weight, 1);
  return kBlock * imax(imax(8, imin(64, blocks)), total / (128 * kBlock));
}

/** Reads one strided input in iteration order, a run of the innermost dimension at a time. */
struct Walker {
  const void* base;
  int type, nd;
  int64_t shape[8], stride[8], at[8], offset;

  void seek(int64_t element) {
    offset = 0;
    for (int d = nd - 1; d >= 0; d--) {
      at[d] = element % shape[d];
      element /= shape[d];
      offset += at[d] * stride[d];
    }
  }
  template <class T> NN_INLINE void run(float* dst, int64_t n, int64_t s) {
    const T* p = (const T*)base + offset;
    if (s == 0) {
      float v = (float)*p;
      for (int64_t i = 0; i < n; i++) dst[i] = v;
    } else if (s == 1) {
      for (int64_t i = 0; i < n; i++) dst[i] = (float)p[i];
    } else {
      for (int64_t i = 0; i < n; i++) dst[i] = (float)p[i * s];
    }
  }
  NN_NOINLINE void read(float* dst, int64_t n) {
    int in = nd - 1;
    while (n > 0) {
      int64_t m = imin(n, shape[in] - at[in]);
      if (type == kF32) run<f32_alias>(dst, m, stride[in]);
      else if (type == kI32) run<i32_alias>(dst, m, stride[in]);
      else run<uint8_t>(dst, m, stride[in]);
      dst += m;
      n -= m;
      at[in] += m;
      offset += m * stride[in];
      for (int d = in; d > 0 && at[d] == shape[d]; d--) {
        offset += stride[d - 1] - shape[d] * stride[d];
        at[d] = 0;
        at[d - 1]++;
      }
    }
  }
};

/** d[0..n) = p[0..n) past the caches; d lies on a multiple of a vector's size, n is a multiple of W. */
NN_INLINE void stream_out(float* d, const float* p, int64_t n) {
  for (int64_t i = 0; i < n; i += W) stream(d + i, load_aligned(p + i));
}

inline void write_out(void* out, int type, int64_t at, Operand r, int64_t n) {
  if (type == kF32) {
    float* d = (float*)out + at;
    if (r.p == d) return;
    const int64_t step = r.mask ? 1 : 0;
    for (int64_t i = 0; i < n; i++) d[i] = r.p[i * step];
  } else if (type == kI32) {
    int32_t* d = (int32_t*)out + at;
    const int64_t step = r.mask ? 1 : 0;
    for (int64_t i = 0; i < n; i++) d[i] = (int32_t)r.p[i * step];
  } else {
    uint8_t* d = (uint8_t*)out + at;
    if (r.mask) for (int64_t i = 0; i < n; i++) d[i] = (uint8_t)(int32_t)r.p[i];
    else fill_bytes(d, (uint8_t)(int32_t)r.p[0], n);
  }
}

/** Joins neighbouring dimensions that every input walks as one; returns the new number of dimensions (at least 1). */
inline int merge_dims(const MapArgs& a, int64_t* shape, int64_t (*stride)[8]) {
  int nin = (int)a.nin, nd = 0;
  for (int d = 0; d < a.nd; d++) {
    if (a.shape[d] == 1) continue;
    bool joins = nd > 0;
    for (int k = 0; k < nin && joins; k++) joins = stride[k][nd - 1] == a.inStride[k * 8 + d] * a.shape[d];
    if (joins) shape[nd - 1] *= a.shape[d];
    else shape[nd++] = a.shape[d];
    for (int k = 0; k < nin; k++) stride[k][nd - 1] = a.inStride[k * 8 + d];
  }
  if (nd == 0) {
    shape[nd++] = 1;
    for (int k = 0; k < nin; k++) stride[k][0] = 1;
  }
  return nd;
}

}  // namespace map_detail

/** See `map` in abi.ts. An output may share memory with an input only if both are the same contiguous f32 range (and then
 *  that input may not itself be another output). inStride has 8 entries per input. All arithmetic is f32: i32 values are exact to 2^24. */
inline void map(const MapArgs& a) {
  using namespace map_detail;
  const Program p{a.program, (int)a.ninstr, (int)a.nin, (int)a.nparam, (int)a.nout};
  int64_t shape[8], stride[kMaxIn][8], total = 1;
  for (int d = 0; d < a.nd; d++) total *= a.shape[d];
  if (total == 0) return;
  const int nd = merge_dims(a, shape, stride);
  bool dense[kMaxIn], scalar[kMaxIn], gathers = false;
  int64_t arrays = p.nout;
  for (int k = 0; k < p.nin; k++) {
    int64_t expect = 1;
    dense[k] = a.inType[k] == kF32;
    scalar[k] = a.inType[k] == kF32;
    for (int d = nd - 1; d >= 0; d--) {
      dense[k] &= stride[k][d] == expect;
      scalar[k] &= stride[k][d] == 0;
      expect *= shape[d];
    }
    arrays += dense[k] && !scalar[k];
    gathers |= !dense[k] && !scalar[k];
  }
  Direct direct;
  direct.find(p, a.outReg, [&](int k, int o) { return a.in[k] == a.out[o]; });
  for (int o = 0; o < p.nout; o++)
    if (a.outType[o] != kF32) direct.last[o] = -1;
  bool streams = kStreams && 4 * arrays * total > kCached;
  for (int o = 0; o < p.nout; o++) {
    streams &= direct.last[o] >= 0 && (uintptr_t)a.out[o] % (4 * W) == 0;
    for (int k = 0; k < p.nin; k++) streams &= a.in[k] != a.out[o];
  }

  const int64_t chunk = chunk_size(p, total);
  // One instruction on what lies ready needs no registers, hence no blocks.
  const int64_t block = p.ninstr == 1 && !gathers && !streams && direct.last[0] >= 0 ? chunk : kBlock;
  parallel_for(ceil_div(total, chunk), [&](int64_t c) {
    alignas(64) float gathered[kMaxIn][kBlock], temps[kMaxTemp][kBlock], splats[kMaxIn + kMaxParam][W];
    Operand reg[kMaxReg];
    Walker walk[kMaxIn];
    const int64_t begin = c * chunk, end = imin(total, begin + chunk), first = p.nin + p.nparam;
    for (int k = 0; k < p.nin; k++) {
      if (scalar[k]) store(splats[kMaxParam + k], splat(*(const float*)a.in[k]));
      if (dense[k] || scalar[k]) continue;
      walk[k].base = a.in[k];
      walk[k].type = (int)a.inType[k];
      walk[k].nd = nd;
      for (int d = 0; d < nd; d++) walk[k].shape[d] = shape[d], walk[k].stride[d] = stride[k][d];
      walk[k].seek(begin);
    }
    for (int k = 0; k < p.nparam; k++) {
      store(splats[k], splat(a.param[k]));
      reg[p.nin + k] = {splats[k], 0};
    }
    for (int t = 0; t < kMaxTemp; t++) reg[first + t] = {temps[t], ~0ll};

    for (int64_t at = begin; at < end;) {
      const int64_t left = imin(block, end - at), whole = left / W * W;
      const bool tail = whole == 0;              // fewer than W elements: padded copies, nothing in place
      const int64_t n = tail ? left : whole;
      for (int k = 0; k < p.nin; k++) {
        if (scalar[k]) { reg[k] = {splats[kMaxParam + k], 0}; continue; }
        const float* x = (const float*)a.in[k] + at;
        if (dense[k] && tail) store(gathered[k], load_part(x, n));
        if (!dense[k]) {
          walk[k].read(gathered[k], n);
          if (tail) store(gathered[k], load_part(gathered[k], n));
        }
        reg[k] = {dense[k] && !tail ? x : gathered[k], ~0ll};
      }
      for (int o = 0; o < p.nout; o++)
        if (direct.last[o] >= 0) reg[a.outReg[o]].p = tail || streams ? temps[a.outReg[o] - first] : (const float*)a.out[o] + at;
      run_program(p, reg, tail ? W : n);
      for (int o = 0; o < p.nout; o++) {
        if (streams && !tail) stream_out((float*)a.out[o] + at, reg[a.outReg[o]].p, n);
        else write_out(a.out[o], (int)a.outType[o], at, reg[a.outReg[o]], n);
      }
      at += n;
    }
    if (streams) stream_end();
  });
}

/** See `mapList` in abi.ts: the same program over many contiguous segments, split by elements over all of them. */
inline void mapList(const MapListArgs& a) {
  using namespace map_detail;
  const Program p{a.program, (int)a.ninstr, (int)a.nin, (int)a.nparam, (int)a.nout};
  const int64_t columns = 1 + p.nin + p.nout, first = p.nin + p.nparam;
  int64_t elements = 0, chunks = 0;
  for (int64_t s = 0; s < a.count; s++) elements += (int64_t)a.segments[s * columns];
  const int64_t chunk = chunk_size(p, elements);
  for (int64_t s = 0; s < a.count; s++) chunks += ceil_div((int64_t)a.segments[s * columns], chunk);
  // Many short segments (biases) share a task: one task per `chunk` elements, each a run of neighbouring chunks.
  const int64_t tasks = imin(chunks, ceil_div(elements, chunk));
  parallel_for(tasks, [&](int64_t task) {
    const int64_t from = chunks * task / tasks, to = chunks * (task + 1) / tasks;
    alignas(64) float padded[kMaxIn][W], temps[kMaxTemp][kBlock], splats[kMaxParam][W];
    Operand reg[kMaxReg];
    for (int k = 0; k < p.nparam; k++) {
      store(splats[k], splat(a.param[k]));
      reg[p.nin + k] = {splats[k], 0};
    }
    for (int t = 0; t < kMaxTemp; t++) reg[first + t] = {temps[t], ~0ll};
    int64_t base = 0;
    for (int64_t s = 0; s < a.count && base < to; s++) {
      const double* row = a.segments + s * columns;
      const int64_t size = (int64_t)row[0], mine = ceil_div(size, chunk);
      const int64_t lo = imax(from - base, 0), hi = imin(to - base, mine);
      base += mine;
      if (lo >= hi) continue;
      const float* in[kMaxIn];
      float* out[kMaxOut];
      for (int k = 0; k < p.nin; k++) in[k] = (const float*)(uintptr_t)row[1 + k];
      for (int o = 0; o < p.nout; o++) out[o] = (float*)(uintptr_t)row[1 + p.nin + o];
      Direct direct;
      direct.find(p, a.outReg, [&](int k, int o) { return in[k] == out[o]; });
      const int64_t end = imin(size, hi * chunk);
      for (int64_t at = lo * chunk; at < end;) {
        const int64_t left = imin(kBlock, end - at), whole = left / W * W;
        const bool tail = whole == 0;
        const int64_t n = tail ? left : whole;
        for (int k = 0; k < p.nin; k++) {
          if (tail) store(padded[k], load_part(in[k] + at, n));
          reg[k] = {tail ? padded[k] : in[k] + at, ~0ll};
        }
        for (int o = 0; o < p.nout; o++)
          if (a.outReg[o] >= first) reg[a.outReg[o]].p = direct.last[o] >= 0 && !tail ? out[o] + at : temps[a.outReg[o] - first];
        run_program(p, reg, tail ? W : n);
        for (int o = 0; o < p.nout; o++) write_out(out[o], kF32, at, reg[a.outReg[o]], n);
        at += n;
      }
    }
  });
}

} }  // namespace nn::NN_ISA
