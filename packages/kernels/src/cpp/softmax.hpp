#pragma once
// softmax and cross-entropy over the rows of x[rows][cols], and their gradients.
//
// A row is worked through two or three times while it lies in cache. The maximum ignores NaN: a NaN reaches the sum
// by itself and from there the whole row, as a row of -inf does through -inf - -inf. Both are what PyTorch gives.
//
// Rows of at most kShort columns go W at a time, one row per lane: folding a vector of a few values takes longer than
// everything else (10 columns: 60 ns per row that way, 10 this way).
#include "simd.h"
#include "lanes.h"
#include "parallel.h"
#include "abi.gen.h"
#include "math.h"

namespace nn { namespace NN_ISA { namespace softmax_detail {

constexpr int64_t kChunk = 16384;  // elements worth waking a thread for
constexpr int64_t kBlock = 4096;   // elements summed in float

template <class F> NN_INLINE void for_rows(int64_t rows, int64_t cols, F&& f) {
  const int64_t per = imax(1, kChunk / imax(1, cols));
  parallel_for(ceil_div(rows, per), [&](int64_t chunk) {
    const int64_t end = imin(rows, (chunk + 1) * per);
    for (int64_t r = chunk * per; r < end; r++) f(r);
  });
}

/** exp for x <= 0 (and a little above): one scale factor, and 0 below -86.6 where float nears its end. What the
 *  polynomial makes of such x is dropped, so there is no clamp, which would lose NaN in relaxed WASM (relaxed_max). */
NN_INLINE vf exp_below(vf x) {
  const Reduced d = reduce_ln2(x);
  const vf p = horner(d.r, splat(1.9875691500e-4f), 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f);
  const vf y = fma(p * d.r, d.r, d.r) + 1.f;
  return select(x < -86.6f, splat(0.f), y * pow2(d.n));
}

/** NaN may be skipped or returned: see above. */
NN_INLINE float row_max(const float* x, int64_t n) {
  const vf low = splat(-kInf);
  vf a[4] = {low, low, low, low};
  int64_t i = 0;
  for (; i + 4 * W <= n; i += 4 * W)
    for (int k = 0; k < 4; k++) a[k] = max(load(x + i + k * W), a[k]);
  for (; i + W <= n; i += W) a[0] = max(load(x + i), a[0]);
  if (i < n) a[1] = max(load_part(x + i, n - i, -kInf), a[1]);
  return fold_lanes(max(max(a[0], a[1]), max(a[2], a[3])), [](vf p, vf q) { return max(p, q); })[0];
}

/** Σ of term(i, count) over [0, n) in vectors: term handles elements i … i+count and returns zeros in the other lanes. */
template <class Term> NN_INLINE double row_sum(int64_t n, Term&& term) {
  double total = 0;
  for (int64_t b = 0; b < n; b += kBlock) {
    const int64_t end = imin(n, b + kBlock);
    vf a[4] = {};
    int64_t i = b;
    for (; i + 4 * W <= end; i += 4 * W)
      for (int k = 0; k < 4; k++) a[k] += term(i + k * W, (int64_t)W);
    for (; i + W <= end; i += W) a[0] += term(i, (int64_t)W);
    if (i < end) a[1] += term(i, end - i);
    total += (double)fold_lanes((a[0] + a[1]) + (a[2] + a[3]), [](vf p, vf q) { return p + q; })[0];
  }
  return total;
}

constexpr int64_t kShort = 32;
NN_INLINE bool in_lanes(int64_t rows, int64_t cols) { return cols <= kShort && 4 * rows >= W; }

/** f(first row, rows, t) for groups of up to W rows; t[kShort][W] is for the columns. */
template <class F> NN_INLINE void for_groups(int64_t rows, int64_t cols, F&& f) {
  for_rows(ceil_div(rows, W), W * cols, [&](int64_t g) {
    alignas(64) float t[kShort * W];
    f(g * W, imin(W, rows - g * W), t);
  });
}
NN_INLINE vf lanes_max(const float* t, int64_t cols) {
  vf m = splat(-kInf);
  for (int64_t j = 0; j < cols; j++) m = max(load_aligned(t + j * W), m);
  return m;
}
/** out = exp(t - m), which may be t; returns Σ of each lane. What an addition rounds off is kept (Knuth's two-sum): one after the
 *  other, 32 terms would lose more than a vector folded in halves. */
NN_NOINLINE inline vf lanes_exp(const float* t, float* out, int64_t cols, vf m) {
  vf sum = {}, lost = {};
  for (int64_t j = 0; j < cols; j++) {
    const vf e = exp_below(load_aligned(t + j * W) - m), next = sum + e, added = next - sum;
    store_aligned(out + j * W, e);
    lost += (sum - (next - added)) + (e - added);
    sum = next;
  }
  return sum + lost;
}
NN_INLINE vi load_targets(const int32_t* p, int64_t n) {
  alignas(64) int32_t t[W];
  for (int64_t l = 0; l < W; l++) t[l] = p[imin(l, n - 1)];
  return loadi(t);
}


template <class F> NN_INLINE void for_vectors(int64_t n, F&& f) {
  int64_t i = 0;
  for (; i + W <= n; i += W) f(i, (int64_t)W);
  if (i < n) f(i, n - i);
}

/** log Σ exp(x - m). */
NN_NOINLINE inline float log_of(double sum) { return log(splat((float)sum))[0]; }
NN_INLINE double sum_exp(const float* x, int64_t cols, float m) {
  return row_sum(cols, [&](int64_t i, int64_t n) { return exp_below(load_n(x + i, n, -kInf) - m); });
}

}  // namespace softmax_detail

/** y = exp(x - m) / Σ exp(x - m), or x - m - log Σ exp(x - m), m = row maximum. y may be x. */
inline void softmax(const SoftmaxArgs& a) {
  using namespace softmax_detail;
  const int64_t cols = a.cols;
  if (in_lanes(a.rows, cols))
    return for_groups(a.rows, cols, [&](int64_t r, int64_t n, float* t) {
      rows_to_lanes(a.x + r * cols, n, cols, t);
      const vf m = lanes_max(t, cols);
      if (a.log) {
        alignas(64) float e[kShort * W];
        const vf l = log(lanes_exp(t, e, cols, m));
        for (int64_t j = 0; j < cols; j++) store_aligned(t + j * W, load_aligned(t + j * W) - m - l);
      } else {
        const vf scale = splat(1.f) / lanes_exp(t, t, cols, m);
        for (int64_t j = 0; j < cols; j++) store_aligned(t + j * W, load_aligned(t + j * W) * scale);
      }
      lanes_to_rows(t, n, cols, a.y + r * cols);
    });
  for_rows(a.rows, cols, [&](int64_t r) {
    const float* x = a.x + r * cols;
    float* y = a.y + r * cols;
    const float m = row_max(x, cols);
    if (a.log) {
      const float l = log_of(sum_exp(x, cols, m));
      for_vectors(cols, [&](int64_t i, int64_t n) { store_n(y + i, load_n(x + i, n, 0) - m - l, n); });
      return;
    }
    const double sum = row_sum(cols, [&](int64_t i, int64_t n) {
      const vf e = exp_below(load_n(x + i, n, -kInf) - m);
      store_n(y + i, e, n);
      return e;
    });
    const float scale = (float)(1 / sum);
    for_vectors(cols, [&](int64_t i, int64_t n) { store_n(y + i, load_n(y + i, n, 0) * scale, n); });
  });
}

/** softmax: dx = y·(dy - Σ y·dy); log-softmax: dx = dy - exp(y)·Σ dy. dx may be dy. */
inline void softmaxGrad(const SoftmaxGradArgs& a) {
  using namespace softmax_detail;
  const int64_t cols = a.cols;
  if (in_lanes(a.rows, cols))
    return for_groups(a.rows, cols, [&](int64_t r, int64_t n, float* g) {
      alignas(64) float y[kShort * W];
      rows_to_lanes(a.dy + r * cols, n, cols, g);
      rows_to_lanes(a.y + r * cols, n, cols, y);
      vf sum = {};
      for (int64_t j = 0; j < cols * W; j += W) sum += a.log ? load_aligned(g + j) : load_aligned(g + j) * load_aligned(y + j);
      for (int64_t j = 0; j < cols * W; j += W)
        store_aligned(g + j, a.log ? load_aligned(g + j) - exp_below(load_aligned(y + j)) * sum : load_aligned(y + j) * (load_aligned(g + j) - sum));
      lanes_to_rows(g, n, cols, a.dx + r * cols);
    });
  for_rows(a.rows, cols, [&](int64_t r) {
    const float *y = a.y + r * cols, *dy = a.dy + r * cols;
    float* dx = a.dx + r * cols;
    if (a.log) {
      const float s = (float)row_sum(cols, [&](int64_t i, int64_t n) { return load_n(dy + i, n, 0); });
      for_vectors(cols, [&](int64_t i, int64_t n) {
        store_n(dx + i, load_n(dy + i, n, 0) - exp_below(load_n(y + i, n, 0)) * s, n);
      });
    } else {
      const float s = (float)row_sum(cols, [&](int64_t i, int64_t n) { return load_n(y + i, n, 0) * load_n(dy + i, n, 0); });
      for_vectors(cols, [&](int64_t i, int64_t n) {
        store_n(dx + i, load_n(y + i, n, 0) * (load_n(dy + i, n, 0) - s), n);
      });
    }
  });
}

/** logSum = log Σ exp(logits - m), m = row maximum; loss = (m - logits[target]) + logSum, which keeps the digits of small losses.
 *  target < 0: loss 0. target >= cols (refused by the op layer): NaN. */
inline void crossEntropy(const CrossEntropyArgs& a) {
  using namespace softmax_detail;
  if (in_lanes(a.rows, a.cols))
    return for_groups(a.rows, a.cols, [&](int64_t r, int64_t n, float* t) {
      alignas(64) float top[W], sum[W];
      rows_to_lanes(a.logits + r * a.cols, n, a.cols, t);
      const vf m = lanes_max(t, a.cols);
      store_aligned(top, m);
      store_aligned(sum, log(lanes_exp(t, t, a.cols, m)));
      for (int64_t l = 0; l < n; l++) {
        const int32_t target = a.target[r + l];
        a.logSum[r + l] = sum[l];
        a.loss[r + l] = target < 0 ? 0 : target < a.cols ? (top[l] - a.logits[(r + l) * a.cols + target]) + sum[l] : kNaN;
      }
    });
  for_rows(a.rows, a.cols, [&](int64_t r) {
    const float* x = a.logits + r * a.cols;
    const float m = row_max(x, a.cols), l = log_of(sum_exp(x, a.cols, m));
    const int32_t t = a.target[r];
    a.logSum[r] = l;
    a.loss[r] = t < 0 ? 0 : t < a.cols ? (m - x[t]) + l : kNaN;
  });
}

/** dlogits = dloss·(exp(logits - m - logSum) - onehot(target)), m found again: m + logSum would lose the digits of large logits; rows with target < 0 are 0. dlogits may be logits. */
inline void crossEntropyGrad(const CrossEntropyGradArgs& a) {
  using namespace softmax_detail;
  if (in_lanes(a.rows, a.cols))
    return for_groups(a.rows, a.cols, [&](int64_t r, int64_t n, float* t) {
      rows_to_lanes(a.logits + r * a.cols, n, a.cols, t);
      const vf m = lanes_max(t, a.cols), logSum = load_n(a.logSum + r, n, 0), g = load_n(a.dloss + r, n, 0);
      const vi target = load_targets(a.target + r, n), ignored = target < 0;
      for (int64_t j = 0; j < a.cols; j++) {
        const vf p = exp_below((load_aligned(t + j * W) - m) - logSum) * g;
        const vf d = select(target == splati((int32_t)j), p - g, p);
        store_aligned(t + j * W, select(ignored, splat(0.f), d));
      }
      lanes_to_rows(t, n, a.cols, a.dlogits + r * a.cols);
    });
  for_rows(a.rows, a.cols, [&](int64_t r) {
    const float *x = a.logits + r * a.cols, logSum = a.logSum[r], g = a.dloss[r];
    float* dx = a.dlogits + r * a.cols;
    const int32_t t = a.target[r];
    if (t < 0) return fill_bytes(dx, 0, a.cols * 4);
    const float m = row_max(x, a.cols);
    for_vectors(a.cols, [&](int64_t i, int64_t n) { store_n(dx + i, exp_below((load_n(x + i, n, 0) - m) - logSum) * g, n); });
    if (t < a.cols) dx[t] -= g;
  });
}

} }  // namespace nn::NN_ISA
