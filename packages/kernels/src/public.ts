export {
  activationCodes, cellCodes, dtypeCodes, instructions, mapLimits, randomKinds, reduceKinds,
  type Instruction, type KernelName,
} from "./abi.ts";
export { abiHash, type KernelArgs } from "./abi.gen.ts";
export { engineInfo, type Engine, type EngineInfo, type EngineOptions } from "./engine.ts";
export { EngineError, OutOfMemoryError } from "./errors.ts";
export type { Pointer } from "./pool.ts";
export { scratchBytes } from "./scratch.ts";
