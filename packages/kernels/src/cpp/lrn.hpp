#pragma once
// Local response normalisation across channels (Krizhevsky et al. 2012) of pixels whose channels lie side by side:
//
//     d[c] = k + alpha·Σ x[j]² over j = c-lo … c+hi, lo = size/2, hi = (size-1)/2, nothing outside the channels
//     y[c] = x[c]·d[c]^-beta
//     dx[c] = dy[c]·d[c]^-beta - 2·alpha·beta·x[c]·Σ dy[j]·x[j]·d[j]^(-beta-1) over j = c-hi … c+lo
//
// One pass over memory: d is formed again in the gradient, which is cheaper than reading it. Channels go in tiles that
// fit on the stack; what a tile's windows see beyond its ends is computed twice.
#include "simd.h"
#include "lanes.h"
#include "parallel.h"
#include "abi.gen.h"
#include "math.h"

namespace nn { namespace NN_ISA { namespace lrn_detail {

constexpr int64_t kTile = 1024;      // channels of a tile
constexpr int64_t kReach = 256;      // largest window
constexpr int64_t kChunk = 16384;    // elements worth waking a thread for

/** out[i - first] = x[i]² for first <= i < end, 0 outside [0, c); W zeros more. */
NN_NOINLINE inline void squares(const float* x, int64_t c, int64_t first, int64_t end, float* out) {
  const int64_t a = imax(0, first), b = imin(c, end);
  fill_bytes(out, 0, (a - first) * 4);
  int64_t i = a;
  for (; i + W <= b; i += W) store(out + i - first, load(x + i) * load(x + i));
  for (; i < b; i++) out[i - first] = x[i] * x[i];
  fill_bytes(out + b - first, 0, (end + W - b) * 4);
}

/** Σ of `size` vectors, one element apart. */
NN_INLINE vf window(const float* p, int64_t size) {
  vf a = load(p);
  if (size == 5) return ((a + load(p + 1)) + (load(p + 2) + load(p + 3))) + load(p + 4);
  for (int64_t i = 1; i < size; i++) a += load(p + i);
  return a;
}

/** d^-beta; where beta is 3/4 from 1/d: x^(3/4) = √x·√√x costs a fifth of a power. */
struct Power {
  float beta;
  NN_INLINE vf inverse(vf d) const { return splat(1.f) / d; }
  NN_INLINE vf operator()(vf d, vf inverse) const {
    if (beta != 0.75f) return pow(d, splat(-beta));
    const vf root = sqrt(inverse);
    return root * sqrt(root);
  }
};

inline void forward(const LocalResponseNormArgs& a, const float* x, float* y) {
  alignas(64) float sq[kTile + kReach + W];
  const int64_t lo = a.size / 2, hi = (a.size - 1) / 2;
  const Power power = {(float)a.beta};
  const vf alpha = splat((float)a.alpha), k = splat((float)a.k);
  for (int64_t t0 = 0; t0 < a.c; t0 += kTile) {
    const int64_t t1 = imin(a.c, t0 + kTile);
    squares(x, a.c, t0 - lo, t1 + hi, sq);
    for (int64_t i = t0; i < t1; i += W) {
      const int64_t n = imin(W, t1 - i);
      const vf d = fma(alpha, window(sq + i - t0, a.size), k);
      store_n(y + i, load_n(x + i, n) * power(d, power.inverse(d)), n);
    }
  }
}

inline void backward(const LocalResponseNormGradArgs& a, const float* x, const float* dy, float* dx) {
  alignas(64) float sq[kTile + 2 * kReach + W], ratio[kTile + kReach + W], scale[kTile + kReach + W];
  const int64_t lo = a.size / 2, hi = (a.size - 1) / 2;
  const Power power = {(float)a.beta};
  const vf alpha = splat((float)a.alpha), k = splat((float)a.k), slope = splat((float)(2 * a.alpha * a.beta));
  for (int64_t t0 = 0; t0 < a.c; t0 += kTile) {
    const int64_t t1 = imin(a.c, t0 + kTile), first = t0 - hi;
    const int64_t from = imax(0, first), to = imin(a.c, t1 + lo);
    squares(x, a.c, first - lo, t1 + lo + hi, sq);
    fill_bytes(ratio, 0, (from - first) * 4);
    for (int64_t i = from; i < to; i += W) {
      const int64_t n = imin(W, to - i);
      const vf d = fma(alpha, window(sq + i - first, a.size), k), inverse = power.inverse(d), p = power(d, inverse);
      store(scale + i - first, p);
      store(ratio + i - first, load_n(dy + i, n) * load_n(x + i, n) * p * inverse);
    }
    fill_bytes(ratio + to - first, 0, (t1 + lo + W - to) * 4);  // lanes beyond the channels too, where 0·∞ may stand
    for (int64_t i = t0; i < t1; i += W) {
      const int64_t n = imin(W, t1 - i);
      const vf through = load_n(dy + i, n) * load(scale + i - first);
      store_n(dx + i, through - slope * load_n(x + i, n) * window(ratio + i - t0, a.size), n);
    }
  }
}

template <class F> NN_INLINE void for_pixels(int64_t pixels, int64_t c, F&& f) {
  if (c <= 0) return;
  const int64_t per = imax(1, kChunk / c);
  parallel_for(ceil_div(pixels, per), [&](int64_t chunk) {
    const int64_t end = imin(pixels, (chunk + 1) * per);
    for (int64_t p = chunk * per; p < end; p++) f(p * c);
  });
}

}  // namespace lrn_detail

inline void localResponseNorm(const LocalResponseNormArgs& a) {
  using namespace lrn_detail;
  for_pixels(a.pixels, a.c, [&](int64_t at) { forward(a, a.x + at, a.y + at); });
}

inline void localResponseNormGrad(const LocalResponseNormGradArgs& a) {
  using namespace lrn_detail;
  for_pixels(a.pixels, a.c, [&](int64_t at) { backward(a, a.x + at, a.dy + at, a.dx + at); });
}

} }  // namespace nn::NN_ISA
