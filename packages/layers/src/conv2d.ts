import { ArgumentError, conv2d, type Tensor } from "@nn/tensor";
import type { Activation, FusesActivation } from "./activation.ts";
import { torchDefault, uniform, type Initializer } from "./init.ts";
import { Module } from "./module.ts";
import { param, type Parameter } from "./parameter.ts";

/** One number for both directions, or [height, width]. */
export type Pair = number | readonly [number, number];
export const pair = (p: Pair): readonly [number, number] => (typeof p === "number" ? [p, p] : p);

export interface Conv2dOptions {
  stride?: Pair;
  /** Zeros around the image: a number, [height, width], [top, bottom, left, right], or a mode of the SAME/VALID rule. */
  padding?: Pair | readonly [number, number, number, number] | "same" | "valid";
  dilation?: Pair;
  groups?: number;
  bias?: boolean;
  init?: Initializer;
  initBias?: Initializer;
}

/** Cross-correlation `y[n,o] = b[o] + Σ_c w[o,c] ⋆ x[n,c]`, as every framework calls convolution. Weight [out, in/groups, kH, kW]. */
export class Conv2d extends Module implements FusesActivation {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly options: { readonly stride: Pair; readonly padding: NonNullable<Conv2dOptions["padding"]>; readonly dilation: Pair; readonly groups: number };

  constructor(inChannels: number, outChannels: number, kernelSize: Pair, { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, init = torchDefault, initBias }: Conv2dOptions = {}) {
    super();
    const [kh, kw] = pair(kernelSize);
    if (inChannels % groups !== 0 || outChannels % groups !== 0) throw new ArgumentError("Conv2d", `${inChannels} → ${outChannels} channels do not divide into ${groups} groups`);
    const perGroup = inChannels / groups;
    this.weight = param(init([outChannels, perGroup, kh, kw]));
    this.bias = bias ? param((initBias ?? uniform(1 / Math.sqrt(perGroup * kh * kw)))([outChannels])) : null;
    this.options = { stride, padding, dilation, groups };
  }

  /** [N, in, H, W] → [N, out, H', W'] */
  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, { ...this.options, bias: this.bias });
  }

  forwardActivated(x: Tensor, act: Activation): Tensor {
    return this.run(() => conv2d(x, this.weight, { ...this.options, bias: this.bias, act }));
  }

  override describe(): string {
    const [out, perGroup, kh, kw] = this.weight.shape;
    const rest = Object.entries(this.options).filter(([name, v]) => v !== (name === "padding" ? 0 : 1));
    return [perGroup! * this.options.groups, out, `kernelSize=${kh === kw ? kh : `[${kh},${kw}]`}`, ...rest.map(([k, v]) => `${k}=${typeof v === "object" ? `[${v.join(",")}]` : v}`)].join(", ");
  }
}
