#pragma once
// Layer normalisation (Ba 2016) and root-mean-square normalisation (Zhang & Sennrich 2019) of the rows of x[rows][cols],
// and what batch normalisation (Ioffe & Szegedy 2015) needs of its columns.
//
// A row is read from memory once and worked through while it lies in cache. Sums join in double (softmax.hpp's row_sum).
// Backward writes dx and, in the same pass, sums dw and db over the rows of each slab; slabs depend on sizes alone.
#include "softmax.hpp"

namespace nn { namespace NN_ISA {
namespace norm_detail {

using namespace softmax_detail;

constexpr int64_t kRows = 128;  // rows of dw and db summed in float before they join the slab's total

NN_INLINE vf scaled(vf v, const float* weight, int64_t i, int64_t n) { return weight ? v * load_n(weight + i, n, 0) : v; }

/** to += from. */
NN_INLINE void accumulate(float* to, const float* from, int64_t cols) {
  for_vectors(cols, [&](int64_t i, int64_t n) { store_n(to + i, load_n(to + i, n, 0) + load_n(from + i, n, 0), n); });
}

/** Slabs of rows that share a partial sum; mirrored in scratch.ts. */
inline int64_t slabs(int64_t rows, int64_t cols) { return imax(1, imin(imin(32, rows), ceil_div(rows * cols, kChunk))); }

/** Two sums of lines over rows: `row(r, part)` adds its own to part[0..cols) and part[cols..2·cols). A result may be absent.
 *  scratch, per slab: the two totals, then what the rows at hand add. */
template <class Row>
inline void sum_rows(int64_t rows, int64_t cols, float* scratch, float* first, float* second, Row&& row) {
  const int64_t count = slabs(rows, cols), per = ceil_div(rows, count);
  parallel_for(count, [&](int64_t slab) {
    float* total = scratch + slab * 4 * cols;
    float* part = total + 2 * cols;
    fill_bytes(total, 0, 4 * cols * 4);
    const int64_t begin = imin(rows, slab * per), end = imin(rows, begin + per);
    for (int64_t r = begin; r < end; r++) {
      row(r, part);
      if ((r - begin + 1) % kRows == 0 || r + 1 == end) {
        accumulate(total, part, 2 * cols);
        fill_bytes(part, 0, 2 * cols * 4);
      }
    }
  });
  for (int k = 0; k < 2; k++) {
    float* to = k == 0 ? first : second;
    if (!to) continue;
    fill_bytes(to, 0, cols * 4);
    for (int64_t slab = 0; slab < count; slab++) accumulate(to, scratch + (slab * 4 + k) * cols, cols);
  }
}

}  // namespace norm_detail

/** y = (x − mean)·rstd·weight + bias with rstd = 1/√(var + eps); rms: mean is 0 and the variance the mean square. */
inline void layerNorm(const LayerNormArgs& a) {
  using namespace norm_detail;
  const int64_t cols = a.cols;
  if (cols <= 0) return;
  for_rows(a.rows, cols, [&](int64_t r) {
    const float* x = a.x + r * cols;
    float* y = a.y + r * cols;
    float mean = 0;
    if (!a.rms) mean = (float)(row_sum(cols, [&](int64_t i, int64_t n) { return load_n(x + i, n, 0); }) / cols);
    const double squares = row_sum(cols, [&](int64_t i, int64_t n) {
      const vf d = load_n(x + i, n, mean) - mean;
      return d * d;
    });
    const float rstd = (float)(1 / __builtin_sqrt(squares / cols + a.eps));
    for_vectors(cols, [&](int64_t i, int64_t n) {
      const vf v = scaled((load_n(x + i, n, 0) - mean) * rstd, a.weight, i, n);
      store_n(y + i, a.bias ? v + load_n(a.bias + i, n, 0) : v, n);
    });
    if (a.mean) a.mean[r] = mean;
    a.rstd[r] = rstd;
  });
}

/** With g = dy·weight and x̂ = (x − mean)·rstd: dx = rstd·(g − mean(g) − x̂·mean(g·x̂)), without mean(g) for rms; dw = Σ dy·x̂ and db = Σ dy over rows. */
inline void layerNormGrad(const LayerNormGradArgs& a) {
  using namespace norm_detail;
  const int64_t cols = a.cols;
  if (cols <= 0) return;
  const bool sums = a.dw || a.db;
  sum_rows(a.rows, cols, (float*)a.scratch, a.dw, a.db, [&](int64_t r, float* part) {
    const float *x = a.x + r * cols, *dy = a.dy + r * cols;
    const float mean = a.mean ? a.mean[r] : 0, rstd = a.rstd[r];
    float* dx = a.dx + r * cols;
    // First pass: the two means; second: dx and the sums over rows.
    const float c1 = a.rms ? 0 : (float)(row_sum(cols, [&](int64_t i, int64_t n) { return scaled(load_n(dy + i, n, 0), a.weight, i, n); }) / cols);
    const float c2 = (float)(row_sum(cols, [&](int64_t i, int64_t n) {
      return scaled(load_n(dy + i, n, 0), a.weight, i, n) * ((load_n(x + i, n, mean) - mean) * rstd);
    }) / cols);
    for_vectors(cols, [&](int64_t i, int64_t n) {
      const vf g = load_n(dy + i, n, 0), hat = (load_n(x + i, n, mean) - mean) * rstd;
      store_n(dx + i, (scaled(g, a.weight, i, n) - c1 - hat * c2) * rstd, n);
      if (sums) {
        store_n(part + i, fma(g, hat, load_n(part + i, n, 0)), n);
        store_n(part + cols + i, load_n(part + cols + i, n, 0) + g, n);
      }
    });
  });
}

/** Per column of x[rows][cols]: dot = Σ g·(x − mean), sum = Σ g, where g is dy or, without one, x − mean: then dot is rows times the variance. */
inline void channelSums(const ChannelSumsArgs& a) {
  using namespace norm_detail;
  const int64_t cols = a.cols;
  sum_rows(a.rows, cols, (float*)a.scratch, a.dot, a.sum, [&](int64_t r, float* part) {
    const float *x = a.x + r * cols, *dy = a.dy ? a.dy + r * cols : nullptr;
    for_vectors(cols, [&](int64_t i, int64_t n) {
      const vf d = load_n(x + i, n, 0) - load_n(a.mean + i, n, 0), g = dy ? load_n(dy + i, n, 0) : d;
      store_n(part + i, fma(g, d, load_n(part + i, n, 0)), n);
      store_n(part + cols + i, load_n(part + cols + i, n, 0) + g, n);
    });
  });
}

/** y = (x − mean)·scale + shift (+ dy·gain), with one of each per column. Centred first: where the mean is large, digits stay. */
inline void channelScale(const ChannelScaleArgs& a) {
  using namespace norm_detail;
  const int64_t cols = a.cols;
  for_rows(a.rows, cols, [&](int64_t r) {
    const int64_t at = r * cols;
    for_vectors(cols, [&](int64_t i, int64_t n) {
      vf v = fma(load_n(a.x + at + i, n, 0) - load_n(a.mean + i, n, 0), load_n(a.scale + i, n, 0), load_n(a.shift + i, n, 0));
      if (a.dy) v = fma(load_n(a.dy + at + i, n, 0), load_n(a.gain + i, n, 0), v);
      store_n(a.y + at + i, v, n);
    });
  });
}

} }  // namespace nn::NN_ISA
