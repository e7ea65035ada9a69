#pragma once
// All kernel families, for one translation unit per instruction set (wasm.cc, packages/native/src/unit.cc).
#include "map.hpp"
#include "copy.hpp"
#include "gemm.hpp"
#include "conv2d.hpp"
#include "conv2d-grad.hpp"
#include "pool2d.hpp"
#include "reduce.hpp"
#include "softmax.hpp"
#include "norm.hpp"
#include "attention.hpp"
#include "gather.hpp"
#include "recurrent.hpp"
#include "random.hpp"
#include "scan.hpp"
#include "lrn.hpp"

namespace nn { namespace NN_ISA {

typedef void (*Kernel)(const double* args);

#define NN_ENTRY(kernel, Args) static void run_##kernel(const double* d) { kernel(Args::read(d)); }
NN_KERNELS(NN_ENTRY)
#undef NN_ENTRY

/** Kernel id → function, in the order of abi.ts. */
#define NN_ROW(kernel, Args) run_##kernel,
static const Kernel table[NN_KERNEL_COUNT] = {NN_KERNELS(NN_ROW)};
#undef NN_ROW

} }  // namespace nn::NN_ISA
