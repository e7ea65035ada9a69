#pragma once
// The weight gradient of winograd.hpp's convolutions: tiles of x meet tiles of dy as if those were the filter, and the 49 products
// sum over tiles. Only the sum is transformed back.
#include "winograd.hpp"

namespace nn { namespace NN_ISA { namespace gemm_detail {

/** dw = source ⋆ dy[n, h, w, m], [n, h, w] being the grid; db (or null) = Σ dy over pixels. */
struct WinogradWeightGrad {
  TileSource source;
  TileGrid grid;
  const float* dy;
  BlockTaps taps;
  int64_t m;
  float *dw, *db;

  /** Scratch: zeros, the sums [49][k][m], a group of tiles of x [49][group][k] and of dy [49][group][m] in panels, sums of dy [chunk][m]. */
  void run(float* scratch) {
    const int64_t k = source.channels(), group = tile_group(grid.count()), vRow = tile_row(k), sRow = tile_row(m);
    float* const sums = scratch + vRow;
    float* const v = sums + kPositions * k * sRow;
    float* const w = v + kPositions * group * vRow;
    float* const dySums = w + kPositions * group * round_up(m, 32);
    const int64_t wStep = group * round_up(m, NR);
    zero_run(scratch, vRow);
    source.zeros = scratch;
    for (int64_t first = 0; first < grid.count(); first += group) {
      const int64_t count = imin(group, grid.count() - first), chunks = ceil_div(count, kTileChunk);
      parallel_for(chunks, [&](int64_t chunk) {
        float* const chunkSums = dySums + chunk * sRow;
        zero_run(chunkSums, sRow);
        for (int64_t t = chunk * kTileChunk; t < imin(count, (chunk + 1) * kTileChunk); t++) {
          const TileGrid::Tile tile = grid.at(first + t);
          source.transform(tile, v + t * vRow, group * vRow);
          transform_dy(tile, w + t * NR, group * NR, wStep, chunkSums);
        }
      });
      if (db) for (int64_t chunk = 0; chunk < chunks; chunk++)
        for (int64_t o = 0; o < m; o++) db[o] = (first + chunk == 0 ? 0 : db[o]) + dySums[chunk * sRow + o];
      const int64_t rows = round_up(ceil_div(k, ceil_div(k, MB)), MR), rowChunks = ceil_div(k, rows);
      parallel_for(kPositions * rowChunks, [&](int64_t chunk) {
        const int64_t p = chunk / rowChunks, c0 = chunk % rowChunks * rows;
        block(imin(rows, k - c0), round_up(m, W), count, v + p * group * vRow + c0, 1, vRow, {w + p * wStep, group * NR, NR},
              {sums + (p * k + c0) * sRow, sRow, nullptr}, {first > 0, nullptr, kNone});
      });
    }
    transform_back(sums);
  }

 private:
  /** One tile of dy, zero past the grid's edge, as row of the panels at w; added to chunkSums. */
  void transform_dy(const TileGrid::Tile& tile, float* w, int64_t panel, int64_t step, float* chunkSums) const {
    const float* from = dy + ((tile.image * grid.h + tile.y) * grid.w + tile.x) * m;
    for (int64_t o = 0; o < m; o += W) {
      const int64_t left = m - o;
      vf g[25] = {}, s = load(chunkSums + o);
      for (int64_t i = 0; i < tile.rows; i++)
        for (int64_t j = 0; j < tile.cols; j++) {
          const float* p = from + (i * grid.w + j) * m + o;
          s += g[i * grid.size + j] = left >= W ? load(p) : load_part(p, left);
        }
      store(chunkSums + o, s);
      spread((int)grid.size, (const float*)g, W, w + o / NR * panel + o % NR, step);
    }
  }

  /** From [position][channel][oc] to OIHW. */
  void transform_back(const float* sums) const {
    const int64_t k = source.channels(), sRow = tile_row(m), rows = 64, rowChunks = ceil_div(k, rows);
    const int q = taps.taps();
    parallel_for(ceil_div(m, W) * rowChunks, [&](int64_t chunk) {
      const int64_t o = chunk / rowChunks * W, c0 = chunk % rowChunks * rows, lanes = imin(W, m - o);
      vf results[25];
      for (int64_t c = c0; c < imin(k, c0 + rows); c++) {
        gather(q, sums + c * sRow + o, k * sRow, results);
        for (int64_t i = 0; i < q * q; i++) {
          const int64_t at = taps.offset(c, i / q, i % q);
          if (at >= 0) for (int64_t lane = 0; lane < lanes; lane++) dw[at + (o + lane) * taps.colStride] = results[i][lane];
        }
      }
    });
  }
};

} } }  // namespace nn::NN_ISA::gemm_detail
