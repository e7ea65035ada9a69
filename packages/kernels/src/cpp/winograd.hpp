#pragma once
// 3×3 convolutions with stride 1 by Winograd's F(2×2, 3×3) (Lavin & Gray 2015, "Fast Algorithms for Convolutional Neural Networks"):
//   Y = Aᵀ[(G g Gᵀ) ∘ (Bᵀ d B)]A   for each 4×4 tile d of the image, summed over channels before the last step.
// 16 multiplications give 4 results where the sum of 9 taps needs 36. The sums over channels are 16 matrix products.
// F(2×2) and not F(4×4): its matrices hold only 0, ±1 and ½, and its results stay within the tolerance of direct convolution.
//
// Tiles pass in groups, so that what lies between the three phases stays in the shared cache.
#include "abi.gen.h"
#include "gemm.hpp"

namespace nn { namespace NN_ISA {
namespace gemm_detail {

/** y[n, oh, ow, m] = act(x[n, h, w, k] ⋆ filter + bias). Weight (row channel c, column o, tap t) lies at c·rowStride + o·colStride + t;
 *  flipped: taps counted down, as the input gradient wants them. */
struct Winograd {
  int64_t n, h, w, k, oh, ow, m, padTop, padLeft;
  const float *x, *weight;
  int64_t rowStride, colStride;
  bool flipped;
  const float* bias;
  int act;
  float* y;

  int64_t tilesY() const { return ceil_div(oh, 2); }
  int64_t tilesX() const { return ceil_div(ow, 2); }
  int64_t tiles() const { return n * tilesY() * tilesX(); }
  // Rows of V and M are a little longer than needed: rows a multiple of 2 KiB apart would meet in the same sets of L1.
  int64_t vRow() const { return round_up(k, 16) + 16; }
  int64_t mRow() const { return round_up(m, 32) + 16; }
  /** Tiles of a group: 16·group·k floats are about 4 MiB. */
  int64_t group() const { return imin(tiles(), imax(64, 65536 / k)); }
  int64_t filterSize() const { return k * round_up(m, NR); }

  /** Scratch: the transformed filter [16][filterSize], then a group of V [16][group][vRow] and M [16][group][mRow]. */
  void run(float* scratch) const {
    float* const u = scratch;
    float* const v = u + 16 * k * round_up(m, 32);
    float* const products = v + 16 * group() * vRow();
    transform_filter(u);
    const Blocks blocks(k);
    for (int64_t first = 0; first < tiles(); first += group()) {
      const int64_t count = imin(group(), tiles() - first), few = ceil_div(count, 8);
      parallel_for(few, [&](int64_t chunk) {
        for (int64_t t = chunk * 8, e = imin(count, t + 8); t < e; t++) transform_image(first + t, v + t * vRow());
      });
      const int64_t rowChunks = ceil_div(count, MB);
      parallel_for(16 * rowChunks, [&](int64_t chunk) {
        const int64_t p = chunk / rowChunks, r0 = chunk % rowChunks * MB, rows = imin(MB, count - r0);
        const SharedPanels panels{u + p * filterSize(), m, blocks};
        const float* a = v + (p * group() + r0) * vRow();
        float* c = products + (p * group() + r0) * mRow();
        for (int64_t kb = 0; kb < blocks.count; kb++)
          block(rows, m, blocks.end(kb) - blocks.begin(kb), a + blocks.begin(kb), vRow(), 1, panels.at(kb, 0), {c, mRow(), nullptr}, {kb > 0, nullptr, kNone});
      });
      parallel_for(few, [&](int64_t chunk) {
        for (int64_t t = chunk * 8, e = imin(count, t + 8); t < e; t++) transform_back(first + t, products + t * mRow());
      });
    }
  }

 private:
  /** U = G g Gᵀ for every pair of channels, packed as panels for each of the 16 positions. */
  NN_NOINLINE void transform_filter(float* u) const {
    const Blocks blocks(k);
    const int64_t panels = ceil_div(m, NR);
    parallel_for(blocks.count * panels, [&](int64_t chunk) {
      const int64_t kb = chunk / panels, j = chunk % panels * NR, p0 = blocks.begin(kb), kc = blocks.end(kb) - p0, cols = imin(NR, m - j);
      for (int64_t c = 0; c < kc; c++) {
        alignas(64) float out[16][NR] = {};
        for (int64_t q = 0; q < cols; q++) {
          const float* g = weight + (p0 + c) * rowStride + (j + q) * colStride;
          float t[4][3];
          for (int s = 0; s < 3; s++) {
            const float g0 = flipped ? g[8 - s] : g[s], g1 = flipped ? g[5 - s] : g[3 + s], g2 = flipped ? g[2 - s] : g[6 + s];
            t[0][s] = g0, t[1][s] = 0.5f * (g0 + g1 + g2), t[2][s] = 0.5f * (g0 - g1 + g2), t[3][s] = g2;
          }
          for (int r = 0; r < 4; r++) {
            const float g0 = t[r][0], g1 = t[r][1], g2 = t[r][2];
            out[r * 4][q] = g0, out[r * 4 + 1][q] = 0.5f * (g0 + g1 + g2), out[r * 4 + 2][q] = 0.5f * (g0 - g1 + g2), out[r * 4 + 3][q] = g2;
          }
        }
        for (int p = 0; p < 16; p++) {
          float* to = (float*)SharedPanels{u + p * filterSize(), m, blocks}.at(kb, j).b + c * NR;
          for (int q = 0; q < NR; q += W) store(to + q, load_aligned(out[p] + q));
        }
      }
    });
  }

  /** V = Bᵀ d B of one tile, all channels; position p goes to v + p·group·vRow. Outside the image d is 0. */
  NN_NOINLINE void transform_image(int64_t tile, float* v) const {
    const int64_t tx = tile % tilesX(), ty = tile / tilesX() % tilesY(), image = tile / (tilesX() * tilesY());
    const int64_t y0 = 2 * ty - padTop, x0 = 2 * tx - padLeft, step = group() * vRow();
    const float* base = x + ((image * h + y0) * w + x0) * k;
    bool in[4][4];
    for (int i = 0; i < 4; i++) for (int j = 0; j < 4; j++) in[i][j] = y0 + i >= 0 && y0 + i < h && x0 + j >= 0 && x0 + j < w;
    for (int64_t c = 0; c < k; c += W) {
      const int64_t left = k - c;
      vf t[4][4];
      NN_UNROLL for (int j = 0; j < 4; j++) {
        vf d[4];
        NN_UNROLL for (int i = 0; i < 4; i++) {
          const float* p = base + (i * w + j) * k + c;
          d[i] = !in[i][j] ? vf{} : left >= W ? load(p) : load_part(p, left);
        }
        t[0][j] = d[0] - d[2], t[1][j] = d[1] + d[2], t[2][j] = d[2] - d[1], t[3][j] = d[1] - d[3];
      }
      NN_UNROLL for (int i = 0; i < 4; i++) {
        float* to = v + i * 4 * step + c;  // rows of V have room for a whole vector
        store(to, t[i][0] - t[i][2]);
        store(to + step, t[i][1] + t[i][2]);
        store(to + 2 * step, t[i][2] - t[i][1]);
        store(to + 3 * step, t[i][1] - t[i][3]);
      }
    }
  }

  /** The 2×2 results of one tile: Aᵀ M A, then bias and activation. */
  NN_NOINLINE void transform_back(int64_t tile, const float* products) const {
    const int64_t tx = tile % tilesX(), ty = tile / tilesX() % tilesY(), image = tile / (tilesX() * tilesY());
    const int64_t step = group() * mRow();
    float* to = y + ((image * oh + 2 * ty) * ow + 2 * tx) * m;
    const bool below = 2 * ty + 1 < oh, right = 2 * tx + 1 < ow;
    for (int64_t o = 0; o < m; o += W) {
      const int64_t left = m - o;
      vf s[2][4];
      NN_UNROLL for (int j = 0; j < 4; j++) {
        const float* p = products + j * step + o;
        const vf m0 = load(p), m1 = load(p + 4 * step), m2 = load(p + 8 * step), m3 = load(p + 12 * step);
        s[0][j] = m0 + m1 + m2, s[1][j] = m1 - m2 - m3;
      }
      const vf b = !bias ? vf{} : left >= W ? load(bias + o) : load_part(bias + o, left);
      NN_UNROLL for (int i = 0; i < 2; i++) {
        if (i == 1 && !below) break;
        const vf first = s[i][0] + s[i][1] + s[i][2] + b, second = s[i][1] - s[i][2] - s[i][3] + b;
        write(to + i * ow * m + o, first, left);
        if (right) write(to + (i * ow + 1) * m + o, second, left);
      }
    }
  }

  NN_INLINE void write(float* to, vf v, int64_t left) const {
    if (act == kRelu) v = select(v < 0.0f, vf{}, v);
    else if (act == kSigmoid) v = sigmoid(v);
    else if (act == kTanh) v = tanh(v);
    left >= W ? store(to, v) : store_part(to, v, left);
  }
};

/** Whether it pays: enough channels to sum over, enough tiles to pass through the filter once it is transformed, little waste at the edges.
 *  Mirrored by `winogradTiles` in scratch.ts. */
template <class Args> inline bool is_winograd(const Args& a, int64_t outH, int64_t outW) {
  if (a.kh != 3 || a.kw != 3 || a.strideH != 1 || a.strideW != 1 || a.dilationH != 1 || a.dilationW != 1 || a.groups != 1) return false;
  const int64_t th = ceil_div(outH, 2), tw = ceil_div(outW, 2);
  return a.c >= 64 && a.oc >= 64 && a.n * th * tw >= 512 && 4 * th * tw * 3 <= outH * outW * 4;
}

}  // namespace gemm_detail
} }  // namespace nn::NN_ISA
