#pragma once
// The inner tile of every matrix product: c[R, cols] (+)= a[R, kc] · b[kc, cols], C held in registers.
//
// Measured (one core of a Zen 4, kc = 320): 12×32 AVX-512 117.8, 6×16 AVX2 117.9, 4×8 SSE2 40.3 GFLOP/s, that is the
// FMA peak (117, 117) and two thirds of the mul+add one. Reading A through two runtime strides costs nothing against a
// packed A, so one kernel serves row-major, transposed, packed and in-place operands.
#include "parallel.h"
#include "math.h"
#include "simd.h"

#if defined(__clang__)
#define NN_UNROLL _Pragma("unroll")
#else
#define NN_UNROLL _Pragma("GCC unroll 16")
#endif

namespace nn { namespace NN_ISA {

enum Activation : int { kNone = 0, kRelu = 1, kSigmoid = 2, kTanh = 3 };

namespace gemm_detail {

// Accumulators: MR·2 vectors, beside 2 of B and 1 broadcast of A. 4×8 is the shape that V8 keeps in registers on every
// version (5×8 and 6×8 spill and run at half speed there).
constexpr int MR = W == 16 ? 12 : W == 8 ? 6 : 4;
constexpr int NR = 2 * W;
constexpr int KC = 256;  // depth of a block: a B panel is KC·NR·4 = 32 KiB with AVX-512, 16 KiB with AVX2
constexpr int MB = 84;   // rows of A packed at once (84·256·4 = 86 KB of stack, in L2); a multiple of 12, 6 and 4
constexpr int NB = 64;   // columns of B packed at once where B is packed per chunk (64 KiB of stack)

/** One tile. `a` steps by (as, ap) per row and per k; b rows are ldb apart; only full vectors of columns.
 *  add: c's old values join the sum; bias (or null) is added last; relu keeps NaN. */
using Micro = void (*)(ptrdiff_t kc, const float* a, ptrdiff_t as, ptrdiff_t ap, const float* b, ptrdiff_t ldb, float* c, ptrdiff_t ldc,
                       bool add, const float* bias, bool relu);

template <int R, int NV>
NN_NOINLINE void micro(ptrdiff_t kc, const float* a, ptrdiff_t as, ptrdiff_t ap, const float* b, ptrdiff_t ldb, float* c, ptrdiff_t ldc,
                       bool add, const float* bias, bool relu) {
  vf acc[R][NV];
  NN_UNROLL for (int i = 0; i < R; i++) NN_UNROLL for (int j = 0; j < NV; j++) acc[i][j] = vf{};
#if defined(__clang__)
#pragma clang loop unroll(disable)  // an unrolled k loop spills in V8 and halves the speed
#endif
  for (ptrdiff_t p = 0; p < kc; p++) {
    vf bv[NV];
    NN_UNROLL for (int j = 0; j < NV; j++) bv[j] = load(b + j * W);
    NN_UNROLL for (int i = 0; i < R; i++) {
      vf av = splat(a[i * as]);
      NN_UNROLL for (int j = 0; j < NV; j++) acc[i][j] = fma(av, bv[j], acc[i][j]);
    }
    a += ap;
    b += ldb;
  }
  if (add) NN_UNROLL for (int i = 0; i < R; i++) NN_UNROLL for (int j = 0; j < NV; j++) acc[i][j] += load(c + i * ldc + j * W);
  if (bias) NN_UNROLL for (int j = 0; j < NV; j++) {
    vf bj = load(bias + j * W);
    NN_UNROLL for (int i = 0; i < R; i++) acc[i][j] += bj;
  }
  if (relu) NN_UNROLL for (int i = 0; i < R; i++) NN_UNROLL for (int j = 0; j < NV; j++)
    acc[i][j] = select(acc[i][j] < 0.0f, vf{}, acc[i][j]);
  NN_UNROLL for (int i = 0; i < R; i++) NN_UNROLL for (int j = 0; j < NV; j++) store(c + i * ldc + j * W, acc[i][j]);
}

/** The kernel for `rows` (1..MR) rows and nv (1, 2) vectors of columns. */
template <int R = MR> inline Micro micro_for(int rows, int nv) {
  if constexpr (R > 1) if (rows < R) return micro_for<R - 1>(rows, nv);
  return nv == 1 ? (Micro)micro<R, 1> : (Micro)micro<R, 2>;
}

/** Sigmoid or tanh over rows of C (none and relu are done in the tile). */
NN_NOINLINE inline void activate(float* c, int64_t n, int act) {
  auto f = [act](vf x) { return act == kSigmoid ? sigmoid(x) : tanh(x); };
  int64_t j = 0;
  for (; j + W <= n; j += W) store(c + j, f(load(c + j)));
  if (j < n) store_part(c + j, f(load_part(c + j, n - j)), n - j);
}

/** Where a block of C lives: row i starts at c + i·ld, or at c + rowOffset[i] where rows are not evenly spaced. */
struct Target {
  float* c;
  int64_t ld;
  const int64_t* rowOffset;
  float* row(int64_t i) const { return c + (rowOffset ? rowOffset[i] : i * ld); }
};

/** What happens to a block of C beside A·B: add the old values; in the last k block add bias and apply act. */
struct Epilogue {
  bool add;
  const float* bias;  // of the block's first column, or null
  int act;            // kNone in all but the last k block
};

/** Packed or in-place panels of B: panel j (NR columns) starts at b + j·panel, its rows are ld apart.
 *  Every panel can be read in whole vectors. */
struct Panels { const float* b; int64_t panel, ld; };

/** C[rows, cols] (+)= A[rows, kc] · B[kc, cols]: panels outermost, so that a panel stays in L1 or L2 while tiles of A pass. */
NN_NOINLINE inline void block(int64_t rows, int64_t cols, int64_t kc, const float* a, int64_t as, int64_t ap, Panels b, Target c, Epilogue e) {
  const int64_t tiles = ceil_div(rows, MR), small = rows / tiles, bigger = rows % tiles;  // tiles of even height
  for (int64_t j = 0; j < cols; j += NR) {
    const int64_t width = imin(NR, cols - j);
    const int nv = width > W ? 2 : 1;
    const float* bj = b.b + j / NR * b.panel;
    const float* bias = e.bias ? e.bias + j : nullptr;
    const bool direct = width == nv * W && !c.rowOffset;
    const Micro big = micro_for((int)(small + (bigger > 0)), nv), low = micro_for((int)small, nv);
    for (int64_t t = 0, i = 0; t < tiles; t++) {
      const int r = (int)(small + (t < bigger));
      const Micro f = t < bigger ? big : low;
      if (direct) {
        // With a short k the misses of a cold C (and of A in place) show; 97 → 104 GFLOP/s at 20000×64×64; at k = 256 it costs 4 %.
        if (kc <= 128 && !e.add) for (int q = 0; q < r; q++) for (int64_t x = 0; x < width; x += 16) __builtin_prefetch(c.row(i + q) + j + x, 1);
        f(kc, a + i * as, as, ap, bj, b.ld, c.row(i) + j, c.ld, e.add, bias, e.act == kRelu);
      } else {  // through a full tile beside C
        alignas(64) float tile[MR * NR];
        f(kc, a + i * as, as, ap, bj, b.ld, tile, NR, false, nullptr, false);
        for (int q = 0; q < r; q++) {
          float* to = c.row(i + q) + j;
          const float* from = tile + q * NR;
          int64_t x = 0;
          for (; x + W <= width; x += W) {
            vf v = load_aligned(from + x);
            if (e.add) v += load(to + x);
            if (bias) v += load(bias + x);
            store(to + x, e.act == kRelu ? select(v < 0.0f, vf{}, v) : v);
          }
          for (; x < width; x++) {
            float v = from[x] + (e.add ? to[x] : 0.0f) + (bias ? bias[x] : 0.0f);
            to[x] = e.act == kRelu && v < 0 ? 0.0f : v;
          }
        }
      }
      if (e.act > kRelu) for (int q = 0; q < r; q++) activate(c.row(i + q) + j, width, e.act);
      i += r;
    }
  }
}

/** What C[rows, cols] becomes where k = 0, so that A·B is zero. */
NN_NOINLINE inline void empty_sum(int64_t rows, int64_t cols, Target c, Epilogue e) {
  for (int64_t i = 0; i < rows; i++) {
    float* to = c.row(i);
    for (int64_t j = 0; j < cols; j++) {
      const float v = (e.add ? to[j] : 0.0f) + (e.bias ? e.bias[j] : 0.0f);
      to[j] = e.act == kRelu && v < 0 ? 0.0f : v;
    }
    if (e.act > kRelu) activate(to, cols, e.act);
  }
}

/** k cut into even blocks of at most KC. */
struct Blocks {
  int64_t k, count, size;
  explicit Blocks(int64_t k) : k(k), count(ceil_div(k, KC)), size(count ? ceil_div(k, count) : 0) {}
  int64_t begin(int64_t i) const { return imin(k, i * size); }
  int64_t end(int64_t i) const { return imin(k, (i + 1) * size); }
};

}  // namespace gemm_detail
} }  // namespace nn::NN_ISA
