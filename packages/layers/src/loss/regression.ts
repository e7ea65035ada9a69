/** Losses between numbers. `x` and `target` have one shape. */
import { ArgumentError, type Tensor } from "@nn/tensor";
import { elementwise, type LossOptions } from "./reduce.ts";

/** Mean of (x − t)². */
export const mseLoss = (x: Tensor, target: Tensor, options: LossOptions = {}): Tensor => elementwise("mseLoss", x, target, options, (a, t) => a.sub(t).square());

/** 1/(2m) Σ (x − t)²: the loss of the linear unit, half of `mseLoss`. */
export const halfMse = (x: Tensor, target: Tensor, options: LossOptions = {}): Tensor => elementwise("halfMse", x, target, options, (a, t) => a.sub(t).square().mul(0.5));

/** ½ Σ (x − t)²: the loss of classical back-propagation. */
export const halfSse = (x: Tensor, target: Tensor, options: LossOptions = {}): Tensor => elementwise("halfSse", x, target, { reduction: "sum", ...options }, (a, t) => a.sub(t).square().mul(0.5));

/** Mean of |x − t| (PyTorch's l1_loss). */
export const maeLoss = (x: Tensor, target: Tensor, options: LossOptions = {}): Tensor => elementwise("maeLoss", x, target, options, (a, t) => a.sub(t).abs());

/** ½d² for |d| ≤ δ, δ(|d| − ½δ) beyond, d = x − t (Huber 1964, "Robust estimation of a location parameter"). */
export function huberLoss(x: Tensor, target: Tensor, { delta = 1, ...options }: LossOptions & { delta?: number } = {}): Tensor {
  if (!(delta > 0)) throw new ArgumentError("huberLoss", `delta is ${delta}`, { hint: "a positive number" });
  return elementwise("huberLoss", x, target, options, (a, t) => huber(a.sub(t), delta));
}

/** ½d²/β for |d| < β, |d| − ½β beyond: `huberLoss` over β (Girshick 2015, "Fast R-CNN"). β = 0 is `maeLoss`. */
export function smoothL1Loss(x: Tensor, target: Tensor, { beta = 1, ...options }: LossOptions & { beta?: number } = {}): Tensor {
  if (!(beta >= 0)) throw new ArgumentError("smoothL1Loss", `beta is ${beta}`, { hint: "a number of at least 0" });
  return elementwise("smoothL1Loss", x, target, options, (a, t) => (beta === 0 ? a.sub(t).abs() : huber(a.sub(t), beta).div(beta)));
}

/** c·(d − ½c) with c = d cut to ±δ: both pieces in one, with no branch that a gradient could take twice. */
function huber(d: Tensor, delta: number): Tensor {
  const c = d.clamp({ min: -delta, max: delta });
  return c.mul(d.sub(c.mul(0.5)));
}
