import { ArgumentError, noGrad, scope, type Tensor } from "@nn/tensor";
import type { Module } from "./module.ts";
import { Parameter, param } from "./parameter.ts";

export interface WeightNormOptions {
  /** Which parameter; default "weight". */
  name?: string;
  /** The dimension that keeps a length of its own: 0, the output units. null: one length for the whole weight. */
  dim?: number | null;
}

/**
 * Replaces `weight` by `weight_g · weight_v / ‖weight_v‖`: direction and length are trained apart (Salimans & Kingma 2016, "Weight
 * Normalization"). The two parameters are named as in PyTorch; the layer computes as before, with a weight made anew in each call. Do this
 * before the optimizer takes the parameters.
 *
 *     const layer = weightNorm(new Linear(4, 8));
 */
export function weightNorm<M extends Module>(module: M, { name = "weight", dim = 0 }: WeightNormOptions = {}): M {
  const host = module as Record<string, unknown>;
  const weight = host[name];
  if (!(weight instanceof Parameter)) throw new ArgumentError("weightNorm", `${module.constructor.name} has no parameter '${name}'`, { hint: `it has ${[...module.namedParameters()].map(([n]) => n).join(", ") || "none"}` });
  const shape: readonly number[] = weight.shape;
  if (dim !== null && !(dim >= 0 && dim < shape.length)) throw new ArgumentError("weightNorm", `dimension ${dim} of '${name}' [${shape.join(",")}] does not exist`, { hint: "0 is the output units; null one length for all" });
  const others = shape.map((_, d) => d).filter((d) => d !== dim);
  const length = (v: Tensor): Tensor => (others.length === 0 ? v.abs() : v.norm(others, { keepdim: true }));
  const [g, v] = [`${name}_g`, `${name}_v`];
  host[g] = param(noGrad(() => length(weight)));
  host[v] = param(noGrad(() => weight.mul(1)));
  delete host[name];
  const made = (): Tensor => (host[v] as Tensor).mul((host[g] as Tensor).div(length(host[v] as Tensor)));
  Object.defineProperty(host, name, { configurable: true, enumerable: false, get: () => scope(made, "weightNorm") });
  weight.dispose();
  return module;
}

/** The module with an ordinary parameter again, of the value that it had. */
export function removeWeightNorm<M extends Module>(module: M, { name = "weight" }: Pick<WeightNormOptions, "name"> = {}): M {
  const host = module as Record<string, unknown>;
  const [g, v] = [host[`${name}_g`], host[`${name}_v`]];
  if (!(g instanceof Parameter) || !(v instanceof Parameter)) throw new ArgumentError("removeWeightNorm", `'${name}' of ${module.constructor.name} is not normalised`);
  const weight = param(noGrad(() => (host[name] as Tensor).mul(1)));
  delete host[name];
  delete host[`${name}_g`];
  delete host[`${name}_v`];
  host[name] = weight;
  for (const p of [g, v]) p.dispose();
  return module;
}
