/** Running an engine's kernel from a table entry. */
import type { KernelArgs, KernelName } from "@nn/kernels";
import type { Backend } from "../backend.ts";
import { isTracing, launch, type KernelCall } from "../trace.ts";
import type { DType } from "../dtype.ts";

/** Runs `kernel` on the backend's engine, visible to `trace`. */
export function run<K extends KernelName>(backend: Backend, kernel: K, args: KernelArgs[K]): void {
  const { engine } = backend;
  if (isTracing()) launch(`${kernel}_${engine.isa}`, () => engine.run(kernel, args), { name: kernel, args } as KernelCall);
  else engine.run(kernel, args);
}

/** Type codes of the kernels: 0 f32, 1 i32, 2 u8 or bool. f64 has no kernels. */
export const typeCode = (dtype: DType): number => typeCodes[dtype];
const typeCodes = { f32: 0, i32: 1, u8: 2, bool: 2, f64: -1 };

/** Borrows `bytes` of scratch memory for one call. */
export function withScratch<T>(backend: Backend, bytes: number, f: (pointer: number) => T): T {
  if (bytes === 0) return f(0);
  const pointer = backend.engine.alloc(bytes);
  try {
    return f(pointer);
  } finally {
    backend.engine.free(pointer);
  }
}
