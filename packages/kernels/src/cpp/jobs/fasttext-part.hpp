#pragma once
// A part of a training run: its record (see `fastTextPart` in job-abi.ts), and what happens between its lines.
#include "fasttext-text.hpp"
#include "fasttext-update.hpp"

namespace nn { namespace NN_ISA { namespace fasttext {

enum PartField { kText, kBytes, kLast, kConsumed, kRng, kTokens, kLoss, kExamples, kStatus, kScratch, kPartSize = 16 };
enum Status { kStatusDry, kStatusDone, kStatusScratch };
constexpr int64_t kRowsPerToken = 16;

/** Cuts aligned pieces off scratch memory. */
struct Memory {
  char* at;
  template <class T> T* take(int64_t n) {
    T* p = (T*)at;
    at += (n * (int64_t)sizeof(T) + 15) & ~(int64_t)15;
    return p;
  }
};

struct Part {
  const FastTextTrainArgs& a;
  double* record;
  const uint8_t *text, *end, *at;
  bool last;
  Worker worker;
  int64_t tokens;  // not yet in the counter
  Status status;

  Part(const FastTextTrainArgs& args, double* part, Memory& memory)
      : a(args), record(part), text((const uint8_t*)(uintptr_t)part[kText]), end(text + (int64_t)part[kBytes]), at(text), last(part[kLast] != 0),
        worker{args, memory.take<float>(args.dim + 16), memory.take<float>(args.dim + 16), memory.take<float>(args.dim + 16),
               memory.take<float>(args.loss == kSoftmax ? args.targets + 16 : 0), Minstd((int64_t)part[kRng]), 0, 0, 0},
        tokens((int64_t)part[kTokens]), status(kStatusDry) {}

  /** Sets the rate for the next line; false: all tokens are done. */
  bool begin_line() {
    const int64_t done = __atomic_load_n((int64_t*)a.counter, __ATOMIC_RELAXED);
    if ((double)done >= a.total) { status = kStatusDone; return false; }
    worker.rate = (float)(a.lr * (1.0 - (double)((float)done / (float)a.total)));
    return true;
  }
  void end_line(int64_t read, const uint8_t* next) {
    at = next;
    tokens += read;
    if (tokens <= a.updateRate) return;
    __atomic_fetch_add((int64_t*)a.counter, tokens, __ATOMIC_RELAXED);
    tokens = 0;
  }
  void finish() {
    record[kConsumed] = (double)(at - text);
    record[kRng] = worker.rng.x;
    record[kTokens] = (double)tokens;
    record[kLoss] += worker.loss;
    record[kExamples] += (double)worker.examples;
    record[kStatus] = status;
  }
};

/** Room for a line. */
inline Line room(const FastTextTrainArgs& a, Memory& memory) {
  int32_t* labels = memory.take<int32_t>(a.capacity);
  return {{memory.take<int32_t>(a.capacity * kRowsPerToken), 0, a.capacity * kRowsPerToken}, labels, 0, 0};
}

} } }  // namespace nn::NN_ISA::fasttext
