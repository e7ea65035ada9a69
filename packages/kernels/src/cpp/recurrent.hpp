#pragma once
// Recurrent layers over whole sequences, time-major. A block of batch rows runs through all steps on its own, so there is
// no barrier between steps; W_hh is packed once and shared. Input projections and weight gradients are products over all
// steps at once and not done here (packages/tensor/src/cpu/recurrent.ts).
//
// Past a sequence's own end (lengths) its state stands still: y and gates are zero there, gradients pass through.
#include "abi.gen.h"
#include "gemm.hpp"
#include "lanes.h"

namespace nn { namespace NN_ISA {
namespace recurrent_detail {
using namespace gemm_detail;

enum Cell : int { kLstm = 0, kGru = 1, kPlainTanh = 2, kPlainRelu = 3 };
constexpr int64_t kPad = 16;  // floats between rows of a state, so that rows of 2 KiB do not meet in L1

/** How the batch is cut: blocks of 16 rows, from 128 rows on eight or more blocks of up to 48. */
struct RowBlocks {
  int64_t count, rows;
  explicit RowBlocks(int64_t batch) : count(imax(ceil_div(batch, 48), imin(8, ceil_div(batch, 16)))), rows(ceil_div(batch, count)) {}
};

/** Floats per row of gates: what forward saves, and what backward makes. */
inline int64_t saved_width(int64_t cell, int64_t n) { return cell == kLstm ? 5 * n : cell == kGru ? 4 * n : n; }
inline int64_t grad_width(int64_t cell, int64_t n) { return cell == kLstm || cell == kGru ? 4 * n : n; }

/** Whether row b takes part in step t. */
struct Alive {
  const int32_t* lengths;
  bool operator()(int64_t b, int64_t t) const { return !lengths || t < lengths[b]; }
  bool any(int64_t r0, int64_t r1, int64_t t) const {
    for (int64_t b = r0; b < r1; b++) if ((*this)(b, t)) return true;
    return false;
  }
};

NN_INLINE void copy_or_zero(float* to, const float* from, int64_t n) {
  if (from) copy_bytes(to, from, n * 4);
  else fill_bytes(to, 0, n * 4);
}

/** f(j, lanes) over n elements: one copy of the code, so that the tail costs no space. */
template <class F> NN_INLINE void each_vector(int64_t n, F&& f) {
  for (int64_t j = 0; j < n; j += W) f(j, imin(W, n - j));
}

// ---- one row, one step; g: projections with h·W_hhᵀ added ----
/** g = i f g o c: c' = σ(f)·c + σ(i)·tanh(g), h' = σ(o)·tanh(c') (Hochreiter 1997, with the forget gate of Gers 2000). */
NN_NOINLINE inline void lstm_row(int64_t n, float* g, float* c, float* h) {
  each_vector(n, [&](int64_t j, int64_t m) {
    const vf i = sigmoid(load_n(g + j, m)), f = sigmoid(load_n(g + n + j, m)), u = tanh(load_n(g + 2 * n + j, m)), o = sigmoid(load_n(g + 3 * n + j, m));
    const vf next = fma(f, load_n(c + j, m), i * u);
    store_n(g + j, i, m), store_n(g + n + j, f, m), store_n(g + 2 * n + j, u, m), store_n(g + 3 * n + j, o, m), store_n(g + 4 * n + j, next, m);
    store_n(c + j, next, m);
    store_n(h + j, o * tanh(next), m);
  });
}

/** g = n r z s: h' = (1 − z)·n + z·h, n = tanh(g_n + r·s) with s = W_hn·h + b_hn (Cho 2014, the reset after the product). */
NN_NOINLINE inline void gru_row(int64_t n, float* g, float* h) {
  each_vector(n, [&](int64_t j, int64_t m) {
    const vf r = sigmoid(load_n(g + n + j, m)), z = sigmoid(load_n(g + 2 * n + j, m)), u = tanh(fma(r, load_n(g + 3 * n + j, m), load_n(g + j, m)));
    store_n(g + j, u, m), store_n(g + n + j, r, m), store_n(g + 2 * n + j, z, m);
    store_n(h + j, fma(z, load_n(h + j, m) - u, u), m);
  });
}

NN_NOINLINE inline void plain_row(int64_t n, bool relu, float* g, float* h) {
  each_vector(n, [&](int64_t j, int64_t m) {
    const vf a = load_n(g + j, m);
    store_n(h + j, relu ? select(a < 0.f, vf{}, a) : tanh(a), m);
  });
}

// ---- the same backwards; dh: gradient of h' in, of h (all but its way through W_hh) out ----
/** d = di df dg do; `before` is c (null: zeros), dc the gradient of c' in, of c out. */
NN_NOINLINE inline void lstm_row_grad(int64_t n, const float* g, const float* before, const float* dy, float* dh, float* dc, float* d) {
  each_vector(n, [&](int64_t j, int64_t m) {
    const vf i = load_n(g + j, m), f = load_n(g + n + j, m), u = load_n(g + 2 * n + j, m), o = load_n(g + 3 * n + j, m);
    const vf t = tanh(load_n(g + 4 * n + j, m)), was = before ? load_n(before + j, m) : vf{};
    const vf gradient = load_n(dh + j, m) + (dy ? load_n(dy + j, m) : vf{});
    const vf cell = fma(gradient * o, 1.f - t * t, load_n(dc + j, m));
    store_n(d + j, cell * u * i * (1.f - i), m);
    store_n(d + n + j, cell * was * f * (1.f - f), m);
    store_n(d + 2 * n + j, cell * i * (1.f - u * u), m);
    store_n(d + 3 * n + j, gradient * t * o * (1.f - o), m);
    store_n(dc + j, cell * f, m);
    store_n(dh + j, vf{}, m);
  });
}

/** d = dn dr dz ds; `before` is h (null: zeros). */
NN_NOINLINE inline void gru_row_grad(int64_t n, const float* g, const float* before, const float* dy, float* dh, float* d) {
  each_vector(n, [&](int64_t j, int64_t m) {
    const vf u = load_n(g + j, m), r = load_n(g + n + j, m), z = load_n(g + 2 * n + j, m), s = load_n(g + 3 * n + j, m);
    const vf was = before ? load_n(before + j, m) : vf{};
    const vf gradient = load_n(dh + j, m) + (dy ? load_n(dy + j, m) : vf{});
    const vf dn = gradient * (1.f - z) * (1.f - u * u);
    store_n(d + j, dn, m);
    store_n(d + n + j, dn * s * r * (1.f - r), m);
    store_n(d + 2 * n + j, gradient * (was - u) * z * (1.f - z), m);
    store_n(d + 3 * n + j, dn * r, m);
    store_n(dh + j, gradient * z, m);
  });
}

/** y is h', which tells the slope of the activation. */
NN_NOINLINE inline void plain_row_grad(int64_t n, bool relu, const float* y, const float* dy, float* dh, float* d) {
  each_vector(n, [&](int64_t j, int64_t m) {
    const vf h = load_n(y + j, m), gradient = load_n(dh + j, m) + (dy ? load_n(dy + j, m) : vf{});
    store_n(d + j, relu ? select(h > 0.f, gradient, vf{}) : gradient * (1.f - h * h), m);
    store_n(dh + j, vf{}, m);
  });
}

/** rows of C (+)= A·B over all k blocks of a packed B. */
inline void product(int64_t rows, const float* a, int64_t as, const SharedPanels& b, float* c, int64_t ldc, bool add, const float* bias) {
  for (int64_t kb = 0; kb < b.blocks.count; kb++) {
    const int64_t p0 = b.blocks.begin(kb), kc = b.blocks.end(kb) - p0;
    block(rows, b.n, kc, a + p0, as, 1, b.at(kb, 0), {c, ldc, nullptr}, {add || kb > 0, kb + 1 == b.blocks.count ? bias : nullptr, kNone});
  }
}

inline void pack(const SharedPanels& b, Matrix src) {
  b.pack([&](int64_t p0, int64_t kc, int64_t j, int64_t cols, float* dst) { pack_panel(kc, cols, src.at(p0, j), dst); });
}

}  // namespace recurrent_detail

inline void recurrent(const RecurrentArgs& a) {
  using namespace recurrent_detail;
  const int64_t n = a.hidden, T = a.steps, width = saved_width(a.cell, n), ld = n + kPad;
  const bool gru = a.cell == kGru, plain = a.cell >= kPlainTanh;
  float* gates = plain ? a.y : a.gates;
  // Where h·W_hhᵀ goes: added to the projections, but gru keeps the last third (the state's part of n) to itself.
  const int64_t added = (a.cell == kLstm ? 4 : gru ? 2 : 1) * n;
  const SharedPanels sums{(float*)a.scratch, added, Blocks(n)}, own{(float*)a.scratch + n * round_up(added, NR), n, Blocks(n)};
  pack(sums, {a.weight, 1, n});
  if (gru) pack(own, {a.weight + added * n, 1, n});
  float* state = (float*)a.scratch + n * (round_up(added, NR) + (gru ? round_up(n, NR) : 0));  // [batch][h, padded]
  const RowBlocks blocks(a.batch);
  const Alive alive{a.lengths};

  parallel_for(blocks.count, [&](int64_t index) {
    const int64_t r0 = index * blocks.rows, r1 = imin(a.batch, r0 + blocks.rows), rows = r1 - r0;
    if (rows <= 0) return;
    float* h = state + r0 * ld;
    for (int64_t r = 0; r < rows; r++) copy_or_zero(h + r * ld, a.h0 ? a.h0 + (r0 + r) * n : nullptr, n);
    if (a.cell == kLstm) copy_or_zero(a.c + r0 * n, a.c0 ? a.c0 + r0 * n : nullptr, rows * n);
    for (int64_t step = 0; step < T; step++) {
      const int64_t t = a.reverse ? T - 1 - step : step, first = t * a.batch + r0;
      float* g = gates + first * width;
      if (alive.any(r0, r1, t)) {
        product(rows, h, ld, sums, gru ? g + n : g, width, true, a.bias);
        if (gru) product(rows, h, ld, own, g + 3 * n, width, false, a.bias ? a.bias + added : nullptr);
      }
      for (int64_t r = 0; r < rows; r++) {
        float *y = a.y + (first + r) * n, *row = g + r * width, *hr = h + r * ld;
        if (!alive(r0 + r, t)) {
          fill_bytes(row, 0, width * 4);
          fill_bytes(y, 0, n * 4);
          continue;
        }
        if (a.cell == kLstm) lstm_row(n, row, a.c + (r0 + r) * n, hr);
        else if (gru) gru_row(n, row, hr);
        else plain_row(n, a.cell == kPlainRelu, row, hr);
        copy_bytes(y, hr, n * 4);
      }
    }
    for (int64_t r = 0; r < rows; r++) copy_bytes(a.h + (r0 + r) * n, h + r * ld, n * 4);
  });
}

inline void recurrentGrad(const RecurrentGradArgs& a) {
  using namespace recurrent_detail;
  const int64_t n = a.hidden, T = a.steps, width = saved_width(a.cell, n), out = grad_width(a.cell, n);
  const int64_t skip = a.cell == kGru ? n : 0, k = out - skip, ld = out + kPad;  // gru: dn does not pass W_hh
  const SharedPanels back{(float*)a.scratch, n, Blocks(k)};
  pack(back, {a.weight, n, 1});
  float* local = (float*)a.scratch + k * round_up(n, NR);  // [batch][gate gradients of this step, padded]
  const RowBlocks blocks(a.batch);
  const Alive alive{a.lengths};

  parallel_for(blocks.count, [&](int64_t index) {
    const int64_t r0 = index * blocks.rows, r1 = imin(a.batch, r0 + blocks.rows), rows = r1 - r0;
    if (rows <= 0) return;
    float *d = local + r0 * ld, *dh = a.dh0 + r0 * n, *dc = a.cell == kLstm ? a.dc0 + r0 * n : nullptr;
    copy_or_zero(dh, a.dh ? a.dh + r0 * n : nullptr, rows * n);
    if (dc) copy_or_zero(dc, a.dc ? a.dc + r0 * n : nullptr, rows * n);
    for (int64_t step = T - 1; step >= 0; step--) {
      const int64_t t = a.reverse ? T - 1 - step : step, before = a.reverse ? t + 1 : t - 1;
      for (int64_t r = 0; r < rows; r++) {
        const int64_t b = r0 + r, at = t * a.batch + b;
        float *dr = d + r * ld, *dhr = dh + r * n;
        if (!alive(b, t)) {
          fill_bytes(dr, 0, out * 4);
          fill_bytes(a.dgates + at * out, 0, out * 4);
          continue;
        }
        const bool first = before < 0 || before >= T || !alive(b, before);  // of this sequence, in the order of its steps
        const int64_t was = before * a.batch + b;
        const float *g = a.gates + at * width, *y = a.y + at * n, *dy = a.dy ? a.dy + at * n : nullptr;
        if (a.cell == kLstm) lstm_row_grad(n, g, first ? (a.c0 ? a.c0 + b * n : nullptr) : a.gates + was * width + 4 * n, dy, dhr, dc + r * n, dr);
        else if (a.cell == kGru) gru_row_grad(n, g, first ? (a.h0 ? a.h0 + b * n : nullptr) : a.y + was * n, dy, dhr, dr);
        else plain_row_grad(n, a.cell == kPlainRelu, y, dy, dhr, dr);
        copy_bytes(a.dgates + at * out, dr, out * 4);
      }
      if (alive.any(r0, r1, t)) product(rows, d + skip, ld, back, dh, n, true, nullptr);
    }
  });
}

} }  // namespace nn::NN_ISA
