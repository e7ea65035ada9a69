#pragma once
// Across the lanes of a vector without a detour through memory.
#include "simd.h"

namespace nn { namespace NN_ISA {

/** 0, 1, … W-1. */
NN_INLINE vi iota() {
  vi v = {};
  for (int i = 0; i < W; i++) v[i] = i;
  return v;
}

/** Every lane = op over all lanes of v: halves, quarters … are exchanged, in a fixed order. */
template <class Op> NN_INLINE vf fold_lanes(vf v, Op op) {
#if NN_WIDTH == 16
  v = op(v, (vf)__builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  v = op(v, (vf)__builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  v = op(v, (vf)__builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  return op(v, (vf)__builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
#elif NN_WIDTH == 8
  v = op(v, (vf)__builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3));
  v = op(v, (vf)__builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5));
  return op(v, (vf)__builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6));
#else
  v = op(v, (vf)__builtin_shufflevector(v, v, 2, 3, 0, 1));
  return op(v, (vf)__builtin_shufflevector(v, v, 1, 0, 3, 2));
#endif
}

} }  // namespace nn::NN_ISA
