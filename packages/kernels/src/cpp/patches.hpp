#pragma once
// Implicit im2col: the matrix whose row r is the patch under output pixel r, cut out of NHWC images when a block is packed.
//
// Column order is (tap row, tap column, channel). In NHWC a whole tap row of an undilated filter is one run of memory
// (tw·c floats), which is why channels-last wins: 8 % (5×5, 96 channels) to 35 % (11×11, 3 channels) over NCHW.
#include "pack.hpp"

namespace nn { namespace NN_ISA { namespace gemm_detail {

/** Pixels of a grid [n, gh, gw] look at taps [th, tw] of images [n, h, w, ·]:
 *  tap (i, j) of grid pixel (y, x) is the image pixel (y·sy + oy + i·dy, x·sx + ox + j·dx), zero outside the image. */
struct Patches {
  const float* image;  // first channel used
  int64_t h, w, pixel; // pixel: floats from one pixel to the next (all channels)
  int64_t channels;    // channels used (of one group)
  int64_t gh, gw;
  int64_t sy, sx, oy, ox, dy, dx;
  int64_t th, tw;

  int64_t columns() const { return th * tw * channels; }
  static bool inside(int64_t at, int64_t step, int64_t count, int64_t size) { return at >= 0 && at + (count - 1) * step < size; }

  /** Whether the patch matrix is the image itself (1×1 filter, no stride, no padding), so that tiles can read it in place. */
  bool is_image() const { return th * tw == 1 && sy == 1 && sx == 1 && oy == 0 && ox == 0 && gh == h && gw == w; }

  /** dst[(r − r0)·ld + (k − k0)] = patch matrix [r0, r1) × [k0, k1). */
  NN_NOINLINE void pack(int64_t r0, int64_t r1, int64_t k0, int64_t k1, float* dst, int64_t ld) const {
    const bool merged = pixel == channels && dx == 1;  // tap columns of one tap row are one run
    const int64_t taps = merged ? 1 : tw, run = merged ? tw * channels : channels;
    const int64_t first = k0 / run, lastRun = (k1 - 1) / run;
    const int64_t i0 = first / taps, j0 = first % taps;
    int64_t x = r0 % gw, y = r0 / gw % gh;
    const float* plane = image + r0 / (gw * gh) * h * w * pixel;
    const auto next = [&] {
      if (++x < gw) return;
      x = 0;
      if (++y < gh) return;
      y = 0;
      plane += h * w * pixel;
    };
    const bool whole = merged && k0 == 0 && k1 == columns();
    for (int64_t r = r0; r < r1; r++, dst += ld, next()) {
      if (whole && inside(y * sy + oy, dy, th, h) && inside(x * sx + ox, 1, tw, w)) {  // nothing to clip
        const float* src = plane + ((y * sy + oy) * w + x * sx + ox) * pixel;
        for (int64_t i = 0; i < th; i++) copy_run(dst + i * run, src + i * dy * w * pixel, run);
        continue;
      }
      int64_t i = i0, j = j0, at = first * run - k0;  // position of the run's first element in dst
      const int64_t iy0 = y * sy + oy, ix0 = x * sx + ox;
      for (int64_t q = first; q <= lastRun; q++, at += run) {
        const int64_t from = imax(0, -at), to = imin(run, k1 - k0 - at);  // the part of the run inside [k0, k1)
        const int64_t iy = iy0 + i * dy, ix = ix0 + j * dx;
        int64_t low = 0, high = run;  // the part inside the image
        if (iy < 0 || iy >= h) high = 0;
        else if (merged) { low = imax(0, -ix) * pixel; high = imin(tw, w - ix) * pixel; }
        else if (ix < 0 || ix >= w) high = 0;
        low = imax(low, from);
        high = imin(high, to);
        float* d = dst + at;
        if (high <= low) zero_run(d + from, to - from);
        else {
          if (low > from) zero_run(d + from, low - from);
          copy_run(d + low, plane + (iy * w + ix) * pixel + low, high - low);
          if (to > high) zero_run(d + high, to - high);
        }
        if (++j == taps) { j = 0; i++; }
      }
    }
  }
};

} } }  // namespace nn::NN_ISA::gemm_detail
