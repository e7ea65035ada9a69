#pragma once
// Elementary functions over vf: a few ulp in normal ranges, IEEE at ±inf, NaN and 0. Reductions and polynomials after
// Cephes (Moshier 1989) unless said; no table look-ups per lane on the common path.
#include "simd.h"

namespace nn { namespace NN_ISA {

// Doubles come in vectors of the same width, so half as many: a vf is worked on in two halves.
typedef double vd __attribute__((vector_size(NN_WIDTH * 4)));
typedef int64_t vl __attribute__((vector_size(NN_WIDTH * 4)));
typedef float vh __attribute__((vector_size(NN_WIDTH * 2)));
struct Halves { vh h[2]; };
NN_INLINE Halves halves(vf a) { Halves r; __builtin_memcpy(&r, &a, sizeof a); return r; }
NN_INLINE vf join(Halves a) { vf r; __builtin_memcpy(&r, &a, sizeof r); return r; }
/** The low 32 bits of W 64-bit lanes. */
NN_INLINE vi low_words(vd a, vd b) {
#if NN_WIDTH == 4
  return __builtin_shufflevector((vi)a, (vi)b, 0, 2, 4, 6);
#elif NN_WIDTH == 8
  return __builtin_shufflevector((vi)a, (vi)b, 0, 2, 4, 6, 8, 10, 12, 14);
#else
  return __builtin_shufflevector((vi)a, (vi)b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#endif
}
NN_INLINE vd to_double(vh a) { return __builtin_convertvector(a, vd); }
NN_INLINE vh to_single(vd a) { return __builtin_convertvector(a, vh); }

constexpr float kInf = __builtin_inff();
constexpr float kNaN = __builtin_nanf("");
constexpr float kPi = 3.14159265358979f, kPi2 = 1.57079632679490f, kPi4 = 0.785398163397448f;

/** Coefficients from the highest power down. */
template <class V> NN_INLINE V horner(V, V r) { return r; }
template <class... C> NN_INLINE vf horner(vf x, vf r, float c, C... rest) { return horner(x, fma(r, x, K(c)), rest...); }
template <class... C> NN_INLINE vd horner(vd x, vd r, double c, C... rest) { return horner(x, r * x + c, rest...); }

// ---- rounding: adding 2^23 leaves no room for a fraction; larger numbers are whole already ----
NN_INLINE vf round_even(vf x) {
#if defined(__wasm__)
  return __builtin_elementwise_roundeven(x);
#else
  vf big = copysign(K(8388608.f), x);
  vf r = copysign((x + big) - big, x);
  return select(abs(x) < K(8388608.f), r, x);
#endif
}
NN_INLINE vf floor(vf x) {
#if defined(__wasm__)
  return __builtin_elementwise_floor(x);
#else
  vf r = round_even(x);
  return copysign(select(r > x, r - K(1.f), r), x);
#endif
}
NN_INLINE vf ceil(vf x) { return -floor(-x); }
NN_INLINE vf trunc(vf x) { return copysign(floor(abs(x)), x); }

/** 2^n for whole n in [-126, 127]. */
NN_INLINE vf pow2(vi n) { return (vf)((n + KI(127)) << 23); }

struct Reduced { vf r; vi n; };
/** x = n·ln2 + r, |r| <= ln2/2. */
NN_INLINE Reduced reduce_ln2(vf x) {
  vf t = fma(x, K(1.44269504088896341f), K(12582912.f));
  vf n = t - K(12582912.f);
  vf r = fma(n, K(-0.693359375f), x);
  r = fma(n, K(2.12194440e-4f), r);
  return {r, (vi)t - KI(0x4b400000)};
}

NN_INLINE vf exp(vf x) {
  x = select(x > K(89.f), K(89.f), x);
  x = select(x < K(-104.f), K(-104.f), x);
  Reduced d = reduce_ln2(x);
  vf p = horner(d.r, K(1.9875691500e-4f), 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f);
  vf y = fma(p * d.r, d.r, d.r) + K(1.f);
  vi half = d.n >> 1;                      // two factors: 2^n alone overflows at n = 128 and flushes below -126
  return y * pow2(half) * pow2(d.n - half);
}

NN_INLINE vf expm1(vf x) {
  vf c = select(x > K(89.f), K(89.f), x);
  c = select(c < K(-30.f), K(-30.f), c);
  Reduced d = reduce_ln2(c);
  vf p = horner(d.r, K(1.9875691500e-4f), 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f);
  p = fma(p * d.r, d.r, d.r);              // e^r - 1
  vf s = pow2(d.n - 1);                    // half the scale, so that n = 128 does not overflow early
  vf y = fma(p, s, s - K(0.5f)) * K(2.f);
  return select(x == splat(0.f), x, y);           // keeps -0
}

NN_INLINE vf log(vf x) {
  vi tiny = x < K(1.17549435e-38f);
  vf scaled = select(tiny, x * K(8388608.f), x);
  vi bits = (vi)scaled - KI(0x3f3504f3);       // √½: m in [√½, √2)
  vi e = bits >> 23;
  vf m = (vf)((bits & KI(0x007fffff)) + KI(0x3f3504f3)) - K(1.f);
  vf k = to_float(e + (tiny & -23));
  vf z = m * m;
  vf p = horner(m, K(7.0376836292e-2f), -1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f, 1.4249322787e-1f,
                -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f);
  vf y = fma(k, K(-2.12194440e-4f), m * z * p);
  y = fma(z, K(-0.5f), y) + m;
  y = fma(k, K(0.693359375f), y);
  y = select(x > splat(0.f), y, K(kNaN));
  y = select(x == splat(0.f), K(-kInf), y);
  return select((x == K(kInf)) | (x != x), x, y);
}

/** log(1 + x): the rounding error of 1 + x is put back to first order (Kahan). */
NN_INLINE vf log1p(vf x) {
  vf u = K(1.f) + x;
  vf d = u - K(1.f);
  vf y = log(u) + (x - d) / u;
  y = select(u == K(1.f), x, y);
  return select((u == K(kInf)) | (u <= splat(0.f)), log(u), y);
}

// ---- circular functions ----
/** |x| >= 2^20, one lane: product with 2/π in fixed point (ARM optimized routines, sincosf). Returns r, sets the quadrant. */
NN_NOINLINE inline double reduce_huge(float x, int32_t* quadrant) {
  static constexpr uint32_t inv[24] = {
      0xa2,       0xa2f9,     0xa2f983,   0xa2f9836e, 0xf9836e4e, 0x836e4e44, 0x6e4e4415, 0x4e441529,
      0x441529fc, 0x1529fc27, 0x29fc2757, 0xfc2757d1, 0x2757d1f5, 0x57d1f534, 0xd1f534dd, 0xf534ddc0,
      0x34ddc0db, 0xddc0db62, 0xc0db6295, 0xdb629599, 0x6295993c, 0x95993c43, 0x993c4390, 0x3c439041};
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  const uint32_t* a = &inv[(bits >> 26) & 15];
  uint32_t m = ((bits & 0xffffff) | 0x800000) << ((bits >> 23) & 7);
  uint64_t lo = (uint64_t)m * a[8] >> 32;
  uint64_t f = (lo | (uint64_t)(m * a[0]) << 32) + (uint64_t)m * a[4];
  uint64_t n = (f + (1ull << 61)) >> 62;
  f -= n << 62;
  double r = (double)(int64_t)f * 3.4061215800304925e-19;  // π/2 · 2^-62
  bool negative = bits >> 31;
  *quadrant = negative ? -(int32_t)n : (int32_t)n;
  return negative ? -r : r;
}

NN_NOINLINE inline void reduce_huge_lanes(const float* x, float* r, int32_t* q) {
  for (int i = 0; i < W; i++) {
    float a = __builtin_fabsf(x[i]);
    if (a < 1048576.f) continue;
    q[i] = 0;
    r[i] = a < kInf ? (float)reduce_huge(x[i], &q[i]) : kNaN;
  }
}

/** x = n·π/2 + r, |r| <= π/4, r rounded once: the subtraction runs in double. */
NN_INLINE Reduced reduce_pi2(vf x) {
  Halves xs = halves(x), rounded;
  vd t[2];
  for (int i = 0; i < 2; i++) {
    vd xd = to_double(xs.h[i]);
    t[i] = xd * 0.63661977236758134 + 6755399441055744.0;
    vd n = t[i] - 6755399441055744.0;
    rounded.h[i] = to_single((xd - n * 1.5707963267341256) - n * 6.0771005065061922e-11);  // π/2 in 33 + 53 bits
  }
  vf r = join(rounded);
  vi q = low_words(t[0], t[1]);
  if (any(~(abs(x) < K(1048576.f)))) {
    alignas(NN_WIDTH * 4) float xs[W], rs[W];
    alignas(NN_WIDTH * 4) int32_t qs[W];
    store(xs, x), store(rs, r), storei(qs, q);
    reduce_huge_lanes(xs, rs, qs);
    r = load(rs), q = loadi(qs);
  }
  return {select(x == splat(0.f), x, r), q};
}
NN_INLINE vf sin_poly(vf r, vf z) {
  vf p = horner(z, K(-1.9515295891e-4f), 8.3321608736e-3f, -1.6666654611e-1f);
  return fma(p * z, r, r);
}
NN_INLINE vf cos_poly(vf z) {
  vf p = horner(z, K(2.443315711809948e-5f), -1.388731625493765e-3f, 4.166664568298827e-2f);
  return fma(p * z, z, fma(z, K(-0.5f), K(1.f)));
}
/** sin(x + quarter·π/2). */
NN_INLINE vf sin_shifted(vf x, int quarter) {
  Reduced d = reduce_pi2(x);
  vi q = d.n + quarter;
  vf z = d.r * d.r;
  vf y = select((q & 1) != 0, cos_poly(z), sin_poly(d.r, z));
  return (vf)((vi)y ^ (vi)((vu)(q & 2) << 30));
}
NN_INLINE vf sin(vf x) { return select(x == splat(0.f), x, sin_shifted(x, 0)); }  // keeps -0
NN_INLINE vf cos(vf x) { return sin_shifted(x, 1); }
NN_INLINE vf tan(vf x) {
  Reduced d = reduce_pi2(x);
  vf z = d.r * d.r;
  vf p = horner(z, K(9.38540185543e-3f), 3.11992232697e-3f, 2.44301354525e-2f, 5.34112807005e-2f, 1.33387994085e-1f, 3.33331568548e-1f);
  vf y = fma(p * z, d.r, d.r);
  return select((d.n & 1) != 0, K(-1.f) / y, y);
}

NN_INLINE vf asin_poly(vf x, vf z) {
  vf p = horner(z, K(4.2163199048e-2f), 2.4181311049e-2f, 4.5470025998e-2f, 7.4953002686e-2f, 1.6666752422e-1f);
  return fma(p * z, x, x);
}
NN_INLINE vf asin(vf x) {
  vf a = abs(x);
  vi far = a > K(0.5f);
  vf z = select(far, K(0.5f) * (K(1.f) - a), a * a);
  vf s = select(far, sqrt(z), a);
  vf y = asin_poly(s, z);
  return copysign(select(far, K(kPi2) - K(2.f) * y, y), x);
}
NN_INLINE vf acos(vf x) {
  vf a = abs(x);
  vi far = a > K(0.5f);
  vf z = select(far, K(0.5f) * (K(1.f) - a), a * a);
  vf s = select(far, sqrt(z), x);
  vf y = asin_poly(s, z);
  return select(far, select(x < splat(0.f), K(kPi) - K(2.f) * y, K(2.f) * y), K(kPi2) - y);
}
NN_INLINE vf atan_poly(vf x) {
  vf z = x * x;
  vf p = horner(z, K(8.05374449538e-2f), -1.38776856032e-1f, 1.99777106478e-1f, -3.33329491539e-1f);
  return fma(p * z, x, x);
}
NN_INLINE vf atan(vf x) {
  vf a = abs(x);
  vi far = a > K(2.414213562373095f), mid = (a > K(0.4142135623730950f)) & ~far;
  vf t = select(far, K(-1.f) / a, select(mid, (a - K(1.f)) / (a + K(1.f)), a));
  vf base = select(far, K(kPi2), select(mid, K(kPi4), splat(0.f)));
  return copysign(base + atan_poly(t), x);
}
NN_INLINE vf atan2(vf y, vf x) {
  vf ax = abs(x), ay = abs(y);
  vi steep = ay > ax;
  vf hi = select(steep, ay, ax), lo = select(steep, ax, ay);
  vf t = select(hi == splat(0.f), splat(0.f), select((lo == hi) & (hi == K(kInf)), K(1.f), lo / hi));
  vf r = atan(t);
  r = select(steep, K(kPi2) - r, r);
  r = select((vi)x < 0, K(kPi) - r, r);       // the sign bit: atan2(0, -0) = π
  r = copysign(r, y);
  return select((x != x) | (y != y), K(kNaN), r);
}

// ---- hyperbolic functions and sigmoid ----
NN_INLINE vf half_exp_large(vf a) { vf h = exp(K(0.5f) * a); return K(0.5f) * h * h; }
NN_INLINE vf sinh(vf x) {
  vf a = abs(x), t = expm1(a);
  vf y = K(0.5f) * (t + t / (t + K(1.f)));
  return copysign(select(a > K(88.f), half_exp_large(a), y), x);
}
NN_INLINE vf cosh(vf x) {
  vf a = abs(x), e = exp(a);
  return select(a > K(88.f), half_exp_large(a), fma(K(0.5f), e, K(0.5f) / e));
}
NN_INLINE vf tanh(vf x) {
  vf t = expm1(K(-2.f) * abs(x));
  return copysign(-t / (t + K(2.f)), x);
}
NN_INLINE vf sigmoid(vf x) {
  vf e = exp(-abs(x)), r = K(1.f) / (K(1.f) + e);
  return select(x < 0.f, e * r, r);        // e overflows nowhere, and small results keep their digits
}

/** Coefficients: N. Juffa, "erff", about 1 ulp. */
NN_INLINE vf erf(vf x) {
  vf t = abs(x), s = x * x;
  vf r = fma(K(-1.72853470e-5f), t, K(3.83197126e-4f));
  vf u = fma(K(-3.88396438e-3f), t, K(2.42546219e-2f));
  r = horner(t, fma(r, s, u), -1.06777877e-1f, -6.34846687e-1f, -1.28717512e-1f);
  vf far = copysign(K(1.f) - exp(select(t > K(6.f), K(-kInf), fma(r, t, -t))), x);
  vf near = horner(s, K(-5.96761703e-4f), 4.99119423e-3f, -2.67681349e-2f, 1.12819925e-1f, -3.76125336e-1f, 1.28379166e-1f);
  near = fma(near, x, x);
  return select(t > K(0.927734375f), far, near);
}

// ---- power and remainder, in double: y·log x needs more than 24 bits ----
/** 2^(y·log2 x) for finite x > 0, the logarithm to about 40 bits; overflow and denormals by the last conversion. */
NN_INLINE vf pow_positive(vf x, vf y) {
  vi tiny = x < K(1.17549435e-38f);
  vi bits = (vi)select(tiny, x * K(8388608.f), x) - KI(0x3f3504f3);
  Halves e = halves(to_float((bits >> 23) + (tiny & -23))), ms = halves((vf)((bits & KI(0x007fffff)) + KI(0x3f3504f3))), ys = halves(y), out;
  for (int i = 0; i < 2; i++) {
    vd m = to_double(ms.h[i]);
    vd s = (m - 1.0) / (m + 1.0), z = s * s;       // log m = 2·atanh(s), |s| < 0.1716
    vd l = horner(z, z * (1.0 / 15) + 1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5, 1.0 / 3, 1.0);
    vd t = (to_double(e.h[i]) + l * s * 2.8853900817779268) * to_double(ys.h[i]);  // 2/ln2
    t = t > 200.0 ? t - t + 200.0 : t;
    t = t < -200.0 ? t - t - 200.0 : t;
    vd k = t + 6755399441055744.0;
    vd r = (t - (k - 6755399441055744.0)) * 0.69314718055994531;
    vd p = horner(r, r * (1.0 / 40320) + 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1.0, 1.0);
    vl n = (vl)k - 0x4338000000000000ll;
    out.h[i] = to_single(p * (vd)((n + 1023) << 52));
  }
  return join(out);
}
/** C99 pow, special cases included. */
NN_NOINLINE inline vf pow(vf x, vf y) {  // long, and its call costs little beside it
  vf a = abs(x), ay = abs(y);
  vf r = pow_positive(select((a > splat(0.f)) & (a < K(kInf)), a, K(1.f)), select(ay < K(1e30f), y, copysign(K(1e30f), y)));
  vi up = (y > splat(0.f));
  r = select(a == splat(0.f), select(up, splat(0.f), K(kInf)), r);
  r = select(a == kInf, select(up, K(kInf), splat(0.f)), r);
  vi whole = (floor(y) == y);
  vi odd = whole & (ay < K(16777216.f)) & (floor(K(0.5f) * y) != K(0.5f) * y);
  r = select(odd, copysign(r, x), r);
  r = select((x < splat(0.f)) & (a < K(kInf)) & ~whole & (ay < K(kInf)), K(kNaN), r);
  r = select((x != x) | (y != y), K(kNaN), r);
  return select((y == splat(0.f)) | (x == K(1.f)) | ((a == K(1.f)) & (ay == K(kInf))), K(1.f), r);
}

/** a mod b with the sign of b (Python, PyTorch remainder); exact. One lane. */
inline float remainder_lane(float a, float b) {
  double x = __builtin_fabs((double)a), d = __builtin_fabs((double)b);
  if (!(x < (double)kInf) || b != b || d == 0) return kNaN;
  while (x >= d) {                             // each round removes up to 24 bits of the quotient, without rounding
    double s = d;
    while (x >= s * 16777216.0) s *= 16777216.0;
    x -= (double)(int64_t)(x / s) * s;
    if (x < 0) x += s;
  }
  float r = (float)(a < 0 ? -x : x);
  if (r != 0 && (r < 0) != (b < 0)) return r + b;
  return r == 0 ? __builtin_copysignf(0.f, b) : r;
}
NN_INLINE vf mod(vf a, vf b) {
  vf r;
  for (int i = 0; i < W; i++) r[i] = remainder_lane(a[i], b[i]);
  return r;
}

NN_INLINE vf sign(vf x) { return select(x > 0.f, splat(1.f), select(x < 0.f, splat(-1.f), x)); }  // ±0 and NaN as they are

} }  // namespace nn::NN_ISA
