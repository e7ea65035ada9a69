#pragma once
// Gradients of conv2d where dy is nearly all zeros, as behind a maximum over time or over the whole image: each value of
// dy that is not zero adds one patch or one filter, instead of a matrix product over all pixels.
//
// A product runs at about ten times the speed of these additions, so they are taken where at most one value in kSparse
// counts. The choice depends on dy alone. Where it falls on them, 0·∞ and 0·NaN are 0.
#include "abi.gen.h"
#include "parallel.h"

namespace nn { namespace NN_ISA { namespace gemm_detail {

constexpr int64_t kSparse = 16;

/** Dense gradients are told from their first 64k values. */
inline bool is_sparse(const float* dy, int64_t n) {
  constexpr int64_t kBlock = 4096;
  int64_t count = 0;
  for (int64_t b = 0; b < n; b += kBlock) {
    const int64_t end = imin(n, b + kBlock);
    vi nonzero = {};
    int64_t i = b;
    for (; i + W <= end; i += W) nonzero -= load(dy + i) != 0.f;
    for (int l = 0; l < W; l++) count += nonzero[l];
    for (; i < end; i++) count += dy[i] != 0;
    if (count > n / kSparse || (end >= 16 * kBlock && 8 * count > end)) return false;
  }
  return true;
}

template <class Args> inline bool is_sparse(const Args& a) {
  // Few channels make short runs; small gradients are cheap either way.
  return a.c / a.groups >= W && a.n * a.oh * a.ow * a.oc >= 16384 && is_sparse(a.dy, a.n * a.oh * a.ow * a.oc);
}

NN_NOINLINE inline void add_scaled(float* y, const float* x, float s, int64_t n) {
  int64_t i = 0;
  for (; i + W <= n; i += W) store(y + i, fma(splat(s), load(x + i), load(y + i)));
  for (; i < n; i++) y[i] = fma(s, x[i], y[i]);
}

/** f(i, value) for every value of row[from, to) that is not zero. */
template <class F> NN_INLINE void each_nonzero(const float* row, int64_t from, int64_t to, F&& f) {
  for (int64_t i = from; i < to; i += W) {
    const int64_t end = imin(to, i + W);
    if (end == i + W && !any(load(row + i) != 0.f)) continue;
    for (int64_t j = i; j < end; j++)
      if (row[j] != 0) f(j, row[j]);
  }
}

/** f(tap, input pixel) for the taps of output pixel (y, x) that lie inside the image. */
template <class Args, class F> NN_INLINE void each_tap(const Args& a, int64_t y, int64_t x, F&& f) {
  for (int64_t i = 0; i < a.kh; i++) {
    const int64_t iy = y * a.strideH - a.padTop + i * a.dilationH;
    if (iy < 0 || iy >= a.h) continue;
    for (int64_t j = 0; j < a.kw; j++) {
      const int64_t ix = x * a.strideW - a.padLeft + j * a.dilationW;
      if (ix >= 0 && ix < a.w) f(i * a.kw + j, iy * a.w + ix);
    }
  }
}

/** Image by image: dx[pixel] += dy · filter, the filter lying as [oc][tap][channel] in scratch. */
inline void sparse_input_grad(const Conv2dInputGradArgs& a) {
  const int64_t cg = a.c / a.groups, og = a.oc / a.groups, taps = a.kh * a.kw;
  float* filter = (float*)a.scratch;
  for (int64_t g = 0; g < a.groups; g++) {  // scratch holds the filter of one group
    parallel_for(ceil_div(og, 8), [&](int64_t chunk) {
      for (int64_t o = chunk * 8; o < imin(og, chunk * 8 + 8); o++)
        for (int64_t t = 0; t < taps; t++)
          for (int64_t c = 0; c < cg; c++) filter[(o * taps + t) * cg + c] = a.weight[((g * og + o) * cg + c) * taps + t];
    });
    parallel_for(a.n, [&](int64_t n) {
      float* dx = a.dx + n * a.h * a.w * a.c;
      if (g == 0) fill_bytes(dx, 0, a.h * a.w * a.c * 4);
      for (int64_t p = 0; p < a.oh * a.ow; p++)
        each_nonzero(a.dy + (n * a.oh * a.ow + p) * a.oc + g * og, 0, og, [&](int64_t o, float v) {
          each_tap(a, p / a.ow, p % a.ow, [&](int64_t tap, int64_t pixel) { add_scaled(dx + pixel * a.c + g * cg, filter + (o * taps + tap) * cg, v, cg); });
        });
    });
  }
}

/** Vector of output channels by vector: dw[o] += dy · patch in order of the pixels, as [oc][tap][channel] in scratch, then turned to OIHW. */
inline void sparse_weight_grad(const Conv2dWeightGradArgs& a) {
  const int64_t cg = a.c / a.groups, og = a.oc / a.groups, taps = a.kh * a.kw, span = 16, spans = ceil_div(og, span);
  float* sums = (float*)a.scratch;  // one group's
  for (int64_t g = 0; g < a.groups; g++)
    parallel_for(spans, [&](int64_t s) {
      const int64_t o0 = s * span, o1 = imin(og, o0 + span);
      float bias[span] = {};
      fill_bytes(sums + o0 * taps * cg, 0, (o1 - o0) * taps * cg * 4);
      for (int64_t n = 0; n < a.n; n++)
        for (int64_t p = 0; p < a.oh * a.ow; p++)
          each_nonzero(a.dy + (n * a.oh * a.ow + p) * a.oc + g * og, o0, o1, [&](int64_t o, float v) {
            bias[o - o0] += v;
            each_tap(a, p / a.ow, p % a.ow, [&](int64_t tap, int64_t pixel) {
              add_scaled(sums + (o * taps + tap) * cg, a.x + (n * a.h * a.w + pixel) * a.c + g * cg, v, cg);
            });
          });
      for (int64_t o = o0; o < o1; o++) {
        if (a.db) a.db[g * og + o] = bias[o - o0];
        for (int64_t t = 0; t < taps; t++)
          for (int64_t c = 0; c < cg; c++) a.dw[((g * og + o) * cg + c) * taps + t] = sums[(o * taps + t) * cg + c];
      }
    });
}

} } }  // namespace nn::NN_ISA::gemm_detail
