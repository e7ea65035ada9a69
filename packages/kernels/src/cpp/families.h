#pragma once
// All functions of a build, for one translation unit per instruction set (wasm.cc, packages/native/src/unit.cc). In WASM, kernels and jobs
// are two modules: NN_ONLY_JOBS makes the second.
#ifndef NN_ONLY_JOBS
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
#define NN_KERNEL_ROWS(X) NN_KERNELS(X)
#else
#define NN_KERNEL_ROWS(X)
#endif
#if defined(NN_ONLY_JOBS) || !defined(__wasm__)
#include "jobs/fasttext.hpp"
#define NN_JOB_ROWS(X) NN_JOBS(X)
#else
#define NN_JOB_ROWS(X)
#endif

namespace nn { namespace NN_ISA {

typedef void (*Kernel)(const double* args);

#define NN_ENTRY(function, Args) static void run_##function(const double* d) { function(Args::read(d)); }
NN_KERNEL_ROWS(NN_ENTRY)
NN_JOB_ROWS(NN_ENTRY)
#undef NN_ENTRY

/** Kernel id → function in the order of abi.ts, then jobs in the order of job-abi.ts. */
#define NN_ROW(function, Args) run_##function,
static const Kernel table[] = {NN_KERNEL_ROWS(NN_ROW) NN_JOB_ROWS(NN_ROW)};
#undef NN_ROW

} }  // namespace nn::NN_ISA
