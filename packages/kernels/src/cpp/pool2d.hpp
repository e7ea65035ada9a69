#pragma once
// Max and average pooling of dense NHWC images, and their gradients; vectors run over channels.
//
// Both gradients gather: a pixel of dx looks at the windows that cover it, so every element of dx is written once, by
// one thread, without a pass that zeroes dx, and overlaps are summed in the same order on any number of threads.
// Padding is never read. A window of padding only gives -inf (index -1) in max pooling and 0 in average pooling.
#include "simd.h"
#include "parallel.h"
#include "abi.gen.h"

namespace nn { namespace NN_ISA { namespace pool_detail {

constexpr int64_t kChunk = 16384;  // loads worth waking a thread for

/** N vectors of `width` channels each. Pixels of few channels use vectors of 4 on every instruction set. */
template <int width, int N> struct Vectors {
  typedef float F __attribute__((vector_size(width * 4), may_alias));
  typedef int32_t I __attribute__((vector_size(width * 4), may_alias));
  typedef float FAny __attribute__((vector_size(width * 4), aligned(4), may_alias));
  typedef int32_t IAny __attribute__((vector_size(width * 4), aligned(4), may_alias));
  static constexpr int n = N, step = width;
  static NN_INLINE F get(const float* p) { return (F)*(const FAny*)p; }
  static NN_INLINE I get(const int32_t* p) { return (I)*(const IAny*)p; }
  static NN_INLINE void put(float* p, F v) { *(FAny*)p = (FAny)v; }
  static NN_INLINE void put(int32_t* p, I v) { *(IAny*)p = (IAny)v; }
  static NN_INLINE F all(float x) { return x - (F){}; }
  static NN_INLINE I all(int32_t x) { return x - (I){}; }
  static NN_INLINE I better(F v, F best) { return (v > best) | (v != v); }
};
struct Scalar {
  typedef float F;
  typedef int32_t I;
  static constexpr int n = 1, step = 1;
  template <class T> static NN_INLINE T get(const T* p) { return *p; }
  template <class T> static NN_INLINE void put(T* p, T v) { *p = v; }
  template <class T> static NN_INLINE T all(T x) { return x; }
  static NN_INLINE bool better(float v, float best) { return v > best || v != v; }
};

/** f(lanes, first channel) over all channels; a last vector overlaps the one before it rather than being partial. */
template <class F> NN_INLINE void for_channels(int64_t c, F&& f) {
  int64_t j = 0;
  if (c >= W) {
    for (; j + 4 * W <= c; j += 4 * W) f(Vectors<W, 4>{}, j);
    for (; j + W <= c; j += W) f(Vectors<W, 1>{}, j);
    if (j < c) f(Vectors<W, 1>{}, c - W);
  } else if (c >= 4) {
    for (; j + 4 <= c; j += 4) f(Vectors<4, 1>{}, j);
    if (j < c) f(Vectors<4, 1>{}, c - 4);
  } else
    for (; j < c; j++) f(Scalar{}, j);
}

/** f(row) over `rows` rows whose cost is `work` loads each. */
template <class F> NN_INLINE void for_rows(int64_t rows, int64_t work, F&& f) {
  const int64_t per = imax(1, kChunk / imax(1, work));
  parallel_for(ceil_div(rows, per), [&](int64_t chunk) {
    const int64_t end = imin(rows, (chunk + 1) * per);
    for (int64_t r = chunk * per; r < end; r++) f(r);
  });
}

struct Range {
  int64_t begin, end;
};

/** One axis of a pooling. */
struct Axis {
  int64_t size, kernel, stride, pad, dilation, outputs;
  /** Taps of window o that lie in the image. */
  Range taps(int64_t o) const {
    const int64_t start = o * stride - pad;
    return {start < 0 ? ceil_div(-start, dilation) : 0, start < size ? imin(kernel, ceil_div(size - start, dilation)) : 0};
  }
  /** Windows whose span holds position i (with dilation some of them skip it). */
  Range windows(int64_t i) const {
    const int64_t first = i + pad - (kernel - 1) * dilation;
    return {first > 0 ? ceil_div(first, stride) : 0, imin(outputs, (i + pad) / stride + 1)};
  }
  /** Elements that window o averages over; padding counts as far as `pad` beyond either end, as in PyTorch. */
  int64_t count(int64_t o, bool includePad) const {
    const int64_t start = o * stride - pad, end = imin(start + kernel, size + pad);
    return imax(0, includePad ? end - start : imin(end, size) - imax(start, 0));
  }
};
template <class A> NN_INLINE Axis vertical(const A& a, int64_t dilation) {
  return {a.h, a.kh, a.strideH, a.padTop, dilation, a.oh};
}
template <class A> NN_INLINE Axis horizontal(const A& a, int64_t dilation) {
  return {a.w, a.kw, a.strideW, a.padLeft, dilation, a.ow};
}

}  // namespace pool_detail

/** y = window maxima, indices = their flat position y·w + x in the input plane; the first wins ties, NaN wins over all. */
inline void maxPool2d(const MaxPool2dArgs& a) {
  using namespace pool_detail;
  const Axis vert = vertical(a, a.dilationH), hori = horizontal(a, a.dilationW);
  for_rows(a.n * a.oh, a.ow * a.c * a.kh * a.kw, [&](int64_t row) {
    const float* image = a.x + row / a.oh * a.h * a.w * a.c;
    const int64_t top = row % a.oh * a.strideH - a.padTop;
    const Range ky = vert.taps(row % a.oh);
    for (int64_t ox = 0; ox < a.ow; ox++) {
      const int64_t left = ox * a.strideW - a.padLeft, out = (row * a.ow + ox) * a.c;
      const Range kx = hori.taps(ox);
      const bool empty = ky.begin >= ky.end || kx.begin >= kx.end;
      const int32_t first = empty ? -1 : (int32_t)((top + ky.begin * a.dilationH) * a.w + left + kx.begin * a.dilationW);
      for_channels(a.c, [&](auto lanes, int64_t c0) {
        typedef decltype(lanes) L;
        typename L::F best[L::n];
        typename L::I index[L::n];
        for (int k = 0; k < L::n; k++) best[k] = L::all(-__builtin_inff()), index[k] = L::all(first);
        for (int64_t y = ky.begin; y < ky.end; y++) {
          int64_t at = (top + y * a.dilationH) * a.w + left + kx.begin * a.dilationW;
          for (int64_t x = kx.begin; x < kx.end; x++, at += a.dilationW) {
            const float* p = image + at * a.c + c0;
            const typename L::I here = L::all((int32_t)at);
            for (int k = 0; k < L::n; k++) {
              const typename L::F v = L::get(p + k * L::step);
              const auto better = L::better(v, best[k]);
              best[k] = better ? v : best[k];
              index[k] = better ? here : index[k];
            }
          }
        }
        for (int k = 0; k < L::n; k++) {
          L::put(a.y + out + c0 + k * L::step, best[k]);
          L::put(a.indices + out + c0 + k * L::step, index[k]);
        }
      });
    }
  });
}

/** dx[pixel] = Σ dy over the windows that chose it. */
inline void maxPool2dGrad(const MaxPool2dGradArgs& a) {
  using namespace pool_detail;
  const Axis vert = vertical(a, a.dilationH), hori = horizontal(a, a.dilationW);
  const int64_t cover = imax(1, a.kh / a.strideH) * imax(1, a.kw / a.strideW);
  for_rows(a.n * a.h, a.w * a.c * cover, [&](int64_t row) {
    const int64_t y = row % a.h, windows = row / a.h * a.oh * a.ow;
    const Range oy = vert.windows(y);
    for (int64_t x = 0; x < a.w; x++) {
      const Range ox = hori.windows(x);
      for_channels(a.c, [&](auto lanes, int64_t c0) {
        typedef decltype(lanes) L;
        const typename L::F zero = L::all(0.f);
        const typename L::I here = L::all((int32_t)(y * a.w + x));
        typename L::F sum[L::n];
        for (int k = 0; k < L::n; k++) sum[k] = zero;
        for (int64_t v = oy.begin; v < oy.end; v++)
          for (int64_t u = ox.begin; u < ox.end; u++) {
            const int64_t at = (windows + v * a.ow + u) * a.c + c0;
            for (int k = 0; k < L::n; k++)
              sum[k] += L::get(a.indices + at + k * L::step) == here ? L::get(a.dy + at + k * L::step) : zero;
          }
        for (int k = 0; k < L::n; k++) L::put(a.dx + (row * a.w + x) * a.c + c0 + k * L::step, sum[k]);
      });
    }
  });
}

/** y = window means; the divisor counts padding when countIncludePad is set. */
inline void avgPool2d(const AvgPool2dArgs& a) {
  using namespace pool_detail;
  const Axis vert = vertical(a, 1), hori = horizontal(a, 1);
  for_rows(a.n * a.oh, a.ow * a.c * a.kh * a.kw, [&](int64_t row) {
    const int64_t top = row % a.oh * a.strideH - a.padTop;
    const float* image = a.x + row / a.oh * a.h * a.w * a.c;
    const Range ky = vert.taps(row % a.oh);
    for (int64_t ox = 0; ox < a.ow; ox++) {
      const int64_t left = ox * a.strideW - a.padLeft;
      const int64_t count = vert.count(row % a.oh, a.countIncludePad) * hori.count(ox, a.countIncludePad);
      const Range kx = hori.taps(ox);
      const float scale = 1.f / (float)imax(1, count);
      for_channels(a.c, [&](auto lanes, int64_t c0) {
        typedef decltype(lanes) L;
        typename L::F total[L::n] = {};
        for (int64_t y = ky.begin; y < ky.end; y++) {
          typename L::F sum[L::n] = {};  // line by line: a large window stays accurate
          for (int64_t x = kx.begin; x < kx.end; x++) {
            const float* p = image + ((top + y) * a.w + left + x) * a.c + c0;
            for (int k = 0; k < L::n; k++) sum[k] += L::get(p + k * L::step);
          }
          for (int k = 0; k < L::n; k++) total[k] += sum[k];
        }
        for (int k = 0; k < L::n; k++) L::put(a.y + (row * a.ow + ox) * a.c + c0 + k * L::step, total[k] * scale);
      });
    }
  });
}

/** dx[pixel] = Σ dy / divisor over the windows that cover it. */
inline void avgPool2dGrad(const AvgPool2dGradArgs& a) {
  using namespace pool_detail;
  const Axis vert = vertical(a, 1), hori = horizontal(a, 1);
  const int64_t cover = imax(1, a.kh / a.strideH) * imax(1, a.kw / a.strideW);
  for_rows(a.n * a.h, a.w * a.c * cover, [&](int64_t row) {
    const int64_t y = row % a.h, windows = row / a.h * a.oh * a.ow;
    const Range oy = vert.windows(y);
    for (int64_t x = 0; x < a.w; x++) {
      const Range ox = hori.windows(x);
      for_channels(a.c, [&](auto lanes, int64_t c0) {
        typedef decltype(lanes) L;
        typename L::F sum[L::n] = {};
        for (int64_t v = oy.begin; v < oy.end; v++) {
          const int64_t lines = vert.count(v, a.countIncludePad);
          for (int64_t u = ox.begin; u < ox.end; u++) {
            const float scale = 1.f / (float)imax(1, lines * hori.count(u, a.countIncludePad));
            const float* p = a.dy + (windows + v * a.ow + u) * a.c + c0;
            for (int k = 0; k < L::n; k++) sum[k] += L::get(p + k * L::step) * scale;
          }
        }
        for (int k = 0; k < L::n; k++) L::put(a.dx + (row * a.w + x) * a.c + c0 + k * L::step, sum[k]);
      });
    }
  });
}

} }  // namespace nn::NN_ISA
