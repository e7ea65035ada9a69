// The WASM module: freestanding, one unit. Variants {simd128, relaxed} × {one thread, shared memory}; the flags are in
// tooling/scripts/build-wasm.ts. JavaScript owns the memory: everything above __heap_base belongs to its allocator.
#include "families.h"

#define NN_EXPORT(name) extern "C" __attribute__((export_name(name), used, visibility("default")))

static double args[NN_ABI_MAX_DOUBLES];

/** Where run() finds its arguments. */
NN_EXPORT("args") double* nn_args() { return args; }
#ifdef NN_ONLY_JOBS
constexpr int32_t kFirstId = NN_KERNEL_COUNT;
#else
constexpr int32_t kFirstId = 0;
#endif
/** Runs kernel or job `id`. */
NN_EXPORT("run") void nn_run(int32_t id) { nn::NN_ISA::table[id - kFirstId](args); }

#ifdef __wasm_atomics__
#include "pool.h"

static void pool_pause() {}
static void pool_wait(uint32_t* address, uint32_t expected) {
  __builtin_wasm_memory_atomic_wait32((int*)address, (int)expected, -1);
}
static void pool_wake(uint32_t* address, uint32_t count) { __builtin_wasm_memory_atomic_notify((int*)address, count); }

static Pool pool;

extern "C" void nn_parallel(int64_t chunks, void (*fn)(void*, int64_t), void* context) {
  pool_run(&pool, chunks, fn, context);
}
extern "C" int32_t nn_thread_count() { return (int32_t)pool.limit; }

/** The loop of worker `index`, called in its own thread after __stack_pointer is set. Never returns. */
NN_EXPORT("work") void nn_work(int32_t index) { pool_work(&pool, (uint32_t)index); }
NN_EXPORT("setThreads") void nn_set_threads(int32_t threads, int32_t spin) {
  pool_set_limit(&pool, (uint32_t)threads, (uint32_t)spin);
}
#else
extern "C" void nn_parallel(int64_t chunks, void (*fn)(void*, int64_t), void* context) {
  for (int64_t i = 0; i < chunks; i++) fn(context, i);
}
extern "C" int32_t nn_thread_count() { return 1; }
#endif
