#pragma once
// Convolution forward: a matrix product of patches [n·oh·ow, kh·kw·c] and the filter [kh·kw·c, oc], group by group.
#include "abi.gen.h"
#include "depthwise.hpp"
#include "gemm.hpp"
#include "patches.hpp"
#include "winograd.hpp"

namespace nn { namespace NN_ISA {
namespace gemm_detail {

/** The filter as matrix [tap row, tap column, row channel] × columns, for taps kh0 + i·khStep, kw0 + j·kwStep of an OIHW weight.
 *  Forward: rows are input channels, columns output channels. Input gradient: the other way round, taps counted down. */
struct FilterMatrix {
  const float* weight;
  int64_t rowStride, colStride;  // of the row channel and of the column channel, in elements
  int64_t channels;              // row channels
  int64_t kw, tw;
  int64_t kh0, khStep, kw0, kwStep;

  /** Into panels of `b`, channel by channel with all taps, so that each line of the weight is read once. In the order of the
   *  panels it was read once per tap, and packing was a quarter of the time of AlexNet's convolutions on one image. */
  void pack(const SharedPanels& b) const {
    if (b.blocks.k == 0) return;
    const int64_t taps = b.blocks.k / channels, group = imin(channels, imax(1, 16 * 1024 / (taps * NR))), groups = ceil_div(channels, group);
    parallel_for(ceil_div(b.n, NR) * groups, [&](int64_t chunk) {
      const int64_t j = chunk / groups * NR, c0 = chunk % groups * group, c1 = imin(channels, c0 + group);
      if (khStep > 0) pack_rows(b, j, imin(NR, b.n - j), c0 * taps, c1 * taps, taps);
      else pack_taps(b, j, imin(NR, b.n - j), c0, c1, taps);
    });
  }

  /** Forward: the filter of an output channel is one run of (channel, tap) from e0 to e1. */
  NN_NOINLINE void pack_rows(const SharedPanels& b, int64_t j, int64_t cols, int64_t e0, int64_t e1, int64_t taps) const {
    alignas(64) float tile[4 * W * NR] = {};
    int64_t c = e0 / taps, tap = 0;
    for (int64_t e = e0; e < e1; e += 4 * W) {
      const int64_t count = imin(4 * W, e1 - e);
      transpose(count, cols, tile, NR, weight + j * colStride + e, colStride);
      for (int64_t i = 0; i < count; i++) {
        copy_run(b.row(tap * channels + c, j), tile + i * NR, NR);
        if (++tap == taps) { tap = 0; c++; }
      }
    }
  }

  /** Input gradient: the filters of neighbouring columns follow each other, taps apart. */
  NN_NOINLINE void pack_taps(const SharedPanels& b, int64_t j, int64_t cols, int64_t c0, int64_t c1, int64_t taps) const {
    for (int64_t c = c0; c < c1; c++)
      for (int64_t tap = 0, ty = 0, tx = 0; tap < taps; tap++) {
        const float* w = weight + j * colStride + c * rowStride + (kh0 + ty * khStep) * kw + kw0 + tx * kwStep;
        float* dst = b.row(tap * channels + c, j);
        for (int64_t q = 0; q < cols; q++) dst[q] = w[q * colStride];
        if (cols < NR) zero_run(dst + cols, NR - cols);
        if (++tx == tw) { tx = 0; ty++; }
      }
  }
};

/** C[rows of the patch matrix, n] = act(patches · filter + bias). */
template <class TargetOf>
inline void convolve(int64_t rows, int64_t n, const Patches& patches, const FilterMatrix& filter, TargetOf&& target, const float* bias, int act,
                     void* scratch) {
  const SharedPanels b{(float*)scratch, n, Blocks(patches.columns())};
  filter.pack(b);
  const bool inPlace = patches.is_image() && n <= 2 * NR && left_in_place({nullptr, patches.pixel, 1});
  wide_loop(
      rows, n, b,
      [&](int64_t r0, int64_t count, int64_t p0, int64_t kc, float* buffer) {
        if (inPlace) return Left{patches.image + r0 * patches.pixel + p0, patches.pixel, 1};
        patches.pack(r0, r0 + count, p0, p0 + kc, buffer, kc);
        return Left{buffer, kc, 1};
      },
      target, false, bias, act);
}

}  // namespace gemm_detail

inline void conv2d(const Conv2dArgs& a) {
  using namespace gemm_detail;
  const int64_t rows = a.n * a.oh * a.ow, cg = a.c / a.groups, og = a.oc / a.groups;
  if (rows <= 0 || og <= 0) return;
  if (is_depthwise(a)) {
    const ForwardTaps find{a.strideH, a.padTop, a.dilationH, a.strideW, a.padLeft, a.dilationW};
    return depthwise(a.n, a.oh, a.ow, a.h, a.w, a.c, a.kh, a.kw, a.x, a.weight, a.y, a.bias, (int)a.act, a.scratch, find);
  }
  if (is_winograd(a, a.c, a.oc, a.oh, a.ow, fewest_tiles(a.oc))) {
    const int64_t taps = ceil_div(a.kh, a.strideH);
    return WinogradConv{{a.x, a.h, a.w, a.c, a.padTop, a.padLeft, a.strideH, nullptr}, {a.n, a.oh, a.ow, kPoints + 1 - taps}, a.weight,
                        {a.kh, a.strideH, a.c, a.kh * a.kw, a.kh * a.kw * a.c, false}, a.oc, a.bias, (int)a.act, a.y}.run((float*)a.scratch);
  }
  for (int64_t g = 0; g < a.groups; g++) {
    const Patches patches{a.x + g * cg, a.h, a.w, a.c, cg, a.oh, a.ow, a.strideH, a.strideW, -a.padTop, -a.padLeft,
                          a.dilationH, a.dilationW, a.kh, a.kw};
    const int64_t taps = a.kh * a.kw;
    const FilterMatrix filter{a.weight + g * og * cg * taps, taps, cg * taps, cg, a.kw, a.kw, 0, 1, 0, 1};
    float* y = a.y + g * og;
    convolve(rows, og, patches, filter, [&](int64_t r0, int64_t, int64_t c0, int64_t*) { return Target{y + r0 * a.oc + c0, a.oc, nullptr}; },
             a.bias ? a.bias + g * og : nullptr, (int)a.act, a.scratch);
  }
}

} }  // namespace nn::NN_ISA
