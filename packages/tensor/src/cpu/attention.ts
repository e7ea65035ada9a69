/** Attention on kernels that read queries, keys and values through strides, so that heads of a projection need no copies. */
import type { KernelArgs } from "@nn/kernels";
import { kernel } from "../backend.ts";
import type { Aval } from "../define.ts";
import { contiguous, denseStrides, expandLayout, memoryOrder, type Layout } from "../layout.ts";
import type { AttentionAttrs } from "../ops/attention.ts";
import { empty, pointerOf, type Tensor } from "../tensor.ts";
import { withLayouts } from "./dense.ts";
import { run } from "./launch.ts";

type As = (x: Tensor, layout: Layout) => Tensor;

/** Address of the first element and strides of batch, head and position. */
interface Heads {
  readonly p: number;
  readonly strides: number[];
}

/** The last dimension must be dense. */
const readable = (as: As, x: Tensor): Tensor => (x.shape.at(-1)! <= 1 || x.strides.at(-1) === 1 ? x : as(x, contiguous(x.shape)));
/** x `[B,H,N,D]` */
const headsOf = (x: Tensor): Heads => ({ p: pointerOf(x), strides: x.strides.slice(0, 3) });
/** x `[B,N,H,D]` */
const positionsFirst = (x: Tensor): Heads => ({ p: pointerOf(x), strides: [x.strides[0]!, x.strides[2]!, x.strides[1]!] });
/** Part 0, 1 or 2 of `[B,N,3,H,D]` */
const packed = (x: Tensor, part: number): Heads => ({ p: pointerOf(x) + 4 * part * x.strides[2]!, strides: [x.strides[0]!, x.strides[3]!, x.strides[1]!] });

/** A result that lies in memory in the order of `like`, so that what comes next sees rows of features; its last dimension is dense. */
function inOrderOf(like: Tensor, aval: Aval, origin: string): Tensor {
  const last = aval.shape.length - 1;
  const order = [...memoryOrder(like).filter((d) => d !== last), last];
  return empty(aval, origin, { shape: aval.shape, strides: denseStrides(aval.shape, order), offset: 0 }, like.backend);
}

type Common = Pick<KernelArgs["attention"], "b" | "h" | "t" | "s" | "d" | "e" | "scale" | "causal" | "q" | "qStride" | "k" | "kStride" | "v" | "vStride" | "mask" | "maskStride">;
type Sizes = Pick<Common, "b" | "h" | "t" | "s" | "d" | "e">;

function common(sizes: Sizes, { scale, causal }: AttentionAttrs, q: Heads, k: Heads, v: Heads, mask: Tensor | undefined): Common {
  const { b, h, t, s } = sizes;
  return {
    ...sizes, scale, causal: causal ? 1 : 0,
    q: q.p, qStride: q.strides, k: k.p, kStride: k.strides, v: v.p, vStride: v.strides,
    mask: mask ? pointerOf(mask) : 0, maskStride: mask ? [...expandLayout(mask, [b, h, t, s]).strides] : [],
  };
}

const sizesOf = (q: Tensor, k: Tensor, v: Tensor): Sizes => ({ b: q.shape[0]!, h: q.shape[1]!, t: q.shape[2]!, d: q.shape[3]!, s: k.shape[2]!, e: v.shape[3]! });
const packedSizes = ({ shape: [b, t, , h, d] }: Tensor): Sizes => ({ b: b!, h: h!, t: t!, s: t!, d: d!, e: d! });

export interface Inputs {
  q: Tensor;
  k: Tensor;
  v: Tensor;
  mask?: Tensor;
}
/** What the forward pass left, and the gradient of its result. */
export interface Forward {
  y: Tensor;
  lse: Tensor;
  dy: Tensor;
}

export const attention = kernel<Inputs, AttentionAttrs, { y: Aval; lse: Aval }>(({ q, k, v, mask }, attrs, out) => {
  const y = inOrderOf(q, out.y, "attention");
  const lse = empty(out.lse, "attention", contiguous(out.lse.shape), q.backend);
  const o = headsOf(y);
  withLayouts((as) => {
    const [qs, ks, vs] = [q, k, v].map((x) => headsOf(readable(as, x))) as [Heads, Heads, Heads];
    run(q.backend, "attention", { ...common(sizesOf(q, k, v), attrs, qs, ks, vs, mask), o: o.p, oStride: o.strides, lse: pointerOf(lse) });
  });
  return { y, lse };
});

export const attentionGrad = kernel<Inputs & Forward, AttentionAttrs, { dq: Aval; dk: Aval; dv: Aval }>(({ q, k, v, mask, y, lse, dy }, attrs, out) => {
  const result = { dq: inOrderOf(q, out.dq, "attentionGrad"), dk: inOrderOf(k, out.dk, "attentionGrad"), dv: inOrderOf(v, out.dv, "attentionGrad") };
  const [dq, dk, dv] = [result.dq, result.dk, result.dv].map(headsOf) as [Heads, Heads, Heads];
  withLayouts((as) => {
    const [qs, ks, vs, ys, dys] = [q, k, v, y, dy].map((x) => headsOf(readable(as, x))) as [Heads, Heads, Heads, Heads, Heads];
    run(q.backend, "attentionGrad", { ...common(sizesOf(q, k, v), attrs, qs, ks, vs, mask), ...forward(as, ys, lse, dys), ...targets(dq, dk, dv) });
  });
  return result;
});

export const attentionQkv = kernel<{ qkv: Tensor; mask?: Tensor }, AttentionAttrs, { y: Aval; lse: Aval }>(({ qkv, mask }, attrs, out) => {
  // [B,T,H,D] in the order of [B,T,3,H,D], whatever comes outermost.
  const order = memoryOrder(qkv).filter((d) => d !== 2 && d !== 4).map((d) => (d === 3 ? 2 : d));
  const y = empty(out.y, "attentionQkv", { shape: out.y.shape, strides: denseStrides(out.y.shape, [...order, 3]), offset: 0 }, qkv.backend);
  const lse = empty(out.lse, "attentionQkv", contiguous(out.lse.shape), qkv.backend);
  const o = positionsFirst(y);
  withLayouts((as) => {
    const x = readable(as, qkv);
    run(qkv.backend, "attention", { ...common(packedSizes(qkv), attrs, packed(x, 0), packed(x, 1), packed(x, 2), mask), o: o.p, oStride: o.strides, lse: pointerOf(lse) });
  });
  return { y, lse };
});

export const attentionQkvGrad = kernel<{ qkv: Tensor; mask?: Tensor } & Forward, AttentionAttrs, Aval>(({ qkv, mask, y, lse, dy }, attrs, out) => {
  const dqkv = inOrderOf(qkv, out, "attentionQkvGrad");
  withLayouts((as) => {
    const x = readable(as, qkv);
    const [ys, dys] = [y, dy].map((t) => positionsFirst(readable(as, t))) as [Heads, Heads];
    run(qkv.backend, "attentionGrad", {
      ...common(packedSizes(qkv), attrs, packed(x, 0), packed(x, 1), packed(x, 2), mask),
      ...forward(as, ys, lse, dys), ...targets(packed(dqkv, 0), packed(dqkv, 1), packed(dqkv, 2)),
    });
  });
  return dqkv;
});

const forward = (as: As, y: Heads, lse: Tensor, dy: Heads) => ({ o: y.p, oStride: y.strides, lse: pointerOf(as(lse, contiguous(lse.shape))), dy: dy.p, dyStride: dy.strides });
const targets = (dq: Heads, dk: Heads, dv: Heads) => ({ dq: dq.p, dqStride: dq.strides, dk: dk.p, dkStride: dk.strides, dv: dv.p, dvStride: dv.strides });
