#pragma once
// minstd_rand of the C++ library and its distributions as libstdc++ draws them: fastText's numbers.
#include "simd.h"

namespace nn { namespace NN_ISA {

/** Park & Miller 1988 with the multiplier of 1993: x = 48271·x mod 2³¹ - 1. */
struct Minstd {
  static constexpr uint32_t kModulus = 2147483647u;
  uint32_t x;

  explicit Minstd(int64_t seed) {
    x = (uint32_t)((uint64_t)(uint32_t)seed % kModulus);
    if (x == 0) x = 1;
  }
  NN_INLINE uint32_t next() {
    const uint64_t p = (uint64_t)x * 48271u;
    uint32_t y = (uint32_t)(p & kModulus) + (uint32_t)(p >> 31);
    if (y >= kModulus) y -= kModulus;
    return x = y;
  }
  /** 0 … n-1, 1 <= n. */
  NN_INLINE uint32_t below(uint32_t n) {
    const uint32_t share = (kModulus - 2) / n, end = share * n;
    uint32_t r;
    do r = next() - 1; while (r >= end);
    return r / share;
  }
  /** [0, 1) */
  NN_INLINE double uniform() {
    constexpr double kRange = 2147483646.0;
    const double low = (double)(next() - 1), high = (double)(next() - 1);
    const double u = (low + high * kRange) / (kRange * kRange);
    return u < 1.0 ? u : 0x1.fffffffffffffp-1;
  }
};

} }  // namespace nn::NN_ISA
