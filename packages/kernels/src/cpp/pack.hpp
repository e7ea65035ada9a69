#pragma once
// Copies of matrix blocks into the order in which the tiles of microkernel.hpp read them.
#include "microkernel.hpp"

namespace nn { namespace NN_ISA { namespace gemm_detail {

template <int N> struct Lanes { typedef float type __attribute__((vector_size(N * 4), aligned(4), may_alias)); };

/** n floats. Runs are short here (a pixel's channels, a filter row), so tails are two overlapping narrower vectors, not loops. */
NN_INLINE void copy_run(float* dst, const float* src, int64_t n) {
  using v4 = Lanes<4>::type;
  using v8 = Lanes<8>::type;
  if (n >= W) {
    for (int64_t i = 0; i + W <= n; i += W) store(dst + i, load(src + i));
    if (n % W) store(dst + n - W, load(src + n - W));
  } else if (W > 8 && n >= 8) {
    v8 low = *(const v8*)src, high = *(const v8*)(src + n - 8);
    *(v8*)dst = low;
    *(v8*)(dst + n - 8) = high;
  } else if (W > 4 && n >= 4) {
    v4 low = *(const v4*)src, high = *(const v4*)(src + n - 4);
    *(v4*)dst = low;
    *(v4*)(dst + n - 4) = high;
  } else if (n > 0) {
    dst[0] = src[0];
    if (n > 1) dst[1] = src[1];
    if (n > 2) dst[2] = src[2];
  }
}
NN_INLINE void zero_run(float* dst, int64_t n) {
  int64_t i = 0;
  for (; i + W <= n; i += W) store(dst + i, vf{});
  for (; i < n; i++) dst[i] = 0;
}

/** Halves of a and b interleaved: a0 b0 a1 b1 … */
#if NN_WIDTH == 4
NN_INLINE vf zip_low(vf a, vf b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
NN_INLINE vf zip_high(vf a, vf b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
#elif NN_WIDTH == 8
NN_INLINE vf zip_low(vf a, vf b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
NN_INLINE vf zip_high(vf a, vf b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
#else
NN_INLINE vf zip_low(vf a, vf b) { return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23); }
NN_INLINE vf zip_high(vf a, vf b) { return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31); }
#endif

/** dst[p·dstLd + j] = src[j·srcLd + p] for a W×W block: log2 W rounds, each zipping the upper half of rows into the lower. */
NN_INLINE void transpose_block(float* dst, int64_t dstLd, const float* src, int64_t srcLd) {
  vf r[W], s[W];
  NN_UNROLL for (int i = 0; i < W; i++) r[i] = load(src + i * srcLd);
  NN_UNROLL for (int h = 1; h < W; h *= 2) {
    NN_UNROLL for (int i = 0; i < W / 2; i++) {
      s[2 * i] = zip_low(r[i], r[i + W / 2]);
      s[2 * i + 1] = zip_high(r[i], r[i + W / 2]);
    }
    NN_UNROLL for (int i = 0; i < W; i++) r[i] = s[i];
  }
  NN_UNROLL for (int i = 0; i < W; i++) store(dst + i * dstLd, r[i]);
}

/** dst[p·dstLd + j] = src[j·srcLd + p], j < cols, p < rows. */
NN_NOINLINE inline void transpose(int64_t rows, int64_t cols, float* dst, int64_t dstLd, const float* src, int64_t srcLd) {
  int64_t j = 0;
  for (; j + W <= cols; j += W) {
    int64_t p = 0;
    for (; p + W <= rows; p += W) transpose_block(dst + p * dstLd + j, dstLd, src + j * srcLd + p, srcLd);
    for (; p < rows; p++)
      for (int64_t q = j; q < j + W; q++) dst[p * dstLd + q] = src[q * srcLd + p];
  }
  for (; j < cols; j++)
    for (int64_t p = 0; p < rows; p++) dst[p * dstLd + j] = src[j * srcLd + p];
}

/** A matrix somewhere in memory, any strides (elements). */
struct Matrix {
  const float* p;
  int64_t row, col;
  Matrix at(int64_t i, int64_t j) const { return {p + i * row + j * col, row, col}; }
};

/** dst[i·ld + j] = src[i, j]. */
NN_NOINLINE inline void pack_dense(int64_t rows, int64_t cols, Matrix src, float* dst, int64_t ld) {
  if (src.col == 1) {
    for (int64_t i = 0; i < rows; i++) copy_run(dst + i * ld, src.p + i * src.row, cols);
  } else if (src.row == 1) {
    transpose(rows, cols, dst, ld, src.p, src.col);
  } else {
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < cols; j++) dst[i * ld + j] = src.p[i * src.row + j * src.col];
  }
}

/** One panel of B: dst[kc][NR] from kc rows and cols (1..NR) columns, the rest zeros. */
NN_NOINLINE inline void pack_panel(int64_t kc, int64_t cols, Matrix src, float* dst) {
  if (cols < NR) {
    for (int64_t p = 0; p < kc; p++) zero_run(dst + p * NR, NR);
  }
  pack_dense(kc, cols, src, dst, NR);
}

/** A block of B as panels. */
inline Panels pack_panels(int64_t kc, int64_t cols, Matrix src, float* dst) {
  for (int64_t j = 0; j < cols; j += NR) pack_panel(kc, imin(NR, cols - j), src.at(0, j), dst + j * kc);
  return {dst, kc * NR, NR};
}

/** A block of A as the tiles want it, packed into `buffer` (rows·kc floats) unless it can be read where it is. */
struct Left { const float* p; int64_t row, col; };
inline Left pack_left(int64_t rows, int64_t kc, Matrix src, float* buffer) {
  if (src.row == 1) {  // columns of A are contiguous: keep that order
    pack_dense(kc, rows, {src.p, src.col, 1}, buffer, rows);
    return {buffer, 1, rows};
  }
  pack_dense(rows, kc, src, buffer, kc);
  return {buffer, kc, 1};
}

/** Whether tiles may read A in place: rows a multiple of 2 KiB apart would all fall into one or two sets of L1. */
inline bool left_in_place(Matrix a) { return (a.col == 1 && a.row % 512 != 0) || (a.row == 1 && a.col % 512 != 0); }

/** B packed whole into scratch: k blocks outermost, then panels. Filled in parallel, by shares of columns. */
struct SharedPanels {
  float* b;
  int64_t n;
  Blocks blocks;
  Panels at(int64_t kb, int64_t j) const {
    const int64_t kc = blocks.end(kb) - blocks.begin(kb);
    return {b + blocks.begin(kb) * round_up(n, NR) + j * kc, kc * NR, NR};
  }
  /** Row p of the panel that begins at column j. */
  float* row(int64_t p, int64_t j) const {
    const int64_t kb = p / blocks.size;
    return (float*)at(kb, j).b + (p - blocks.begin(kb)) * NR;
  }
  /** fill(p0, kc, j, cols, dst) writes one panel [kc][NR] of columns j … j+cols. */
  template <class Fill> void pack(Fill&& fill) const {
    const int64_t panels = ceil_div(n, NR), group = imax(1, imin(panels, 32 * 1024 / (KC * NR)));  // ≥ 32k floats a chunk
    const int64_t groups = ceil_div(panels, group);
    parallel_for(blocks.count * groups, [&](int64_t chunk) {
      const int64_t kb = chunk % blocks.count, p0 = blocks.begin(kb), kc = blocks.end(kb) - p0;
      for (int64_t q = chunk / blocks.count * group, e = imin(panels, q + group); q < e; q++) {
        const int64_t j = q * NR;
        fill(p0, kc, j, imin(NR, n - j), (float*)at(kb, j).b);
      }
    });
  }
};

} } }  // namespace nn::NN_ISA::gemm_detail
