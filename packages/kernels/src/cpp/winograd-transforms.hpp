#pragma once
// Winograd's transforms on seven points (Lavin & Gray 2015, "Fast Algorithms for Convolutional Neural Networks").
//
// A product of polynomials is known from its values: along one axis, q filter taps meet 7 pixels in 8 − q results by 7
// multiplications. The same seven points serve 3 taps → 5 results and 5 taps → 3 results, hence 3×3 and 5×5 filters, F(5×5, 3×3) and
// F(3×3, 5×5), and with filter and results exchanged their weight gradients. In the plane 49 products replace 225.
//   results = gather((spread taps) ∘ (image pixels))
//
// Points 0, ±½, ±1, 3, ∞: of simple ones with two ± pairs (which halve the work), those of least error. Beside f64, for normal data
// and AlexNet's channels, the relative root mean square is 1.5e-6 to 4.3e-6 and no error above 1e-5 of the largest result; the direct sum
// of 256 channels has 0.9e-6 and 1.2e-6. 0, ±½, ±1, 2, ∞ is a tenth worse; six points 0, ±√½, ±√2, ∞ have a third of the error, but take
// 15 % (3×3) to 65 % (5×5) more products per result; eight points have half as much error again.
#include "microkernel.hpp"

namespace nn { namespace NN_ISA { namespace gemm_detail {

constexpr int kPoints = 7, kPositions = kPoints * kPoints;
constexpr float kA = 0.5f, kB = 1, kC = 3;  // points 0, kA, −kA, kB, −kB, kC, ∞

struct Powers {  // a table, for clang calls a function although its arguments are known
  float of[5];
  constexpr explicit Powers(float x) : of{1, x, x * x, x * x * x, x * x * x * x} {}
};
constexpr Powers kPowersA(kA), kPowersB(kB), kPowersC(kC);

/** Seven pixels d → coefficients of every point: d ⋆ the polynomial through all other points. */
struct ImageLine {
  static NN_INLINE void run(const vf* d, vf* v) {
    constexpr float a2 = kA * kA, b2 = kB * kB, sum = a2 + b2, product = a2 * b2;  // x(x² − a²)(x² − b²) = x⁵ − sum·x³ + product·x
    vf e[6];
    v[5] = fma(product, d[1], fma(-sum, d[3], d[5]));
    NN_UNROLL for (int i = 0; i < 6; i++) e[i] = fma(-kC, d[i], d[i + 1]);  // the factor x − kC, which all others have
    v[0] = fma(product, e[0], fma(-sum, e[2], e[4]));
    v[6] = fma(product, e[1], fma(-sum, e[3], e[5]));
    const vf evenA = fma(-b2, e[2], e[4]), oddA = fma(-b2, e[1], e[3]), evenB = fma(-a2, e[2], e[4]), oddB = fma(-a2, e[1], e[3]);
    v[1] = fma(kA, oddA, evenA), v[2] = fma(-kA, oddA, evenA), v[3] = fma(kB, oddB, evenB), v[4] = fma(-kB, oddB, evenB);
  }
};

/** Q taps g → their polynomial's value at every point, divided by what the product of differences to the other points leaves. */
template <int Q> struct SpreadLine {
  static NN_INLINE void pair(const vf* g, vf* v, const Powers& p, float plus, float minus) {
    vf even = g[0], odd = p.of[1] * g[1];
    NN_UNROLL for (int k = 2; k < Q; k++) k % 2 ? odd = fma(p.of[k], g[k], odd) : even = fma(p.of[k], g[k], even);
    v[0] = plus * (even + odd), v[1] = minus * (even - odd);
  }
  static NN_INLINE void run(const vf* g, vf* v) {
    constexpr float a2 = kA * kA, b2 = kB * kB, c2 = kC * kC;
    v[0] = (-1 / (a2 * b2 * kC)) * g[0];
    pair(g, v + 1, kPowersA, 1 / (2 * a2 * (a2 - b2) * (kA - kC)), 1 / (2 * a2 * (a2 - b2) * (-kA - kC)));
    pair(g, v + 3, kPowersB, 1 / (2 * b2 * (b2 - a2) * (kB - kC)), 1 / (2 * b2 * (b2 - a2) * (-kB - kC)));
    vf c = g[0];
    NN_UNROLL for (int k = 1; k < Q; k++) c = fma(kPowersC.of[k], g[k], c);
    v[5] = (1 / (kC * (c2 - a2) * (c2 - b2))) * c;
    v[6] = g[Q - 1];
  }
};

/** Products m at every point → Q results, the transpose of an evaluation. */
template <int Q> struct GatherLine {
  static NN_INLINE void run(const vf* m, vf* y) {
    const vf sumA = m[1] + m[2], differenceA = m[1] - m[2], sumB = m[3] + m[4], differenceB = m[3] - m[4];
    y[0] = m[0] + sumA + sumB + m[5];
    NN_UNROLL for (int k = 1; k < Q; k++) {
      const vf a = k % 2 ? differenceA : sumA, b = k % 2 ? differenceB : sumB;
      y[k] = fma(kPowersA.of[k], a, fma(kPowersB.of[k], b, kPowersC.of[k] * m[5]));
    }
    y[Q - 1] += m[6];
  }
};

/** One transform along both axes: at(i, j) gives the I×I inputs, to(i, j, v) takes the O×O outputs. */
template <class Line, int I, int O, class At, class To> NN_INLINE void both_axes(At&& at, To&& to) {
  vf t[O][I];
  for (int j = 0; j < I; j++) {
    vf d[I], v[O];
    NN_UNROLL for (int i = 0; i < I; i++) d[i] = at(i, j);
    Line::run(d, v);
    NN_UNROLL for (int i = 0; i < O; i++) t[i][j] = v[i];
  }
  for (int i = 0; i < O; i++) {
    vf v[O];
    Line::run(t[i], v);
    NN_UNROLL for (int j = 0; j < O; j++) to(i, j, v[j]);
  }
}

/** W channels of a tile's 49 pixels; position p of the result goes to v + p·step. */
NN_NOINLINE inline void image_plane(const float* const* pixels, int64_t c, float* v, int64_t step) {
  both_axes<ImageLine, kPoints, kPoints>([&](int i, int j) { return load(pixels[i * kPoints + j] + c); },
                                         [&](int i, int j, vf value) { store(v + (i * kPoints + j) * step, value); });
}

/** Q×Q taps, one vector of filters each, gStep apart; position p goes to v + p·step. */
template <int Q> NN_NOINLINE void spread_plane(const float* g, int64_t gStep, float* v, int64_t step) {
  both_axes<SpreadLine<Q>, Q, kPoints>([&](int i, int j) { return load(g + (i * Q + j) * gStep); },
                                       [&](int i, int j, vf value) { store(v + (i * kPoints + j) * step, value); });
}
inline void spread(int q, const float* g, int64_t gStep, float* v, int64_t step) {
  q == 3 ? spread_plane<3>(g, gStep, v, step) : spread_plane<5>(g, gStep, v, step);
}

/** Q×Q results y from products at position p, m + p·step. */
template <int Q> NN_NOINLINE void gather_plane(const float* m, int64_t step, vf* y) {
  both_axes<GatherLine<Q>, kPoints, Q>([&](int i, int j) { return load(m + (i * kPoints + j) * step); }, [&](int i, int j, vf value) { y[i * Q + j] = value; });
}
inline void gather(int q, const float* m, int64_t step, vf* y) { q == 3 ? gather_plane<3>(m, step, y) : gather_plane<5>(m, step, y); }

} } }  // namespace nn::NN_ISA::gemm_detail
