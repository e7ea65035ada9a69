#pragma once
// Running sums along the middle axis of x[outer][r][inner], in double as PyTorch does on CPU.
#include "simd.h"
#include "parallel.h"
#include "abi.gen.h"

namespace nn { namespace NN_ISA { namespace scan_detail {

constexpr int64_t kChunk = 16384;  // elements worth waking a thread for
constexpr int64_t kTile = 1024;    // columns at a time

/** N rows side by side: the additions of one row wait for each other, those of N rows do not. */
template <int N> NN_INLINE void scan_rows(const float* x, float* y, int64_t r, int64_t step) {
  double a[N] = {};
  const int64_t first = step > 0 ? 0 : r - 1;
  for (int64_t k = 0; k < r; k++)
    for (int n = 0; n < N; n++) {
      const int64_t i = n * r + first + k * step;
      y[i] = (float)(a[n] += (double)x[i]);
    }
}

}  // namespace scan_detail

/** y[o][k][i] = Σ x[o][0…k][i], or Σ x[o][k…r-1][i] when reversed. y may be x. */
inline void cumsum(const CumsumArgs& a) {
  using namespace scan_detail;
  if (a.outer <= 0 || a.r <= 0 || a.inner <= 0) return;
  const int64_t step = a.reverse ? -1 : 1;
  if (a.inner == 1) {
    const int64_t per = round_up(imax(1, kChunk / a.r), 4);
    parallel_for(ceil_div(a.outer, per), [&](int64_t chunk) {
      const int64_t end = imin(a.outer, (chunk + 1) * per);
      int64_t o = chunk * per;
      for (; o + 4 <= end; o += 4) scan_rows<4>(a.x + o * a.r, a.y + o * a.r, a.r, step);
      for (; o < end; o++) scan_rows<1>(a.x + o * a.r, a.y + o * a.r, a.r, step);
    });
    return;
  }
  const int64_t tile = imin(a.inner, imin(kTile, round_up(imax(256, kChunk / a.r), 16))), tiles = ceil_div(a.inner, tile);
  const int64_t per = imax(1, kChunk / (a.r * tile)), units = a.outer * tiles;
  parallel_for(ceil_div(units, per), [&](int64_t chunk) {
    double sum[kTile];
    const int64_t end = imin(units, (chunk + 1) * per);
    for (int64_t u = chunk * per; u < end; u++) {
      const int64_t c0 = u % tiles * tile, width = imin(tile, a.inner - c0), base = u / tiles * a.r * a.inner + c0;
      for (int64_t j = 0; j < width; j++) sum[j] = 0;
      for (int64_t k = 0; k < a.r; k++) {
        const int64_t at = base + (a.reverse ? a.r - 1 - k : k) * a.inner;
        const float* x = a.x + at;
        float* y = a.y + at;
        for (int64_t j = 0; j < width; j++) y[j] = (float)(sum[j] += (double)x[j]);
      }
    }
  });
}

} }  // namespace nn::NN_ISA
