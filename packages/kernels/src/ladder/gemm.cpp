// The ladder of C[m,n] = A[m,k] · B[k,n], row-major f32: each version says what it changes and what that gains.
//
//     g++ -O3 -std=c++17 -Wno-psabi -DNN_WIDTH=16 -DNN_ISA=avx512 -mavx512f -mavx512vl -mavx512dq -mavx512bw -mfma gemm.cpp && ./a.out 512
//     g++ -O3 -std=c++17 -Wno-psabi -DNN_WIDTH=8 -DNN_ISA=avx2 -mavx2 -mfma gemm.cpp && ./a.out 512
//
// GFLOP/s, one core of a Zen 4 (FMA peak 117), best of several:
//
//                                                      AVX-512 12×32        AVX2 6×16           SSE2 4×8 (mul+add peak 58)
//     n                                             256   512  1024     256   512  1024     256   512  1024
//     v0 the definition                             2.6   0.6   0.6     2.6   0.7   0.6     2.6   0.7   0.6
//     v1 inner loop along rows: vectors            57.5  45.7  40.3    57.6  47.8  41.2    28.8  25.2  25.1
//     v2 a tile of C in registers                 114.5 107.5 101.1   114.4  95.6  74.8    36.3  31.5  27.5
//     v3 B packed into panels                     112.4 110.4 102.3   113.1 107.5 106.9    36.5  35.2  35.6
//     v4 k in blocks                              112.5 109.1  95.1   113.1 106.2  99.2    36.5  35.6  34.7
//     v5 A packed by blocks of rows               112.0 107.7 103.0   111.5 110.3 105.8    36.5  36.9  37.0
//     v6 shipped                                  110.4 106.6 102.5   109.7 109.9 106.3    36.3  36.8  35.7
//
// The tile in registers is nearly all of it on this machine (1 MB of L2, 32 MB of L3). Packing B pays where tiles are
// narrow (more rows of B per flop); blocks of k alone lose, for C is walked once per block, and win back with v5,
// where C's block stays in L2. v5 and v6 hold their speed at sizes beyond the shared cache and for transposed operands.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../cpp/gemm.hpp"

using namespace nn::NN_ISA;
using namespace nn::NN_ISA::gemm_detail;

extern "C" void nn_parallel(int64_t chunks, void (*fn)(void*, int64_t), void* context) {
  for (int64_t i = 0; i < chunks; i++) fn(context, i);
}
extern "C" int32_t nn_thread_count() { return 1; }

/** Version 0: the definition. Every step waits for the sum before it, and B is read down its columns. */
static void v0(int64_t m, int64_t n, int64_t k, const float* a, const float* b, float* c, float*) {
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      float s = 0;
      for (int64_t p = 0; p < k; p++) s += a[i * k + p] * b[p * n + j];
      c[i * n + j] = s;
    }
}

/** Version 1: loops i, p, j, so that the inner one runs along rows of B and C and fills vectors. C is loaded and stored once per k. */
static void v1(int64_t m, int64_t n, int64_t k, const float* __restrict a, const float* __restrict b, float* __restrict c, float*) {
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < n; j++) c[i * n + j] = 0;
    for (int64_t p = 0; p < k; p++)
      for (int64_t j = 0; j < n; j++) c[i * n + j] += a[i * k + p] * b[p * n + j];
  }
}

/** Version 2: a tile of C stays in registers over the whole of k: MR·NR multiply-adds for MR + NR loads. Operands are read in place. */
static void v2(int64_t m, int64_t n, int64_t k, const float* a, const float* b, float* c, float*) {
  block(m, n, k, a, k, 1, {b, NR, n}, {c, n, nullptr}, {false, nullptr, kNone});  // n a multiple of a vector
}

/** Version 3: B is packed into panels of NR columns, so that a tile reads one contiguous stream on few pages. */
static void v3(int64_t m, int64_t n, int64_t k, const float* a, const float* b, float* c, float* scratch) {
  const Panels panels = pack_panels(k, n, {b, n, 1}, scratch);
  block(m, n, k, a, k, 1, panels, {c, n, nullptr}, {false, nullptr, kNone});
}

/** Version 4: k is cut into blocks of KC, so that a panel (KC·NR) stays near; the tile of C is added to once per block. */
static void v4(int64_t m, int64_t n, int64_t k, const float* a, const float* b, float* c, float* scratch) {
  const Blocks blocks(k);
  for (int64_t kb = 0; kb < blocks.count; kb++) {
    const int64_t p0 = blocks.begin(kb), kc = blocks.end(kb) - p0;
    const Panels panels = pack_panels(kc, n, {b + p0 * n, n, 1}, scratch);
    block(m, n, kc, a + p0, k, 1, panels, {c, n, nullptr}, {kb > 0, nullptr, kNone});
  }
}

/** Version 5: rows are cut into blocks of MB whose part of A is packed too (on the stack): the block of A and of C stay in L2. */
static void v5(int64_t m, int64_t n, int64_t k, const float* a, const float* b, float* c, float* scratch) {
  const SharedPanels shared{scratch, n, Blocks(k)};
  shared.pack([&](int64_t p0, int64_t kc, int64_t j, int64_t cols, float* dst) { pack_panel(kc, cols, {b + p0 * n + j, n, 1}, dst); });
  alignas(64) static float buffer[MB * KC];
  for (int64_t i = 0; i < m; i += MB)
    for (int64_t kb = 0; kb < shared.blocks.count; kb++) {
      const int64_t rows = imin(MB, m - i), p0 = shared.blocks.begin(kb), kc = shared.blocks.end(kb) - p0;
      const Left left = pack_left(rows, kc, {a + i * k + p0, k, 1}, buffer);
      block(rows, n, kc, left.p, left.row, left.col, shared.at(kb, 0), {c + i * n, n, nullptr}, {kb > 0, nullptr, kNone});
    }
}

/** Version 6, shipped: chunks for threads, epilogues, narrow products, any strides (gemm.hpp). One thread gains nothing here. */
static void v6(int64_t m, int64_t n, int64_t k, const float* a, const float* b, float* c, float* scratch) {
  GemmArgs g = {};
  g.batch = 1; g.m = m; g.n = n; g.k = k;
  g.a = (float*)a; g.aRow = k; g.aCol = 1;
  g.b = (float*)b; g.bRow = n; g.bCol = 1;
  g.c = c; g.cRow = n; g.scratch = scratch;
  gemm(g);
}

static double seconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char** argv) {
  const int64_t n = argc > 1 ? atoll(argv[1]) : 512, bytes = n * n * 4 + 64;
  if (n % 32) return puts("take a multiple of 32: versions 2 to 4 read whole vectors"), 1;
  float *a = (float*)aligned_alloc(64, bytes), *b = (float*)aligned_alloc(64, bytes), *c = (float*)aligned_alloc(64, bytes);
  float *want = (float*)aligned_alloc(64, bytes), *scratch = (float*)aligned_alloc(64, bytes);
  for (int64_t i = 0; i < n * n; i++) { a[i] = (float)(i * 7 % 13 - 6) / 6; b[i] = (float)(i * 5 % 11 - 5) / 5; }
  v1(n, n, n, a, b, want, scratch);
  void (*const versions[])(int64_t, int64_t, int64_t, const float*, const float*, float*, float*) = {v0, v1, v2, v3, v4, v5, v6};
  int number = 0;
  for (auto version : versions) {
    double best = 1e9, start = seconds();
    for (int runs = 0; runs < 3 || (runs < 200 && seconds() - start < 0.5); runs++) {
      const double t = seconds();
      version(n, n, n, a, b, c, scratch);
      best = fmin(best, seconds() - t);
    }
    double error = 0;
    for (int64_t i = 0; i < n * n; i++) error = fmax(error, fabs(c[i] - want[i]));
    printf("v%d  %7.1f GFLOP/s  (largest difference %.1e)\n", number++, 2e-9 * (double)(n * n * n) / best, error);
  }
}
