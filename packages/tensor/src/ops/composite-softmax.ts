/** Softmax and classification losses as users call them. */
import { isFloat } from "../dtype.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import type { Tensor } from "../tensor.ts";
import { composite } from "./composite.ts";
import * as records from "./softmax.ts";
import { show } from "./shape-rules.ts";

export const softmax = (x: Tensor, dim: number): Tensor => records.softmax({ x }, { dim });
export const logSoftmax = (x: Tensor, dim: number): Tensor => records.logSoftmax({ x }, { dim });

export interface LossOptions {
  /** Weight of each class, `[K]`; `mean` then divides by the weights that were met. */
  weight?: Tensor;
  /** Targets with this value count nothing. */
  ignoreIndex?: number;
  reduction?: "mean" | "sum" | "none";
}
export interface CrossEntropyOptions extends LossOptions {
  /** ε: the target becomes `1 − ε + ε/K`, every other class `ε/K`. */
  labelSmoothing?: number;
}

/**
 * Cross-entropy of logits `[N,K]` or `[N,K,d…]` with class indices `i32[N,d…]` or probabilities of the logits' shape, as PyTorch.
 *
 * @throws ArgumentError for a target that is no class, naming its value, row and K.
 */
export const crossEntropy = composite("crossEntropy", (logits: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor => {
  const { weight, reduction = "mean", labelSmoothing = 0 } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) throw new ArgumentError("crossEntropy", `labelSmoothing is ${labelSmoothing}`, { hint: "a number from 0 to 1" });
  if (logits.rank === 0) throw new ShapeError("crossEntropy", `logits must be [N,K] or [N,K,d…], got ${show(logits)}`);
  if (isFloat(target.dtype)) return withProbabilities(logits, target, options);

  const { rows, perRow } = asRows("crossEntropy", logits, target);
  const { classes, ignoreIndex, weights, total } = perTarget("crossEntropy", rows, perRow, options);
  const { loss } = records.softmaxCrossEntropy({ logits: rows, target: perRow }, { ignoreIndex });
  let each = weights ? loss.mul(weights) : loss; // [rows]
  if (labelSmoothing > 0) {
    const spread = logSoftmax(rows, 1).neg();
    const all = (weight ? spread.mul(weight) : spread).sum(1).mul(perRow.ne(ignoreIndex));
    each = each.mul(1 - labelSmoothing).add(all.mul(labelSmoothing / classes));
  }
  return reduced("crossEntropy", each, reduction, total, target.shape);
});

/** Negative log-likelihood: as `crossEntropy`, from log-probabilities. */
export const nllLoss = composite("nllLoss", (logProbabilities: Tensor, target: Tensor, options: LossOptions = {}): Tensor => {
  const { rows, perRow } = asRows("nllLoss", logProbabilities, target);
  const { classes, ignoreIndex, weights, total } = perTarget("nllLoss", rows, perRow, options);
  records.checkTargets("nllLoss", perRow.dataSync(), classes, ignoreIndex);
  const counted = perRow.ne(ignoreIndex);
  const picked = rows.gather(1, counted.where(perRow, 0).unsqueeze(1)).squeeze(1).neg().mul(counted); // [rows]
  return reduced("nllLoss", weights ? picked.mul(weights) : picked, options.reduction ?? "mean", total, target.shape);
});

/** `[K]`, `[N,K]` or `[N,K,d…]` as rows of classes, with the target of each row. */
function asRows(op: string, x: Tensor, target: Tensor): { rows: Tensor; perRow: Tensor } {
  const expected = x.rank === 1 ? [] : [x.shape[0]!, ...x.shape.slice(2)];
  if (target.shape.join() !== expected.join() || target.rank !== expected.length) {
    throw new ShapeError(op, `target must be i32[${expected.join(",")}] for ${show(x)}, got ${show(target)}`, { hint: "classes are dimension 1; probabilities instead of indices are floats of the logits' shape" });
  }
  const last = x.rank <= 2 ? x : x.permute([0, ...x.shape.slice(2).map((_, d) => d + 2), 1]); // [N,d…,K]
  const classes = last.shape.at(-1)!;
  return { rows: last.reshape([target.size, classes]), perRow: target.cast("i32").reshape([target.size]) };
}

/** What depends on targets alone: their weights, and what `mean` divides by. */
function perTarget(op: string, rows: Tensor, target: Tensor, { weight, ignoreIndex = -100 }: LossOptions) {
  const classes = rows.shape[1]!;
  if (weight && weight.shape.join() !== `${classes}`) throw new ShapeError(op, `weight must be [${classes}], one per class, got ${show(weight)}`);
  if (!weight) return { classes, ignoreIndex, total: rowsCounted(target, ignoreIndex) };
  records.checkTargets(op, target.dataSync(), classes, ignoreIndex);
  const counted = target.ne(ignoreIndex);
  const weights = weight.indexSelect(0, counted.where(target, 0)).mul(counted); // [rows], 0 where ignored
  return { classes, ignoreIndex, weights, total: weights.sum() };
}

/** How many rows are not ignored: known at once, for targets carry no gradient. */
function rowsCounted(target: Tensor, ignoreIndex: number): number {
  let n = 0;
  for (const t of target.dataSync()) if (t !== ignoreIndex) n++;
  return n;
}

function reduced(op: string, each: Tensor, reduction: "mean" | "sum" | "none", total: Tensor | number, shape: readonly number[]): Tensor {
  switch (reduction) {
    case "none":
      return each.reshape(shape);
    case "sum":
      return each.sum();
    case "mean":
      return typeof total === "number" ? each.sum().div(total) : each.sum().div(total);
    default:
      throw new ArgumentError(op, `reduction is ${JSON.stringify(reduction)}`, { hint: 'one of "mean", "sum", "none"' });
  }
}

/** `−Σₖ wₖ·qₖ·log pₖ` with smoothed probabilities q; `mean` divides by the number of positions, not by weights. */
function withProbabilities(logits: Tensor, target: Tensor, { weight, reduction = "mean", labelSmoothing = 0 }: CrossEntropyOptions): Tensor {
  if (target.shape.join() !== logits.shape.join()) {
    throw new ShapeError("crossEntropy", `probabilities must have the shape of the logits, ${show(logits)}, got ${show(target)}`, { hint: 'class indices are i32: target.cast("i32")' });
  }
  const dim = logits.rank === 1 ? 0 : 1;
  const classes = logits.shape[dim]!;
  const q = labelSmoothing > 0 ? target.mul(1 - labelSmoothing).add(labelSmoothing / classes) : target;
  const w = weight ? q.mul(weight.reshape([classes, ...logits.shape.slice(dim + 1).map(() => 1)])) : q;
  const each = logSoftmax(logits, dim).mul(w).sum(dim).neg();
  if (reduction === "mean") return each.sum().div(each.size);
  return reduction === "sum" ? each.sum() : each;
}
