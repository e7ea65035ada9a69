/** Local response normalisation as users call it. */
import type { Tensor } from "../tensor.ts";
import { localResponseNorm as record } from "./lrn.ts";

export interface LocalResponseNormOptions {
  /** Channels in a window; default 5. */
  size?: number;
  /** Default 1e-4. */
  alpha?: number;
  /** Default 0.75. */
  beta?: number;
  /** Default 1 (AlexNet: 2). */
  k?: number;
  /** "torch" (default): `k + α/size·Σ x²`, as PyTorch, Caffe and ONNX; "paper": `k + α·Σ x²`, as Krizhevsky 2012 and TensorFlow. */
  form?: "torch" | "paper";
}

/** `x / (k + α·Σ x²)^β`, the sum over `size` channels around each one. `[N,C,…]` → the same shape. */
export const localResponseNorm = (x: Tensor, { size = 5, alpha = 1e-4, beta = 0.75, k = 1, form = "torch" }: LocalResponseNormOptions = {}): Tensor =>
  record({ x }, { size, alpha: form === "paper" ? alpha : alpha / size, beta, k });
