/** Tensors, ops and memory. Gradients come with @nn/autograd. */
import { provideBackend } from "./backend.ts";
import { cpuBackend } from "./cpu/kernels.ts";
import "./cpu/copy.ts";
import "./methods.ts";

provideBackend(cpuBackend);

export { Tensor, fromTyped, pointerOf, type Nested } from "./tensor.ts";
export { Variable, variable } from "./variable.ts";
export * from "./create.ts";
export * as ops from "./ops/index.ts";
export * from "./ops/composites.ts";
export { manualSeed, nextStream, philox4x32, Random, randomState, setRandomState, type RandomStream } from "./random.ts";

export { memory, scope, keep, openScope, closeScope, abandonScope, currentScope, endStep, stepScope, Scope, Storage, type Owner } from "./memory.ts";
export { noGrad, isRecording, withRecorder, withRecording, setRecorder, getRecorder, type BackwardOptions, type Recorder, type TapeSlot } from "./recorder.ts";
export { setEngine, getEngine, withEngine, withReference, defaultBackend, type Backend } from "./backend.ts";
export { trace, type KernelCall, type Launch } from "./trace.ts";
export { RowGradient, addGradients, denseGradient } from "./row-gradient.ts";
export { traceProgram, runOver, type ElementwiseRule } from "./program.ts";

export type { Broadcast, FitsBroadcast, FitsLast, FitsMatMul, MatMul, Misfit, WithLast } from "./shape-types.ts";
export { dtypeOf, isFloat, promote, type DType, type TypedArray } from "./dtype.ts";
export { rowMajor, type Layout, type Shape } from "./layout.ts";
export { samePadding, validPadding, type Padded } from "./padding.ts";
export { allOps, defineOp, noGradient, type Aval, type Op, type OpRecord, type RefArray, type Sample, type SampleInput } from "./define.ts";
export { apply } from "./dispatch.ts";
export {
  ArgumentError,
  DTypeError,
  DeviceError,
  FormatError,
  GradError,
  NnError,
  OpError,
  ReleasedError,
  ScopeError,
  ShapeError,
  currentModulePath,
  refusePromise,
  withModulePath,
} from "./errors.ts";
export { createEngine, engineInfo, OutOfMemoryError, ready, type Engine, type EngineOptions } from "@nn/kernels";
