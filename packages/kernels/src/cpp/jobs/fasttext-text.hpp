#pragma once
// From the bytes of a text to the rows of the input matrix, line by line.
#include "simd.h"
#include "abi.gen.h"
#include "minstd.hpp"

namespace nn { namespace NN_ISA { namespace fasttext {

constexpr uint32_t kHashStart = 2166136261u, kHashFactor = 16777619u;
constexpr int64_t kLongestLine = 1024;  // tokens of a line of cbow and sg
enum Model { kCbow = 1, kSkipgram = 2, kSupervised = 3 };

NN_INLINE uint32_t hash_byte(uint32_t h, uint8_t byte) { return (h ^ (uint32_t)(int32_t)(int8_t)byte) * kHashFactor; }
NN_INLINE bool is_space(uint8_t c) { return c <= 32 && (c == 32 || (c >= 9 && c <= 13) || c == 0); }

struct Token { const uint8_t* at; uint32_t bytes, hash; };
constexpr uint8_t kEndOfLine[4] = {'<', '/', 's', '>'};
NN_INLINE bool is_end(const Token& t) {
  return t.bytes == 4 && t.at[0] == '<' && t.at[1] == '/' && t.at[2] == 's' && t.at[3] == '>';
}

enum Got { kToken, kNothing, kDry };
/** The next token, the end of a line included. kNothing: the corpus ends here; kDry: the text does, before the token (last: it is the corpus's end). */
NN_INLINE Got next_token(const uint8_t*& at, const uint8_t* end, bool last, Token& token) {
  const uint8_t* p = at;
  while (p < end && *p != '\n' && is_space(*p)) p++;
  at = p;
  if (p == end) return last ? kNothing : kDry;
  uint32_t h = kHashStart;
  if (*p == '\n') {
    for (uint8_t c : kEndOfLine) h = hash_byte(h, c);
    token = {kEndOfLine, 4, h};
    at = p + 1;
    return kToken;
  }
  while (p < end && !is_space(*p)) h = hash_byte(h, *p++);
  if (p == end && !last) return kDry;
  token = {at, (uint32_t)(p - at), h};
  at = p;
  return kToken;
}

NN_INLINE uint32_t first_slot(const FastTextTrainArgs& a, uint32_t hash) { return (hash ^ (hash >> 15)) & ((uint32_t)a.slots - 1); }

/** Entry of a token, or -1. */
NN_INLINE int32_t find(const FastTextTrainArgs& a, const Token& t) {
  const uint32_t mask = (uint32_t)a.slots - 1;
  for (uint32_t slot = first_slot(a, t.hash);; slot = (slot + 1) & mask) {
    const int32_t entry = a.table[2 * slot + 1];
    if (entry < 0) return -1;
    if ((uint32_t)a.table[2 * slot] != t.hash) continue;
    const uint32_t from = (uint32_t)a.starts[entry], bytes = (uint32_t)a.starts[entry + 1] - from;
    if (bytes != t.bytes) continue;
    const uint8_t* word = (const uint8_t*)a.bytes + from;
    uint32_t i = 0;
    while (i < bytes && word[i] == t.at[i]) i++;
    if (i == bytes) return entry;
  }
}

NN_INLINE bool is_label(const FastTextTrainArgs& a, const Token& t) {
  if (t.bytes < (uint64_t)a.prefixBytes) return false;
  for (int64_t i = 0; i < a.prefixBytes; i++)
    if (t.at[i] != ((const uint8_t*)a.prefix)[i]) return false;
  return true;
}

/** Rows collected for one line. */
struct Rows {
  int32_t* at;
  int64_t n, capacity;
  NN_INLINE bool push(int32_t row) {
    if (n == capacity) return false;
    at[n++] = row;
    return true;
  }
  NN_INLINE bool push_bucket(const FastTextTrainArgs& a, uint32_t bucket) {
    const int32_t row = a.kept ? a.kept[bucket] : (int32_t)bucket;
    return row < 0 || push((int32_t)a.words + row);
  }
};

/** Character n-grams of `<word>` for a word that is no entry. */
inline bool push_subwords(const FastTextTrainArgs& a, const Token& t, Rows& rows) {
  if (a.maxn <= 0 || is_end(t)) return true;
  const int64_t n = (int64_t)t.bytes + 2;
  auto at = [&](int64_t i) -> uint8_t { return i == 0 ? '<' : i == n - 1 ? '>' : t.at[i - 1]; };
  for (int64_t i = 0; i < n; i++) {
    if ((at(i) & 0xc0) == 0x80) continue;
    uint32_t h = kHashStart;
    int64_t j = i;
    for (int64_t length = 1; j < n && length <= a.maxn; length++) {
      do h = hash_byte(h, at(j++)); while (j < n && (at(j) & 0xc0) == 0x80);
      if (length < a.minn || (length == 1 && (i == 0 || j == n))) continue;
      if (!rows.push_bucket(a, h % (uint32_t)a.bucket)) return false;
    }
  }
  return true;
}

/** The rows of an entry: its own and its subwords'. */
NN_INLINE bool push_entry(const FastTextTrainArgs& a, int32_t entry, Rows& rows) {
  if (a.maxn <= 0) return rows.push(entry);
  for (int32_t i = a.rowStarts[entry]; i < a.rowStarts[entry + 1]; i++)
    if (!rows.push(a.rows[i])) return false;
  return true;
}

enum Read { kLine, kEndOfText, kNoRoom };

struct Line {
  Rows rows;
  int32_t* labels;  // or the words that cbow and sg use
  int64_t count;    // of these
  int64_t tokens;   // that were read for it
};

/** The next line of a classifier: rows and labels. `tokens`: room for `capacity`. Moves `at` only if there is one. */
inline Read classifier_line(const FastTextTrainArgs& a, const uint8_t*& at, const uint8_t* end, bool last, Token* tokens, int64_t capacity, Line& line) {
  const uint8_t* p = at;
  int64_t n = 0, words = 0;
  for (bool more = true; more;) {
    if (n == capacity) return kNoRoom;
    const Got got = next_token(p, end, last, tokens[n]);
    if (got == kDry) return kEndOfText;
    if (got == kNothing) break;
    __builtin_prefetch(a.table + 2 * first_slot(a, tokens[n].hash));
    more = !is_end(tokens[n++]);
  }
  line.rows.n = line.count = 0;
  line.tokens = n;
  for (int64_t i = 0; i < n; i++) {
    const Token token = tokens[i];
    const int32_t entry = find(a, token);
    if (entry >= a.words) {
      line.labels[line.count++] = entry - (int32_t)a.words;
    } else if (entry >= 0 || !is_label(a, token)) {
      tokens[words++] = token;  // what is left are the words, for their n-grams
      if (!(entry >= 0 ? push_entry(a, entry, line.rows) : push_subwords(a, token, line.rows))) return kNoRoom;
    }
  }
  for (int64_t i = 0; a.wordNgrams > 1 && i < words; i++) {
    uint64_t h = (uint64_t)(int64_t)(int32_t)tokens[i].hash;
    for (int64_t j = i + 1; j < words && j < i + a.wordNgrams; j++) {
      h = h * 116049371u + (uint64_t)(int64_t)(int32_t)tokens[j].hash;
      if (!line.rows.push_bucket(a, (uint32_t)(h % (uint64_t)a.bucket))) return kNoRoom;
    }
  }
  at = p;
  return kLine;
}

/** The next line of cbow or sg: the words that are used this time. Long lines end after kLongestLine known tokens. */
inline Read sampled_line(const FastTextTrainArgs& a, const uint8_t*& at, const uint8_t* end, bool last, Minstd& rng, Line& line) {
  const uint8_t* p = at;
  const Minstd before = rng;
  line.count = line.tokens = 0;
  for (;;) {
    Token token;
    const Got got = next_token(p, end, last, token);
    if (got == kDry) {
      rng = before;
      return kEndOfText;
    }
    if (got == kNothing) break;
    const int32_t entry = find(a, token);
    if (entry < 0) continue;
    line.tokens++;
    if (entry < a.words && !((float)rng.uniform() > a.keep[entry])) line.labels[line.count++] = entry;
    if (line.tokens > kLongestLine || is_end(token)) break;
  }
  at = p;
  return kLine;
}

} } }  // namespace nn::NN_ISA::fasttext
