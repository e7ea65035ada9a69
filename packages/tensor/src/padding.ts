/**
 * SAME and VALID, the two padding modes of TensorFlow and ONNX, along one dimension.
 * With `eff = (kernel − 1)·dilation + 1`:
 *   VALID: out = ⌊(in − eff)/stride⌋ + 1, no padding
 *   SAME:  out = ⌈in/stride⌉, need = max(0, (out − 1)·stride + eff − in), half of it before and the rest after
 */
import { ArgumentError, ShapeError } from "./errors.ts";

export interface Padded {
  /** Size of the result. */
  readonly out: number;
  readonly before: number;
  /** Takes the odd extra, so it may be `before + 1`: not PyTorch's `padding = kernel / 2`, which is the same on both sides. */
  readonly after: number;
}

/**
 * The zeros that make `out = ⌈in/stride⌉`.
 * @throws ArgumentError if a size is not a whole number or too small
 */
export function samePadding(size: number, kernel: number, stride = 1, dilation = 1): Padded {
  const eff = effectiveKernel("samePadding", size, kernel, stride, dilation);
  const out = Math.ceil(size / stride);
  const need = out === 0 ? 0 : Math.max(0, (out - 1) * stride + eff - size);
  const before = Math.floor(need / 2);
  return { out, before, after: need - before };
}

/**
 * No zeros: the kernel stays inside.
 * @throws ArgumentError as `samePadding`; ShapeError if the kernel is larger than the input
 */
export function validPadding(size: number, kernel: number, stride = 1, dilation = 1): Padded {
  const eff = effectiveKernel("validPadding", size, kernel, stride, dilation);
  if (size < eff) {
    throw new ShapeError("validPadding", `a kernel of ${eff}${dilation > 1 ? ` (${kernel} dilated by ${dilation})` : ""} does not fit in ${size}`, {
      hint: "pad the input, or use a smaller kernel",
    });
  }
  return { out: Math.floor((size - eff) / stride) + 1, before: 0, after: 0 };
}

/** Input positions that one window spans. */
function effectiveKernel(caller: string, size: number, kernel: number, stride: number, dilation: number): number {
  const atLeast = (name: string, value: number, least: number): void => {
    if (!Number.isInteger(value) || value < least) throw new ArgumentError(caller, `${name} is ${value}, must be a whole number ≥ ${least}`);
  };
  atLeast("size", size, 0);
  atLeast("kernel", kernel, 1);
  atLeast("stride", stride, 1);
  atLeast("dilation", dilation, 1);
  return (kernel - 1) * dilation + 1;
}
