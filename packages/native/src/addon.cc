// The Node-API module: { abi, isas, create(isa?) }. create() makes one engine: its argument array, its thread pool, its arenas.
// Every engine has a pool of its own, so engines of several worker threads of one process do not meet.
#include <node_api.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "abi.gen.h"
#include "pool.h"

// ---- platform part of the pool ----
static void pool_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}
#ifdef __linux__
static void pool_wait(uint32_t* address, uint32_t expected) {
  syscall(SYS_futex, address, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}
static void pool_wake(uint32_t* address, uint32_t count) {
  syscall(SYS_futex, address, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}
#else
static pthread_mutex_t sleep_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sleep_condition = PTHREAD_COND_INITIALIZER;
static void pool_wait(uint32_t* address, uint32_t expected) {
  pthread_mutex_lock(&sleep_mutex);
  while (pool_load(address) == expected) pthread_cond_wait(&sleep_condition, &sleep_mutex);
  pthread_mutex_unlock(&sleep_mutex);
}
static void pool_wake(uint32_t*, uint32_t) {
  pthread_mutex_lock(&sleep_mutex);
  pthread_cond_broadcast(&sleep_condition);
  pthread_mutex_unlock(&sleep_mutex);
}
#endif

// ---- instruction sets ----
typedef void (*Kernel)(const double*);
extern "C" const Kernel* nn_kernels_baseline();
#ifdef NN_X86
extern "C" const Kernel* nn_kernels_avx2();
extern "C" const Kernel* nn_kernels_avx512();
#endif

struct Isa { const char* name; const Kernel* kernels; };
/** Best first; returns how many this processor runs. */
static int supported(Isa* list) {
  int n = 0;
#ifdef NN_X86
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
    list[n++] = {"avx512", nn_kernels_avx512()};
  if (avx2) list[n++] = {"avx2", nn_kernels_avx2()};
#endif
  list[n++] = {"baseline", nn_kernels_baseline()};
  return n;
}

// ---- one engine ----
constexpr int kMaxThreads = kPoolThreads;
constexpr size_t kStack = 1 << 20;  // kernels use at most 96 KB of it

struct Instance {
  Pool pool;
  double call[1 + NN_ABI_MAX_DOUBLES];  // kernel id, then its arguments
  const Kernel* kernels;
  int workers;
  pthread_t thread[kMaxThreads];
};
struct Start { Instance* instance; uint32_t index; };

/** The engine whose kernel runs on this thread; absent in pool threads, where a nested parallel_for runs inline. */
static thread_local Instance* current = nullptr;

extern "C" void nn_parallel(int64_t chunks, void (*fn)(void*, int64_t), void* context) {
  if (current) return pool_run(&current->pool, chunks, fn, context);
  for (int64_t i = 0; i < chunks; i++) fn(context, i);
}
extern "C" int32_t nn_thread_count() { return current ? (int32_t)current->pool.limit : 1; }

static void* work(void* data) {
  Start start = *(Start*)data;
  free(data);
  pool_work(&start.instance->pool, start.index);
  return nullptr;
}

/** Starts missing threads (they stay, parked, when the number falls); returns the number in use, less if the system refuses. */
static int set_threads(Instance* in, int threads, uint32_t spin) {
  threads = threads < 1 ? 1 : threads > kMaxThreads ? kMaxThreads : threads;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStack);
  while (in->workers < threads - 1) {
    Start* start = (Start*)malloc(sizeof(Start));
    *start = {in, (uint32_t)in->workers + 1};
    if (pthread_create(&in->thread[in->workers], &attributes, work, start) != 0) {
      free(start);
      threads = in->workers + 1;
      break;
    }
    in->workers++;
  }
  pthread_attr_destroy(&attributes);
  pool_set_limit(&in->pool, (uint32_t)threads, spin);
  return threads;
}

static void destroy(napi_env, void* data, void*) {
  Instance* in = (Instance*)data;
  pool_store(&in->pool.stop, 1u);
  pool_set_limit(&in->pool, kMaxThreads, 0);
  for (int i = 0; i < in->workers; i++) pthread_join(in->thread[i], nullptr);
  free(in);
}

static napi_value call_run(napi_env env, napi_callback_info info) {
  void* data;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  Instance* in = (Instance*)data;
  int id = (int)in->call[0];
  if (id < 0 || id >= NN_KERNEL_COUNT + NN_JOB_COUNT) {
    napi_throw_range_error(env, nullptr, "no such kernel");
    return nullptr;
  }
  Instance* before = current;
  current = in;
  in->kernels[id](in->call + 1);
  current = before;
  return nullptr;
}

static napi_value call_set_threads(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value argument[2], result;
  void* data;
  napi_get_cb_info(env, info, &count, argument, nullptr, &data);
  int32_t threads = 1, spin = 0;
  napi_get_value_int32(env, argument[0], &threads);
  napi_get_value_int32(env, argument[1], &spin);
  napi_create_int32(env, set_threads((Instance*)data, threads, (uint32_t)spin), &result);
  return result;
}

static void unmap(napi_env, void* data, void* bytes) { munmap(data, (size_t)bytes); }

/** Fresh address space on a boundary of large pages, or MAP_FAILED. */
static void* map_arena(size_t bytes) {
  constexpr size_t kPage = 2 << 20;
  char* p = (char*)mmap(nullptr, bytes + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return p;
  const size_t before = (kPage - (uintptr_t)p % kPage) % kPage;
  if (before) munmap(p, before);
  munmap(p + before + bytes, kPage - before);
#ifdef MADV_HUGEPAGE
  // Fewer TLB misses and faults: 20 % on passes over 64 MiB. Where the system refuses, small pages do.
  madvise(p + before, bytes, MADV_HUGEPAGE);
#endif
  return p + before;
}

/** arena(bytes) → { buffer, address } or undefined if the system has no such memory. Pages are committed when first touched. */
static napi_value call_arena(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument, buffer, address, result;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  int64_t bytes = 0;
  napi_get_value_int64(env, argument, &bytes);
  void* data = bytes > 0 ? map_arena((size_t)bytes) : MAP_FAILED;
  if (data == MAP_FAILED) return nullptr;
  if (napi_create_external_arraybuffer(env, data, (size_t)bytes, unmap, (void*)bytes, &buffer) != napi_ok) {
    munmap(data, (size_t)bytes);  // a host that forbids external memory (Electron): let it allocate
    if (napi_create_arraybuffer(env, (size_t)bytes, &data, &buffer) != napi_ok) return nullptr;
  }
  napi_create_object(env, &result);
  napi_create_double(env, (double)(uintptr_t)data, &address);
  napi_set_named_property(env, result, "buffer", buffer);
  napi_set_named_property(env, result, "address", address);
  return result;
}

static void method(napi_env env, napi_value object, const char* name, napi_callback callback, void* data) {
  napi_value fn;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, data, &fn);
  napi_set_named_property(env, object, name, fn);
}
static void text(napi_env env, napi_value object, const char* name, const char* value) {
  napi_value string;
  napi_create_string_utf8(env, value, NAPI_AUTO_LENGTH, &string);
  napi_set_named_property(env, object, name, string);
}
static void keep(napi_env, void*, void*) {}

static napi_value call_create(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument, result, buffer;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  char wanted[32] = "";
  if (count > 0) napi_get_value_string_utf8(env, argument, wanted, sizeof wanted, nullptr);
  Isa list[3];
  const int n = supported(list);
  const Isa* isa = wanted[0] ? nullptr : &list[0];
  for (int i = 0; i < n && !isa; i++)
    if (strcmp(list[i].name, wanted) == 0) isa = &list[i];
  void* memory = nullptr;
  if (!isa) {
    napi_throw_range_error(env, nullptr, "this processor or build has no such instruction set");
    return nullptr;
  }
  if (posix_memalign(&memory, 64, sizeof(Instance)) != 0) {
    napi_throw_error(env, nullptr, "out of memory");
    return nullptr;
  }
  memset(memory, 0, sizeof(Instance));
  Instance* in = (Instance*)memory;
  in->kernels = isa->kernels;
  in->pool.limit = 1;
  napi_create_object(env, &result);
  napi_wrap(env, result, in, destroy, nullptr, nullptr);
  if (napi_create_external_arraybuffer(env, in->call, sizeof in->call, keep, nullptr, &buffer) != napi_ok) {
    napi_throw_error(env, nullptr, "this host forbids external array buffers");
    return nullptr;
  }
  napi_set_named_property(env, result, "call", buffer);
  text(env, result, "isa", isa->name);
  method(env, result, "run", call_run, in);
  method(env, result, "setThreads", call_set_threads, in);
  method(env, result, "arena", call_arena, nullptr);
  return result;
}

NAPI_MODULE_INIT() {
  Isa list[3];
  const int n = supported(list);
  napi_value isas;
  napi_create_array(env, &isas);
  for (int i = 0; i < n; i++) {
    napi_value name;
    napi_create_string_utf8(env, list[i].name, NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, isas, (uint32_t)i, name);
  }
  text(env, exports, "abi", NN_ABI_HASH);
  napi_set_named_property(env, exports, "isas", isas);
  method(env, exports, "create", call_create, nullptr);
  return exports;
}
