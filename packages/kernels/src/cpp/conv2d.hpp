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

  NN_NOINLINE void pack_panel(int64_t p0, int64_t kc, int64_t j, int64_t cols, float* dst) const {
    int64_t c = p0 % channels, tap = p0 / channels;
    int64_t tx = tap % tw, ty = tap / tw;
    for (int64_t p = 0; p < kc; p++, dst += NR) {
      const float* w = weight + j * colStride + c * rowStride + (kh0 + ty * khStep) * kw + kw0 + tx * kwStep;
      for (int64_t q = 0; q < cols; q++) dst[q] = w[q * colStride];
      if (cols < NR) zero_run(dst + cols, NR - cols);
      if (++c == channels) {
        c = 0;
        if (++tx == tw) { tx = 0; ty++; }
      }
    }
  }
};

/** C[rows of the patch matrix, n] = act(patches · filter + bias). */
template <class TargetOf>
inline void convolve(int64_t rows, int64_t n, const Patches& patches, const FilterMatrix& filter, TargetOf&& target, const float* bias, int act,
                     void* scratch) {
  const SharedPanels b{(float*)scratch, n, Blocks(patches.columns())};
  b.pack([&](int64_t p0, int64_t kc, int64_t j, int64_t cols, float* dst) { filter.pack_panel(p0, kc, j, cols, dst); });
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
  if (is_winograd(a, a.oh, a.ow)) {
    return Winograd{a.n, a.h, a.w, a.c, a.oh, a.ow, a.oc, a.padTop, a.padLeft, a.x, a.weight, 9, 9 * a.c, false, a.bias, (int)a.act, a.y}.run((float*)a.scratch);
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
