import type { Tensor } from "@nn/tensor";
import { Module } from "./module.ts";

/** [N, C, H, W] → [N, C·H·W], in C, H, W order whatever the memory layout. */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;
  constructor(startDim = 1, endDim = -1) {
    super();
    this.startDim = startDim;
    this.endDim = endDim;
  }
  forward(x: Tensor): Tensor {
    return x.flatten(this.startDim, this.endDim);
  }
}
