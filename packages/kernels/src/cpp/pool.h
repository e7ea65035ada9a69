#pragma once
// The thread pool behind parallel_for: work claiming, one region at a time.
//
// A region is one 64-bit word: generation << 32 | chunks left. Threads take a chunk by decreasing it (compare and swap),
// so a slow or descheduled thread delays one chunk only, never its "share": a fixed split with a barrier fell to 1 % of
// one thread's speed on a loaded machine. The description of a region (fn, context, chunks) is written only while
// no chunk is left, and a successful swap proves that the word, hence the description read before it, is still current.
//
// The platform gives pool_pause(), pool_wait(address, expected) and pool_wake(address, count); see wasm.cc and addon.cc.
#include <stdint.h>

static void pool_pause();
static void pool_wait(uint32_t* address, uint32_t expected);
static void pool_wake(uint32_t* address, uint32_t count);

struct Pool {
  alignas(64) uint64_t word;    // generation << 32 | chunks left
  void (*fn)(void*, int64_t);
  void* context;
  uint32_t chunks;
  alignas(64) uint32_t done;    // chunks finished in this region
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

/** Runs chunks of the open region until none is left. */
static inline void pool_claim(Pool* p) {
  uint64_t word = pool_load(&p->word);
  while ((uint32_t)word != 0) {
    auto fn = __atomic_load_n(&p->fn, __ATOMIC_RELAXED);
    void* context = __atomic_load_n(&p->context, __ATOMIC_RELAXED);
    uint32_t chunks = __atomic_load_n(&p->chunks, __ATOMIC_RELAXED);
    if (!__atomic_compare_exchange_n(&p->word, &word, word - 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) continue;
    fn(context, (int64_t)(chunks - (uint32_t)word));
    if (__atomic_add_fetch(&p->done, 1u, __ATOMIC_SEQ_CST) == chunks && pool_load(&p->waiting)) pool_wake(&p->done, 1);
    word = pool_load(&p->word);
  }
}

/** The life of worker `index` (1…): returns when the pool stops. */
static inline void pool_work(Pool* p, uint32_t index) {
  for (;;) {
    if (pool_load(&p->stop)) return;
    uint32_t limit = pool_load(&p->limit);
    if (index >= limit) { pool_wait(&p->limit, limit); continue; }
    uint32_t signal = pool_load(&p->signal);
    pool_claim(p);
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
  __atomic_store_n(&p->fn, fn, __ATOMIC_RELAXED);
  __atomic_store_n(&p->context, context, __ATOMIC_RELAXED);
  __atomic_store_n(&p->chunks, (uint32_t)chunks, __ATOMIC_RELAXED);
  pool_store(&p->done, 0u);
  uint64_t generation = (p->word >> 32) + 1;
  pool_store(&p->word, generation << 32 | (uint64_t)chunks);
  pool_raise(p, (uint32_t)chunks - 1);
  pool_claim(p);
  uint32_t spin = p->spin;
  for (;;) {
    uint32_t done = pool_load(&p->done);
    if (done == (uint32_t)chunks) break;
    if (spin > 0) { spin--; pool_pause(); continue; }
    pool_store(&p->waiting, 1u);
    pool_wait(&p->done, done);
    pool_store(&p->waiting, 0u);
  }
  pool_store(&p->active, 0u);
}
