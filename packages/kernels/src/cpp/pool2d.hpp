#pragma once
// Max and average pooling of dense NHWC images, and their gradients; vectors run over channels.
//
// Both gradients gather: a pixel of dx looks at the windows that cover it, so every element of dx is written once, by
// one thread, without a pass that zeroes dx, and overlaps are summed in the same order on any number of threads.
// Padding is never read. A window of padding only gives -inf (and no tap) in max pooling and 0 in average pooling.
//
// Max pooling notes where in its window each maximum was: tap row·kw + column, -1 for none. That fits in a byte where
// windows have at most 255 taps, a quarter of the traffic of positions in the image.
#include "simd.h"
#include "parallel.h"
#include "abi.gen.h"

namespace nn { namespace NN_ISA { namespace pool_detail {

constexpr int64_t kChunk = 16384;  // loads worth waking a thread for

/** Integers kept as bytes. Spelled out per width, for g++ does not convert vectors whose size depends on a template, and by way of
 *  16 bits where g++ 12 would go element by element (the gradient was six times slower). */
template <int width> struct Bytes;
#define NN_BYTES(width)                                                                                                   \
  template <> struct Bytes<width> {                                                                                       \
    typedef int32_t I __attribute__((vector_size(width * 4), may_alias));                                                 \
    typedef uint16_t H __attribute__((vector_size(width * 2), may_alias));                                                \
    typedef uint8_t B __attribute__((vector_size(width), aligned(1), may_alias));                                         \
    static NN_INLINE I get(const uint8_t* p) {                                                                            \
      return width == 4 ? __builtin_convertvector(*(const B*)p, I)                                                        \
                        : __builtin_convertvector(__builtin_convertvector(*(const B*)p, H), I);                           \
    }                                                                                                                     \
    static NN_INLINE void put(uint8_t* p, I v) {                                                                          \
      *(B*)p = width == 16 ? __builtin_convertvector(v, B) : __builtin_convertvector(__builtin_convertvector(v, H), B);   \
    }                                                                                                                     \
  };
NN_BYTES(4)
#if NN_WIDTH > 4
NN_BYTES(NN_WIDTH)
#endif
#undef NN_BYTES

/** N vectors of `width` channels each. Pixels of few channels use vectors of 4 on every instruction set. */
template <int width, int N> struct Vectors {
  typedef float F __attribute__((vector_size(width * 4), may_alias));
  typedef int32_t I __attribute__((vector_size(width * 4), may_alias));
  typedef float FAny __attribute__((vector_size(width * 4), aligned(4), may_alias));
  typedef int32_t IAny __attribute__((vector_size(width * 4), aligned(4), may_alias));
  static constexpr int n = N, step = width;
  static NN_INLINE F get(const float* p) { return (F)*(const FAny*)p; }
  static NN_INLINE I get(const int32_t* p) { return (I)*(const IAny*)p; }
  static NN_INLINE I get(const uint8_t* p) { return (I)Bytes<width>::get(p); }
  static NN_INLINE void put(float* p, F v) { *(FAny*)p = (FAny)v; }
  static NN_INLINE void put(int32_t* p, I v) { *(IAny*)p = (IAny)v; }
  static NN_INLINE void put(uint8_t* p, I v) { Bytes<width>::put(p, (typename Bytes<width>::I)v); }
  static NN_INLINE F all(float x) { return x - (F){}; }
  static NN_INLINE I all(int32_t x) { return x - (I){}; }
  static NN_INLINE I better(F v, F best) { return (v > best) | (v != v); }
  /** v > 0 or NaN. Compared as integers: of a comparison that selects v or 0 clang makes relaxed_max, which loses NaN. */
  static NN_INLINE I alive(F v) { return ((I)v > 0) | (v != v); }
};
struct Scalar {
  typedef float F;
  typedef int32_t I;
  static constexpr int n = 1, step = 1;
  static NN_INLINE F get(const float* p) { return *p; }
  template <class T> static NN_INLINE I get(const T* p) { return *p; }
  template <class T, class V> static NN_INLINE void put(T* p, V v) { *p = (T)v; }
  template <class T> static NN_INLINE T all(T x) { return x; }
  static NN_INLINE bool better(float v, float best) { return v > best || v != v; }
  static NN_INLINE bool alive(float v) { return v > 0 || v != v; }
};

/** f(lanes, first channel) over all channels; a last vector overlaps the one before it rather than being partial. */
template <class F> NN_INLINE void for_channels(int64_t c, F&& f) {
  int64_t j = 0;
  if (c >= W) {
    for (; j + 4 * W <= c; j += 4 * W) f(Vectors<W, 4>{}, j);
    for (; j < c; j += W) f(Vectors<W, 1>{}, imin(j, c - W));
  } else if (W > 4 && c >= 4)
    for (; j < c; j += 4) f(Vectors<4, 1>{}, imin(j, c - 4));
  else
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
  /** The tap of window o, one of `windows(i)`, that is position i; -1 if it steps over it. */
  int64_t tap(int64_t i, int64_t o) const {
    const int64_t from = i + pad - o * stride;
    return dilation == 1 ? from : from % dilation == 0 ? from / dilation : -1;
  }
  /** Elements that window o averages over: up to `limit`, padding included; if that is 0, those of the image. */
  int64_t count(int64_t o, int64_t limit) const {
    const int64_t start = o * stride - pad, end = start + kernel;
    return imax(0, limit > 0 ? imin(end, limit) - start : imin(end, size) - imax(start, 0));
  }
};
template <class A> NN_INLINE Axis vertical(const A& a, int64_t dilation) {
  return {a.h, a.kh, a.strideH, a.padTop, dilation, a.oh};
}
template <class A> NN_INLINE Axis horizontal(const A& a, int64_t dilation) {
  return {a.w, a.kw, a.strideW, a.padLeft, dilation, a.ow};
}

}  // namespace pool_detail

/** y = window maxima, negative ones 0 with relu; the first wins ties, NaN wins over all. Taps of maxima that relu cuts off are -1. */
inline void maxPool2d(const MaxPool2dArgs& a) {
  using namespace pool_detail;
  const Axis vert = vertical(a, a.dilationH), hori = horizontal(a, a.dilationW);
  const bool relu = a.relu != 0, wide = a.wideTaps != 0;
  for_rows(a.n * a.oh, a.ow * a.c * a.kh * a.kw, [&](int64_t row) {
    const float* image = a.x + row / a.oh * a.h * a.w * a.c;
    const int64_t top = row % a.oh * a.strideH - a.padTop;
    const Range ky = vert.taps(row % a.oh);
    for (int64_t ox = 0; ox < a.ow; ox++) {
      const int64_t left = ox * a.strideW - a.padLeft, out = (row * a.ow + ox) * a.c;
      const Range kx = hori.taps(ox);
      const bool empty = ky.begin >= ky.end || kx.begin >= kx.end;
      const int32_t first = empty ? -1 : (int32_t)(ky.begin * a.kw + kx.begin);
      for_channels(a.c, [&](auto lanes, int64_t c0) {
        typedef decltype(lanes) L;
        typename L::F best[L::n];
        typename L::I tap[L::n];
        for (int k = 0; k < L::n; k++) best[k] = L::all(-__builtin_inff()), tap[k] = L::all(first);
        for (int64_t y = ky.begin; y < ky.end; y++) {
          const float* p = image + ((top + y * a.dilationH) * a.w + left + kx.begin * a.dilationW) * a.c + c0;
          for (int64_t x = kx.begin; x < kx.end; x++, p += a.dilationW * a.c) {
            const typename L::I here = L::all((int32_t)(y * a.kw + x));
            for (int k = 0; k < L::n; k++) {
              const typename L::F v = L::get(p + k * L::step);
              const auto better = L::better(v, best[k]);
              best[k] = better ? v : best[k];
              tap[k] = better ? here : tap[k];
            }
          }
        }
        if (relu)
          for (int k = 0; k < L::n; k++) {
            const auto alive = L::alive(best[k]);
            best[k] = alive ? best[k] : L::all(0.f);
            tap[k] = alive ? tap[k] : L::all((int32_t)-1);
          }
        for (int k = 0; k < L::n; k++) {
          L::put(a.y + out + c0 + k * L::step, best[k]);
          if (wide) L::put((int32_t*)a.taps + out + c0 + k * L::step, tap[k]);
          else L::put((uint8_t*)a.taps + out + c0 + k * L::step, tap[k]);
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
  const bool wide = a.wideTaps != 0;
  for_rows(a.n * a.h, a.w * a.c * cover, [&](int64_t row) {
    const int64_t y = row % a.h, windows = row / a.h * a.oh * a.ow;
    const Range oy = vert.windows(y);
    for (int64_t x = 0; x < a.w; x++) {
      const Range ox = hori.windows(x);
      for_channels(a.c, [&](auto lanes, int64_t c0) {
        typedef decltype(lanes) L;
        const typename L::F zero = L::all(0.f);
        typename L::F sum[L::n];
        for (int k = 0; k < L::n; k++) sum[k] = zero;
        for (int64_t v = oy.begin; v < oy.end; v++) {
          const int64_t ky = vert.tap(y, v);
          if (ky < 0) continue;
          for (int64_t u = ox.begin; u < ox.end; u++) {
            const int64_t kx = hori.tap(x, u);
            if (kx < 0) continue;
            const typename L::I here = L::all((int32_t)(ky * a.kw + kx));
            const int64_t at = (windows + v * a.ow + u) * a.c + c0;
            for (int k = 0; k < L::n; k++) {
              const int64_t i = at + k * L::step;
              const typename L::I tap = wide ? L::get((const int32_t*)a.taps + i) : L::get((const uint8_t*)a.taps + i);
              sum[k] += tap == here ? L::get(a.dy + i) : zero;
            }
          }
        }
        for (int k = 0; k < L::n; k++) L::put(a.dx + (row * a.w + x) * a.c + c0 + k * L::step, sum[k]);
      });
    }
  });
}

/** y[window] = x at its tap, 0 where it has none. */
inline void poolGather(const PoolGatherArgs& a) {
  using namespace pool_detail;
  for_rows(a.n * a.oh, a.ow * a.c * 4, [&](int64_t row) {
    const float* image = a.x + row / a.oh * a.h * a.w * a.c;
    const int64_t top = row % a.oh * a.strideH - a.padTop;
    for (int64_t ox = 0; ox < a.ow; ox++) {
      const int64_t left = ox * a.strideW - a.padLeft, out = (row * a.ow + ox) * a.c;
      for (int64_t c = 0; c < a.c; c++) {
        const int32_t tap = a.wideTaps ? ((const int32_t*)a.taps)[out + c] : ((const uint8_t*)a.taps)[out + c], none = a.wideTaps ? -1 : 255;
        const int64_t y = top + tap / a.kw * a.dilationH, x = left + tap % a.kw * a.dilationW;
        a.y[out + c] = tap == none ? 0.f : image[(y * a.w + x) * a.c + c];
      }
    }
  });
}

/** y = window means; the divisor counts padding up to countH, countW. */
inline void avgPool2d(const AvgPool2dArgs& a) {
  using namespace pool_detail;
  const Axis vert = vertical(a, 1), hori = horizontal(a, 1);
  for_rows(a.n * a.oh, a.ow * a.c * a.kh * a.kw, [&](int64_t row) {
    const int64_t top = row % a.oh * a.strideH - a.padTop;
    const float* image = a.x + row / a.oh * a.h * a.w * a.c;
    const Range ky = vert.taps(row % a.oh);
    for (int64_t ox = 0; ox < a.ow; ox++) {
      const int64_t left = ox * a.strideW - a.padLeft;
      const int64_t count = vert.count(row % a.oh, a.countH) * hori.count(ox, a.countW);
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
          const int64_t lines = vert.count(v, a.countH);
          for (int64_t u = ox.begin; u < ox.end; u++) {
            const float scale = 1.f / (float)imax(1, lines * hori.count(u, a.countW));
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
