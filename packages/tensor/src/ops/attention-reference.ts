/** Attention in plain f64 loops: the definition. */
import type { RefArray } from "../define.ts";
import type { AttentionAttrs } from "./attention.ts";

/** Vectors by batch, head and position, however they lie. */
interface Heads {
  readonly data: Float64Array;
  readonly b: number;
  readonly h: number;
  /** Positions, and the size of a vector. */
  readonly n: number;
  readonly d: number;
  readonly at: (b: number, h: number, i: number) => number;
}

/** `[B,H,N,D]`, or with `positionsFirst` `[B,N,H,D]`. */
export function heads({ data, shape }: RefArray, positionsFirst = false): Heads {
  const [b, first, second, d] = shape as readonly [number, number, number, number];
  const [h, n] = positionsFirst ? [second, first] : [first, second];
  return { data, b, h, n, d, at: (i, j, k) => ((i * first + (positionsFirst ? k : j)) * second + (positionsFirst ? j : k)) * d };
}

/** `[B,N,3,H,D]` */
export function packedHeads({ data, shape }: RefArray): { q: Heads; k: Heads; v: Heads } {
  const [b, n, , h, d] = shape as readonly [number, number, number, number, number];
  const part = (p: number): Heads => ({ data, b, h, n, d, at: (i, j, k) => (((i * n + k) * 3 + p) * h + j) * d });
  return { q: part(0), k: part(1), v: part(2) };
}

interface Inputs {
  readonly q: Heads;
  readonly k: Heads;
  readonly v: Heads;
  readonly mask?: RefArray;
}

const dot = (a: Float64Array, i: number, b: Float64Array, j: number, n: number): number => {
  let sum = 0;
  for (let e = 0; e < n; e++) sum += a[i + e]! * b[j + e]!;
  return sum;
};

/** Scores of one query: scale·q·k + mask, −∞ for hidden keys. */
function scoresOf({ q, k, mask }: Inputs, { scale, causal }: AttentionAttrs, b: number, h: number, t: number): number[] {
  const step = (dim: number): number => (mask!.shape.at(dim) ?? 1) === 1 ? 0 : mask!.shape.slice(mask!.shape.length + dim + 1).reduce((n, d) => n * d, 1);
  return Array.from({ length: k.n }, (_, s) => {
    if (causal && s > t) return -Infinity;
    const added = mask ? mask.data[b * step(-4) + h * step(-3) + t * step(-2) + s * step(-1)]! : 0;
    return scale * dot(q.data, q.at(b, h, t), k.data, k.at(b, h, s), q.d) + added;
  });
}

function eachQuery({ b, h, n }: Heads, f: (b: number, h: number, t: number) => void): void {
  for (let i = 0; i < b; i++) for (let j = 0; j < h; j++) for (let t = 0; t < n; t++) f(i, j, t);
}

export function forwardLoops(inputs: Inputs, attrs: AttentionAttrs, y: Heads, lse: RefArray): void {
  const { q, v } = inputs;
  eachQuery(q, (b, h, t) => {
    const scores = scoresOf(inputs, attrs, b, h, t);
    const max = Math.max(...scores);
    const sum = max === -Infinity ? 0 : scores.reduce((n, x) => n + Math.exp(x - max), 0);
    lse.data[(b * q.h + h) * q.n + t] = sum === 0 ? Infinity : max + Math.log(sum);
    if (sum === 0) return;
    scores.forEach((x, s) => {
      for (let e = 0; e < v.d; e++) y.data[y.at(b, h, t) + e]! += (Math.exp(x - max) / sum) * v.data[v.at(b, h, s) + e]!;
    });
  });
}

/** With weights p and their gradient dp = dy·v: ds = scale·p·(dp − Σ p·dp), where Σ p·dp = dy·y; dq = Σ ds·k, dk = Σ ds·q, dv = Σ p·dy. */
export function backwardLoops(inputs: Inputs, attrs: AttentionAttrs, { y, lse, dy }: { y: Heads; lse: RefArray; dy: Heads }, out: { q: Heads; k: Heads; v: Heads }): void {
  const { q, k, v } = inputs;
  eachQuery(q, (b, h, t) => {
    const p = scoresOf(inputs, attrs, b, h, t).map((x) => (x === -Infinity ? 0 : Math.exp(x - lse.data[(b * q.h + h) * q.n + t]!)));
    const dp = p.map((_, s) => dot(dy.data, dy.at(b, h, t), v.data, v.at(b, h, s), v.d));
    const mean = dot(dy.data, dy.at(b, h, t), y.data, y.at(b, h, t), v.d);
    p.forEach((w, s) => {
      const ds = attrs.scale * w * (dp[s]! - mean);
      const [i, j] = [q.at(b, h, t), k.at(b, h, s)];
      for (let d = 0; d < q.d; d++) {
        out.q.data[i + d]! += ds * k.data[j + d]!;
        out.k.data[j + d]! += ds * q.data[i + d]!;
      }
      for (let e = 0; e < v.d; e++) out.v.data[v.at(b, h, s) + e]! += w * dy.data[dy.at(b, h, t) + e]!;
    });
  });
}
