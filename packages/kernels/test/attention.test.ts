import { test } from "vitest";
import { expectClose, onEveryEngine, out, uniform } from "./harness.ts";

interface Case { t: number; s: number; d: number; e: number; causal?: number; masked?: boolean }
const cases: Case[] = [
  { t: 1, s: 1, d: 1, e: 1 }, { t: 3, s: 5, d: 4, e: 7 }, { t: 63, s: 64, d: 64, e: 64 }, { t: 64, s: 65, d: 32, e: 33 }, { t: 65, s: 127, d: 63, e: 65 },
  { t: 5, s: 3, d: 130, e: 66, masked: true }, { t: 70, s: 70, d: 16, e: 16, causal: 1 }, { t: 4, s: 131, d: 8, e: 8, causal: 1 }, { t: 131, s: 4, d: 8, e: 9, causal: 1, masked: true },
  { t: 0, s: 3, d: 2, e: 2 }, { t: 3, s: 0, d: 2, e: 2 }, { t: 3, s: 2, d: 0, e: 2 },
];
const [b, h] = [2, 2];

onEveryEngine((k) => {
  test("attention and its gradients, heads beside each other in memory", () => {
    for (const { t, s, d, e, causal = 0, masked = false } of cases) {
      // [b,n,h,size] in memory, read as [b,h,n,size].
      const strides = (n: number, size: number) => [n * h * size, size, h * size];
      const at = (n: number, size: number, i: number, j: number, p: number) => ((i * n + p) * h + j) * size;
      const [q, key, v, dy] = [uniform(b * t * h * d, 1), uniform(b * s * h * d, 2), uniform(b * s * h * e, 3), uniform(b * t * h * e, 4)];
      const mask = uniform(b * s, 5).map((x) => (x > 0.5 ? -Infinity : x)), scale = 0.7;
      const shared = {
        b, h, t, s, d, e, scale, causal, q, qStride: strides(t, d), k: key, kStride: strides(s, d), v, vStride: strides(s, e),
        mask: masked ? mask : 0, maskStride: [s, 0, 0, 1], oStride: strides(t, e),
      };
      const { o, lse } = k.run("attention", { ...shared, o: out.f32(dy.length), lse: out.f32(b * h * t) });

      const want = { o: new Float64Array(dy.length), lse: new Float64Array(b * h * t), dq: new Float64Array(q.length), dk: new Float64Array(key.length), dv: new Float64Array(v.length) };
      const dot = (x: ArrayLike<number>, i: number, y: ArrayLike<number>, j: number, n: number) => Array.from({ length: n }, (_, l) => x[i + l]! * y[j + l]!).reduce((m, c) => m + c, 0);
      for (let i = 0; i < b; i++) for (let j = 0; j < h; j++) for (let p = 0; p < t; p++) {
        const scores = Array.from({ length: s }, (_, c) => (causal && c > p ? -Infinity : scale * dot(q, at(t, d, i, j, p), key, at(s, d, i, j, c), d) + (masked ? mask[i * s + c]! : 0)));
        const sum = scores.reduce((m, c) => m + Math.exp(c), 0);
        want.lse[(i * h + j) * t + p] = sum === 0 ? Infinity : Math.log(sum);
        if (sum === 0) continue;
        const w = scores.map((c) => Math.exp(c) / sum), dw = scores.map((_, c) => dot(dy, at(t, e, i, j, p), v, at(s, e, i, j, c), e));
        const mean = w.reduce((m, c, l) => m + c * dw[l]!, 0);
        w.forEach((c, l) => {
          const ds = scale * c * (dw[l]! - mean);
          for (let x = 0; x < e; x++) {
            want.o[at(t, e, i, j, p) + x]! += c * v[at(s, e, i, j, l) + x]!;
            want.dv[at(s, e, i, j, l) + x]! += c * dy[at(t, e, i, j, p) + x]!;
          }
          for (let x = 0; x < d; x++) {
            want.dq[at(t, d, i, j, p) + x]! += ds * key[at(s, d, i, j, l) + x]!;
            want.dk[at(s, d, i, j, l) + x]! += ds * q[at(t, d, i, j, p) + x]!;
          }
        });
      }
      const name = `t ${t} s ${s} d ${d} e ${e}${causal ? " causal" : ""}${masked ? " masked" : ""}`;
      expectClose(o, want.o, 3e-6, `o, ${name}`);
      expectClose(lse, want.lse, 1e-5, `lse, ${name}`);
      const grads = k.run("attentionGrad", {
        ...shared, o, lse, dy, dyStride: strides(t, e),
        dq: out.f32(q.length), dqStride: strides(t, d), dk: out.f32(key.length), dkStride: strides(s, d), dv: out.f32(v.length), dvStride: strides(s, e),
      });
      for (const part of ["dq", "dk", "dv"] as const) expectClose(grads[part], want[part], 2e-5, `${part}, ${name}`);
    }
  });
});
