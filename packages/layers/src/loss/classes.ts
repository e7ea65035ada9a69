/** Losses of class scores and of distributions. */
import { ArgumentError, ShapeError, crossEntropy as crossEntropyOp, isFloat, nllLoss as nllLossOp, scope, type CrossEntropyOptions as OpOptions, type Tensor } from "@nn/tensor";
import { elementwise, maskOf, reduce, type LossOptions, type Reduction } from "./reduce.ts";

export interface NllOptions extends LossOptions {
  /** Weight of each class, `[K]`; `mean` then divides by the weights that were met. */
  weight?: Tensor;
  /** Targets with this value count nothing; default −100. */
  ignoreIndex?: number;
}
export interface CrossEntropyOptions extends NllOptions {
  /** ε: the target becomes `1 − ε + ε/K`, every other class `ε/K`. */
  labelSmoothing?: number;
}

/**
 * Cross-entropy of logits `[N,K]` or `[N,K,d…]` with class indices `[N,d…]` or probabilities of the logits' shape, as PyTorch.
 * A mask is of the targets' shape `[N,d…]`.
 */
export function crossEntropy(logits: Tensor, target: Tensor, { mask, ...options }: CrossEntropyOptions = {}): Tensor {
  if (!mask) return crossEntropyOp(logits, target, options);
  if (!isFloat(target.dtype)) return maskedClasses("crossEntropy", crossEntropyOp, logits, target, mask, options);
  return scope(() => {
    const shape = logits.shape.filter((_, d) => d !== (logits.rank === 1 ? 0 : 1));
    const kept = maskOf("crossEntropy", mask, shape);
    const wide = kept.unsqueeze(logits.rank === 1 ? 0 : 1);
    const each = crossEntropyOp(wide.where(logits, 0), wide.where(target, 0), { ...options, reduction: "none" });
    return reduce("crossEntropy", each, options.reduction, kept);
  }, "crossEntropy");
}

/** Negative log-likelihood: as `crossEntropy`, from log-probabilities. */
export function nllLoss(logProbabilities: Tensor, target: Tensor, { mask, ...options }: NllOptions = {}): Tensor {
  return mask ? maskedClasses("nllLoss", nllLossOp, logProbabilities, target, mask, options) : nllLossOp(logProbabilities, target, options);
}

/** Class indices outside the mask become `ignoreIndex`: no pass over the logits, but that smoothing reads every row. */
function maskedClasses(name: string, f: (x: Tensor, t: Tensor, o: OpOptions) => Tensor, x: Tensor, target: Tensor, mask: Tensor, options: OpOptions): Tensor {
  return scope(() => {
    const { ignoreIndex = -100, weight, reduction, labelSmoothing = 0 } = options;
    const inside = maskOf(name, mask, target.shape);
    const indices = inside.where(target.cast("i32"), ignoreIndex);
    const each = f(labelSmoothing > 0 ? inside.unsqueeze(x.rank === 1 ? 0 : 1).where(x, 0) : x, indices, { ...options, reduction: "none" });
    const kept = indices.ne(ignoreIndex);
    const total = weight && weight.indexSelect(0, kept.where(indices, 0).reshape([-1])).mul(kept.reshape([-1])).sum();
    return reduce(name, each, reduction, kept, total);
  }, name);
}

/** Mean of −t·log p − (1−t)·log(1−p) for probabilities `p`; logarithms stop at −100, as PyTorch. From logits use `bceWithLogits`. */
export function bceLoss(p: Tensor, target: Tensor, { weight, ...options }: LossOptions & { weight?: Tensor } = {}): Tensor {
  const log = (q: Tensor): Tensor => q.log().clamp({ min: -100 });
  return elementwise("bceLoss", p, target, options, (q, t) => weighted(t.mul(log(finite(q))).add(t.neg().add(1).mul(log(finite(q.neg().add(1))))).neg(), weight), 0.5);
}

// At exactly 0 the slope of log would be infinite: below this (half of the least f32) the logarithm is at its stop anyway, and the gradient 0.
const finite = (q: Tensor): Tensor => q.clamp({ min: 1e-44 });
const weighted = (loss: Tensor, weight: Tensor | undefined): Tensor => (weight ? loss.mul(weight) : loss);

export interface BceWithLogitsOptions extends LossOptions {
  /** Factor of the positive term, broadcast to the logits: above 1 it trades precision for recall. */
  posWeight?: Tensor;
  /** Factor of each element, broadcast to the logits. */
  weight?: Tensor;
}

/** Binary cross-entropy of logits: mean of t·log(1+e⁻ᶻ) + (1−t)·log(1+eᶻ) = max(z,0) − z·t + log(1+e^(−|z|)), stable for any z. */
export function bceWithLogits(logits: Tensor, target: Tensor, { posWeight, weight, ...options }: BceWithLogitsOptions = {}): Tensor {
  return elementwise("bceWithLogits", logits, target, options, (z, t) => weighted(weighted(t, posWeight).mul(z.neg().softplus()).add(t.neg().add(1).mul(z.softplus())), weight));
}

export interface KlDivOptions extends Omit<LossOptions, "reduction"> {
  /** "batchmean" divides the sum by the size of the first dimension: the divergence of the batch. "mean" divides by all elements, as PyTorch. */
  reduction?: Reduction | "batchmean";
  /** The target holds log-probabilities too. */
  logTarget?: boolean;
}

/** Kullback–Leibler divergence t·(log t − x) of log-probabilities `x` from the distribution `target`; 0 where t = 0. */
export function klDiv(x: Tensor, target: Tensor, { reduction = "mean", logTarget = false, ...options }: KlDivOptions = {}): Tensor {
  const each = (a: Tensor, t: Tensor): Tensor => {
    if (logTarget) return t.exp().mul(t.sub(a));
    const none = t.le(0);
    return none.where(0, none.where(1, t).log().sub(a).mul(t));
  };
  if (reduction !== "batchmean") return elementwise("klDiv", x, target, { ...options, reduction }, each);
  if (x.rank === 0) throw new ShapeError("klDiv", "batchmean needs a first dimension to count, got a single number");
  const rows = options.mask ? maskOf("klDiv", options.mask, x.shape).reshape([x.shape[0]!, -1]).any(1).sum().item() : x.shape[0]!;
  return elementwise("klDiv", x, target, { ...options, reduction: "sum" }, each).div(Math.max(1, rows));
}

/** Mean of max(0, margin − t·x) for targets −1 and 1: the loss of a support vector machine (Cortes & Vapnik 1995). `squared` squares it. */
export function hingeLoss(x: Tensor, target: Tensor, { margin = 1, squared = false, ...options }: LossOptions & { margin?: number; squared?: boolean } = {}): Tensor {
  return elementwise("hingeLoss", x, target, options, (a, t) => {
    const short = a.mul(t).neg().add(margin).relu();
    return squared ? short.square() : short;
  });
}

export interface MultiMarginOptions extends LossOptions {
  margin?: number;
  /** Power of each term, 1 or 2. */
  p?: 1 | 2;
  /** Weight of each class, `[K]`. */
  weight?: Tensor;
}

/** Multi-class hinge: Σ_{k≠t} max(0, margin − x_t + x_k)ᵖ / K per row of scores `[N,K]` (Crammer & Singer 2001 sum only the worst k). A mask is `[N]`. */
export function multiMarginLoss(x: Tensor, target: Tensor, { margin = 1, p = 1, weight, reduction, mask }: MultiMarginOptions = {}): Tensor {
  const [rows, classes] = x.shape;
  if (x.rank !== 2 || target.shape.join() !== `${rows}`) throw new ShapeError("multiMarginLoss", `takes scores [N,K] and class indices [N], got [${x.shape.join(",")}] and [${target.shape.join(",")}]`);
  if (p !== 1 && p !== 2) throw new ArgumentError("multiMarginLoss", `p is ${String(p)}`, { hint: "1 or 2" });
  if (weight && weight.shape.join() !== `${classes}`) throw new ShapeError("multiMarginLoss", `weight must be [${classes}], one per class, got [${weight.shape.join(",")}]`);
  return scope(() => {
    const kept = mask ? maskOf("multiMarginLoss", mask, [rows!]) : null;
    const t = (kept ? kept.where(target.cast("i32"), 0) : target.cast("i32")).unsqueeze(1);
    const scores = kept ? kept.unsqueeze(1).where(x, 0) : x;
    const short = scores.sub(scores.gather(1, t)).add(margin).relu();
    const others = t.squeeze(1).oneHot(classes!).eq(0); // the target's own term does not count
    const each = others.where(p === 2 ? short.square() : short, 0).sum(1).div(classes!);
    return reduce("multiMarginLoss", weight ? each.mul(weight.indexSelect(0, t.squeeze(1))) : each, reduction, kept);
  }, "multiMarginLoss");
}
