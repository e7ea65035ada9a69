#pragma once
// Random numbers from a counter: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
//
// Element e = offset + i is word e mod 4 of the block with counter (e / 4 low, e / 4 high, stream low, stream high) and key
// (seedLo, seedHi). No state: any part of a stream can be made by any thread, engine or device.
// Uniform: the upper 24 bits of a word · 2^-24, in [0, 1), the same bits everywhere.
// Normal: Box–Muller on words (0, 1) and (2, 3): sqrt(-2 log(1 - u)) · (cos, sin)(2π v), |z| < 5.77.
#include "simd.h"
#include "parallel.h"
#include "abi.gen.h"
#include "math.h"

namespace nn { namespace NN_ISA { namespace random_detail {

constexpr int64_t kChunk = 16384;  // elements worth waking a thread for
constexpr int kBlocks = 64;        // blocks made at once: loops long enough for compilers to vectorise

/** Words of kBlocks blocks. Arrays and plain loops: compilers find the vector unit's 32×32→64 bit product in them. */
struct Blocks {
  alignas(64) uint32_t c[4][kBlocks];
};

inline void philox(Blocks& b, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < kBlocks; i++) {
      const uint64_t p = 0xD2511F53ull * b.c[0][i], q = 0xCD9E8D57ull * b.c[2][i];
      b.c[0][i] = (uint32_t)(q >> 32) ^ b.c[1][i] ^ key0;
      b.c[2][i] = (uint32_t)(p >> 32) ^ b.c[3][i] ^ key1;
      b.c[1][i] = (uint32_t)q;
      b.c[3][i] = (uint32_t)p;
    }
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
}

/** [0, 1) with 24 bits. */
NN_INLINE vf uniform(const uint32_t* word) {
  return to_float(loadi((const int32_t*)word) >> 8 & 0x00ffffff) * 0x1p-24f;
}

/** cos and sin of 2π·v, v in [0, 1): the quarter is exact, so there is no reduction error. */
NN_INLINE void turn(vf v, vf& cosine, vf& sine) {
  const vi quarter = to_int(v * 4.f + 0.5f);
  const vf r = (v * 4.f - to_float(quarter)) * kPi2, z = r * r;
  const vf s = sin_poly(r, z), c = cos_poly(z);
  const vi odd = (quarter & 1) != 0;
  cosine = (vf)((vu)select(odd, s, c) ^ ((vu)(quarter + 1) & 2) << 30);
  sine = (vf)((vu)select(odd, c, s) ^ ((vu)quarter & 2) << 30);
}

/** out[4·kBlocks] = the elements of kBlocks blocks from `block` on. */
inline void elements(const RandomArgs& a, uint64_t block, float* out) {
  Blocks b;
  for (int i = 0; i < kBlocks; i++) {
    b.c[0][i] = (uint32_t)(block + i);
    b.c[1][i] = (uint32_t)((block + i) >> 32);
    b.c[2][i] = (uint32_t)a.stream;
    b.c[3][i] = (uint32_t)((uint64_t)a.stream >> 32);
  }
  philox(b, (uint32_t)a.seedLo, (uint32_t)a.seedHi);
  alignas(64) float t[4][kBlocks];
  for (int k = 0; k < 4; k += 2)
    for (int i = 0; i < kBlocks; i += W) {
      vf u = uniform(b.c[k] + i), v = uniform(b.c[k + 1] + i);
      if (a.kind == 1) {
        const vf radius = sqrt(-2.f * log(1.f - u));
        turn(v, u, v);
        u *= radius;
        v *= radius;
      }
      store_aligned(t[k] + i, u);
      store_aligned(t[k + 1] + i, v);
    }
  for (int i = 0; i < kBlocks; i++)
    for (int k = 0; k < 4; k++) out[4 * i + k] = t[k][i];
}

}  // namespace random_detail

/** out[n] = elements offset … offset + n of the stream; kind 0 uniform in [0, 1), 1 standard normal. */
inline void random(const RandomArgs& a) {
  using namespace random_detail;
  parallel_for(ceil_div(a.n, kChunk), [&](int64_t chunk) {
    const int64_t end = imin(a.n, (chunk + 1) * kChunk);
    int64_t i = chunk * kChunk;
    uint64_t block = (uint64_t)(a.offset + i) >> 2;
    int64_t skip = (a.offset + i) & 3;  // elements of the first block that come before offset
    for (; i < end; block += kBlocks) {
      const int64_t count = imin(4 * kBlocks - skip, end - i);
      if (count == 4 * kBlocks) elements(a, block, a.out + i);
      else {
        float buffer[4 * kBlocks];
        elements(a, block, buffer);
        copy_bytes(a.out + i, buffer + skip, count * 4);
        skip = 0;
      }
      i += count;
    }
  });
}

} }  // namespace nn::NN_ISA
