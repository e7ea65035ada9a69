/** Losses of distances between rows: `[N, D]` each, a value per row, masks `[N]`. */
import { ArgumentError, ShapeError, type Tensor } from "@nn/tensor";
import { rowwise, type LossOptions } from "./reduce.ts";

/** 1 − cos(a, b) where `target` is 1, max(0, cos(a, b) − margin) where it is −1. `target` is `[N]`. */
export function cosineEmbeddingLoss(a: Tensor, b: Tensor, target: Tensor, { margin = 0, ...options }: LossOptions & { margin?: number } = {}): Tensor {
  if (target.shape.join() !== `${a.shape[0]}`) throw new ShapeError("cosineEmbeddingLoss", `target must be [${a.shape[0] ?? "N"}], 1 for alike and −1 for not, got [${target.shape.join(",")}]`);
  return rowwise("cosineEmbeddingLoss", [a, b], options, (u, v) => {
    const length = (x: Tensor): Tensor => x.square().sum(1).add(1e-12); // squared, as PyTorch guards it
    const cosine = u!.mul(v!).sum(1).div(length(u!).mul(length(v!)).sqrt());
    return target.gt(0).where(cosine.neg().add(1), target.lt(0).where(cosine.sub(margin).relu(), 0));
  });
}

export interface TripletMarginOptions extends LossOptions {
  margin?: number;
  /** Which norm measures distance; default 2. */
  p?: number;
  /** Added to each difference, so that the norm has a slope where two rows are equal. */
  eps?: number;
  /** Use the negative's distance from the positive where it is smaller (Balntas 2016). */
  swap?: boolean;
}

/** max(0, d(anchor, positive) − d(anchor, negative) + margin), d(u, v) = ‖u − v + ε‖ₚ (Schroff 2015, "FaceNet"). */
export function tripletMarginLoss(anchor: Tensor, positive: Tensor, negative: Tensor, { margin = 1, p = 2, eps = 1e-6, swap = false, ...options }: TripletMarginOptions = {}): Tensor {
  if (!(p > 0)) throw new ArgumentError("tripletMarginLoss", `p is ${p}`, { hint: "a positive number" });
  const distance = (u: Tensor, v: Tensor): Tensor => u.sub(v).add(eps).norm(1, { p });
  return rowwise("tripletMarginLoss", [anchor, positive, negative], options, (a, pos, neg) => {
    const far = distance(a!, neg!);
    return distance(a!, pos!).sub(swap ? far.minimum(distance(pos!, neg!)) : far).add(margin).relu();
  });
}
