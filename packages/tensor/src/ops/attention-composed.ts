/** Attention made of other ops, with its weights in memory: where they are asked for, dropped, trained through a mask, or differentiated twice. */
import { arange } from "../create.ts";
import type { Tensor } from "../tensor.ts";
import type { AttentionAttrs } from "./attention.ts";
import { softmax } from "./softmax.ts";

interface Inputs {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  /** Added to the scores; −∞ hides. */
  readonly mask?: Tensor;
}

/** Finite, so that rows of hidden keys stay numbers until they are set to 0. */
const hidden = -1e30;

/** `[B,H,T,S]`: softmax of the scores, 0 for a query that sees no key. */
export function attentionWeights({ q, k, mask }: Omit<Inputs, "v">, { scale, causal }: AttentionAttrs): Tensor {
  let scores: Tensor = q.matmul(k.transpose(-2, -1)).mul(scale);
  if (mask) scores = scores.add(mask);
  let visible = mask ? mask.gt(hidden) : null;
  if (causal) {
    const earlier: Tensor = arange(q.shape[2]!, { dtype: "i32" }).unsqueeze(1).ge(arange(k.shape[2]!, { dtype: "i32" }).unsqueeze(0)); // [T,S]
    visible = visible ? visible.logicalAnd(earlier) : earlier;
  }
  if (visible) scores = visible.where(scores, hidden);
  const weights: Tensor = softmax({ x: scores }, { dim: -1 });
  return mask ? weights.mul(visible!.any(-1, { keepdim: true }).cast(weights.dtype)) : weights;
}

/** The whole of `attention` from ops that can be differentiated again. */
export const composedAttention = ({ v, ...rest }: Inputs, attrs: AttentionAttrs): Tensor => attentionWeights(rest, attrs).matmul(v);
