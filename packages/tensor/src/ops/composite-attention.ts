/** Scaled dot-product attention as users call it. */
import { rand } from "../create.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import type { Tensor } from "../tensor.ts";
import { attentionWeights } from "./attention-composed.ts";
import * as records from "./attention.ts";
import { composite } from "./composite.ts";
import { show } from "./shape-rules.ts";

export interface AttentionOptions {
  /** Broadcasts to `[B,H,T,S]`. bool: true takes part; floats are added to the scores. */
  mask?: Tensor | null;
  /** Query t sees the keys 0 … t only; default false. */
  causal?: boolean;
  /** Factor of the scores; default 1/√D. */
  scale?: number;
  /** Probability with which a weight is dropped, the others growing by 1/(1−p); default 0. */
  dropout?: number;
}

/**
 * `softmax(scale·q·kᵀ + mask)·v` (Vaswani 2017) for q `[B,H,T,D]`, k `[B,H,S,D]`, v `[B,H,S,E]`, or all three without H → `[B,H,T,E]`.
 * Never holds the weights in memory, unless a mask is trained or weights are dropped. A query that sees no key gives 0, where PyTorch gives NaN.
 *
 * @throws ShapeError, ArgumentError for a probability outside [0, 1)
 */
export const scaledDotProductAttention = composite("scaledDotProductAttention", (q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor => {
  if (q.rank === 3 && k.rank === 3 && v.rank === 3) return attend(q.unsqueeze(1), k.unsqueeze(1), v.unsqueeze(1), options).squeeze(1);
  return attend(q, k, v, options);
});

function attend(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
  const { mask, attrs, dropout } = resolve(q, options, q.shape.at(-1) ?? 1);
  if (dropout === 0 && !mask?.requiresGrad) return withoutSums(records.attention({ q, k, v, ...(mask && { mask }) }, attrs));
  return attentionWithWeights(q, k, v, options).y;
}

/** Self-attention on what one projection gives, qkv `[B,T,3,H,D]` → `[B,T,H,D]`; otherwise as `scaledDotProductAttention`. @throws ShapeError */
export const packedSelfAttention = composite("packedSelfAttention", (qkv: Tensor, options: AttentionOptions = {}): Tensor => {
  if (qkv.rank !== 5 || qkv.shape[2] !== 3) throw new ShapeError("packedSelfAttention", `expected [B,T,3,H,D], got ${show(qkv)}`, { hint: "dimension 2 holds queries, keys and values" });
  const { mask, attrs, dropout } = resolve(qkv, options, qkv.shape[4]!);
  if (dropout === 0 && !mask?.requiresGrad) return withoutSums(records.attentionQkv({ qkv, ...(mask && { mask }) }, attrs));
  const { q, k, v } = records.unpack(qkv);
  return attentionWithWeights(q, k, v, options).y.permute([0, 2, 1, 3]);
});

/** The result and the weights `[B,H,T,S]` themselves, as dropout left them. */
export const attentionWithWeights = composite("attentionWithWeights", (q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): { y: Tensor; weights: Tensor } => {
  const { mask, attrs, dropout } = resolve(q, options, q.shape.at(-1) ?? 1);
  const inputs = { q, k, ...(mask && { mask }) };
  records.attention.record.infer({ ...inputs, v }, attrs);
  const all = attentionWeights(inputs, attrs);
  const weights: Tensor = dropout > 0 ? all.mul(rand(all.shape).ge(dropout).cast(all.dtype).mul(1 / (1 - dropout))) : all;
  return { y: weights.matmul(v), weights };
});

function resolve(x: Tensor, { mask, causal = false, scale, dropout = 0 }: AttentionOptions, d: number) {
  if (!(dropout >= 0 && dropout < 1)) throw new ArgumentError("scaledDotProductAttention", `dropout ${dropout} is not in [0, 1)`);
  const added = mask?.dtype === "bool" ? mask.where(0, -Infinity).cast(x.dtype) : mask;
  return { mask: added, attrs: { scale: scale ?? 1 / Math.sqrt(d), causal }, dropout };
}

function withoutSums({ y, lse }: { y: Tensor; lse: Tensor }): Tensor {
  lse.dispose();
  return y;
}
