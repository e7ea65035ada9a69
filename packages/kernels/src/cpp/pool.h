#pragma once
// The thread pool behind parallel_for: work claiming, one region at a time.
//
// A region's chunks are dealt out in equal shares, one per thread: a thread meets the part of an array again that it met in
// the region before, in its own caches. (Two cores of one machine may have no cache in common: handing out chunks in order to whoever
// asks made chains of passes over a few MB up to 5 times slower there.) A share is one 64-bit word: generation << 32 |
// first << 16 | end. Its owner takes chunks from the front by compare and swap; threads that are done with their own take
// others' from the back, so a slow or descheduled thread delays one chunk only. (A fixed split with a barrier fell to 1 %
// of one thread's speed on a loaded machine.) The description of a region (fn, context, …) is written only while no chunk
// is left, and a successful swap proves that the word, hence the description read after it, is still current.
//
// The platform gives pool_pause(), pool_wait(address, expected) and pool_wake(address, count); see wasm.cc and addon.cc.
#include <stdint.h>

static void pool_pause();
static void pool_wait(uint32_t* address, uint32_t expected);
static void pool_wake(uint32_t* address, uint32_t count);

constexpr uint32_t kPoolThreads = 256;

struct Pool {
  struct alignas(64) Share { uint64_t word; } share[kPoolThreads];
  void (*fn)(void*, int64_t);
  void* context;
  int64_t chunks;
  int64_t grain;                // chunks taken at once: 1, but for more than 65,535 chunks a share
  uint32_t units;               // chunks / grain, rounded up
  uint32_t shares;
  uint32_t generation;
  alignas(64) uint32_t done;    // units finished in this region
  uint32_t waiting;             // the caller sleeps on `done`
  alignas(64) uint32_t signal;  // raised for every region and every change below; idle threads sleep on it
  uint32_t sleepers;
  alignas(64) uint32_t limit;   // threads taking part, caller included; thread i parks on this while i >= limit
  uint32_t spin;                // rounds of looking before sleeping
  uint32_t stop;
  uint32_t active;              // a region is open: a parallel_for from inside it runs inline
};

template <class T> static inline T pool_load(T* p) { return __atomic_load_n(p, __ATOMIC_SEQ_CST); }
template <class T> static inline void pool_store(T* p, T v) { __atomic_store_n(p, v, __ATOMIC_SEQ_CST); }

/** First unit of share s. */
static inline int64_t pool_begin(int64_t units, int64_t shares, int64_t s) { return units * s / shares; }

/** Runs chunks of the open region until none is left: those of the thread's own share, then what others have left. */
static inline void pool_claim(Pool* p, uint32_t index) {
  for (uint32_t i = 0; i < __atomic_load_n(&p->shares, __ATOMIC_RELAXED); i++) {
    const uint32_t s = (index + i) % __atomic_load_n(&p->shares, __ATOMIC_RELAXED);
    uint64_t word = pool_load(&p->share[s].word);
    for (;;) {
      const uint32_t first = (uint32_t)word >> 16, end = (uint32_t)word & 0xffff;
      if (first == end) break;
      auto fn = __atomic_load_n(&p->fn, __ATOMIC_RELAXED);
      void* context = __atomic_load_n(&p->context, __ATOMIC_RELAXED);
      const int64_t chunks = __atomic_load_n(&p->chunks, __ATOMIC_RELAXED), grain = __atomic_load_n(&p->grain, __ATOMIC_RELAXED);
      const uint32_t units = __atomic_load_n(&p->units, __ATOMIC_RELAXED), shares = __atomic_load_n(&p->shares, __ATOMIC_RELAXED);
      const uint64_t taken = i == 0 ? word + 0x10000 : word - 1;
      if (!__atomic_compare_exchange_n(&p->share[s].word, &word, taken, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) continue;
      const int64_t unit = pool_begin(units, shares, s) + (i == 0 ? first : end - 1);
      for (int64_t c = unit * grain; c < (unit + 1) * grain && c < chunks; c++) fn(context, c);
      if (__atomic_add_fetch(&p->done, 1u, __ATOMIC_SEQ_CST) == units && pool_load(&p->waiting)) pool_wake(&p->done, 1);
      word = pool_load(&p->share[s].word);
    }
  }
}

/** The life of worker `index` (1…): returns when the pool stops. */
static inline void pool_work(Pool* p, uint32_t index) {
  for (;;) {
    if (pool_load(&p->stop)) return;
    uint32_t limit = pool_load(&p->limit);
    if (index >= limit) { pool_wait(&p->limit, limit); continue; }
    uint32_t signal = pool_load(&p->signal);
    pool_claim(p, index);
    bool idle = true;
    for (uint32_t i = pool_load(&p->spin); idle && i > 0; i--) {
      pool_pause();
      idle = pool_load(&p->signal) == signal;
    }
    if (!idle) continue;
    __atomic_add_fetch(&p->sleepers, 1u, __ATOMIC_SEQ_CST);
    pool_wait(&p->signal, signal);
    __atomic_sub_fetch(&p->sleepers, 1u, __ATOMIC_SEQ_CST);
  }
}

static inline void pool_raise(Pool* p, uint32_t wake) {
  __atomic_add_fetch(&p->signal, 1u, __ATOMIC_SEQ_CST);
  if (pool_load(&p->sleepers)) pool_wake(&p->signal, wake);
}

/** Threads that take part from the next region on, and how long they look before they sleep. */
static inline void pool_set_limit(Pool* p, uint32_t limit, uint32_t spin) {
  pool_store(&p->spin, spin);
  pool_store(&p->limit, limit);
  pool_wake(&p->limit, 0x7fffffffu);
  pool_raise(p, 0x7fffffffu);
}

static inline void pool_run(Pool* p, int64_t chunks, void (*fn)(void*, int64_t), void* context) {
  if (p->limit < 2 || pool_load(&p->active) || chunks > 0x7fffffff) {
    for (int64_t i = 0; i < chunks; i++) fn(context, i);
    return;
  }
  pool_store(&p->active, 1u);
  const uint32_t shares = p->limit < chunks ? p->limit : (uint32_t)chunks;
  const int64_t most = 65535 * (int64_t)shares, grain = (chunks + most - 1) / most;
  const uint32_t units = (uint32_t)((chunks + grain - 1) / grain);
  __atomic_store_n(&p->fn, fn, __ATOMIC_RELAXED);
  __atomic_store_n(&p->context, context, __ATOMIC_RELAXED);
  __atomic_store_n(&p->chunks, chunks, __ATOMIC_RELAXED);
  __atomic_store_n(&p->grain, grain, __ATOMIC_RELAXED);
  __atomic_store_n(&p->units, units, __ATOMIC_RELAXED);
  __atomic_store_n(&p->shares, shares, __ATOMIC_RELAXED);
  pool_store(&p->done, 0u);
  const uint64_t generation = ++p->generation;
  for (uint32_t s = 0; s < shares; s++) pool_store(&p->share[s].word, generation << 32 | (uint64_t)(pool_begin(units, shares, s + 1) - pool_begin(units, shares, s)));
  pool_raise(p, units - 1);
  pool_claim(p, 0);
  uint32_t spin = p->spin;
  for (;;) {
    uint32_t done = pool_load(&p->done);
    if (done == units) break;
    if (spin > 0) { spin--; pool_pause(); continue; }
    pool_store(&p->waiting, 1u);
    pool_wait(&p->done, done);
    pool_store(&p->waiting, 0u);
  }
  pool_store(&p->active, 0u);
}
