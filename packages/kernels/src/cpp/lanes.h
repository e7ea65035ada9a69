#pragma once
// Parts of vectors, and sums across lanes without a detour through memory.
#include "simd.h"

namespace nn { namespace NN_ISA {

/** The first n (1..W) lanes: whole vectors at full speed, the rare rest out of line. */
NN_NOINLINE inline vf load_tail(const float* p, int64_t n, float fill) { return load_part(p, n, fill); }
NN_NOINLINE inline void store_tail(float* p, vf v, int64_t n) { store_part(p, v, n); }
NN_INLINE vf load_n(const float* p, int64_t n, float fill = 0) { return n == W ? load(p) : load_tail(p, n, fill); }
NN_INLINE void store_n(float* p, vf v, int64_t n) { n == W ? store(p, v) : store_tail(p, v, n); }

/** 0, 1, … W-1. */
NN_INLINE vi iota() {
  vi v = {};
  for (int i = 0; i < W; i++) v[i] = i;
  return v;
}

/** Rows 0 … n-1 (1 <= n <= W) of x[n][cols], one per lane: t[j·W + l] = x[l][j]. Lanes beyond n repeat the last row. */
NN_NOINLINE inline void rows_to_lanes(const float* x, int64_t n, int64_t cols, float* t) {
  if (n == W) {
    for (int64_t j = 0; j < cols; j++)
      for (int l = 0; l < W; l++) t[j * W + l] = x[l * cols + j];
    return;
  }
  for (int l = 0; l < W; l++)
    for (int64_t j = 0; j < cols; j++) t[j * W + l] = x[imin(l, n - 1) * cols + j];
}
/** And back: y[l][j] = t[j·W + l] for l < n. */
NN_NOINLINE inline void lanes_to_rows(const float* t, int64_t n, int64_t cols, float* y) {
  for (int64_t l = 0; l < n; l++)
    for (int64_t j = 0; j < cols; j++) y[l * cols + j] = t[j * W + l];
}

/** Every lane = op over all lanes of v: halves, quarters … are exchanged, in a fixed order. */
template <class Op> NN_INLINE vf fold_lanes(vf v, Op op) {
#if NN_WIDTH == 16
  v = op(v, (vf)__builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  v = op(v, (vf)__builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  v = op(v, (vf)__builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  return op(v, (vf)__builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
#elif NN_WIDTH == 8
  v = op(v, (vf)__builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3));
  v = op(v, (vf)__builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5));
  return op(v, (vf)__builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6));
#else
  v = op(v, (vf)__builtin_shufflevector(v, v, 2, 3, 0, 1));
  return op(v, (vf)__builtin_shufflevector(v, v, 1, 0, 3, 2));
#endif
}

} }  // namespace nn::NN_ISA
