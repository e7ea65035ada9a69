#pragma once
// reduce and argMax over the middle axis of x[outer][r][inner].
//
// Sums run in float over short stretches only (at most 128 additions per lane or column) and are joined in double, so
// the error of a sum of 16M elements stays near one rounding. The stretches depend on sizes alone: same bits for any
// number of threads. Three layouts, three walks:
//   inner = 1        row():     eight vector accumulators along r; long rows are cut into slabs.
//   inner >= 64      columns(): row after row onto a tile of columns in L1; few outputs: r is cut into slabs.
//                    (Eight rows at once need fewer L1 accesses but halve the bandwidth of main memory.)
//   inner < 64       g rows are read as one row of g·inner columns, and the g groups are joined at the end.
#include "simd.h"
#include "lanes.h"
#include "parallel.h"
#include "abi.gen.h"

namespace nn { namespace NN_ISA { namespace reduce_detail {

constexpr int64_t kBlock = 4096;     // elements of a row summed in float
constexpr int64_t kRows = 128;       // rows summed in float, column by column
constexpr int64_t kTile = 1024;      // columns at a time
constexpr int64_t kChunk = 32768;    // elements worth waking a thread for
constexpr int64_t kPartials = 16384; // floats of partial results on the caller's stack

struct Sum {
  static constexpr double identity = 0;
  template <class T> static NN_INLINE T join(T a, T b) { return a + b; }
};
struct Prod {
  static constexpr double identity = 1;
  template <class T> static NN_INLINE T join(T a, T b) { return a * b; }
};
struct Max {
  static constexpr double identity = -__builtin_inf();
  static NN_INLINE vf join(vf a, vf b) { return max_nan(a, b); }
  template <class T> static NN_INLINE T join(T a, T b) { return a > b || a != a ? a : b; }
};

// ---- inner = 1 ----

template <class Op> NN_INLINE float fold(vf v) {
  return fold_lanes(v, [](vf a, vf b) { return Op::join(a, b); })[0];
}

/** Op over p[0..n), n <= kBlock. */
template <class Op> inline float block(const float* p, int64_t n) {
  const vf identity = splat((float)Op::identity);
  vf v = identity;
  if (n < W) {
    float a = (float)Op::identity;
    for (int64_t i = 0; i < n; i++) a = Op::join(a, p[i]);
    return a;
  }
  int64_t i = 0;
  if (n >= 8 * W) {
    vf a[8];
    for (int k = 0; k < 8; k++) a[k] = load(p + k * W);
    for (i = 8 * W; i + 8 * W <= n; i += 8 * W)
      for (int k = 0; k < 8; k++) a[k] = Op::join(a[k], load(p + i + k * W));
    for (int h = 4; h > 0; h /= 2)
      for (int k = 0; k < h; k++) a[k] = Op::join(a[k], a[k + h]);
    v = a[0];
  }
  for (; i + W <= n; i += W) v = Op::join(v, load(p + i));
  if (i < n)  // the last vector again, its lanes already seen masked off
    v = Op::join(v, select(iota() >= splati((int32_t)(W - (n - i))), load(p + n - W), identity));
  return fold<Op>(v);
}

template <class Op> inline double row(const float* p, int64_t n) {
  double total = Op::identity;
  for (int64_t i = 0; i < n; i += kBlock) total = Op::join(total, (double)block<Op>(p + i, imin(kBlock, n - i)));
  return total;
}

template <class Op> inline void reduce_rows(int64_t outer, int64_t r, const float* x, float* y) {
  if (outer < 64 && r >= 4 * kChunk) {  // few long rows: all threads on one row
    const int64_t slab = round_up(imax(2 * kChunk, ceil_div(r, 256)), kBlock), slabs = ceil_div(r, slab);
    for (int64_t o = 0; o < outer; o++) {
      const float* p = x + o * r;
      double part[256];
      parallel_for(slabs, [&](int64_t s) { part[s] = row<Op>(p + s * slab, imin(slab, r - s * slab)); });
      double total = part[0];
      for (int64_t s = 1; s < slabs; s++) total = Op::join(total, part[s]);
      y[o] = (float)total;
    }
    return;
  }
  const int64_t per = imax(1, kChunk / r);
  // Rows shorter than a vector are loaded together with what follows them, as long as that is part of x.
  const int64_t whole = r < W ? (outer * r - W) / r : -1;
  parallel_for(ceil_div(outer, per), [&](int64_t chunk) {
    const int64_t end = imin(outer, (chunk + 1) * per);
    const vi mine = iota() < splati((int32_t)imin(r, W));
    int64_t o = chunk * per;
    for (; o < imin(end, whole); o++)
      y[o] = fold<Op>(select(mine, load(x + o * r), splat((float)Op::identity)));
    for (; o < end; o++) y[o] = (float)row<Op>(x + o * r, r);
  });
}

// ---- inner > 1 ----

/** out[width] = Op down the rows of p[rows][stride], W <= width < kTile + W. A last vector that is not full covers the
 *  last W columns again, in a slot of its own. */
template <class Op> inline void columns(const float* p, int64_t rows, int64_t stride, int64_t width, float* out) {
  const int64_t full = width / W * W;
  if (rows <= 8) {
    for (int64_t j = 0; j < width; j += W) {
      const float* q = p + imin(j, width - W);
      vf v = load(q);
      for (int64_t r = 1; r < rows; r++) v = Op::join(v, load(q + r * stride));
      store(out + imin(j, width - W), v);
    }
    return;
  }
  alignas(64) float acc[kTile + 2 * W];
  double total[kTile + W];
  const float* tail = acc + full + W - width;  // tail[j]: column j >= full
  for (int64_t j = 0; j < width; j++) total[j] = Op::identity;
  for (int64_t r0 = 0; r0 < rows; r0 += kRows) {
    const int64_t end = imin(rows, r0 + kRows);
    for (int64_t j = 0; j < width; j += W) store_aligned(acc + j, splat((float)Op::identity));
    for (int64_t r = r0; r < end; r++) {
      const float* q = p + r * stride;
      int64_t j = 0;
      for (; j + W <= width; j += W) store_aligned(acc + j, Op::join(load_aligned(acc + j), load(q + j)));
      if (j < width) store_aligned(acc + j, Op::join(load_aligned(acc + j), load(q + width - W)));
    }
    for (int64_t j = 0; j < full; j++) total[j] = Op::join(total[j], (double)acc[j]);
    for (int64_t j = full; j < width; j++) total[j] = Op::join(total[j], (double)tail[j]);
  }
  for (int64_t j = 0; j < width; j++) out[j] = (float)total[j];
}

/** The same for dense rows of few columns: `inner` < 64. */
template <class Op> inline void narrow(const float* p, int64_t rows, int64_t inner, float* out) {
  const int64_t g = imax(1, imin(256 / inner, rows / 8)), width = g * inner;
  if (width < W) {
    for (int64_t i = 0; i < inner; i++) {
      double a = Op::identity;
      for (int64_t r = 0; r < rows; r++) a = Op::join(a, (double)p[r * inner + i]);
      out[i] = (float)a;
    }
    return;
  }
  float part[256];
  const int64_t merged = rows / g;
  columns<Op>(p, merged, width, width, part);
  p += merged * width;
  for (int64_t i = 0; i < inner; i++) {
    double a = Op::identity;
    for (int64_t k = 0; k < g; k++) a = Op::join(a, (double)part[k * inner + i]);
    for (int64_t k = 0; k < rows % g; k++) a = Op::join(a, (double)p[k * inner + i]);
    out[i] = (float)a;
  }
}

/** Columns col0 … col0+width of rows r0 … r1 of one [r][inner] matrix. */
template <class Op>
inline void strip(const float* x, int64_t inner, int64_t r0, int64_t r1, int64_t col0, int64_t width, float* out) {
  if (inner < 64) narrow<Op>(x + r0 * inner, r1 - r0, inner, out);
  else columns<Op>(x + r0 * inner + col0, r1 - r0, inner, width, out + col0);
}

template <class Op>
inline void reduce_columns(int64_t outer, int64_t r, int64_t inner, const float* x, float* y) {
  // A rest of columns narrower than a vector goes to the tile before it.
  const int64_t tile = imin(inner, kTile);
  const int64_t tiles = imax(1, inner / tile + (inner % tile >= W));
  auto width_of = [=](int64_t t) { return t + 1 == tiles ? inner - t * tile : tile; };
  const int64_t units = outer * tiles, work = r * tile;
  int64_t slabs = imin(imin(32 / units, kPartials / (outer * inner)), work / (2 * kChunk));
  if (slabs > 1) {
    const int64_t slab = round_up(ceil_div(r, slabs), 8);
    slabs = ceil_div(r, slab);
    float part[kPartials];
    parallel_for(units * slabs, [&](int64_t u) {
      const int64_t s = u % slabs, o = u / slabs / tiles, t = u / slabs % tiles;
      strip<Op>(x + o * r * inner, inner, s * slab, imin(r, (s + 1) * slab), t * tile, width_of(t),
                part + (o * slabs + s) * inner);
    });
    for (int64_t o = 0; o < outer; o++)
      for (int64_t i = 0; i < inner; i++) {
        const float* p = part + o * slabs * inner + i;
        double a = (double)p[0];
        for (int64_t s = 1; s < slabs; s++) a = Op::join(a, (double)p[s * inner]);
        y[o * inner + i] = (float)a;
      }
    return;
  }
  const int64_t per = imax(1, kChunk / work);
  parallel_for(ceil_div(units, per), [&](int64_t chunk) {
    const int64_t end = imin(units, (chunk + 1) * per);
    for (int64_t u = chunk * per; u < end; u++) {
      const int64_t o = u / tiles, t = u % tiles;
      strip<Op>(x + o * r * inner, inner, 0, r, t * tile, width_of(t), y + o * inner);
    }
  });
}

template <class Op> inline void run(const ReduceArgs& a) {
  if (a.r == 0)
    for (int64_t i = 0; i < a.outer * a.inner; i++) a.y[i] = (float)Op::identity;
  else if (a.inner == 1) reduce_rows<Op>(a.outer, a.r, a.x, a.y);
  else reduce_columns<Op>(a.outer, a.r, a.inner, a.x, a.y);
}

// ---- positions of maxima ----

struct Best {
  float value;
  int32_t index;
};

/** Does v replace the best so far? NaN beats numbers, the first NaN beats later ones. */
NN_INLINE bool beats(float v, float best) {
  return best == best && !(Max::join(best, v) == best);
}

/** First maximum of p[0..n): block by block, looked up only in blocks that hold a new best. */
inline Best arg_row(const float* p, int64_t n, int64_t first) {
  Best best = {p[0], (int32_t)first};
  for (int64_t i = 0; i < n; i += kBlock / 4) {
    const int64_t len = imin(kBlock / 4, n - i);
    const float v = block<Max>(p + i, len);
    if (!beats(v, best.value)) continue;
    int64_t k = i;
    if (v == v) while (p[k] != v) k++;
    else while (p[k] == p[k]) k++;
    best = {v, (int32_t)(first + k)};
  }
  return best;
}

/** N vectors of columns at once, best and position in registers. */
template <int N> NN_INLINE void arg_columns(const float* p, int64_t r, int64_t stride, int32_t* y) {
  vf best[N];
  vi index[N];
  for (int k = 0; k < N; k++) best[k] = load(p + k * W), index[k] = splati(0);
  for (int64_t i = 1; i < r; i++)
    for (int k = 0; k < N; k++) {
      const vf v = load(p + i * stride + k * W);
      const vi better = (v > best[k]) | ((v != v) & (best[k] == best[k]));
      best[k] = select(better, v, best[k]);
      index[k] = selecti(better, splati((int32_t)i), index[k]);
    }
  for (int k = 0; k < N; k++) storei(y + k * W, index[k]);
}

inline void arg_rows(int64_t outer, int64_t r, const float* x, int32_t* y) {
  if (outer < 64 && r >= 4 * kChunk) {
    const int64_t slab = imax(2 * kChunk, ceil_div(r, 256)), slabs = ceil_div(r, slab);
    for (int64_t o = 0; o < outer; o++) {
      Best part[256];
      parallel_for(slabs, [&](int64_t s) {
        part[s] = arg_row(x + o * r + s * slab, imin(slab, r - s * slab), s * slab);
      });
      Best best = part[0];
      for (int64_t s = 1; s < slabs; s++)
        if (beats(part[s].value, best.value)) best = part[s];
      y[o] = best.index;
    }
    return;
  }
  if (r <= 32 && 4 * outer >= W) {  // W short rows at a time, one per lane
    const int64_t groups = ceil_div(outer, W), per = imax(1, kChunk / (r * W));
    parallel_for(ceil_div(groups, per), [&](int64_t chunk) {
      alignas(64) float t[32 * W];
      int32_t index[W];
      for (int64_t o = chunk * per * W; o < imin(outer, (chunk + 1) * per * W); o += W) {
        const int64_t n = imin(W, outer - o);
        rows_to_lanes(x + o * r, n, r, t);
        arg_columns<1>(t, r, W, index);
        copy_bytes(y + o, index, n * 4);
      }
    });
    return;
  }
  const int64_t per = imax(1, kChunk / r);
  parallel_for(ceil_div(outer, per), [&](int64_t chunk) {
    const int64_t end = imin(outer, (chunk + 1) * per);
    for (int64_t o = chunk * per; o < end; o++) y[o] = arg_row(x + o * r, r, 0).index;
  });
}

inline void arg_reduce_columns(int64_t outer, int64_t r, int64_t inner, const float* x, int32_t* y) {
  const int64_t tile = imin(inner, imax(4 * W, kChunk / r / (4 * W) * (4 * W)));  // columns of a unit
  const int64_t tiles = inner < W ? 1 : imax(1, inner / tile + (inner % tile >= W));
  const int64_t per = imax(1, kChunk / (r * tile));
  parallel_for(ceil_div(outer * tiles, per), [&](int64_t chunk) {
    const int64_t end = imin(outer * tiles, (chunk + 1) * per);
    for (int64_t u = chunk * per; u < end; u++) {
      const int64_t o = u / tiles, t = u % tiles, width = t + 1 == tiles ? inner - t * tile : tile;
      const float* p = x + o * r * inner + t * tile;
      int32_t* out = y + o * inner + t * tile;
      int64_t j = 0;
      for (; j + 4 * W <= width; j += 4 * W) arg_columns<4>(p + j, r, inner, out + j);
      for (; j + W <= width; j += W) arg_columns<1>(p + j, r, inner, out + j);
      if (j < width && width >= W) {
        arg_columns<1>(p + width - W, r, inner, out + width - W);
        continue;
      }
      for (; j < width; j++) {
        float best = p[j];
        out[j] = 0;
        for (int64_t i = 1; i < r; i++)
          if (beats(p[i * inner + j], best)) best = p[i * inner + j], out[j] = (int32_t)i;
      }
    }
  });
}

}  // namespace reduce_detail

/** y[outer][inner] = sum | max | prod over r. Empty r: 0, -inf, 1. NaN wins max. */
inline void reduce(const ReduceArgs& a) {
  using namespace reduce_detail;
  if (a.outer <= 0 || a.inner <= 0) return;
  switch (a.kind) {
    case 0: return run<Sum>(a);
    case 1: return run<Max>(a);
    case 2: return run<Prod>(a);
  }
}

/** y[outer][inner] = position of the maximum along r; the first wins ties, the first NaN wins over all. r > 0. */
inline void argMax(const ArgMaxArgs& a) {
  using namespace reduce_detail;
  if (a.outer <= 0 || a.inner <= 0 || a.r <= 0) return;
  if (a.inner == 1) arg_rows(a.outer, a.r, a.x, a.y);
  else arg_reduce_columns(a.outer, a.r, a.inner, a.x, a.y);
}

} }  // namespace nn::NN_ISA
