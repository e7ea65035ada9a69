#pragma once
// C[m,n] (+)= act(A·B + bias), after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008.
//
// Products with a vector go to gemv.hpp. Otherwise two ways through, chosen by sizes alone (mirrored in scratch.ts):
//  narrow  few rows: every chunk packs its own columns of B on the stack (or reads them in place). Many chunks come from
//          columns, then rows, then k: a long k over a small C is cut into slabs whose sums are added in order.
//  wide    B is packed once into scratch, chunks are blocks of rows that pack their part of A on the stack.
#include "abi.gen.h"
#include "gemv.hpp"
#include "pack.hpp"

namespace nn { namespace NN_ISA {
namespace gemm_detail {

struct Problem {
  int64_t m, n, k;
  Matrix a, b;
  float* c;
  int64_t ldc;
  const float* bias;
  int act;
  bool accumulate;
};

constexpr int64_t kNarrowRows = 512;  // at most this many rows, and at most n / 2, are "few"
constexpr int64_t kSmall = 32 * 1024; // a B of at most this many floats is packed by each chunk, whatever m is
constexpr int64_t kSlab = 1024;       // shortest slab of k
constexpr int64_t kReadInPlace = 48;  // for so few rows, packing rows of B costs more than it saves: 43 → 32 ms at 32×9216×4096

inline bool is_narrow(int64_t m, int64_t n, int64_t k) {
  return (m <= kNarrowRows && 2 * m <= n) || m <= 64 || (n * k <= kSmall && m <= 4096);
}

/** How a narrow product is cut: columns by NB, then rows, then k, until there are 8 pieces or they get too small. */
struct NarrowPlan {
  int64_t colGroups, rowGroups, slabs;
  NarrowPlan(int64_t batch, int64_t m, int64_t n, int64_t k) {
    colGroups = ceil_div(n, NB);
    rowGroups = imax(1, imin(ceil_div(m, 24), ceil_div(8, batch * colGroups)));
    slabs = imax(1, imin(k / kSlab, ceil_div(8, batch * colGroups * rowGroups)));
  }
};

/** One piece of a narrow product: rows [r0,r1), columns [c0,c1) (at most NB), k [k0,k1). */
NN_NOINLINE inline void narrow_piece(const Problem& g, int64_t r0, int64_t r1, int64_t c0, int64_t c1, int64_t k0, int64_t k1, float* c, int64_t ldc,
                         Epilogue last) {
  alignas(64) float right[KC * NB];
  alignas(64) float left[KC * MR];
  const int64_t cols = c1 - c0;
  const Blocks blocks(k1 - k0);
  const bool inPlaceB = g.b.col == 1 && cols % W == 0 && r1 - r0 <= kReadInPlace;
  const bool inPlaceA = left_in_place(g.a);
  for (int64_t kb = 0; kb < blocks.count; kb++) {
    const int64_t p0 = k0 + blocks.begin(kb), kc = k0 + blocks.end(kb) - p0;
    const Matrix b = g.b.at(p0, c0);
    const Panels panels = inPlaceB ? Panels{b.p, NR, b.row} : pack_panels(kc, cols, b, right);
    const bool isLast = kb + 1 == blocks.count;
    const Epilogue e{kb > 0 || last.add, isLast ? last.bias : nullptr, isLast ? last.act : kNone};
    if (inPlaceA) {
      const Matrix a = g.a.at(r0, p0);
      block(r1 - r0, cols, kc, a.p, a.row, a.col, panels, {c + r0 * ldc + c0, ldc, nullptr}, e);
    } else {
      for (int64_t i = r0; i < r1; i += MR) {
        const int64_t r = imin(MR, r1 - i);
        const Left a = pack_left(r, kc, g.a.at(i, p0), left);
        block(r, cols, kc, a.p, a.row, a.col, panels, {c + i * ldc + c0, ldc, nullptr}, e);
      }
    }
  }
}

/** Sum of slabs in order, then what the epilogue asks; rows of C in parallel. */
inline void combine_slabs(const Problem& g, const float* partial, int64_t slabs) {
  const int64_t rows = imax(1, 8192 / (g.n * slabs + 1));
  parallel_for(ceil_div(g.m, rows), [&](int64_t chunk) {
    for (int64_t i = chunk * rows; i < imin(g.m, (chunk + 1) * rows); i++) {
      float* c = g.c + i * g.ldc;
      for (int64_t j = 0; j < g.n; j++) {
        float s = g.accumulate ? c[j] : 0.0f;
        for (int64_t q = 0; q < slabs; q++) s += partial[(q * g.m + i) * g.n + j];
        if (g.bias) s += g.bias[j];
        c[j] = g.act == kRelu && s < 0 ? 0.0f : s;
      }
      if (g.act > kRelu) activate(c, g.n, g.act);
    }
  });
}

inline void narrow(const GemmArgs& x, const Problem& g) {
  const NarrowPlan plan(x.batch, g.m, g.n, g.k);
  const int64_t pieces = x.batch * plan.slabs * plan.rowGroups * plan.colGroups;
  const int64_t flops = 2 * x.batch * g.m * g.n * g.k;
  const int64_t perChunk = imax(1, pieces * 1000000 / (flops + 1));  // a chunk is 10 µs or more
  const int64_t rows = ceil_div(g.m, plan.rowGroups), depth = ceil_div(g.k, plan.slabs);
  float* partial = (float*)x.scratch;
  parallel_for(ceil_div(pieces, perChunk), [&](int64_t chunk) {
    for (int64_t q = chunk * perChunk; q < imin(pieces, (chunk + 1) * perChunk); q++) {
      int64_t rest = q;
      const int64_t col = rest % plan.colGroups * NB; rest /= plan.colGroups;
      const int64_t row = rest % plan.rowGroups * rows; rest /= plan.rowGroups;
      const int64_t slab = rest % plan.slabs, item = rest / plan.slabs;
      Problem p = g;
      p.a.p += item * x.aBatch;
      p.b.p += item * x.bBatch;
      const int64_t r1 = imin(g.m, row + rows), c1 = imin(g.n, col + NB), k0 = slab * depth, k1 = imin(g.k, k0 + depth);
      if (row >= r1) continue;
      if (plan.slabs == 1) {
        narrow_piece(p, row, r1, col, c1, 0, g.k, g.c + item * x.cBatch, g.ldc, {g.accumulate, g.bias ? g.bias + col : nullptr, g.act});
      } else {
        float* c = partial + (item * plan.slabs + slab) * g.m * g.n;
        narrow_piece(p, row, r1, col, c1, k0, k1, c, g.n, {false, nullptr, kNone});
      }
    }
  });
  if (plan.slabs > 1) for (int64_t item = 0; item < x.batch; item++) {
    Problem p = g;
    p.c += item * x.cBatch;
    combine_slabs(p, partial + item * plan.slabs * g.m * g.n, plan.slabs);
  }
}

/** Chunks of a wide product: rows by at most MB and columns by a multiple of NB, aiming at 16 chunks or more. They go column group by
 *  column group, as the panels of B were packed: a thread's share reads those that it wrote. Between cores without a common cache a
 *  256×256×256 product went from 160 to 220 GFLOP/s. */
struct WidePlan {
  int64_t rows, rowGroups, cols, colGroups;
  WidePlan(int64_t m, int64_t n) {
    rowGroups = ceil_div(m, MB);
    if (rowGroups < 16) rowGroups = imax(rowGroups, imin(16, ceil_div(m, 48)));
    rows = round_up(ceil_div(m, rowGroups), MR);
    rowGroups = ceil_div(m, rows);
    cols = round_up(ceil_div(n, imin(ceil_div(16, rowGroups), ceil_div(n, 2 * NB))), NR);
    cols = imin(cols, 1024);
    colGroups = ceil_div(n, cols);
  }
  int64_t chunks() const { return rowGroups * colGroups; }
};

/** The loop that wide products and implicit convolutions share: C = Σ over k blocks of left(block)·panels.
 *  left(r0, rows, p0, kc, buffer) gives A's block, packed into the buffer (rows·kc floats) or in place. */
template <class LeftOf, class TargetOf>
inline void wide_loop(int64_t m, int64_t n, const SharedPanels& b, LeftOf&& left, TargetOf&& target, bool accumulate, const float* bias, int act) {
  const WidePlan plan(m, n);
  parallel_for(plan.chunks(), [&](int64_t chunk) {
    alignas(64) float buffer[MB * KC];
    int64_t offsets[MB];
    const int64_t r0 = chunk % plan.rowGroups * plan.rows, rows = imin(plan.rows, m - r0);
    const int64_t c0 = chunk / plan.rowGroups * plan.cols, cols = imin(plan.cols, n - c0);
    const Target c = target(r0, rows, c0, offsets);
    if (b.blocks.count == 0) return empty_sum(rows, cols, c, {accumulate, bias ? bias + c0 : nullptr, act});
    for (int64_t kb = 0; kb < b.blocks.count; kb++) {
      const int64_t p0 = b.blocks.begin(kb), kc = b.blocks.end(kb) - p0;
      const bool last = kb + 1 == b.blocks.count;
      const Left a = left(r0, rows, p0, kc, buffer);
      block(rows, cols, kc, a.p, a.row, a.col, b.at(kb, c0), c,
            {kb > 0 || accumulate, last && bias ? bias + c0 : nullptr, last ? act : kNone});
    }
  });
}

inline void wide(const GemmArgs& x, const Problem& g) {
  const SharedPanels b{(float*)x.scratch, g.n, Blocks(g.k)};
  // Up to eight panels, copying A costs more than its order gains: 20000×128×576 97 → 106 GFLOP/s (one thread), Aᵀ at 300×256×20000 77 → 90.
  const bool inPlaceA = g.n <= 8 * NR && left_in_place(g.a);
  for (int64_t item = 0; item < x.batch; item++) {
    const Matrix am{g.a.p + item * x.aBatch, g.a.row, g.a.col}, bm{g.b.p + item * x.bBatch, g.b.row, g.b.col};
    float* c = g.c + item * x.cBatch;
    if (item == 0 || x.bBatch != 0)
      b.pack([&](int64_t p0, int64_t kc, int64_t j, int64_t cols, float* dst) { pack_panel(kc, cols, bm.at(p0, j), dst); });
    wide_loop(
        g.m, g.n, b,
        [&](int64_t r0, int64_t rows, int64_t p0, int64_t kc, float* buffer) {
          const Matrix at = am.at(r0, p0);
          return inPlaceA ? Left{at.p, at.row, at.col} : pack_left(rows, kc, at, buffer);
        },
        [&](int64_t r0, int64_t, int64_t c0, int64_t*) { return Target{c + r0 * g.ldc + c0, g.ldc, nullptr}; }, g.accumulate, g.bias, g.act);
  }
}

}  // namespace gemm_detail

inline void gemm(const GemmArgs& x) {
  using namespace gemm_detail;
  if (x.batch <= 0 || x.m <= 0 || x.n <= 0) return;
  const Problem g{x.m, x.n, x.k, {x.a, x.aRow, x.aCol}, {x.b, x.bRow, x.bCol}, x.c, x.cRow, x.bias, (int)x.act, x.accumulate != 0};
  if (x.k <= 0) {
    for (int64_t i = 0; i < x.batch; i++) empty_sum(x.m, x.n, {x.c + i * x.cBatch, x.cRow, nullptr}, {g.accumulate, g.bias, g.act});
    return;
  }
  if (x.m == 1) {
    const VectorProduct v{x.n, x.k, x.a, x.aCol, g.b, x.c, 1, x.bias, 1, g.act, g.accumulate};
    if (is_vector_product(v)) return vector_products(v, x.batch, x.aBatch, x.bBatch, x.cBatch);
  }
  if (x.n == 1) {  // the same, transposed
    const VectorProduct v{x.m, x.k, x.b, x.bRow, {x.a, x.aCol, x.aRow}, x.c, x.cRow, x.bias, 0, g.act, g.accumulate};
    if (is_vector_product(v)) return vector_products(v, x.batch, x.bBatch, x.aBatch, x.cBatch);
  }
  if (is_narrow(x.m, x.n, x.k)) return narrow(x, g);
  wide(x, g);
}

} }  // namespace nn::NN_ISA
