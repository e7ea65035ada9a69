import { scratchBytes } from "@nn/kernels";
import { expect, test } from "vitest";
import { expectClose, numbers, onEveryEngine, out, uniform } from "./harness.ts";

interface Product { batch: number; m: number; n: number; k: number; aT: boolean; bT: boolean; bias: boolean; act: number; pad: number; sharedB: boolean }
const activations = [(x: number) => x, (x: number) => Math.max(x, 0), (x: number) => 1 / (1 + Math.exp(-x)), Math.tanh];

const plain: Product = { batch: 1, m: 1, n: 1, k: 1, aT: false, bT: false, bias: false, act: 0, pad: 0, sharedB: false };
/** Sizes around every tile (4×8, 6×16, 12×32) and block (84 rows, 64 columns, 256 deep), and every way through gemm.hpp. */
function products(): Product[] {
  const next = numbers(5), pick = <T>(list: readonly T[]) => list[Math.floor(next() * list.length)]!;
  const sizes = [1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 31, 32, 33, 63, 65, 85, 130], depths = [0, 1, 2, 7, 16, 33, 255, 256, 257, 520];
  const all = Array.from({ length: 60 }, (): Product => ({
    batch: pick([1, 1, 1, 3]), m: pick(sizes), n: pick(sizes), k: pick(depths), aT: next() < 0.5, bT: next() < 0.5, bias: next() < 0.5,
    act: pick([0, 0, 1, 2, 3]), pad: pick([0, 0, 3]), sharedB: next() < 0.3,
  }));
  return [...all,
    { ...plain, m: 600, n: 70, k: 300, bias: true, act: 1 }, { ...plain, batch: 2, m: 530, n: 65, k: 520, aT: true, bT: true, sharedB: true }, // wide
    { ...plain, m: 10, n: 9, k: 5000, aT: true, bias: true, act: 3 }, { ...plain, batch: 2, m: 33, n: 70, k: 4100, bT: true }, // slabs of k
    { ...plain, n: 700, k: 900, bias: true, act: 2 }, { ...plain, n: 700, k: 900, bT: true }, { ...plain, m: 700, k: 2100, bias: true }, // vectors
    { ...plain, m: 0 }, { ...plain, n: 0 }, { ...plain, batch: 0 },
  ];
}

function arrange(p: Product, seed: number) {
  const aLine = (p.aT ? p.m : p.k) + p.pad, bLine = (p.bT ? p.k : p.n) + p.pad, cRow = p.n + p.pad;
  const aBatch = (p.aT ? p.k : p.m) * aLine, bSize = (p.bT ? p.n : p.k) * bLine;
  return {
    ...p, accumulate: 0, aRow: p.aT ? 1 : aLine, aCol: p.aT ? aLine : 1, aBatch, bRow: p.bT ? 1 : bLine, bCol: p.bT ? bLine : 1,
    bBatch: p.sharedB ? 0 : bSize, cRow, cBatch: p.m * cRow,
    a: uniform(p.batch * aBatch, seed), b: uniform(p.batch * bSize, seed + 1), bias: p.bias ? uniform(p.n, seed + 2) : 0 as const,
  };
}
type Arranged = ReturnType<typeof arrange>;

/** The definition, in f64. Elements between rows of C are NaN: not looked at. */
function reference(x: Arranged): Float64Array {
  const c = new Float64Array(x.batch * x.cBatch).fill(NaN);
  for (let q = 0; q < x.batch; q++)
    for (let i = 0; i < x.m; i++)
      for (let j = 0; j < x.n; j++) {
        let s = x.bias === 0 ? 0 : x.bias[j]!;
        for (let p = 0; p < x.k; p++) s += x.a[q * x.aBatch + i * x.aRow + p * x.aCol]! * x.b[q * x.bBatch + p * x.bRow + j * x.bCol]!;
        c[q * x.cBatch + i * x.cRow + j] = activations[x.act]!(s);
      }
  return c;
}
const cases = products().map((p, seed) => { const x = arrange(p, seed * 10); return { name: JSON.stringify(p), x, want: reference(x) }; });

onEveryEngine((kernels) => {
  test("gemm agrees with plain loops in f64", () => {
    for (const { name, x, want } of cases) {
      const { c } = kernels.run("gemm", { ...x, c: out.f32(want.length), scratch: out.u8(scratchBytes.gemm(x)) });
      want.forEach((w, i) => { if (Number.isNaN(w)) c[i] = NaN; });
      expectClose(c, want, 2e-6 + 3e-7 * Math.sqrt(x.k), name);
    }
  });

  test("accumulate adds to what is there", () => {
    const { engine } = kernels, x = arrange({ ...plain, m: 14, n: 37, k: 300, bias: true, act: 1 }, 7);
    const product = reference({ ...x, act: 0 }), before = uniform(product.length, 9, -5, 5);
    const arrays = [x.a, x.b, x.bias as Float32Array, before], [a, b, bias, c] = arrays.map((v) => {
      const p = engine.alloc(v.byteLength);
      engine.f32(p, v.length).set(v);
      return p;
    }) as [number, number, number, number];
    engine.run("gemm", { ...x, a, b, bias, c, accumulate: 1, scratch: 0 });
    expectClose(engine.f32(c, product.length), product.map((v, i) => Math.max(0, v + before[i]!)), 5e-6, "accumulate");
    for (const p of [a, b, bias, c]) engine.free(p);
  });

  test("NaN and infinities travel as in IEEE arithmetic, NaN through relu", () => {
    const a = Float32Array.of(NaN, 1, Infinity, 0, 1, 2), b = Float32Array.of(1, 0, 1, -1);
    const { c } = kernels.run("gemm", { ...arrange({ ...plain, m: 3, n: 2, k: 2, act: 1 }, 0), a, b, c: out.f32(6), scratch: 0 });
    expectClose(c, [NaN, NaN, Infinity, NaN, 3, 0], 0, "special values");
  });

  test("NaN passes through relu on every way through gemm", () => {
    const shapes = [
      { m: 700, n: 70, k: 300 }, { m: 13, n: 37, k: 300 }, { m: 1, n: 45, k: 30 }, { m: 45, n: 1, k: 30 }, // wide, narrow, vectors
      { m: 10, n: 19, k: 5000 }, { m: 9, n: 11, k: 0 }, { m: 600, n: 32, k: 9 }, // slabs of k, an empty sum, no partial panel
    ];
    for (const shape of shapes) {
      const x = arrange({ ...plain, ...shape, bias: true, act: 1 }, 21), row = shape.m >> 1, column = shape.n >> 1;
      if (shape.k > 0) x.a[row * x.aRow + (shape.k >> 1)] = NaN;
      (x.bias as Float32Array)[column] = NaN;
      const { c } = kernels.run("gemm", { ...x, c: out.f32(shape.m * shape.n), scratch: out.u8(scratchBytes.gemm(x)) });
      const want = Array.from(c, (_, at) => (shape.k > 0 && Math.floor(at / shape.n) === row) || at % shape.n === column);
      expect(Array.from(c, Number.isNaN), JSON.stringify(shape)).toEqual(want);
    }
  });

  test("a large product passes Freivalds' check: C·t = A·(B·t)", () => {
    const n = 300, x = arrange({ ...plain, m: 700, n, k: 400, bT: true }, 3), t = uniform(n, 4);
    const { c } = kernels.run("gemm", { ...x, c: out.f32(x.m * n), scratch: out.u8(scratchBytes.gemm(x)) });
    const bt = Float64Array.from({ length: x.k }, (_, p) => t.reduce((s, v, j) => s + v * x.b[p * x.bRow + j * x.bCol]!, 0));
    let worst = 0;
    for (let i = 0; i < x.m; i++) {
      const left = t.reduce((s, v, j) => s + v * c[i * n + j]!, 0), right = bt.reduce((s, v, p) => s + v * x.a[i * x.k + p]!, 0);
      worst = Math.max(worst, Math.abs(left - right));
    }
    expect(worst).toBeLessThan(2e-3); // of sums around 100
  });
});
