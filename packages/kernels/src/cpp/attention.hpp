#pragma once
// softmax(scale·Q·Kᵀ + mask)·V tile by tile, without the T×S matrix in memory (Dao 2022, "FlashAttention").
//
// Forward: a chunk is one tile of queries of one head. Tiles of keys pass by; each row keeps its maximum and its sum so far,
// and what was added to o before is rescaled when the maximum rises (Milakov & Gimelshein 2018). Only log Σ exp is kept.
// Backward: a chunk is one head. Scores are computed again from q, k and the log-sum; tiles of keys are outermost, so dk and dv
// of a tile are summed in order of queries and dq in order of keys. Products run on the tiles of gemm.
#include "gemm.hpp"
#include "softmax.hpp"

namespace nn { namespace NN_ISA {
namespace attention_detail {

using namespace gemm_detail;
using namespace softmax_detail;

constexpr int64_t kTile = 64;  // queries, keys and columns at a time; a multiple of every NR

/** A matrix whose rows are dense. */
struct Rows {
  float* p;
  int64_t row;
  Rows at(int64_t i) const { return {p + i * row, row}; }
};
NN_INLINE Rows head(float* p, const int64_t* stride, int64_t b, int64_t h) { return {p + b * stride[0] + h * stride[1], stride[2]}; }

/** Kᵀ of one tile for the products, 64 of its d rows at a time. */
inline Panels transposed(int64_t cols, int64_t d, Rows k, float* panels) { return pack_panels(d, cols, {k.p, 1, k.row}, panels); }

/** c[rows][kTile] = a[rows,d] · b[cols,d]ᵀ. `panels` is room for a packed part of bᵀ; `ready`: it holds all of it (d <= kTile). */
NN_NOINLINE inline void times_transposed(int64_t rows, int64_t cols, int64_t d, Rows a, Rows b, float* c, float* panels, bool ready) {
  if (d == 0) fill_bytes(c, 0, rows * kTile * 4);
  for (int64_t p = 0; p < d; p += kTile) {
    const int64_t kc = imin(kTile, d - p);
    const Panels right = ready ? Panels{panels, kc * NR, NR} : transposed(cols, kc, {b.p + p, b.row}, panels);
    block(rows, cols, kc, a.p + p, a.row, 1, right, {c, kTile, nullptr}, {p > 0, nullptr, kNone});
  }
}

/** c[rows,e] (+)= a[rows,k] · b[k,e]; a by its strides per row and per k. b is packed unless few tiles read it: rows of a head lie a
 *  whole projection apart, often in a few sets of L1. */
NN_NOINLINE inline void times(int64_t rows, int64_t e, int64_t k, const float* a, int64_t as, int64_t ap, Rows b, Rows c, bool add, float* panels) {
  for (int64_t j = 0; j < e; j += kTile) {
    const int64_t cols = imin(kTile, e - j);
    const Panels right = rows <= 6 * MR && cols % W == 0 ? Panels{b.p + j, NR, b.row} : pack_panels(k, cols, {b.p + j, b.row, 1}, panels);
    block(rows, cols, k, a, as, ap, right, {c.p + j, c.row, nullptr}, {add, nullptr, kNone});
  }
}

/** scores = scale·scores + mask from query t0 and key s0 on; hidden ones, and columns up to a whole vector, become -inf. */
template <class Args>
NN_NOINLINE inline void finish_scores(const Args& a, int64_t b, int64_t h, int64_t t0, int64_t rows, int64_t s0, int64_t cols, float* scores) {
  const int64_t width = round_up(cols, W), col = a.maskStride[3];
  for (int64_t r = 0; r < rows; r++) {
    float* line = scores + r * kTile;
    for (int64_t i = 0; i < width; i += W) store(line + i, load(line + i) * a.scale);
    if (a.mask) {
      const float* m = a.mask + b * a.maskStride[0] + h * a.maskStride[1] + (t0 + r) * a.maskStride[2] + s0 * col;
      for (int64_t i = 0; i < cols; i++) line[i] += m[i * col];
    }
    const int64_t shown = a.causal ? imax(0, imin(cols, t0 + r + 1 - s0)) : cols;
    for (int64_t i = shown; i < width; i++) line[i] = -kInf;
  }
}

/** line = exp(line − shift) in place; the sum. */
NN_INLINE float exponentials(float* line, int64_t width, float shift) {
  vf sum = {};
  for (int64_t i = 0; i < width; i += W) {
    const vf e = exp_below(load(line + i) - shift);
    store(line + i, e);
    sum += e;
  }
  return fold_lanes(sum, [](vf p, vf q) { return p + q; })[0];
}

NN_INLINE void rescale(float* p, int64_t n, float by) {
  int64_t i = 0;
  for (; i + W <= n; i += W) store(p + i, load(p + i) * by);
  for (; i < n; i++) p[i] *= by;
}

/** One tile of queries against all keys. */
inline void forward_tile(const AttentionArgs& a, int64_t b, int64_t h, int64_t t0) {
  alignas(64) float scores[kTile * kTile], panels[kTile * kTile];
  float top[kTile], sum[kTile];
  const int64_t rows = imin(kTile, a.t - t0);
  const Rows q = head(a.q, a.qStride, b, h).at(t0), k = head(a.k, a.kStride, b, h), v = head(a.v, a.vStride, b, h), o = head(a.o, a.oStride, b, h).at(t0);
  float* lse = a.lse + (b * a.h + h) * a.t + t0;
  for (int64_t r = 0; r < rows; r++) top[r] = -kInf, sum[r] = 0;
  const int64_t last = a.causal ? imin(a.s, t0 + rows) : a.s;
  for (int64_t s0 = 0; s0 < last; s0 += kTile) {
    const int64_t cols = imin(kTile, a.s - s0), width = round_up(cols, W);
    times_transposed(rows, cols, a.d, q, k.at(s0), scores, panels, false);
    finish_scores(a, b, h, t0, rows, s0, cols, scores);
    for (int64_t r = 0; r < rows; r++) {
      float* line = scores + r * kTile;
      vf high = splat(top[r]);
      for (int64_t i = 0; i < width; i += W) high = max(load(line + i), high);
      const float next = fold_lanes(high, [](vf p, vf q) { return max(p, q); })[0];
      const float here = exponentials(line, width, next == -kInf ? 0 : next);
      const float keep = top[r] == next ? 1 : exp_below(splat(top[r] - next))[0];
      sum[r] = sum[r] * keep + here;
      top[r] = next;
      if (s0 > 0 && keep != 1) rescale(o.p + r * o.row, a.e, keep);
    }
    times(rows, a.e, cols, scores, kTile, 1, v.at(s0), o, s0 > 0, panels);
  }
  for (int64_t r = 0; r < rows; r++) {
    const bool hidden = sum[r] == 0;
    if (hidden) fill_bytes(o.p + r * o.row, 0, a.e * 4);
    else rescale(o.p + r * o.row, a.e, 1 / sum[r]);
    lse[r] = hidden ? kInf : top[r] + log(splat(sum[r]))[0];
  }
}

/** dq, dk and dv of one head. */
inline void backward_head(const AttentionGradArgs& a, int64_t b, int64_t h) {
  alignas(64) float p[kTile * kTile], ds[kTile * kTile], keys[kTile * kTile], values[kTile * kTile], panels[kTile * kTile];
  const Rows q = head(a.q, a.qStride, b, h), k = head(a.k, a.kStride, b, h), v = head(a.v, a.vStride, b, h);
  const Rows o = head(a.o, a.oStride, b, h), dy = head(a.dy, a.dyStride, b, h);
  const Rows dq = head(a.dq, a.dqStride, b, h), dk = head(a.dk, a.dkStride, b, h), dv = head(a.dv, a.dvStride, b, h);
  const float* lse = a.lse + (b * a.h + h) * a.t;
  const bool keysReady = a.d <= kTile, valuesReady = a.e <= kTile;
  if (a.s == 0) for (int64_t t = 0; t < a.t; t++) fill_bytes(dq.at(t).p, 0, a.d * 4);
  for (int64_t s0 = 0; s0 < a.s; s0 += kTile) {
    const int64_t cols = imin(kTile, a.s - s0), width = round_up(cols, W);
    if (keysReady) transposed(cols, a.d, k.at(s0), keys);
    if (valuesReady) transposed(cols, a.e, v.at(s0), values);
    bool add = false;
    for (int64_t t0 = a.causal ? s0 : 0; t0 < a.t; t0 += kTile) {  // causal: earlier queries see none of these keys
      const int64_t rows = imin(kTile, a.t - t0);
      times_transposed(rows, cols, a.d, q.at(t0), k.at(s0), p, keys, keysReady);
      finish_scores(a, b, h, t0, rows, s0, cols, p);
      times_transposed(rows, cols, a.e, dy.at(t0), v.at(s0), ds, values, valuesReady);
      for (int64_t r = 0; r < rows; r++) {
        float *weight = p + r * kTile, *slope = ds + r * kTile;
        const float *y = o.at(t0 + r).p, *g = dy.at(t0 + r).p;
        const float mean = (float)row_sum(a.e, [&](int64_t i, int64_t n) { return load_n(y + i, n, 0) * load_n(g + i, n, 0); });
        for (int64_t i = cols; i < width; i++) slope[i] = 0;
        for (int64_t i = 0; i < width; i += W) {
          const vf e = exp_below(load(weight + i) - lse[t0 + r]);
          store(weight + i, e);
          store(slope + i, e * (load(slope + i) - mean) * a.scale);
        }
      }
      times(cols, a.e, rows, p, 1, kTile, dy.at(t0), dv.at(s0), add, panels);
      times(rows, a.d, cols, ds, kTile, 1, k.at(s0), dq.at(t0), s0 > 0, panels);
      times(cols, a.d, rows, ds, 1, kTile, q.at(t0), dk.at(s0), add, panels);
      add = true;
    }
    if (!add) for (int64_t s = s0; s < s0 + cols; s++) {
      fill_bytes(dk.at(s).p, 0, a.d * 4);
      fill_bytes(dv.at(s).p, 0, a.e * 4);
    }
  }
}

}  // namespace attention_detail

inline void attention(const AttentionArgs& a) {
  const int64_t tiles = ceil_div(a.t, attention_detail::kTile);
  parallel_for(a.b * a.h * tiles, [&](int64_t chunk) {
    const int64_t item = chunk / tiles;
    attention_detail::forward_tile(a, item / a.h, item % a.h, chunk % tiles * attention_detail::kTile);
  });
}

inline void attentionGrad(const AttentionGradArgs& a) {
  parallel_for(a.b * a.h, [&](int64_t item) { attention_detail::backward_head(a, item / a.h, item % a.h); });
}

} }  // namespace nn::NN_ISA
