#pragma once
// fastText (Joulin 2016; Bojanowski 2017): training as a job. See job-abi.ts for the arguments.
#include "parallel.h"
#include "fasttext-ahead.hpp"

namespace nn { namespace NN_ISA {

inline void fastTextInit(const FastTextInitArgs& a) {
  constexpr int64_t kBlocks = 10;
  const int64_t size = a.n / kBlocks;
  parallel_for(kBlocks + 1, [&](int64_t block) {
    Minstd rng(a.seed + block);
    const int64_t end = block == kBlocks ? a.n : (block + 1) * size;
    for (int64_t i = block * size; i < end; i++) a.x[i] = (float)(rng.uniform() * (2 * a.bound) - a.bound);
  });
}

namespace fasttext {

/** The word in the middle is predicted by its neighbours together. */
inline bool cbow(Worker& worker, const int32_t* line, int64_t n, Rows& rows) {
  const FastTextTrainArgs& a = worker.a;
  for (int64_t w = 0; w < n; w++) {
    const int64_t reach = 1 + worker.rng.below((uint32_t)a.ws);
    rows.n = 0;
    for (int64_t c = -reach; c <= reach; c++)
      if (c != 0 && w + c >= 0 && w + c < n && !push_entry(a, line[w + c], rows)) return false;
    if (rows.n == 0) continue;
    worker.gather(rows.at, rows.n);
    worker.learn(line, n, w);
    worker.scatter(rows.at, rows.n);
  }
  return true;
}

inline void train_part(const FastTextTrainArgs& a, double* record) {
  Memory memory = {(char*)(uintptr_t)record[kScratch]};
  Part part(a, record, memory);
  Token* tokens = memory.take<Token>(a.capacity);
  Line line = room(a, memory);
  Worker& worker = part.worker;
  while (part.begin_line() && part.at < part.end) {
    const uint8_t* next = part.at;
    const Minstd before = worker.rng;
    const Read read = a.model == kSupervised ? classifier_line(a, next, part.end, part.last, tokens, a.capacity, line) : sampled_line(a, next, part.end, part.last, worker.rng, line);
    if (read == kEndOfText) break;
    if (read == kNoRoom) { part.status = kStatusScratch; break; }
    if (a.model == kSupervised) worker.classify(line.rows.at, line.rows.n, line.labels, line.count);
    else if (a.model == kSkipgram) worker.skipgram(line.labels, line.count);
    else if (!cbow(worker, line.labels, line.count, line.rows)) { worker.rng = before; part.status = kStatusScratch; break; }
    part.end_line(line.tokens, next);
  }
  part.finish();
}

}  // namespace fasttext

inline void fastTextTrain(const FastTextTrainArgs& a) {
  if (a.ahead > 0) return fasttext::train_ahead(a, a.part);
  parallel_for(a.parts, [&](int64_t i) { fasttext::train_part(a, a.part + i * fasttext::kPartSize); });
}

} }  // namespace nn::NN_ISA
