import { localResponseNorm, type LocalResponseNormOptions, type Tensor } from "@nn/tensor";
import { Module } from "./module.ts";

/**
 * Divides each value by `(k + α·Σ x²)^β`, the sum over `size` neighbouring channels (Krizhevsky 2012). AlexNet:
 * `new LocalResponseNorm(5, { k: 2, form: "paper" })`; without `form` α is divided by `size`, as in PyTorch.
 */
export class LocalResponseNorm extends Module {
  readonly options: LocalResponseNormOptions & { readonly size: number };
  constructor(size: number, options: Omit<LocalResponseNormOptions, "size"> = {}) {
    super();
    this.options = { ...options, size };
  }
  /** [N, C, …] → [N, C, …] */
  forward(x: Tensor): Tensor {
    return localResponseNorm(x, this.options);
  }
  override describe(): string {
    const { size, ...rest } = this.options;
    return [size, ...Object.entries(rest).map(([name, v]) => `${name}=${v}`)].join(", ");
  }
}
