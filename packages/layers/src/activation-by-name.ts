/** Activations by the name a configuration gives them. */
import { ArgumentError } from "@nn/tensor";
import * as a from "./activation.ts";
import * as r from "./rectifiers.ts";
import * as s from "./softmax.ts";
import { nearest } from "./state-dict.ts";

const makers = {
  identity: () => new a.Identity(),
  step: () => new a.Step(),
  sigmoid: () => new a.Sigmoid(),
  tanh: () => new a.Tanh(),
  relu: () => new a.ReLU(),
  leakyRelu: ({ negativeSlope = 0.01 }: { negativeSlope?: number } = {}) => new r.LeakyReLU(negativeSlope),
  prelu: ({ channels = 1, initial = 0.25 }: { channels?: number; initial?: number } = {}) => new r.PReLU(channels, { initial }),
  rrelu: (options?: r.RReLUOptions) => new r.RReLU(options),
  elu: (options?: { alpha?: number }) => new r.ELU(options),
  selu: () => new r.SELU(),
  gelu: (options?: { approximate?: "none" | "tanh" }) => new a.GELU(options),
  silu: () => new a.SiLU(),
  mish: () => new a.Mish(),
  softplus: (options?: { beta?: number }) => new a.Softplus(options),
  softsign: () => new a.Softsign(),
  hardtanh: (options?: { minVal?: number; maxVal?: number }) => new a.Hardtanh(options),
  hardsigmoid: () => new a.Hardsigmoid(),
  hardswish: () => new a.Hardswish(),
  relu6: () => new r.ReLU6(),
  softmax: ({ dim = -1 }: { dim?: number } = {}) => new s.Softmax(dim),
  logSoftmax: ({ dim = -1 }: { dim?: number } = {}) => new s.LogSoftmax(dim),
};

type Makers = typeof makers;
export type ActivationName = keyof Makers;
/** Every name that `activation` takes. */
export const activationNames = Object.keys(makers) as readonly ActivationName[];

/**
 * A new module for `name`, e.g. `activation("elu", { alpha: 0.5 })`.
 *
 * @throws ArgumentError for a name that is none, with the nearest one that is.
 */
export function activation<N extends ActivationName>(name: N, ...options: Parameters<Makers[N]>): a.ElementWise {
  if (!Object.hasOwn(makers, name)) {
    const near = nearest(name, activationNames);
    throw new ArgumentError("activation", `there is none called ${JSON.stringify(name)}`, { hint: near ? `did you mean "${near}"?` : `one of ${activationNames.join(", ")}` });
  }
  return (makers[name] as (...options: unknown[]) => a.ElementWise)(...options);
}
