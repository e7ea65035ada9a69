#pragma once
// Products with a vector: y[n] = x[k] · B[k,n]. Every element of B is used once, so memory sets the pace and nothing is packed.
#include "pack.hpp"

namespace nn { namespace NN_ISA { namespace gemm_detail {

struct VectorProduct {
  int64_t n, k;
  const float* x;
  int64_t xStep;
  Matrix b;
  float* y;
  int64_t yStep;
  const float* bias;
  int64_t biasStep;
  int act;
  bool accumulate;
};

constexpr int64_t kVectorCols = 1024, kVectorDepth = 2048;
// Contiguous columns of B are read to their end, four at a time: the prefetcher runs on. 4096 columns of 9216, one thread: by 2048
// 8.7 ms, to the end 6.5; on two threads 3.8, and 4.3 eight at a time, for columns of AlexNet's lengths fall into one set of L1.
constexpr int64_t kColumnDepth = 16 * 1024;
constexpr int kColumns = 4;

/** Columns of a chunk. Where B's rows are contiguous, long pieces of them: 1024 floats 8.0 ms, 512 10.7, 256 13.3 at 9216×4096. */
inline int64_t vector_cols(int64_t n, int64_t k, bool byRows) {
  const int64_t wanted = byRows ? imax(128, n / 8) : imax(32, 64 * 1024 / (k + 1));
  return imin(kVectorCols, round_up(wanted, 32));
}

/** sum[cols] += x[kc] · rows of B, four rows at a time. */
NN_NOINLINE inline void add_rows(float* sum, int64_t cols, int64_t kc, const float* x, const float* b, int64_t ld) {
  int64_t p = 0;
  for (; p + 4 <= kc; p += 4, b += 4 * ld) {
    const float *b1 = b + ld, *b2 = b1 + ld, *b3 = b2 + ld;
    int64_t j = 0;
    for (; j + W <= cols; j += W) {
      vf s = fma(splat(x[p]), load(b + j), load_aligned(sum + j)), t = splat(x[p + 1]) * load(b1 + j);
      s = fma(splat(x[p + 2]), load(b2 + j), s);
      t = fma(splat(x[p + 3]), load(b3 + j), t);
      store_aligned(sum + j, s + t);
    }
    for (; j < cols; j++) sum[j] += x[p] * b[j] + x[p + 1] * b1[j] + x[p + 2] * b2[j] + x[p + 3] * b3[j];
  }
  for (; p < kc; p++, b += ld)
    for (int64_t j = 0; j < cols; j++) sum[j] += x[p] * b[j];
}

/** sum[J] += x[kc] · J contiguous columns of B, two accumulators each. */
template <int J> NN_NOINLINE void add_dots(float* sum, int64_t kc, const float* x, const float* b, int64_t ld) {
  vf s[J], t[J];
  NN_UNROLL for (int j = 0; j < J; j++) s[j] = t[j] = vf{};
  int64_t p = 0;
  for (; p + 2 * W <= kc; p += 2 * W)
    NN_UNROLL for (int j = 0; j < J; j++) {
      s[j] = fma(load(x + p), load(b + j * ld + p), s[j]);
      t[j] = fma(load(x + p + W), load(b + j * ld + p + W), t[j]);
    }
  for (int j = 0; j < J; j++) {
    float r = hsum(s[j] + t[j]);
    for (int64_t q = p; q < kc; q++) r += x[q] * b[j * ld + q];
    sum[j] += r;
  }
}

/** Columns [j0, j1) of y, at most kVectorCols. */
inline void vector_piece(const VectorProduct& v, int64_t j0, int64_t j1) {
  alignas(64) float sum[kVectorCols], xs[kVectorDepth];
  const int64_t cols = j1 - j0;
  zero_run(sum, cols);
  const int64_t depth = v.xStep == 1 && v.b.col != 1 ? kColumnDepth : kVectorDepth;
  for (int64_t p0 = 0; p0 < v.k; p0 += depth) {
    const int64_t kc = imin(depth, v.k - p0);
    const float* x = v.x + p0 * v.xStep;
    if (v.xStep != 1) {
      for (int64_t p = 0; p < kc; p++) xs[p] = x[p * v.xStep];
      x = xs;
    }
    const Matrix b = v.b.at(p0, j0);
    if (b.col == 1) add_rows(sum, cols, kc, x, b.p, b.row);
    else {
      int64_t j = 0;
      for (; j + kColumns <= cols; j += kColumns) add_dots<kColumns>(sum + j, kc, x, b.p + j * b.col, b.col);
      for (; j < cols; j++) add_dots<1>(sum + j, kc, x, b.p + j * b.col, b.col);
    }
  }
  for (int64_t j = 0; j < cols; j++) {
    const float* old = v.y + (j0 + j) * v.yStep;
    const float s = sum[j] + (v.accumulate ? *old : 0.0f) + (v.bias ? v.bias[(j0 + j) * v.biasStep] : 0.0f);
    sum[j] = v.act == kRelu && s < 0 ? 0.0f : s;
  }
  if (v.act > kRelu) activate(sum, cols, v.act);
  for (int64_t j = 0; j < cols; j++) v.y[(j0 + j) * v.yStep] = sum[j];
}

/** Whether B's rows or columns are contiguous, as the loops above need. */
inline bool is_vector_product(const VectorProduct& v) { return v.b.col == 1 || v.b.row == 1; }

/** `batch` products, the operands stepping by aBatch, bBatch, cBatch. */
inline void vector_products(VectorProduct v, int64_t batch, int64_t xBatch, int64_t bBatch, int64_t yBatch) {
  const int64_t cols = vector_cols(v.n, v.k, v.b.col == 1), groups = ceil_div(v.n, cols);
  const int64_t perChunk = imax(1, 32 * 1024 / (imin(cols, v.n) * v.k + 1));  // 32k elements of B or more
  parallel_for(ceil_div(batch * groups, perChunk), [&](int64_t chunk) {
    for (int64_t q = chunk * perChunk; q < imin(batch * groups, (chunk + 1) * perChunk); q++) {
      const int64_t item = q / groups, j = q % groups * cols;
      VectorProduct p = v;
      p.x += item * xBatch;
      p.b.p += item * bBatch;
      p.y += item * yBatch;
      vector_piece(p, j, imin(v.n, j + cols));
    }
  });
}

} } }  // namespace nn::NN_ISA::gemm_detail
