#pragma once
// Picking rows (embeddings, indexSelect) and elements (torch.gather) along the middle axis, and their gradients.
//
// Gradients add in row order, whatever the number of threads: work is split over destinations, never over rows.
// An index outside [0, size), which the op layer refuses, reads as zero and is not added anywhere.
#include "simd.h"
#include "parallel.h"
#include "abi.gen.h"

namespace nn { namespace NN_ISA { namespace gather_detail {

constexpr int64_t kChunk = 32768;  // elements worth waking a thread for

NN_INLINE bool within(int32_t index, int64_t size) { return (uint32_t)index < (uint64_t)size; }

/** y[row] = x[index[row]] for single elements. */
template <class T> NN_INLINE void pick(const T* x, const int32_t* index, T* y, int64_t r0, int64_t r1, int64_t size) {
  for (int64_t r = r0; r < r1; r++) y[r] = within(index[r], size) ? x[index[r]] : (T)0;
}

NN_INLINE void add(float* y, const float* x, int64_t n) {
  int64_t i = 0;
  for (; i + W <= n; i += W) store(y + i, load(y + i) + load(x + i));
  for (; i < n; i++) y[i] += x[i];
}

}  // namespace gather_detail

/** y[o][row][:] = x[o][index[row]][:]. */
inline void gatherRows(const GatherRowsArgs& a) {
  using namespace gather_detail;
  const int64_t bytes = a.inner * a.elemSize;
  if (a.outer <= 0 || a.rows <= 0 || bytes <= 0) return;
  const int64_t per = imin(a.rows, imax(1, kChunk / a.inner)), parts = ceil_div(a.rows, per);
  parallel_for(a.outer * parts, [&](int64_t chunk) {
    const int64_t o = chunk / parts, r0 = chunk % parts * per, r1 = imin(a.rows, r0 + per);
    const char* x = (const char*)a.x + o * a.size * bytes;
    char* y = (char*)a.y + o * a.rows * bytes;
    if (a.inner == 1 && a.elemSize == 4) return pick((const i32_alias*)x, a.index, (i32_alias*)y, r0, r1, a.size);
    if (a.inner == 1 && a.elemSize == 1) return pick(x, a.index, y, r0, r1, a.size);
    for (int64_t r = r0; r < r1; r++) {
      const int32_t k = a.index[r];
      if (within(k, a.size)) copy_bytes(y + r * bytes, x + k * bytes, bytes);
      else fill_bytes(y + r * bytes, 0, bytes);
    }
  });
}

/** dx[o][index[row]][:] += dy[o][row][:] from zero, but for rows with index `skip`. A chunk owns a range of destination rows and of columns and looks
 *  through all of index, which is cheap beside adding rows of 8 or more elements. */
inline void scatterAddRows(const ScatterAddRowsArgs& a) {
  using namespace gather_detail;
  if (a.outer <= 0 || a.size <= 0 || a.inner <= 0) return;
  const int64_t split = imin(32, imax(1, (a.size + a.rows) * a.inner / kChunk));
  const int64_t tiles = imin(split, imax(1, a.inner / 1024)), tile = round_up(ceil_div(a.inner, tiles), 16);
  const int64_t ranges = imin(imin(16, a.size), imin(ceil_div(split, tiles), imax(1, a.inner / 8)));
  const int64_t range = ceil_div(a.size, ranges);
  parallel_for(a.outer * ranges * tiles, [&](int64_t chunk) {
    const int64_t o = chunk / tiles / ranges, k0 = chunk / tiles % ranges * range, k1 = imin(a.size, k0 + range);
    const int64_t c0 = chunk % tiles * tile, width = imin(a.inner, c0 + tile) - c0;
    if (k0 >= k1 || width <= 0) return;
    const float* dy = a.dy + o * a.rows * a.inner + c0;
    float* dx = a.dx + o * a.size * a.inner + c0;
    if (width == a.inner) fill_bytes(dx + k0 * a.inner, 0, (k1 - k0) * width * 4);
    else for (int64_t k = k0; k < k1; k++) fill_bytes(dx + k * a.inner, 0, width * 4);
    if (a.inner == 1) {
      for (int64_t r = 0; r < a.rows; r++)
        if (within(a.index[r], a.size) && a.index[r] != a.skip) dx[a.index[r]] += dy[r];
      return;
    }
    for (int64_t r = 0; r < a.rows; r++) {
      const int64_t k = a.index[r];
      if (k >= k0 && k < k1 && k != a.skip) add(dx + k * a.inner, dy + r * a.inner, width);
    }
  });
}

/** y[o][row][i] = x[o][index[o][row][i]][i]. */
inline void gather(const GatherArgs& a) {
  using namespace gather_detail;
  if (a.outer <= 0 || a.rows <= 0 || a.inner <= 0) return;
  const int64_t lines = a.outer * a.rows, per = imax(1, kChunk / a.inner);
  if (a.inner == 1) {
    const int64_t width = imin(a.rows, kChunk), parts = ceil_div(a.rows, width), group = imax(1, kChunk / width);
    parallel_for(ceil_div(a.outer * parts, group), [&](int64_t chunk) {
      const int64_t end = imin(a.outer * parts, (chunk + 1) * group);
      for (int64_t u = chunk * group; u < end; u++) {
        const int64_t o = u / parts, r0 = u % parts * width;
        pick(a.x + o * a.size, a.index + o * a.rows, a.y + o * a.rows, r0, imin(a.rows, r0 + width), a.size);
      }
    });
    return;
  }
  parallel_for(ceil_div(lines, per), [&](int64_t chunk) {
    const int64_t end = imin(lines, (chunk + 1) * per);
    for (int64_t l = chunk * per; l < end; l++) {
      const float* x = a.x + l / a.rows * a.size * a.inner;
      const int32_t* index = a.index + l * a.inner;
      float* y = a.y + l * a.inner;
      for (int64_t i = 0; i < a.inner; i++) y[i] = within(index[i], a.size) ? x[index[i] * a.inner + i] : 0;
    }
  });
}

/** dx[o][index[o][row][i]][i] += dy[o][row][i] from zero. */
inline void gatherGrad(const GatherGradArgs& a) {
  using namespace gather_detail;
  if (a.outer <= 0 || a.size <= 0 || a.inner <= 0) return;
  const int64_t work = a.size + a.rows;  // per column
  const int64_t tile = imin(a.inner, round_up(imax(16, kChunk / work), 16)), tiles = ceil_div(a.inner, tile);
  const int64_t group = imax(1, kChunk / (work * tile));
  parallel_for(ceil_div(a.outer * tiles, group), [&](int64_t chunk) {
    const int64_t end = imin(a.outer * tiles, (chunk + 1) * group);
    for (int64_t u = chunk * group; u < end; u++) {
      const int64_t o = u / tiles, c0 = u % tiles * tile, width = imin(a.inner, c0 + tile) - c0;
      float* dx = a.dx + o * a.size * a.inner + c0;
      if (width == a.inner) fill_bytes(dx, 0, a.size * width * 4);
      else for (int64_t k = 0; k < a.size; k++) fill_bytes(dx + k * a.inner, 0, width * 4);
      for (int64_t r = 0; r < a.rows; r++) {
        const float* dy = a.dy + (o * a.rows + r) * a.inner + c0;
        const int32_t* index = a.index + (o * a.rows + r) * a.inner + c0;
        for (int64_t i = 0; i < width; i++)
          if (within(index[i], a.size)) dx[index[i] * a.inner + i] += dy[i];
      }
    }
  });
}

} }  // namespace nn::NN_ISA
