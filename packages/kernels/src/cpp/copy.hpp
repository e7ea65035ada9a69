#pragma once
// Strided n-d copy, and fill. Limit: memory bandwidth.
//
// Dimensions are sorted by the destination's strides and joined where both sides allow it. Then one of these inner loops:
// contiguous runs (memcpy), a blocked transpose where source and destination are contiguous along different
// dimensions (NCHW <-> NHWC, weights), three planes zipped or unzipped (RGB images), or a plain strided run.
#include "abi.gen.h"
#include "parallel.h"
#include "simd.h"

namespace nn { namespace NN_ISA {
namespace copy_detail {

typedef uint32_t u32x4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef uint8_t __attribute__((may_alias)) u8_alias;
typedef uint32_t __attribute__((may_alias)) u32_alias;
typedef uint64_t __attribute__((may_alias)) u64_alias;
constexpr int64_t kTask = 32768;  // elements per parallel task
constexpr int64_t kTile = 32;     // side of a transpose tile: 4 KB in, 4 KB out

struct Plan {
  int nd;
  int64_t shape[8], src[8], dst[8];
};
NN_INLINE int64_t magnitude(int64_t x) { return x < 0 ? -x : x; }

inline Plan plan_copy(const CopyArgs& a) {
  Plan p;
  p.nd = 0;
  for (int d = 0; d < a.nd; d++) {
    if (a.shape[d] == 1) continue;
    int at = p.nd++;
    for (; at > 0 && magnitude(p.dst[at - 1]) < magnitude(a.dstStride[d]); at--)
      p.shape[at] = p.shape[at - 1], p.src[at] = p.src[at - 1], p.dst[at] = p.dst[at - 1];
    p.shape[at] = a.shape[d], p.src[at] = a.srcStride[d], p.dst[at] = a.dstStride[d];
  }
  int nd = 0;
  for (int d = 0; d < p.nd; d++) {
    bool joins = nd > 0 && p.src[nd - 1] == p.src[d] * p.shape[d] && p.dst[nd - 1] == p.dst[d] * p.shape[d];
    int at = joins ? nd - 1 : nd++;
    p.shape[at] = joins ? p.shape[at] * p.shape[d] : p.shape[d];
    p.src[at] = p.src[d], p.dst[at] = p.dst[d];
  }
  if (nd == 0) p.shape[0] = 1, p.src[0] = 1, p.dst[0] = 1, nd = 1;
  p.nd = nd;
  return p;
}

/** Source and destination offsets of outer position `index` (over the first `dims` dimensions). */
struct Offsets { int64_t src, dst; };
NN_INLINE Offsets locate(const Plan& p, int dims, int64_t index) {
  Offsets o{0, 0};
  for (int d = dims - 1; d >= 0; d--) {
    int64_t i = index % p.shape[d];
    index /= p.shape[d];
    o.src += i * p.src[d];
    o.dst += i * p.dst[d];
  }
  return o;
}

template <class T> NN_INLINE void copy_run(T* d, int64_t ds, const T* s, int64_t ss, int64_t n) {
  if (ds == 1 && ss == 1) {
    if (n * (int64_t)sizeof(T) >= 64) return copy_bytes(d, s, n * (int64_t)sizeof(T));
    for (int64_t i = 0; i < n; i++) d[i] = s[i];
  } else if (ds == 1 && ss == 0) {
    T v = *s;
    for (int64_t i = 0; i < n; i++) d[i] = v;
  } else {
    for (int64_t i = 0; i < n; i++) d[i * ds] = s[i * ss];
  }
}

/** Runs of the last dimension; long runs are split, short ones grouped, into tasks of about kTask elements. */
template <class T> inline void copy_rows(const Plan& p, T* dst, const T* src) {
  const int last = p.nd - 1;
  const int64_t n = p.shape[last], pieces = ceil_div(n, kTask), piece = ceil_div(n, pieces);
  int64_t rows = pieces;
  for (int d = 0; d < last; d++) rows *= p.shape[d];
  const int64_t group = imax(1, kTask / piece);
  parallel_for(ceil_div(rows, group), [&](int64_t task) {
    for (int64_t row = task * group; row < imin(rows, (task + 1) * group); row++) {
      Offsets o = locate(p, last, row / pieces);
      int64_t from = row % pieces * piece;
      copy_run(dst + o.dst + from * p.dst[last], p.dst[last], src + o.src + from * p.src[last], p.src[last],
               imin(piece, n - from));
    }
  });
}

/** d[i·ds + j] = s[j·ss + i] for i < rows, j < cols. */
template <class T> NN_INLINE void transpose_tile(T* d, int64_t ds, const T* s, int64_t ss, int64_t rows, int64_t cols) {
  int64_t i = 0;
  if (sizeof(T) == 4) {
    for (; i + 4 <= rows; i += 4) {
      int64_t j = 0;
      for (; j + 4 <= cols; j += 4) {
        const T* x = s + j * ss + i;
        u32x4 a = *(const u32x4*)x, b = *(const u32x4*)(x + ss), c = *(const u32x4*)(x + 2 * ss), e = *(const u32x4*)(x + 3 * ss);
        u32x4 ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
        u32x4 ce0 = __builtin_shufflevector(c, e, 0, 4, 1, 5), ce1 = __builtin_shufflevector(c, e, 2, 6, 3, 7);
        T* y = d + i * ds + j;
        *(u32x4*)y = __builtin_shufflevector(ab0, ce0, 0, 1, 4, 5);
        *(u32x4*)(y + ds) = __builtin_shufflevector(ab0, ce0, 2, 3, 6, 7);
        *(u32x4*)(y + 2 * ds) = __builtin_shufflevector(ab1, ce1, 0, 1, 4, 5);
        *(u32x4*)(y + 3 * ds) = __builtin_shufflevector(ab1, ce1, 2, 3, 6, 7);
      }
      for (; j < cols; j++)
        for (int r = 0; r < 4; r++) d[(i + r) * ds + j] = s[j * ss + i + r];
    }
  }
  for (; i < rows; i++)
    for (int64_t j = 0; j < cols; j++) d[i * ds + j] = s[j * ss + i];
}

/** RGB: d[3·i + j] = s[j·ss + i], i < n, j < 3. */
inline void zip_three(u32_alias* d, const u32_alias* s, int64_t ss, int64_t n) {
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const u32x4 r = *(const u32x4*)(s + i), g = *(const u32x4*)(s + ss + i), b = *(const u32x4*)(s + 2 * ss + i);
    const u32x4 rg = __builtin_shufflevector(r, g, 0, 4, 1, 5), gb = __builtin_shufflevector(g, b, 1, 5, 2, 6), br = __builtin_shufflevector(b, r, 2, 7, 3, 6);
    u32_alias* y = d + 3 * i;  // r0 g0 b0 r1 | g1 b1 r2 g2 | b2 r3 g3 b3
    *(u32x4*)y = __builtin_shufflevector(rg, b, 0, 1, 4, 2);
    *(u32x4*)(y + 4) = __builtin_shufflevector(gb, br, 0, 1, 7, 2);
    *(u32x4*)(y + 8) = __builtin_shufflevector(br, g, 0, 1, 7, 2);
  }
  for (; i < n; i++) d[3 * i] = s[i], d[3 * i + 1] = s[ss + i], d[3 * i + 2] = s[2 * ss + i];
}

/** The other way: d[j·ds + i] = s[3·i + j]. */
inline void unzip_three(u32_alias* d, int64_t ds, const u32_alias* s, int64_t n) {
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const u32_alias* x = s + 3 * i;  // r0 g0 b0 r1 | g1 b1 r2 g2 | b2 r3 g3 b3
    const u32x4 a = *(const u32x4*)x, b = *(const u32x4*)(x + 4), c = *(const u32x4*)(x + 8);
    const u32x4 ab = __builtin_shufflevector(a, b, 1, 2, 4, 5), bc = __builtin_shufflevector(b, c, 2, 3, 5, 6);  // g0 b0 g1 b1 | r2 g2 r3 g3
    *(u32x4*)(d + i) = __builtin_shufflevector(a, bc, 0, 3, 4, 6);
    *(u32x4*)(d + ds + i) = __builtin_shufflevector(ab, bc, 0, 2, 5, 7);
    *(u32x4*)(d + 2 * ds + i) = __builtin_shufflevector(ab, c, 1, 3, 4, 7);
  }
  for (; i < n; i++) d[i] = s[3 * i], d[ds + i] = s[3 * i + 1], d[2 * ds + i] = s[3 * i + 2];
}

/** n pixels of three channels between planes and pixels; the planes lie in the source (zip) or in the destination. */
inline void copy_three(const Plan& p, int pixels, bool zip, u32_alias* dst, const u32_alias* src) {
  const int64_t n = p.shape[pixels], plane = zip ? p.src[p.nd - 1] : p.dst[p.nd - 2];
  const int outer = p.nd - 2;
  int64_t images = 1;
  for (int d = 0; d < outer; d++) images *= p.shape[d];
  const int64_t pieces = ceil_div(n, kTask / 4), piece = round_up(ceil_div(n, pieces), 4), group = imax(1, kTask / 4 / piece);
  parallel_for(ceil_div(images * pieces, group), [&](int64_t task) {
    for (int64_t q = task * group; q < imin(images * pieces, (task + 1) * group); q++) {
      const Offsets o = locate(p, outer, q / pieces);
      const int64_t from = q % pieces * piece, count = imin(piece, n - from);
      if (count <= 0) continue;
      if (zip) zip_three(dst + o.dst + 3 * from, src + o.src + from, plane, count);
      else unzip_three(dst + o.dst + from, plane, src + o.src + 3 * from, count);
    }
  });
}

/** The destination is contiguous along the last dimension, the source along dimension `across`. */
template <class T> inline void copy_transposed(Plan p, int across, T* dst, const T* src) {
  const int last = p.nd - 1;
  const int64_t rows = p.shape[across], cols = p.shape[last], ds = p.dst[across], ss = p.src[last];
  int outer = 0;  // the other dimensions move to the front
  for (int d = 0; d < last; d++)
    if (d != across) p.shape[outer] = p.shape[d], p.src[outer] = p.src[d], p.dst[outer] = p.dst[d], outer++;
  int64_t planes = 1;
  for (int d = 0; d < outer; d++) planes *= p.shape[d];
  const int64_t bands = ceil_div(rows, kTile), total = planes * bands;
  const int64_t group = imax(1, kTask / (kTile * cols));
  parallel_for(ceil_div(total, group), [&](int64_t task) {
    for (int64_t band = task * group; band < imin(total, (task + 1) * group); band++) {
      Offsets o = locate(p, outer, band / bands);
      const int64_t i = band % bands * kTile, height = imin(kTile, rows - i);
      for (int64_t j = 0; j < cols; j += kTile)
        transpose_tile(dst + o.dst + i * ds + j, ds, src + o.src + j * ss + i, ss, height, imin(kTile, cols - j));
    }
  });
}

template <class T> inline void copy_elements(const Plan& p, void* dst, const void* src) {
  const int last = p.nd - 1, above = p.nd - 2;
  if (sizeof(T) == 4 && last > 0 && p.dst[last] == 1 && p.src[above] == 1) {
    const bool zip = p.shape[last] == 3 && p.dst[above] == 3, unzip = p.shape[above] == 3 && p.src[last] == 3;
    if (zip || unzip) return copy_three(p, zip ? above : last, zip, (u32_alias*)dst, (const u32_alias*)src);
  }
  if (p.dst[last] == 1 && p.src[last] != 1 && p.src[last] != 0 && p.shape[last] >= 4)
    for (int d = 0; d < last; d++)
      if (p.src[d] == 1 && p.shape[d] >= 4) return copy_transposed(p, d, (T*)dst, (const T*)src);
  copy_rows(p, (T*)dst, (const T*)src);
}

template <class T> inline void fill_elements(T* dst, int64_t n, T value) {
  parallel_for(ceil_div(n, kTask), [=](int64_t task) {
    T* d = dst + task * kTask;  // locals: stores of bytes may alias anything captured
    const int64_t m = imin(kTask, n - task * kTask);
    const T v = value;
    for (int64_t i = 0; i < m; i++) d[i] = v;
  });
}

}  // namespace copy_detail

/** See `copy` in abi.ts. Destination strides must not be 0 where the size is above 1. */
inline void copy(const CopyArgs& a) {
  using namespace copy_detail;
  for (int d = 0; d < a.nd; d++)
    if (a.shape[d] == 0) return;
  const Plan p = plan_copy(a);
  if (a.elemSize == 4) copy_elements<u32_alias>(p, a.dst, a.src);
  else if (a.elemSize == 8) copy_elements<u64_alias>(p, a.dst, a.src);
  else copy_elements<u8_alias>(p, a.dst, a.src);
}

/** See `fill` in abi.ts: kind is a dtype code. */
inline void fill(const FillArgs& a) {
  using namespace copy_detail;
  if (a.kind == 0) fill_elements((float*)a.dst, a.n, (float)a.value);
  else if (a.kind == 1) fill_elements((int32_t*)a.dst, a.n, (int32_t)a.value);
  else fill_elements((uint8_t*)a.dst, a.n, (uint8_t)(int32_t)a.value);
}

} }  // namespace nn::NN_ISA
