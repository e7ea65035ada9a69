#pragma once
// parallel_for: chunks of a kernel run by whichever thread claims them next.
//
// Rules for kernels: the number of chunks and what a chunk computes depend on SIZES only, never on the thread count,
// and partial results are combined by the caller in chunk order: same bits for any number of threads.
// A chunk should be worth 10 µs or more (about 32k elements of an add, 128×128×128 of a GEMM); with one chunk
// no other thread is woken. parallel_for inside a chunk runs inline. Chunks may be claimed in any order.
#include "simd.h"

/** Runs fn(context, chunk) for 0 <= chunk < chunks (at most 2^31) and returns when all are done. Given by the runtime
 *  (pool.h): threads in native code and in shared-memory WASM, a plain loop in single-thread WASM. */
extern "C" void nn_parallel(int64_t chunks, void (*fn)(void* context, int64_t chunk), void* context);
extern "C" int32_t nn_thread_count();

namespace nn { namespace NN_ISA {

template <class T> struct unref { using type = T; };
template <class T> struct unref<T&> { using type = T; };

template <class F> inline void parallel_for(int64_t chunks, F&& f) {
  if (chunks <= 0) return;
  if (chunks == 1) { f((int64_t)0); return; }
  using Fn = typename unref<F>::type;
  nn_parallel(chunks, [](void* context, int64_t chunk) { (*(Fn*)context)(chunk); }, (void*)&f);
}

/** Threads that may take part, the caller included. For decisions that cannot change a result bit (block order); never for splitting work. */
NN_INLINE int32_t thread_count() { return nn_thread_count(); }

} }  // namespace nn::NN_ISA
