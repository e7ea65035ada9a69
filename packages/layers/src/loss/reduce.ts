/** What all losses share: masks, and the way from one value per element to the result. */
import { ArgumentError, ShapeError, scope, type Tensor } from "@nn/tensor";

export type Reduction = "mean" | "sum" | "none";

export interface LossOptions {
  /** "mean" over what counts (default), "sum", or "none": one value per element. */
  reduction?: Reduction;
  /**
   * Where a loss counts: `bool` (or 0 and 1), of the shape of the unreduced loss or broadcast to it. Elements outside count neither in the sum
   * nor in the number that `mean` divides by, are 0 under "none" and get no gradient, whatever value they have. All outside gives 0.
   */
  mask?: Tensor | null;
}

export function sameShape(name: string, x: Tensor, target: Tensor): void {
  if (x.shape.join() !== target.shape.join()) throw new ShapeError(name, `prediction [${x.shape.join(",")}] and target [${target.shape.join(",")}] differ`, { hint: "broadcasting here is almost always a mistake; reshape one of them" });
}

/** The mask as `bool` of `shape`. */
export function maskOf(name: string, mask: Tensor, shape: readonly number[]): Tensor {
  const fits = mask.rank <= shape.length && mask.shape.every((n, d) => n === 1 || n === shape[shape.length - mask.rank + d]);
  if (!fits) throw new ShapeError(name, `mask [${mask.shape.join(",")}] does not fit a loss of [${shape.join(",")}]`, { hint: "one value per element of the loss; a last dimension of 1 broadcasts: mask.unsqueeze(-1)" });
  return mask.ne(0).expand([...shape]);
}

/** Mean, sum or all of `each`. `kept`: what counts; `total`: what `mean` divides by, if not their number. */
export function reduce(name: string, each: Tensor, reduction: Reduction = "mean", kept: Tensor | null = null, total?: Tensor): Tensor {
  const counted = kept ? kept.where(each, 0) : each;
  switch (reduction) {
    case "none":
      return counted;
    case "sum":
      return counted.sum();
    case "mean": {
      if (!kept && !total) return counted.mean();
      const n = total ?? kept!.cast(each.dtype).sum();
      return counted.sum().div(kept ? n.eq(0).where(1, n) : n);
    }
    default:
      throw new ArgumentError(name, `reduction is ${JSON.stringify(reduction)}`, { hint: 'one of "mean", "sum", "none"' });
  }
}

/**
 * A loss of one value per element of `x` and `target`. Elements outside the mask are replaced by `safe` before `f` sees them: a NaN or
 * infinity in padding reaches neither the result nor a gradient.
 */
export function elementwise(name: string, x: Tensor, target: Tensor, { reduction, mask }: LossOptions, f: (x: Tensor, t: Tensor) => Tensor, safe = 0): Tensor {
  sameShape(name, x, target);
  return scope(() => {
    const kept = mask ? maskOf(name, mask, x.shape) : null;
    return reduce(name, kept ? f(kept.where(x, safe), kept.where(target, safe)) : f(x, target), reduction, kept);
  }, name);
}

/** A loss of one value per row `[N]` of inputs `[N, D]`; a mask is `[N]`. */
export function rowwise(name: string, inputs: readonly Tensor[], { reduction, mask }: LossOptions, f: (...xs: Tensor[]) => Tensor): Tensor {
  const [first] = inputs;
  for (const x of inputs) {
    if (x.rank !== 2 || x.shape.join() !== first!.shape.join()) throw new ShapeError(name, `inputs must be [N,D] of one shape, got ${inputs.map((i) => `[${i.shape.join(",")}]`).join(" and ")}`, x.rank === 1 ? { hint: "one row alone? unsqueeze(0)" } : {});
  }
  return scope(() => {
    const kept = mask ? maskOf(name, mask, [first!.shape[0]!]) : null;
    const rows = kept ? inputs.map((x) => kept.unsqueeze(1).where(x, 0)) : inputs;
    return reduce(name, f(...rows), reduction, kept);
  }, name);
}
