#pragma once
// One step of stochastic gradient descent on an example: rows of the input matrix → their mean → loss → both matrices.
#include "simd.h"
#include "math.h"
#include "abi.gen.h"
#include "minstd.hpp"

namespace nn { namespace NN_ISA { namespace fasttext {

// Vectors of dim floats: whole vectors, then vectors of 4, then single numbers, so that dim 10 costs no more than it must.
typedef float v4 __attribute__((vector_size(16), aligned(4), may_alias));
NN_INLINE v4& at4(float* p) { return *(v4*)p; }
NN_INLINE const v4& at4(const float* p) { return *(const v4*)p; }

/** y += x */
NN_INLINE void add(float* y, const float* x, int64_t n) {
  int64_t i = 0;
  for (; i + W <= n; i += W) store(y + i, load(y + i) + load(x + i));
  for (; i + 4 <= n; i += 4) at4(y + i) += at4(x + i);
  for (; i < n; i++) y[i] += x[i];
}
/** y += a·x */
NN_INLINE void add_scaled(float* y, const float* x, float a, int64_t n) {
  int64_t i = 0;
  for (; i + W <= n; i += W) store(y + i, fma(splat(a), load(x + i), load(y + i)));
  for (; i + 4 <= n; i += 4) at4(y + i) += a * at4(x + i);
  for (; i < n; i++) y[i] += a * x[i];
}
/** y += a·x, then x += a·h with the same x: gradient and update of an output row in one pass. */
NN_INLINE void exchange(float* y, float* x, const float* h, float a, int64_t n) {
  int64_t i = 0;
  for (; i + W <= n; i += W) {
    const vf v = load(x + i);
    store(y + i, fma(splat(a), v, load(y + i)));
    store(x + i, fma(splat(a), load(h + i), v));
  }
  for (; i + 4 <= n; i += 4) {
    const v4 v = at4(x + i);
    at4(y + i) += a * v;
    at4(x + i) = v + a * at4(h + i);
  }
  for (; i < n; i++) {
    const float v = x[i];
    y[i] += a * v;
    x[i] = v + a * h[i];
  }
}
NN_INLINE float dot(const float* x, const float* y, int64_t n) {
  vf s = {};
  v4 s4 = {};
  float rest = 0;
  int64_t i = 0;
  for (; i + W <= n; i += W) s = fma(load(x + i), load(y + i), s);
  for (; i + 4 <= n; i += 4) s4 += at4(x + i) * at4(y + i);
  for (; i < n; i++) rest += x[i] * y[i];
  return hsum(s) + ((s4[0] + s4[1]) + (s4[2] + s4[3])) + rest;
}
NN_INLINE void clear(float* x, int64_t n) { for (int64_t i = 0; i < n; i++) x[i] = 0; }
NN_INLINE void multiply(float* x, float a, int64_t n) { for (int64_t i = 0; i < n; i++) x[i] *= a; }

constexpr int64_t kAhead = 12;  // rows fetched before they are needed
NN_INLINE void prefetch_row(const float* row, int64_t dim) {
  for (int64_t i = 0; i < dim; i += 16) __builtin_prefetch(row + i);
  __builtin_prefetch(row + dim - 1);
}

enum Loss { kTree = 1, kNegatives = 2, kSoftmax = 3, kOneVsAll = 4 };

/** One thread's way through its part of the text. */
struct Worker {
  const FastTextTrainArgs& a;
  float *hidden, *grad, *sum, *scores;
  Minstd rng;
  float rate;
  double loss;
  int64_t examples;

  // By table. NaN goes through.
  NN_INLINE float sigmoid(float x) const { return x > 8 ? 1.f : x >= -8 ? a.sigmoid[(int)((x + 8) * 32)] : x < -8 ? 0.f : x; }
  NN_INLINE float log(float x) const { return x > 1 ? 0.f : x >= 0 ? a.log[(int)(x * 512)] : x; }

  /** The gradient takes alpha·row of the output matrix, the row learns. */
  NN_INLINE void update(int64_t row, float alpha) { exchange(grad, a.output + row * a.dim, hidden, alpha, a.dim); }

  NN_INLINE float binary(int32_t row, bool positive) {
    const float p = sigmoid(dot(hidden, a.output + (int64_t)row * a.dim, a.dim));
    update(row, rate * ((positive ? 1.f : 0.f) - p));
    return -log(positive ? p : 1 - p);
  }

  float tree(int32_t target) {
    float sum = 0;
    const uint8_t* codes = (const uint8_t*)a.pathCodes;
    for (int32_t i = a.pathStarts[target]; i < a.pathStarts[target + 1]; i++) sum += binary(a.pathNodes[i], codes[i] != 0);
    return sum;
  }

  float negatives(int32_t target) {
    float sum = binary(target, true);
    for (int64_t i = 0; i < a.neg; i++) {
      int32_t other;
      do other = a.negatives[rng.below((uint32_t)a.negativeCount)]; while (other == target);
      sum += binary(other, false);
    }
    return sum;
  }

  float softmax(int32_t target) {
    const int64_t n = a.targets;
    float max = -__builtin_inff(), total = 0;
    for (int64_t i = 0; i < n; i++) {
      scores[i] = dot(hidden, a.output + i * a.dim, a.dim);
      if (scores[i] > max) max = scores[i];
    }
    for (int64_t i = n; i % W; i++) scores[i] = max;
    for (int64_t i = 0; i < n; i += W) store(scores + i, exp(load(scores + i) - max));
    for (int64_t i = 0; i < n; i++) total += scores[i];
    for (int64_t i = 0; i < n; i++) {
      scores[i] /= total;
      update(i, rate * ((i == target ? 1.f : 0.f) - scores[i]));
    }
    return -log(scores[target]);
  }

  float one_vs_all(const int32_t* labels, int64_t count) {
    float sum = 0;
    for (int64_t i = 0; i < a.targets; i++) {
      bool positive = false;
      for (int64_t j = 0; j < count; j++) positive |= labels[j] == i;
      sum += binary((int32_t)i, positive);
    }
    return sum;
  }

  /** Loss against targets[index], or against all of them (one-vs-all); `grad` grows by its gradient, the output matrix learns. */
  NN_INLINE void learn(const int32_t* targets, int64_t count, int64_t index) {
    examples++;
    switch (a.loss) {
      case kTree: loss += tree(targets[index]); break;
      case kNegatives: loss += negatives(targets[index]); break;
      case kSoftmax: loss += softmax(targets[index]); break;
      default: loss += one_vs_all(targets, count);
    }
  }

  /** hidden = mean of these rows of the input matrix, grad = 0. */
  NN_INLINE void gather(const int32_t* rows, int64_t n) {
    clear(hidden, a.dim);
    clear(grad, a.dim);
    for (int64_t i = 0; i < n && i < kAhead; i++) prefetch_row(a.input + (int64_t)rows[i] * a.dim, a.dim);
    for (int64_t i = 0; i < n; i++) {
      if (i + kAhead < n) prefetch_row(a.input + (int64_t)rows[i + kAhead] * a.dim, a.dim);
      add(hidden, a.input + (int64_t)rows[i] * a.dim, a.dim);
    }
    multiply(hidden, 1.f / (float)n, a.dim);
  }
  NN_INLINE void scatter(const int32_t* rows, int64_t n) {
    for (int64_t i = 0; i < n; i++) add(a.input + (int64_t)rows[i] * a.dim, grad, a.dim);
  }

  void classify(const int32_t* rows, int64_t n, const int32_t* labels, int64_t count) {
    if (n == 0 || count == 0) return;
    gather(rows, n);
    learn(labels, count, a.loss == kOneVsAll ? 0 : rng.below((uint32_t)count));
    multiply(grad, 1.f / (float)n, a.dim);
    scatter(rows, n);
  }

  /**
   * Each word predicts its neighbours. All of them learn from the same rows, which would move by the same gradients: their mean moves along,
   * and the rows follow once per word.
   */
  void skipgram(const int32_t* line, int64_t n) {
    for (int64_t w = 0; w < n; w++) {
      const int64_t reach = 1 + rng.below((uint32_t)a.ws);
      const int32_t own = line[w], *rows = a.maxn > 0 ? a.rows + a.rowStarts[own] : &own;
      const int64_t count = a.maxn > 0 ? a.rowStarts[own + 1] - a.rowStarts[own] : 1;
      gather(rows, count);
      clear(sum, a.dim);
      for (int64_t c = -reach; c <= reach; c++) {
        if (c == 0 || w + c < 0 || w + c >= n) continue;
        learn(line, n, w + c);
        add(hidden, grad, a.dim);
        add(sum, grad, a.dim);
        clear(grad, a.dim);
      }
      for (int64_t i = 0; i < count; i++) add(a.input + (int64_t)rows[i] * a.dim, sum, a.dim);
    }
  }
};

} } }  // namespace nn::NN_ISA::fasttext
