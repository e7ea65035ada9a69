import { ArgumentError, conv1d, type Tensor } from "@nn/tensor";
import type { Activation, FusesActivation } from "./activation.ts";
import { torchDefault, uniform, type Initializer } from "./init.ts";
import { Module } from "./module.ts";
import { param, type Parameter } from "./parameter.ts";

export interface Conv1dOptions {
  stride?: number;
  /** Zeros at both ends: a number, [before, after], or a mode of the SAME/VALID rule. */
  padding?: number | readonly [number, number] | "same" | "valid";
  dilation?: number;
  groups?: number;
  bias?: boolean;
  init?: Initializer;
  initBias?: Initializer;
}

/**
 * Cross-correlation over time: `y[n,o] = b[o] + Σ_c w[o,c] ⋆ x[n,c]`. Weight [out, in/groups, k].
 * Input and result of the kernel lie time-major with channels innermost: `embedding.permute([0, 2, 1])` needs no copy.
 */
export class Conv1d extends Module implements FusesActivation {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly options: { readonly stride: number; readonly padding: NonNullable<Conv1dOptions["padding"]>; readonly dilation: number; readonly groups: number };

  constructor(inChannels: number, outChannels: number, kernelSize: number, { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, init = torchDefault, initBias }: Conv1dOptions = {}) {
    super();
    if (inChannels % groups !== 0 || outChannels % groups !== 0) throw new ArgumentError("Conv1d", `${inChannels} → ${outChannels} channels do not divide into ${groups} groups`);
    const perGroup = inChannels / groups;
    this.weight = param(init([outChannels, perGroup, kernelSize]));
    this.bias = bias ? param((initBias ?? uniform(1 / Math.sqrt(perGroup * kernelSize)))([outChannels])) : null;
    this.options = { stride, padding, dilation, groups };
  }

  /** [N, in, L] → [N, out, L'] */
  forward(x: Tensor): Tensor {
    return conv1d(x, this.weight, { ...this.options, bias: this.bias });
  }

  forwardActivated(x: Tensor, act: Activation): Tensor {
    return this.run(() => conv1d(x, this.weight, { ...this.options, bias: this.bias, act }));
  }

  override describe(): string {
    const [out, perGroup, k] = this.weight.shape;
    const rest = Object.entries(this.options).filter(([name, v]) => v !== (name === "padding" ? 0 : 1));
    return [perGroup! * this.options.groups, out, `kernelSize=${k}`, ...rest.map(([name, v]) => `${name}=${typeof v === "object" ? `[${v.join(",")}]` : v}`)].join(", ");
  }
}
