/** Losses: functions from predictions and targets to a scalar (or, with reduction "none", one value per element). */
import { ShapeError, crossEntropy, type Tensor } from "@nn/tensor";

export { crossEntropy };

export interface LossOptions {
  reduction?: "mean" | "sum" | "none";
}

const reduce = (loss: Tensor, { reduction = "mean" }: LossOptions = {}): Tensor => (reduction === "mean" ? loss.mean() : reduction === "sum" ? loss.sum() : loss);

function sameShape(name: string, x: Tensor, target: Tensor): void {
  if (x.shape.join() !== target.shape.join()) throw new ShapeError(name, `prediction [${x.shape.join(",")}] and target [${target.shape.join(",")}] differ`, { hint: "broadcasting here is almost always a mistake; reshape one of them" });
}

/** Mean of squared differences. */
export function mseLoss(x: Tensor, target: Tensor, options?: LossOptions): Tensor {
  sameShape("mseLoss", x, target);
  return reduce(x.sub(target).square(), options);
}

/** ½ Σ (x − t)²: the loss of classical back-propagation. */
export function halfSse(x: Tensor, target: Tensor): Tensor {
  sameShape("halfSse", x, target);
  return x.sub(target).square().sum().mul(0.5);
}

/** Mean of absolute differences. */
export function maeLoss(x: Tensor, target: Tensor, options?: LossOptions): Tensor {
  sameShape("maeLoss", x, target);
  return reduce(x.sub(target).abs(), options);
}

/** Binary cross-entropy of logits: max(z,0) − z·t + log(1 + e^(−|z|)), stable for any z. */
export function bceWithLogits(logits: Tensor, target: Tensor, options?: LossOptions): Tensor {
  sameShape("bceWithLogits", logits, target);
  return reduce(logits.relu().sub(logits.mul(target)).add(logits.abs().neg().exp().log1p()), options);
}
