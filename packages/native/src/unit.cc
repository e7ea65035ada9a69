// All kernels for one instruction set; compiled once per set with -DNN_WIDTH and -DNN_ISA (see build.mjs).
#include "families.h"

#define NN_JOIN2(a, b) a##b
#define NN_JOIN(a, b) NN_JOIN2(a, b)

typedef void (*Kernel)(const double*);
extern "C" const Kernel* NN_JOIN(nn_kernels_, NN_ISA)() { return nn::NN_ISA::table; }
