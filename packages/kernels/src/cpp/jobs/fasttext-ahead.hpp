#pragma once
// A classifier that learns line after line on one thread, while the others read the lines to come: for any number of threads the same bits.
#include "parallel.h"
#include "fasttext-part.hpp"

namespace nn { namespace NN_ISA { namespace fasttext {

constexpr int64_t kTogether = 4;  // lines a thread reads at once

struct Unit {
  const uint8_t *from, *to;
  Token* tokens;
  Line line;
  Read read;
};

/** Where the line at `from` ends: behind a newline or at a token </s>; null if the text ends before. */
inline const uint8_t* line_end(const uint8_t* from, const uint8_t* end) {
  const uint8_t* start = from;
  for (const uint8_t* p = from; p < end; p++) {
    if (!is_space(*p)) continue;
    if (is_end({start, (uint32_t)(p - start), 0})) return p;
    if (*p == '\n') return p + 1;
    start = p + 1;
  }
  return nullptr;
}

inline void train_ahead(const FastTextTrainArgs& a, double* record) {
  Memory memory = {(char*)(uintptr_t)record[kScratch]};
  Part part(a, record, memory);
  Unit* units[2] = {memory.take<Unit>(a.ahead), memory.take<Unit>(a.ahead)};
  for (Unit* set : units)
    for (int64_t i = 0; i < a.ahead; i++) {
      set[i].tokens = memory.take<Token>(a.capacity);
      set[i].line = room(a, memory);
    }

  const uint8_t* next = part.at;
  auto divide = [&](Unit* set) {
    int64_t n = 0;
    while (n < a.ahead && next < part.end) {
      const uint8_t* to = line_end(next, part.end);
      if (!to && !part.last) break;
      set[n].from = next;
      set[n++].to = next = to ? to : part.end;
    }
    return n;
  };
  auto read = [&](Unit* set, int64_t n, int64_t chunk) {
    for (int64_t i = chunk * kTogether; i < imin(n, (chunk + 1) * kTogether); i++) {
      const uint8_t* at = set[i].from;
      set[i].read = classifier_line(a, at, set[i].to, true, set[i].tokens, a.capacity, set[i].line);
    }
  };
  auto learn = [&](const Unit* set, int64_t n) {
    for (int64_t i = 0; i < n && part.begin_line(); i++) {
      if (set[i].read == kNoRoom) { part.status = kStatusScratch; return; }
      const Line& line = set[i].line;
      part.worker.classify(line.rows.at, line.rows.n, line.labels, line.count);
      part.end_line(line.tokens, set[i].to);
    }
  };

  int64_t n[2] = {divide(units[0]), 0};
  parallel_for((n[0] + kTogether - 1) / kTogether, [&](int64_t chunk) { read(units[0], n[0], chunk); });
  for (int now = 0; n[now] > 0 && part.status == kStatusDry; now = 1 - now) {
    const int then = 1 - now;
    n[then] = divide(units[then]);
    parallel_for(1 + (n[then] + kTogether - 1) / kTogether, [&](int64_t chunk) {
      if (chunk == 0) learn(units[now], n[now]);
      else read(units[then], n[then], chunk - 1);
    });
  }
  part.finish();
}

} } }  // namespace nn::NN_ISA::fasttext
