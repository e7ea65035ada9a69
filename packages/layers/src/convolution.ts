import { ArgumentError, type Tensor } from "@nn/tensor";
import type { Activation, FusesActivation } from "./activation.ts";
import { torchDefault, uniform, type Initializer } from "./init.ts";
import { Module } from "./module.ts";
import { param, type Parameter } from "./parameter.ts";

export interface ConvolutionOptions {
  groups?: number;
  bias?: boolean;
  init?: Initializer;
  initBias?: Initializer;
}

/** What convolutions of any number of dimensions share: weight [out, in/groups, …kernel] ([in, out/groups, …kernel] of transposed ones), bias, fusion, description. `Geometry`: how the windows lie. */
export abstract class Convolution<Geometry extends object> extends Module implements FusesActivation {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly options: Readonly<Geometry> & { readonly groups: number };
  readonly #transposed: boolean;

  constructor(inChannels: number, outChannels: number, kernel: readonly number[], geometry: Geometry, { groups = 1, bias = true, init = torchDefault, initBias }: ConvolutionOptions, transposed = false) {
    super();
    if (inChannels % groups !== 0 || outChannels % groups !== 0) throw new ArgumentError(this.constructor.name, `${inChannels} → ${outChannels} channels do not divide into ${groups} groups`);
    const [rows, columns] = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
    const fanIn = kernel.reduce((a, b) => a * b, columns); // of a transposed one too, as PyTorch
    this.weight = param(init([rows, columns, ...kernel]));
    this.bias = bias ? param((initBias ?? uniform(1 / Math.sqrt(fanIn)))([outChannels])) : null;
    this.options = { ...geometry, groups };
    this.#transposed = transposed;
  }

  protected abstract convolve(x: Tensor, act: Activation | "none"): Tensor;

  forward(x: Tensor): Tensor {
    return this.convolve(x, "none");
  }

  forwardActivated(x: Tensor, act: Activation): Tensor {
    return this.run(() => this.convolve(x, act));
  }

  override describe(): string {
    const [rows, columns, ...kernel] = this.weight.shape as readonly [number, number, ...number[]];
    const channels = [columns * this.options.groups, rows];
    const size = kernel.every((k) => k === kernel[0]) ? kernel[0] : `[${kernel.join(",")}]`;
    const rest = Object.entries(this.options).filter(([name, v]) => v !== (/padding/i.test(name) ? 0 : 1));
    return [...(this.#transposed ? channels.reverse() : channels), `kernelSize=${size}`, ...rest.map(([name, v]) => `${name}=${Array.isArray(v) ? `[${v.join(",")}]` : String(v)}`)].join(", ");
  }
}
