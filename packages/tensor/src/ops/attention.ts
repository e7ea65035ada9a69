/** Attention of queries over keys as one op: softmax(scale·Q·Kᵀ + mask)·V, without the matrix of weights in memory. */
import { defineOp, noGradient, oncePerNode, type Aval, type RefArray } from "../define.ts";
import { isFloat, promote } from "../dtype.ts";
import { DTypeError, ShapeError } from "../errors.ts";
import { broadcastShapes, showShape, type Shape } from "../layout.ts";
import type { Tensor } from "../tensor.ts";
import { backwardLoops, forwardLoops, heads, packedHeads } from "./attention-reference.ts";
import { composedAttention } from "./attention-composed.ts";
import { show } from "./shape-rules.ts";

export interface AttentionAttrs {
  /** Factor of the scores. */
  scale: number;
  /** Query t sees the keys 0 … t only. */
  causal: boolean;
}

interface AttentionSizes {
  readonly b: number;
  readonly h: number;
  /** Queries, keys. */
  readonly t: number;
  readonly s: number;
}

function checkMask(op: string, mask: Aval | undefined, { b, h, t, s }: AttentionSizes): void {
  if (mask && broadcastShapes(mask.shape, [b, h, t, s])?.join() !== [b, h, t, s].join()) {
    throw new ShapeError(op, `mask ${show(mask)} does not broadcast to [batch,heads,queries,keys] = ${showShape([b, h, t, s])}`, { hint: "one mask per sequence [B,S] is mask.reshape([B, 1, 1, S])" });
  }
  if (mask && !isFloat(mask.dtype)) throw new DTypeError(op, `mask is added to the scores, got ${show(mask)}`, { hint: "scaledDotProductAttention takes bool masks" });
}

function floats(op: string, inputs: readonly Aval[]): Aval["dtype"] {
  const dtype = inputs.map((x) => x.dtype).reduce(promote);
  if (!isFloat(dtype)) throw new DTypeError(op, `needs floating-point inputs, got ${inputs.map(show).join(", ")}`, { hint: 'x.cast("f32")' });
  return dtype;
}

function inferHeads(op: string, q: Aval, k: Aval, v: Aval, mask?: Aval): { y: Aval; lse: Aval } {
  const [b, h, t, d] = q.shape as readonly [number, number, number, number];
  const s = k.shape[2]!;
  if ([q, k, v].some((x) => x.shape.length !== 4) || k.shape.join() !== [b, h, s, d].join() || v.shape.slice(0, 3).join() !== [b, h, s].join()) {
    throw new ShapeError(op, `queries must be [B,H,T,D], keys [B,H,S,D], values [B,H,S,E], got ${show(q)}, ${show(k)}, ${show(v)}`);
  }
  checkMask(op, mask, { b, h, t, s });
  const dtype = floats(op, [q, k, v]);
  return { y: { shape: [b, h, t, v.shape[3]!], dtype }, lse: { shape: [b, h, t], dtype } };
}

function inferPacked(op: string, qkv: Aval, mask?: Aval): { y: Aval; lse: Aval } {
  if (qkv.shape.length !== 5 || qkv.shape[2] !== 3) throw new ShapeError(op, `expected [B,T,3,H,D], got ${show(qkv)}`, { hint: "dimension 2 holds queries, keys and values" });
  const [b, t, , h, d] = qkv.shape as readonly [number, number, number, number, number];
  checkMask(op, mask, { b, h, t, s: t });
  const dtype = floats(op, [qkv]);
  return { y: { shape: [b, t, h, d], dtype }, lse: { shape: [b, h, t], dtype } };
}

const masked = noGradient("a mask that is trained goes through softmax and matmul: scaledDotProductAttention does that");
const onlyThrough = noGradient("second derivatives go through the decomposition of attention");
const withMask = <T extends object>(inputs: T, mask: Tensor | undefined): T & { mask?: Tensor } => ({ ...inputs, ...(mask && { mask }) });

// One pass gives the gradients of queries, keys and values.
const gradientsOf = oncePerNode(({ dy, q, k, v, mask, y, lse, attrs }: { dy: Tensor; q: Tensor; k: Tensor; v: Tensor; mask?: Tensor; y: Tensor; lse: Tensor; attrs: AttentionAttrs }) =>
  attentionGrad(withMask({ q, k, v, y, lse, dy }, mask), attrs));

interface HeadSample {
  readonly q: Shape;
  /** Keys. */
  readonly s: number;
  /** Size of a value. */
  readonly e: number;
  readonly mask?: Shape;
  readonly causal?: boolean;
}
const headSamples: HeadSample[] = [
  { q: [2, 2, 3, 4], s: 5, e: 4, mask: [2, 1, 1, 5] },
  { q: [1, 2, 5, 3], s: 5, e: 2, causal: true },
  { q: [2, 1, 4, 8], s: 3, e: 8, mask: [1, 1, 4, 3] },
  { q: [1, 1, 67, 5], s: 130, e: 17, mask: [67, 1] },
  { q: [1, 1, 65, 70], s: 66, e: 66, causal: true },
  { q: [1, 2, 0, 3], s: 2, e: 3 },
  { q: [2, 1, 3, 2], s: 0, e: 2 },
];
const attrsOf = ({ q, causal = false }: HeadSample): AttentionAttrs => ({ scale: 1 / Math.sqrt(q[3]!), causal });
const inputsOf = ({ q, s, e, mask }: HeadSample) => {
  const keys = [...q.slice(0, 2), s];
  return { q, k: [...keys, q[3]!], v: [...keys, e], ...(mask && { mask }) };
};

/**
 * `y[b,h,t] = Σₛ softmaxₛ(scale·q·kₛ + mask)·vₛ` (Vaswani 2017). mask broadcasts to `[B,H,T,S]`, −∞ hides a key.
 * A query that sees no key gives 0. `lse` is log Σ exp of each query's scores, +∞ where it sees none.
 */
export const attention = defineOp({
  name: "attention",
  inputs: ["q", "k", "v", "mask?"],
  outputs: ["y", "lse"],
  saves: ["q", "k", "v", "mask", "y", "lse"],
  infer: ({ q, k, v, mask }, _attrs: AttentionAttrs) => inferHeads("attention", q, k, v, mask),
  reference: ({ q, k, v, mask }, attrs, { y, lse }) => forwardLoops({ q: heads(q), k: heads(k), v: heads(v), ...(mask && { mask }) }, attrs, heads(y), lse),
  vjp: { q: (node): Tensor => gradientsOf(node).dq, k: (node): Tensor => gradientsOf(node).dk, v: (node): Tensor => gradientsOf(node).dv, mask: masked },
  decompose: (inputs, attrs) => ({ y: composedAttention(inputs, attrs) }),
  samples: headSamples.map((s) => ({ inputs: inputsOf(s), attrs: attrsOf(s) })),
});

/** Gradients of queries, keys and values in one pass; `y` and `lse` are what forward gave. */
export const attentionGrad = defineOp({
  name: "attentionGrad",
  inputs: ["q", "k", "v", "y", "lse", "dy", "mask?"],
  outputs: ["dq", "dk", "dv"],
  saves: [],
  infer({ q, k, v, y, lse, dy, mask }, _attrs: AttentionAttrs) {
    const expected = inferHeads("attentionGrad", q, k, v, mask);
    checkForward("attentionGrad", expected, { y, lse, dy });
    const { dtype } = expected.y;
    return { dq: { shape: q.shape, dtype }, dk: { shape: k.shape, dtype }, dv: { shape: v.shape, dtype } };
  },
  reference({ q, k, v, y, lse, dy, mask }, attrs, { dq, dk, dv }) {
    const forward = { y: heads(y), lse, dy: heads(dy) };
    backwardLoops({ q: heads(q), k: heads(k), v: heads(v), ...(mask && { mask }) }, attrs, forward, { q: heads(dq), k: heads(dk), v: heads(dv) });
  },
  vjp: { q: onlyThrough, k: onlyThrough, v: onlyThrough, y: onlyThrough, lse: onlyThrough, dy: onlyThrough, mask: masked },
  samples: headSamples.map((s) => {
    const y = [...s.q.slice(0, 3), s.e];
    return { inputs: { ...inputsOf(s), y, lse: { shape: s.q.slice(0, 3), low: 3, high: 5 }, dy: y }, attrs: attrsOf(s) };
  }),
});

function checkForward(op: string, expected: { y: Aval; lse: Aval }, { y, lse, dy }: Record<"y" | "lse" | "dy", Aval>): void {
  for (const [t, like] of [[y, expected.y], [dy, expected.y], [lse, expected.lse]] as const) {
    if (t.shape.join() !== like.shape.join()) throw new ShapeError(op, `expected ${show(like)} of the forward pass, got ${show(t)}`);
  }
}

/** `[B,T,3,H,D]` as queries, keys and values `[B,H,T,D]`. */
export const unpack = (qkv: Tensor) => {
  const part = (i: number): Tensor => qkv.slice(2, i, i + 1).squeeze(2).permute([0, 2, 1, 3]);
  return { q: part(0), k: part(1), v: part(2) };
};

const packedSamples = [
  { qkv: [2, 3, 3, 2, 4], mask: [2, 1, 1, 3], causal: false },
  { qkv: [1, 66, 3, 2, 5], causal: true },
  { qkv: [2, 5, 3, 1, 16], mask: [5, 5], causal: false },
  { qkv: [0, 3, 3, 2, 2], causal: false },
].map(({ qkv, mask, causal }) => ({ inputs: { qkv, ...(mask && { mask }) }, attrs: { scale: 1 / Math.sqrt(qkv[4]!), causal } }));

/** Self-attention as one projection gives it: qkv `[B,T,3,H,D]` → `[B,T,H,D]`; otherwise as `attention`. */
export const attentionQkv = defineOp({
  name: "attentionQkv",
  inputs: ["qkv", "mask?"],
  outputs: ["y", "lse"],
  saves: ["qkv", "mask", "y", "lse"],
  infer: ({ qkv, mask }, _attrs: AttentionAttrs) => inferPacked("attentionQkv", qkv, mask),
  reference: ({ qkv, mask }, attrs, { y, lse }) => forwardLoops({ ...packedHeads(qkv), ...(mask && { mask }) }, attrs, heads(y, true), lse),
  vjp: { qkv: ({ dy, qkv, mask, y, lse, attrs }): Tensor => attentionQkvGrad(withMask({ qkv, y, lse, dy }, mask), attrs), mask: masked },
  decompose: ({ qkv, mask }, attrs) => ({ y: composedAttention(withMask(unpack(qkv), mask), attrs).permute([0, 2, 1, 3]) }),
  samples: packedSamples,
});

/** The gradient of `attentionQkv`, where the projection's gradient wants it. */
export const attentionQkvGrad = defineOp({
  name: "attentionQkvGrad",
  inputs: ["qkv", "y", "lse", "dy", "mask?"],
  saves: [],
  infer({ qkv, y, lse, dy, mask }, _attrs: AttentionAttrs) {
    const expected = inferPacked("attentionQkvGrad", qkv, mask);
    checkForward("attentionQkvGrad", expected, { y, lse, dy });
    return { shape: qkv.shape, dtype: expected.y.dtype };
  },
  reference({ qkv, y, lse, dy, mask }, attrs, dqkv: RefArray) {
    backwardLoops({ ...packedHeads(qkv), ...(mask && { mask }) }, attrs, { y: heads(y, true), lse, dy: heads(dy, true) }, packedHeads(dqkv));
  },
  vjp: { qkv: onlyThrough, y: onlyThrough, lse: onlyThrough, dy: onlyThrough, mask: masked },
  samples: packedSamples.map(({ inputs, attrs }) => {
    const [b, t, , h, d] = inputs.qkv as [number, number, number, number, number];
    return { inputs: { ...inputs, y: [b, t, h, d], lse: { shape: [b, h, t], low: 3, high: 5 }, dy: [b, t, h, d] }, attrs };
  }),
});
