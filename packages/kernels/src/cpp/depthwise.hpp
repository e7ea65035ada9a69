#pragma once
// Depthwise convolution (groups = c = oc): every channel has its own kh·kw filter, so there is no product to form.
// Vectors run along the channels of NHWC images; weights are first turned from [c, tap] to [tap, c].
#include "abi.gen.h"
#include "pack.hpp"

namespace nn { namespace NN_ISA { namespace gemm_detail {

constexpr int64_t kMaxTaps = 256;  // larger filters go the general way
template <class Args> inline bool is_depthwise(const Args& a) { return a.groups > 1 && a.c == a.groups && a.oc == a.groups && a.kh * a.kw <= kMaxTaps; }

/** taps[t][channels], a multiple of W wide, from weight[c][taps]. */
inline const float* taps_by_channel(const float* weight, int64_t c, int64_t taps, void* scratch) {
  float* out = (float*)scratch;
  const int64_t ld = round_up(c, W);
  for (int64_t t = 0; t < taps; t++) {
    for (int64_t i = 0; i < c; i++) out[t * ld + i] = weight[i * taps + t];
    zero_run(out + t * ld + c, ld - c);
  }
  return out;
}

/** One (weight row, image pixel) pair that meets in an output pixel. */
struct Meeting { const float* weight; const float* pixel; };

/** out[c] = act(bias + Σ over meetings), one vector of channels after the other. */
NN_NOINLINE inline void sum_meetings(const Meeting* list, int64_t count, int64_t c, float* out, const float* bias, int act) {
  for (int64_t i = 0; i < c; i += W) {
    const int64_t left = c - i;
    const bool full = left >= W;
    vf s = !bias ? vf{} : full ? load(bias + i) : load_part(bias + i, left);
    for (int64_t q = 0; q < count; q++) s = fma(load(list[q].weight + i), full ? load(list[q].pixel + i) : load_part(list[q].pixel + i, left), s);
    if (act == kRelu) s = select(s < 0.0f, vf{}, s);
    if (full) store(out + i, s); else store_part(out + i, s, left);
  }
  if (act > kRelu) activate(out, c, act);
}

/** For all pixels (n, y, x) of `out` [n, oh, ow, c]: find(y, x, ty, tx, &iy, &ix) says which image pixel tap (ty, tx) reads, if any. */
template <class Find>
inline void depthwise(int64_t n, int64_t oh, int64_t ow, int64_t h, int64_t w, int64_t c, int64_t kh, int64_t kw, const float* image,
                      const float* weight, float* out, const float* bias, int act, void* scratch, Find&& find) {
  const float* taps = taps_by_channel(weight, c, kh * kw, scratch);
  const int64_t ld = round_up(c, W);
  const int64_t rows = imax(1, 16 * 1024 / (ow * c * kh * kw + 1));  // image rows per chunk
  parallel_for(ceil_div(n * oh, rows), [&](int64_t chunk) {
    Meeting list[kMaxTaps];
    for (int64_t r = chunk * rows; r < imin(n * oh, (chunk + 1) * rows); r++) {
      const float* plane = image + r / oh * h * w * c;
      for (int64_t x = 0; x < ow; x++) {
        float* to = out + (r * ow + x) * c;
        int64_t count = 0;
        for (int64_t ty = 0; ty < kh; ty++) {
          int64_t iy;
          if (!find.row(r % oh, ty, &iy) || iy < 0 || iy >= h) continue;
          for (int64_t tx = 0; tx < kw; tx++) {
            int64_t ix;
            if (!find.col(x, tx, &ix) || ix < 0 || ix >= w) continue;
            list[count++] = {taps + (ty * kw + tx) * ld, plane + (iy * w + ix) * c};
          }
        }
        sum_meetings(list, count, c, to, bias, act);
      }
    }
  });
}

/** Forward: tap t of output o reads o·stride − pad + t·dilation. */
struct ForwardTaps {
  int64_t strideH, padTop, dilationH, strideW, padLeft, dilationW;
  bool row(int64_t o, int64_t t, int64_t* i) const { *i = o * strideH - padTop + t * dilationH; return true; }
  bool col(int64_t o, int64_t t, int64_t* i) const { *i = o * strideW - padLeft + t * dilationW; return true; }
};
/** Input gradient: input i gathers from output (i + pad − t·dilation) / stride where that is whole. */
struct BackwardTaps {
  int64_t strideH, padTop, dilationH, strideW, padLeft, dilationW;
  static bool at(int64_t v, int64_t stride, int64_t* o) { *o = v / stride; return v >= 0 && v % stride == 0; }
  bool row(int64_t i, int64_t t, int64_t* o) const { return at(i + padTop - t * dilationH, strideH, o); }
  bool col(int64_t i, int64_t t, int64_t* o) const { return at(i + padLeft - t * dilationW, strideW, o); }
};

/** How many parts the image rows are cut into for the weight gradient; their sums are added in order. */
inline int64_t depthwise_slabs(int64_t imageRows) { return imax(1, imin(32, imageRows / 8)); }

/** dw[c][tap] (and db[c]) from partial sums [slab][taps + 1][c] in scratch. */
inline void depthwise_weight_grad(const Conv2dWeightGradArgs& a) {
  const int64_t taps = a.kh * a.kw, rows = a.n * a.oh, slabs = depthwise_slabs(rows), c = a.c, size = (taps + 1) * c;
  float* partial = (float*)a.scratch;
  parallel_for(slabs, [&](int64_t slab) {
    float* sum = partial + slab * size;
    zero_run(sum, size);
    for (int64_t r = rows * slab / slabs; r < rows * (slab + 1) / slabs; r++) {
      const float* dy = a.dy + r * a.ow * c;
      for (int64_t t = 0; t <= taps; t++) {
        const bool ones = t == taps;  // the bias: as if the image were 1
        const int64_t ty = ones ? 0 : t / a.kw, tx = ones ? 0 : t % a.kw;
        const int64_t iy = r % a.oh * a.strideH - a.padTop + ty * a.dilationH, shift = tx * a.dilationW - a.padLeft;
        if (!ones && (iy < 0 || iy >= a.h)) continue;
        int64_t x0 = 0, x1 = a.ow;  // outputs whose tap lies inside the image
        if (!ones) {
          while (x0 < x1 && x0 * a.strideW + shift < 0) x0++;
          while (x1 > x0 && (x1 - 1) * a.strideW + shift >= a.w) x1--;
        }
        const float* image = a.x + ((r / a.oh * a.h + iy) * a.w + shift) * c;
        for (int64_t i = 0; i < c; i += W) {
          const int64_t left = imin(W, c - i);
          vf s = {};
          for (int64_t x = x0; x < x1; x++) {
            const float *d = dy + x * c + i, *p = image + x * a.strideW * c + i;
            if (left < W) s = fma(load_part(d, left), ones ? splat(1) : load_part(p, left), s);
            else s = fma(load(d), ones ? splat(1) : load(p), s);
          }
          float* to = sum + t * c + i;
          if (left < W) store_part(to, s + load_part(to, left), left);
          else store(to, s + load(to));
        }
      }
    }
  });
  for (int64_t t = 0; t <= taps; t++)
    for (int64_t i = 0; i < c; i++) {
      float s = 0;
      for (int64_t q = 0; q < slabs; q++) s += partial[q * size + t * c + i];
      if (t < taps) a.dw[i * taps + t] = s;
      else if (a.db) a.db[i] = s;
    }
}

} } }  // namespace nn::NN_ISA::gemm_detail
