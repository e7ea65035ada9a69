#pragma once
// Convolutions of 3×3 or 5×5 taps by Winograd's algorithm: tiles of the image and the filter are transformed (winograd-transforms.hpp),
// the sums over channels (weight gradient: over tiles) are 49 matrix products, and their results are transformed back.
// A filter with a stride goes the same way where b×b pixels (b = stride) make one pixel of b²·c channels: 11×11 taps with
// stride 4 are 3×3 taps of blocks.
//
// Tiles pass in groups, so that what lies between the phases stays in the shared cache; beside few tiles the filter passes in panels.
// An infinity or NaN in a pixel reaches all results of its tiles, as NaN. Accuracy: see winograd-transforms.hpp.
#include "abi.gen.h"
#include "gemm.hpp"
#include "winograd-transforms.hpp"

namespace nn { namespace NN_ISA {
namespace gemm_detail {

constexpr int64_t kBlockChannels = 64;  // most channels of a block of pixels
constexpr int64_t kTileChunk = 8;       // tiles transformed by one chunk

/** Pixels [n, h, w] in tiles of size×size. */
struct TileGrid {
  int64_t n, h, w, size;
  struct Tile { int64_t image, y, x, rows, cols; };
  int64_t tilesX() const { return ceil_div(w, size); }
  int64_t perImage() const { return ceil_div(h, size) * tilesX(); }
  int64_t count() const { return n * perImage(); }
  Tile at(int64_t t) const {
    const int64_t y = t % perImage() / tilesX() * size, x = t % tilesX() * size;
    return {t / perImage(), y, x, imin(size, h - y), imin(size, w - x)};
  }
};

/** The images that 7×7 windows are cut from. Window pixel (i, j) of tile (y, x) is the block of block×block pixels from
 *  ((y + i)·block − top, (x + j)·block − left), zero outside the image. */
struct TileSource {
  const float* x;
  int64_t h, w, c, top, left, block;
  const float* zeros;  // as many as channels
  int64_t channels() const { return block * block * c; }

  void transform(const TileGrid::Tile& tile, float* v, int64_t step) const {
    const float* pixels[kPositions];
    alignas(64) float cut[kPositions * kBlockChannels];
    const float* image = x + tile.image * h * w * c;
    for (int64_t i = 0; i < kPoints; i++)
      for (int64_t j = 0; j < kPoints; j++) {
        const int64_t p = i * kPoints + j, iy = (tile.y + i) * block - top, ix = (tile.x + j) * block - left;
        if (block == 1) pixels[p] = iy >= 0 && iy < h && ix >= 0 && ix < w ? image + (iy * w + ix) * c : zeros;
        else cut_block(image, iy, ix, cut + p * channels()), pixels[p] = cut + p * channels();
      }
    const int64_t whole = channels() / W * W;
    for (int64_t at = 0; at < whole; at += W) image_plane(pixels, at, v + at, step);
    if (whole == channels()) return;
    alignas(64) float last[kPositions * W];  // the last channels, beside zeros
    for (int p = 0; p < kPositions; p++) {
      store_aligned(last + p * W, load_part(pixels[p] + whole, channels() - whole));
      pixels[p] = last + p * W;
    }
    image_plane(pixels, 0, v + whole, step);
  }

 private:
  void cut_block(const float* image, int64_t y, int64_t x0, float* to) const {
    const int64_t low = imin(block, imax(0, -x0)), high = imax(low, imin(block, w - x0));
    for (int64_t i = y; i < y + block; i++, to += block * c) {
      if (i < 0 || i >= h) { zero_run(to, block * c); continue; }
      zero_run(to, low * c);
      copy_run(to + low * c, image + (i * w + x0 + low) * c, (high - low) * c);
      zero_run(to + high * c, (block - high) * c);
    }
  }
};

/** Taps of an OIHW weight as the tiles see them: taps×taps of blocks of pixels. */
struct BlockTaps {
  int64_t side, block, c;           // filter side, and channels of a pixel, not of a block
  int64_t rowStride, colStride;     // of the summed channel and of the result's channel, in elements
  bool flipped;                     // counted down, as the input gradient wants them
  int taps() const { return (int)ceil_div(side, block); }
  /** Whether a column is one run of (channel, tap). */
  bool dense() const { return block == 1 && !flipped && rowStride == side * side; }
  /** Where tap (i, j) of channel q of a block lies, or −1 past the filter's edge. */
  int64_t offset(int64_t q, int64_t i, int64_t j) const {
    const int64_t y = i * block + q / (block * c), x = j * block + q / c % block;
    if (y >= side || x >= side) return -1;
    return q % c * rowStride + (flipped ? side * side - 1 - y * side - x : y * side + x);
  }
};

// Rows of transformed tiles are a little longer than needed: rows a multiple of 2 KiB apart would meet in the same sets of L1.
inline int64_t tile_row(int64_t channels) { return round_up(channels, 32) + 16; }
/** Tiles in groups of even size, at most 96. */
inline int64_t tile_group(int64_t tiles) { return ceil_div(tiles, ceil_div(tiles, 96)); }

constexpr int64_t kPanelChannels = 64;  // of a panel's filter transformed at once
/** Few tiles beside a large filter: panels of columns are the chunks. */
inline bool goes_by_panels(int64_t tiles, int64_t m) { return tiles <= 96 && m >= 256; }
/** From one position of a panel [rows][columns] to the next: not a power of two. */
inline int64_t panel_step(int64_t rows, int64_t columns) { return rows * columns + columns / 2; }
/** Panels pay sooner: at 9 tiles (13×13 pixels) of 256 to 384 channels 2.0 → 1.2 ms beside the direct sum. */
constexpr int64_t kFewestTiles = 16;
inline int64_t fewest_tiles(int64_t m) { return goes_by_panels(9, m) ? 9 : kFewestTiles; }

/** y[n, h, w, m] = act(source ⋆ filter + bias), [n, h, w] being the grid. */
struct WinogradConv {
  TileSource source;
  TileGrid grid;
  const float* weight;
  BlockTaps taps;
  int64_t m;
  const float* bias;
  int act;
  float* y;

  int64_t filterSize() const { return source.channels() * round_up(m, NR); }

  void run(float* scratch) {
    zero_run(scratch, tile_row(source.channels()));
    source.zeros = scratch;
    goes_by_panels(grid.count(), m) ? by_panels(scratch) : by_groups(scratch);
  }

 private:
  /** Scratch: zeros, the transformed filter [49][filterSize], a group of tiles V [49][group][k] and their products [49][group][m]. */
  void by_groups(float* scratch) const {
    const int64_t k = source.channels(), group = tile_group(grid.count()), vRow = tile_row(k), mRow = tile_row(m);
    float* const u = scratch + vRow;
    float* const v = u + kPositions * k * round_up(m, 32);
    float* const products = v + kPositions * group * vRow;
    transform_filter(u);
    const Blocks blocks(k);
    // Chunks in order of tiles give a thread the tiles that it transformed itself, which counts where two cores have no cache in common
    // (96→256 channels of 5×5: 53 → 49 ms); in order of positions it reads its own part of the filter only, which counts more for a large one.
    const bool byTiles = kPositions * filterSize() * 4 <= 8 << 20;
    for (int64_t first = 0; first < grid.count(); first += group) {
      const int64_t count = imin(group, grid.count() - first), chunks = ceil_div(count, kTileChunk);
      parallel_for(chunks, [&](int64_t chunk) {
        for (int64_t t = chunk * kTileChunk; t < imin(count, (chunk + 1) * kTileChunk); t++) source.transform(grid.at(first + t), v + t * vRow, group * vRow);
      });
      const int64_t rows = round_up(ceil_div(count, ceil_div(count, MB)), MR), rowChunks = ceil_div(count, rows);
      parallel_for(kPositions * rowChunks, [&](int64_t chunk) {
        const int64_t p = byTiles ? chunk % kPositions : chunk / rowChunks, r0 = (byTiles ? chunk / kPositions : chunk % rowChunks) * rows;
        const SharedPanels panels{u + p * filterSize(), m, blocks};
        const float* a = v + (p * group + r0) * vRow;
        float* c = products + (p * group + r0) * mRow;
        for (int64_t kb = 0; kb < blocks.count; kb++)
          block(imin(rows, count - r0), round_up(m, W), blocks.end(kb) - blocks.begin(kb), a + blocks.begin(kb), vRow, 1, panels.at(kb, 0), {c, mRow, nullptr},
                {kb > 0, nullptr, kNone});
      });
      parallel_for(chunks, [&](int64_t chunk) {
        for (int64_t t = chunk * kTileChunk; t < imin(count, (chunk + 1) * kTileChunk); t++) transform_back(grid.at(first + t), products + t * mRow, group * mRow, 0, m);
      });
    }
  }

  /** Every chunk takes a panel of columns, transforms its filter some channels at a time and multiplies
   *  them at once. The transformed filter, 5 times as large as the weight, then stays in the second-level cache.
   *  Scratch: zeros, tiles V [49][tiles][k], and per panel its part of the filter [49][channels][NR] and products [49][tiles][NR]. */
  void by_panels(float* scratch) const {
    const int64_t k = source.channels(), count = grid.count(), vRow = tile_row(k), depth = imin(k, kPanelChannels);
    const int64_t uStep = panel_step(depth, NR), pStep = panel_step(count, NR);
    float* const v = scratch + vRow;
    float* const panels = v + kPositions * count * vRow;
    const int64_t few = imax(1, imin(kTileChunk, count / 16));
    parallel_for(ceil_div(count, few), [&](int64_t chunk) {
      for (int64_t t = chunk * few; t < imin(count, (chunk + 1) * few); t++) source.transform(grid.at(t), v + t * vRow, count * vRow);
    });
    parallel_for(ceil_div(m, NR), [&](int64_t chunk) {
      const int64_t j0 = chunk * NR, cols = imin(NR, m - j0);
      float* const u = panels + chunk * kPositions * (uStep + pStep);
      float* const products = u + kPositions * uStep;
      for (int64_t c0 = 0; c0 < k; c0 += depth) {
        const int64_t c1 = imin(k, c0 + depth);
        transform_panel(c0, c1, j0, u, uStep);
        for (int64_t p = 0; p < kPositions; p++)
          block(count, round_up(cols, W), c1 - c0, v + p * count * vRow + c0, vRow, 1, {u + p * uStep, 0, NR}, {products + p * pStep, NR, nullptr},
                {c0 > 0, nullptr, kNone});
      }
      for (int64_t t = 0; t < count; t++) transform_back(grid.at(t), products + t * NR, pStep, j0, j0 + cols);
    });
  }

  /** The whole filter, packed as panels for each of the 49 positions. */
  void transform_filter(float* u) const {
    const Blocks blocks(source.channels());
    const int64_t panels = ceil_div(m, NR);
    parallel_for(blocks.count * panels, [&](int64_t chunk) {
      const int64_t kb = chunk / panels, j0 = chunk % panels * NR;
      float* to = (float*)SharedPanels{u, m, blocks}.at(kb, j0).b;
      transform_panel(blocks.begin(kb), blocks.end(kb), j0, to, filterSize());
    });
  }

  /** Channels [c0, c1) of the filters from column j0 on, as panel [c1 − c0][NR] for each of the 49 positions, `step` apart. */
  NN_NOINLINE void transform_panel(int64_t c0, int64_t c1, int64_t j0, float* to, int64_t step) const {
    alignas(64) float g[25 * W * NR];  // taps of W channels, as [channel][tap][column]
    const int64_t q = taps.taps(), area = q * q, cols = imin(NR, m - j0);
    if (cols < NR) zero_run(g, area * W * NR);
    for (int64_t c = c0; c < c1; c += W) {
      const int64_t channels = imin(W, c1 - c);
      if (taps.dense()) transpose(channels * area, cols, g, NR, weight + j0 * taps.colStride + c * area, taps.colStride);
      else for (int64_t e = 0; e < channels * area; e++) {
        const int64_t at = taps.offset(c + e / area, e % area / q, e % q);
        if (at < 0) { zero_run(g + e * NR, NR); continue; }
        for (int64_t j = 0; j < cols; j++) g[e * NR + j] = weight[at + (j0 + j) * taps.colStride];
      }
      for (int64_t i = 0; i < channels; i++)
        for (int64_t j = 0; j < NR; j += W, to += W) spread((int)q, g + i * area * NR + j, NR, to, step);
    }
  }

  /** Channels [o0, o1) of a tile's results; `products` begins with channel o0. */
  void transform_back(const TileGrid::Tile& tile, const float* products, int64_t step, int64_t o0, int64_t o1) const {
    float* const to = y + ((tile.image * grid.h + tile.y) * grid.w + tile.x) * m;
    vf results[25];
    for (int64_t o = o0; o < o1; o += W) {
      const int64_t left = o1 - o;
      gather((int)grid.size, products + o - o0, step, results);
      const vf b = !bias ? vf{} : left >= W ? load(bias + o) : load_part(bias + o, left);
      for (int64_t i = 0; i < tile.rows; i++)
        for (int64_t j = 0; j < tile.cols; j++) write(to + (i * grid.w + j) * m + o, results[i * grid.size + j] + b, left);
    }
  }

  NN_INLINE void write(float* to, vf v, int64_t left) const {
    if (act == kRelu) v = select(v < 0.0f, vf{}, v);
    else if (act == kSigmoid) v = sigmoid(v);
    else if (act == kTanh) v = tanh(v);
    left >= W ? store(to, v) : store_part(to, v, left);
  }
};

/** Whether it pays for k channels of a pixel, m channels of results [outH, outW]: enough work in every product of transformed tiles,
 *  enough tiles for the transformed filter, and at most two thirds of the direct sum's products after the waste at the edges.
 *  Mirrored by `winogradTiles` in scratch.ts. */
template <class Args> inline bool is_winograd(const Args& a, int64_t k, int64_t m, int64_t outH, int64_t outW, int64_t fewest) {
  const int64_t s = a.strideH, taps = ceil_div(a.kh, s);
  if (a.kh != a.kw || a.strideW != s || a.dilationH != 1 || a.dilationW != 1 || a.groups != 1 || (taps != 3 && taps != 5)) return false;
  if (s > 1 && s * s * k > kBlockChannels) return false;
  const TileGrid grid{a.n, outH, outW, kPoints + 1 - taps};
  return s * s * k >= 16 && m >= 4 && grid.count() >= fewest && 3 * grid.perImage() * kPositions * s * s <= 2 * outH * outW * a.kh * a.kh;
}

}  // namespace gemm_detail
} }  // namespace nn::NN_ISA
