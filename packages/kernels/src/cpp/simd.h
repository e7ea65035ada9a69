#pragma once
// Vectors of NN_WIDTH floats in compiler vector extensions: no intrinsics, no assembly, no libc.
//
// One source, many builds. A translation unit is compiled once per instruction set with
//     -DNN_WIDTH=4|8|16  -DNN_ISA=baseline|avx2|avx512|simd128|relaxed
// and everything that may be inlined lives in `namespace nn::NN_ISA`, so that no function compiled for
// AVX-512 is ever picked by the linker for the baseline build.
//
// How a kernel header looks (reduce.hpp, gemm.hpp, ...):
//
//     #pragma once
//     #include "simd.h"
//     #include "parallel.h"
//     #include "abi.gen.h"
//     namespace nn { namespace NN_ISA {
//     inline void reduce(const ReduceArgs& a) { ... }       // one function per kernel of abi.ts, same name
//     } }
//
// Helpers of a family go into a nested namespace (`namespace gemm_detail { ... }`), for all families are included
// into one unit by families.h, and kernel ids are dispatched through the table NN_KERNELS of abi.gen.h.
// Kernels use no static mutable state, no thread_local, no global constructors, no recursion; at most 96 KB of stack.
#include <stddef.h>
#include <stdint.h>

#ifndef NN_WIDTH
#define NN_WIDTH 4
#endif
#ifndef NN_ISA
#define NN_ISA baseline
#endif
#define NN_INLINE inline __attribute__((always_inline))
#define NN_NOINLINE __attribute__((noinline))

namespace nn { namespace NN_ISA {

constexpr int W = NN_WIDTH;  // floats per vector

typedef float vf __attribute__((vector_size(NN_WIDTH * 4), may_alias));
typedef int32_t vi __attribute__((vector_size(NN_WIDTH * 4), may_alias));
typedef uint32_t vu __attribute__((vector_size(NN_WIDTH * 4), may_alias));
typedef float vf_any __attribute__((vector_size(NN_WIDTH * 4), aligned(4), may_alias));
typedef int32_t vi_any __attribute__((vector_size(NN_WIDTH * 4), aligned(4), may_alias));
typedef float f32_alias __attribute__((may_alias));
typedef int32_t i32_alias __attribute__((may_alias));

// ---- load and store (float addresses need only 4-byte alignment) ----
NN_INLINE vf load(const float* p) { return (vf)*(const vf_any*)p; }
NN_INLINE void store(float* p, vf v) { *(vf_any*)p = (vf_any)v; }
NN_INLINE vf load_aligned(const float* p) { return *(const vf*)p; }
NN_INLINE void store_aligned(float* p, vf v) { *(vf*)p = v; }
NN_INLINE vi loadi(const int32_t* p) { return (vi)*(const vi_any*)p; }
NN_INLINE void storei(int32_t* p, vi v) { *(vi_any*)p = (vi_any)v; }
/** First n (0..W) lanes from memory, the others `fill`. */
NN_INLINE vf load_part(const float* p, int64_t n, float fill = 0) {
  alignas(NN_WIDTH * 4) float t[NN_WIDTH];
  for (int i = 0; i < W; i++) t[i] = i < n ? p[i] : fill;
  return load_aligned(t);
}
/** First n (0..W) lanes to memory. */
NN_INLINE void store_part(float* p, vf v, int64_t n) {
  alignas(NN_WIDTH * 4) float t[NN_WIDTH];
  store_aligned(t, v);
  for (int i = 0; i < n; i++) p[i] = t[i];
}

// ---- stores past the caches: a result larger than them is not read into them first, and what they hold stays ----
// GCC has no portable builtin for it; WASM has no such instruction, and a plain store does.
#if defined(__x86_64__)
constexpr bool kStreams = true;
/** p lies on a multiple of a vector's size. Call `stream_end` before another thread may read. */
NN_INLINE void stream(float* p, vf v) {
#if defined(__clang__)
  __builtin_nontemporal_store(v, (vf*)p);
#elif NN_WIDTH == 16
  __builtin_ia32_movntps512(p, v);
#elif NN_WIDTH == 8
  __builtin_ia32_movntps256(p, v);
#else
  __builtin_ia32_movntps(p, v);
#endif
}
NN_INLINE void stream_end() { __builtin_ia32_sfence(); }
#else
constexpr bool kStreams = false;
NN_INLINE void stream(float* p, vf v) { store_aligned(p, v); }
NN_INLINE void stream_end() {}
#endif

NN_INLINE vf splat(float x) { return x - (vf){}; }  // x - 0 keeps -0 and NaN; compiles to one broadcast
NN_INLINE vi splati(int32_t x) { return x - (vi){}; }
/** A constant for a loop. V8 rebuilds a vector constant at each use (about four instructions); a value the compiler
 *  cannot see through is computed once before the loop: exp went from 2.0 to 0.9 ns per element. */
NN_INLINE vf K(float x) {
  vf v = splat(x);
#if defined(__wasm__)
  asm("" : "+r"(v));
#endif
  return v;
}
NN_INLINE vi KI(int32_t x) {
  vi v = splati(x);
#if defined(__wasm__)
  asm("" : "+r"(v));
#endif
  return v;
}

// ---- arithmetic beyond the operators + - * / (which work on vf as they are) ----
/** a·b + c; fused where the instruction set has it (relaxed WASM, AVX2, AVX-512, NEON). */
#if defined(__wasm_relaxed_simd__)
NN_INLINE vf fma(vf a, vf b, vf c) { return (vf)__builtin_wasm_relaxed_madd_f32x4(a, b, c); }
#else
NN_INLINE vf fma(vf a, vf b, vf c) { return a * b + c; }
#endif
NN_INLINE float fma(float a, float b, float c) { return a * b + c; }
NN_INLINE vf fma(float a, vf b, vf c) { return fma(splat(a), b, c); }

/** Lane-wise m ? a : b; m is a comparison result (lanes 0 or -1). */
#if defined(__wasm_relaxed_simd__)
// One blend in V8; and clang turns a compare with ?: into relaxed_min, which loses NaN.
NN_INLINE vi selecti(vi m, vi a, vi b) { return (vi)__builtin_wasm_relaxed_laneselect_i32x4(a, b, m); }
NN_INLINE vf select(vi m, vf a, vf b) { return (vf)selecti(m, (vi)a, (vi)b); }
#else
NN_INLINE vf select(vi m, vf a, vf b) { return m ? a : b; }
NN_INLINE vi selecti(vi m, vi a, vi b) { return m ? a : b; }
#endif
/** min/max in one instruction; either operand may come out when one is NaN: use `max_nan` where it must propagate. */
NN_INLINE vf min(vf a, vf b) { return a < b ? a : b; }
NN_INLINE vf max(vf a, vf b) { return a > b ? a : b; }
NN_INLINE vf max_nan(vf a, vf b) { return ((a > b) | (a != a)) ? a : b; }
NN_INLINE vf min_nan(vf a, vf b) { return ((a < b) | (a != a)) ? a : b; }
NN_INLINE float max_nan(float a, float b) { return a > b || a != a ? a : b; }
NN_INLINE float min_nan(float a, float b) { return a < b || a != a ? a : b; }
NN_INLINE vf abs(vf a) {
#if defined(__clang__)
  return __builtin_elementwise_abs(a);
#else
  return (vf)((vi)a & 0x7fffffff);
#endif
}
NN_INLINE vf copysign(vf magnitude, vf sign) {
  return (vf)(((vi)magnitude & KI(INT32_MAX)) | ((vi)sign & KI(INT32_MIN)));
}
NN_INLINE vf sqrt(vf a) {
#if defined(__clang__)
  return __builtin_elementwise_sqrt(a);
#else
  vf r;
  for (int i = 0; i < W; i++) r[i] = __builtin_sqrtf(a[i]);
  return r;
#endif
}
NN_INLINE vf to_float(vi a) { return __builtin_convertvector(a, vf); }
NN_INLINE vi to_int(vf a) { return __builtin_convertvector(a, vi); }  // truncates; |a| < 2^31 expected
NN_INLINE bool any(vi m) {
#if defined(__wasm__)
  return __builtin_wasm_any_true_v128(m);
#else
  uint64_t t[NN_WIDTH / 2], r = 0;
  __builtin_memcpy(t, &m, sizeof t);
  for (int i = 0; i < W / 2; i++) r |= t[i];
  return r != 0;
#endif
}

// ---- across lanes, in a fixed order (halves are folded onto each other) ----
template <class Op> NN_INLINE float fold(vf v, Op op) {
  alignas(NN_WIDTH * 4) float t[NN_WIDTH];
  store_aligned(t, v);
  for (int h = W / 2; h > 0; h /= 2)
    for (int i = 0; i < h; i++) t[i] = op(t[i], t[i + h]);
  return t[0];
}
NN_INLINE float hsum(vf v) { return fold(v, [](float a, float b) { return a + b; }); }
NN_INLINE float hmax_nan(vf v) { return fold(v, [](float a, float b) { return max_nan(a, b); }); }
NN_INLINE float hmin_nan(vf v) { return fold(v, [](float a, float b) { return min_nan(a, b); }); }

// ---- bytes; both become memory.copy / memory.fill in WASM and libc's routine natively ----
NN_INLINE void copy_bytes(void* dst, const void* src, int64_t n) {
  if (n > 0) __builtin_memcpy(dst, src, (size_t)n);
}
NN_INLINE void fill_bytes(void* dst, int byte, int64_t n) {
  if (n > 0) __builtin_memset(dst, byte, (size_t)n);
}

// ---- small integers ----
NN_INLINE int64_t imin(int64_t a, int64_t b) { return a < b ? a : b; }
NN_INLINE int64_t imax(int64_t a, int64_t b) { return a > b ? a : b; }
NN_INLINE int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
NN_INLINE int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

} }  // namespace nn::NN_ISA
