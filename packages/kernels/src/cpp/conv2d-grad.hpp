#pragma once
// Gradients of conv2d, both as matrix products fed straight from the images, group by group.
#include "conv2d.hpp"
#include "sparse-grad.hpp"
#include "winograd-grad.hpp"

namespace nn { namespace NN_ISA {
namespace gemm_detail {

/** Along one axis, the filter taps that reach input positions i ≡ phase (mod stride): tap k meets output o where
 *  o·stride = i + pad − k·dilation. They are k = last, last − step, …; tap t of them reads output q + origin + t·advance
 *  for input i = q·stride + phase. */
struct PhaseTaps {
  int64_t count, last, step, origin, advance;
  PhaseTaps(int64_t phase, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation) {
    int64_t a = stride, b = dilation;
    while (b) { const int64_t t = a % b; a = b; b = t; }  // gcd
    step = stride / a;
    advance = dilation / a;
    last = kernel - 1;
    while (last >= 0 && (phase + pad - last * dilation) % stride != 0) last--;
    count = last < 0 ? 0 : last / step + 1;
    origin = last < 0 ? 0 : (phase + pad - last * dilation) / stride;
  }
};

}  // namespace gemm_detail

/** dx: every input pixel gathers its patch of dy. With a stride, pixels of one phase share their taps: one product per phase. */
inline void conv2dInputGrad(const Conv2dInputGradArgs& a) {
  using namespace gemm_detail;
  const int64_t cg = a.c / a.groups, og = a.oc / a.groups, taps = a.kh * a.kw;
  if (a.n * a.h * a.w * a.c <= 0) return;
  if (is_depthwise(a)) {
    const BackwardTaps find{a.strideH, a.padTop, a.dilationH, a.strideW, a.padLeft, a.dilationW};
    return depthwise(a.n, a.h, a.w, a.oh, a.ow, a.c, a.kh, a.kw, a.dy, a.weight, a.dx, nullptr, kNone, a.scratch, find);
  }
  if (is_sparse(a)) return sparse_input_grad(a);
  if (a.strideH == 1 && is_winograd(a, a.oc, a.c, a.h, a.w, fewest_tiles(a.c)) && a.oh * a.ow > 0) {  // a convolution of dy with the flipped filter
    return WinogradConv{{a.dy, a.oh, a.ow, a.oc, a.kh - 1 - a.padTop, a.kw - 1 - a.padLeft, 1, nullptr}, {a.n, a.h, a.w, kPoints + 1 - a.kh}, a.weight,
                        {a.kh, 1, a.oc, a.kh * a.kw * a.c, a.kh * a.kw, true}, a.c, nullptr, kNone, a.dx}.run((float*)a.scratch);
  }
  for (int64_t g = 0; g < a.groups; g++)
    for (int64_t py = 0; py < imin(a.strideH, a.h); py++)
      for (int64_t px = 0; px < imin(a.strideW, a.w); px++) {
        const PhaseTaps ty(py, a.kh, a.strideH, a.padTop, a.dilationH), tx(px, a.kw, a.strideW, a.padLeft, a.dilationW);
        const int64_t gh = ceil_div(a.h - py, a.strideH), gw = ceil_div(a.w - px, a.strideW), rows = a.n * gh * gw;
        float* dx = a.dx + g * cg;
        const auto offset = [&](int64_t r) { return ((r / (gh * gw) * a.h + r / gw % gh * a.strideH + py) * a.w + r % gw * a.strideW + px) * a.c; };
        if (ty.count * tx.count * og * a.oh * a.ow == 0) {  // no tap reaches these pixels
          for (int64_t r = 0; r < rows; r++) zero_run(dx + offset(r), cg);
          continue;
        }
        const Patches patches{a.dy + g * og, a.oh, a.ow, a.oc, og, gh, gw, 1, 1, ty.origin, tx.origin, ty.advance, tx.advance, ty.count, tx.count};
        const FilterMatrix filter{a.weight + g * og * cg * taps, cg * taps, taps, og, a.kw, tx.count, ty.last, -ty.step, tx.last, -tx.step};
        const bool dense = a.strideH == 1 && a.strideW == 1;
        convolve(rows, cg, patches, filter,
                 [&](int64_t r0, int64_t count, int64_t c0, int64_t* offsets) {
                   if (dense) return Target{dx + r0 * a.c + c0, a.c, nullptr};
                   for (int64_t i = 0; i < count; i++) offsets[i] = offset(r0 + i);
                   return Target{dx + c0, 0, offsets};
                 },
                 nullptr, kNone, a.scratch);
      }
}

namespace gemm_detail {

/** dW as matrix [kh·kw·c (+ 1), oc] = patchesᵀ · dy, the extra row being the bias gradient: a patch column of ones.
 *  Its row groups and slabs of pixels are chunks (slabs where rows alone are too few; their sums are added in order).
 *  All slabs advance together by `step` pixels, whose dy is packed first: 2 MiB or so, which stays in the shared cache.
 *  Tiles reading dy in place lost 20 %: a panel's 256 rows lie on more pages than the first-level TLB holds. */
struct WeightGradPlan {
  int64_t ldc, rowGroups, rows, slabs, depth, step;
  WeightGradPlan(int64_t m, int64_t oc, int64_t pixels) {
    ldc = round_up(oc, NR);
    rowGroups = ceil_div(m, MB);
    slabs = imax(1, imin(ceil_div(16, rowGroups), pixels / 512));
    rows = round_up(ceil_div(m, rowGroups), MR);
    rowGroups = ceil_div(m, rows);
    depth = ceil_div(pixels, slabs);
    step = KC * imax(1, 2048 / (slabs * round_up(oc, 32)));
  }
};

}  // namespace gemm_detail

inline void conv2dWeightGrad(const Conv2dWeightGradArgs& a) {
  using namespace gemm_detail;
  const int64_t cg = a.c / a.groups, og = a.oc / a.groups, taps = a.kh * a.kw;
  const int64_t k = taps * cg, m = k + (a.db ? 1 : 0), pixels = a.n * a.oh * a.ow;
  if (m <= 0 || og <= 0) return;
  if (is_depthwise(a)) return depthwise_weight_grad(a);
  if (is_sparse(a)) return sparse_weight_grad(a);
  if (is_winograd(a, a.c, a.oc, a.oh, a.ow, kFewestTiles)) {
    return WinogradWeightGrad{{a.x, a.h, a.w, a.c, a.padTop, a.padLeft, a.strideH, nullptr}, {a.n, a.oh, a.ow, kPoints + 1 - ceil_div(a.kh, a.strideH)}, a.dy,
                              {a.kh, a.strideH, a.c, taps, taps * a.c, false}, a.oc, a.dw, a.db}.run((float*)a.scratch);
  }
  const WeightGradPlan plan(m, og, pixels);
  float* partial = (float*)a.scratch;  // [slab][m][ldc]
  float* packed = partial + plan.slabs * m * plan.ldc;  // [slab][step][ldc] in panels
  for (int64_t g = 0; g < a.groups; g++) {
    const Patches patches{a.x + g * cg, a.h, a.w, a.c, cg, a.oh, a.ow, a.strideH, a.strideW, -a.padTop, -a.padLeft,
                          a.dilationH, a.dilationW, a.kh, a.kw};
    const Matrix dy{a.dy + g * og, a.oc, 1};
    if (pixels == 0) zero_run(partial, plan.slabs * m * plan.ldc);
    for (int64_t at = 0; at < plan.depth; at += plan.step) {
      const auto first = [&](int64_t slab) { return imin(pixels, slab * plan.depth + at); };  // pixels of this slab in this step
      const auto count = [&](int64_t slab) { return imin(imin(plan.step, plan.depth - at), pixels - first(slab)); };
      const auto panels = [&](int64_t slab) { return SharedPanels{packed + slab * plan.step * plan.ldc, og, Blocks(count(slab))}; };
      const int64_t parts = ceil_div(plan.step, KC);
      parallel_for(plan.slabs * parts, [&](int64_t chunk) {
        const int64_t slab = chunk / parts, kb = chunk % parts;
        const SharedPanels b = panels(slab);
        if (kb < b.blocks.count) pack_panels(b.blocks.end(kb) - b.blocks.begin(kb), og, dy.at(first(slab) + b.blocks.begin(kb), 0), (float*)b.at(kb, 0).b);
      });
      parallel_for(plan.slabs * plan.rowGroups, [&](int64_t chunk) {
        alignas(64) float buffer[MB * KC];
        const int64_t slab = chunk / plan.rowGroups, r0 = chunk % plan.rowGroups * plan.rows, rows = imin(plan.rows, m - r0);
        const SharedPanels b = panels(slab);
        float* c = partial + (slab * m + r0) * plan.ldc;
        if (at == 0 && b.blocks.count == 0) zero_run(c, rows * plan.ldc);
        for (int64_t kb = 0; kb < b.blocks.count; kb++) {
          const int64_t p0 = first(slab) + b.blocks.begin(kb), kc = b.blocks.end(kb) - b.blocks.begin(kb);
          if (r0 < k) patches.pack(p0, p0 + kc, r0, imin(k, r0 + rows), buffer, rows);
          if (r0 + rows > k) for (int64_t p = 0; p < kc; p++) buffer[p * rows + k - r0] = 1;
          block(rows, round_up(og, W), kc, buffer, 1, rows, b.at(kb, 0), {c, plan.ldc, nullptr}, {at + kb > 0, nullptr, kNone});
        }
      });
    }
    // slabs together, from [tap, channel][oc] to OIHW
    const int64_t ob = 16;
    parallel_for(ceil_div(og, ob), [&](int64_t chunk) {
      const int64_t o1 = imin(og, (chunk + 1) * ob);
      for (int64_t r = 0; r < m; r++)
        for (int64_t o = chunk * ob; o < o1; o++) {
          float s = 0;
          for (int64_t q = 0; q < plan.slabs; q++) s += partial[(q * m + r) * plan.ldc + o];
          if (r == k) a.db[g * og + o] = s;
          else a.dw[((g * og + o) * cg + r % cg) * taps + r / cg] = s;
        }
    });
  }
}

} }  // namespace nn::NN_ISA
