import { reduceKinds } from "@nn/kernels";
import { expect, test } from "vitest";
import { expectClose, onEveryEngine, out, uniform } from "./harness.ts";

type Layout = readonly [outer: number, r: number, inner: number];
const sizes = [1, 2, 7, 8, 9, 33, 511, 513];
const layouts: Layout[] = [1, 3].flatMap((o) => sizes.flatMap((r) => [1, 2, 7, 8, 9, 63, 64, 65, 130, 513, 1027].map((i) => [o, r, i] as const)))
  .filter(([o, r, i]) => o * r * i < 150_000);

/** f(values along r, flat output position). */
function along(x: Float32Array, [outer, r, inner]: Layout, f: (v: number[], at: number) => void): void {
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) f(Array.from({ length: r }, (_, k) => x[(o * r + k) * inner + i]!), o * inner + i);
}
const sum = (v: number[]) => v.reduce((a, b) => a + b, 0);
/** Math.max lets NaN win, as the kernel does. */
const reducers: Record<keyof typeof reduceKinds, (v: number[]) => number> = {
  sum, max: (v) => v.reduce((a, b) => Math.max(a, b), -Infinity),
  prod: (v) => v.reduce((a, b) => a * b, 1),
};
const kinds = Object.keys(reducers) as (keyof typeof reduceKinds)[];

/** First NaN, else first maximum. */
function argMax(v: number[]): number {
  const nan = v.findIndex(Number.isNaN);
  return nan >= 0 ? nan : v.indexOf(reducers.max(v));
}
function withSpecials(x: Float32Array): Float32Array {
  const pick = uniform(x.length, 77, 0, 1), specials = [NaN, Infinity, -Infinity, 0, -0];
  return x.map((v, i) => (pick[i]! < 0.02 ? specials[i % specials.length]! : v));
}

onEveryEngine((k) => {
  test.each(kinds)("%s in every layout", (kind) => {
    for (const layout of layouts) {
      const [outer, r, inner] = layout, x = kind === "prod" ? uniform(outer * r * inner, 1, 0.9, 1.1) : uniform(outer * r * inner, 1);
      const { y } = k.run("reduce", { kind: reduceKinds[kind], outer, r, inner, x, y: out.f32(outer * inner) });
      const want = new Float64Array(outer * inner), scale = new Float64Array(outer * inner);
      along(x, layout, (v, at) => {
        want[at] = reducers[kind](v);
        scale[at] = kind === "prod" ? want[at]! * (1 + r / 10) : kind === "max" ? 0 : sum(v.map(Math.abs));
      });
      expectClose(y, want, 1e-6, `${kind} ${layout}`, scale);
    }
  });

  test("maxima and their positions with NaN, infinities and ties", () => {
    for (const layout of layouts) {
      const [outer, r, inner] = layout;
      for (const x of [withSpecials(uniform(outer * r * inner, 2)), uniform(outer * r * inner, 3).map((v) => Math.round(v * 3))]) {
        const { y } = k.run("reduce", { kind: reduceKinds.max, outer, r, inner, x, y: out.f32(outer * inner) });
        const want: number[] = [];
        along(x, layout, (v) => void want.push(reducers.max(v)));
        expectClose(y, want, 0, `max ${layout}`);
        const at = k.run("argMax", { outer, r, inner, x, y: out.i32(outer * inner) }).y;
        const wantAt: number[] = [];
        along(x, layout, (v) => void wantAt.push(argMax(v)));
        expectClose(at, wantAt, 0, `argmax ${layout}`);
      }
    }
  });

  test("sums with infinities and NaN follow IEEE", () => {
    const x = new Float32Array([1, Infinity, -Infinity, Infinity, NaN, 0, -1, Infinity]);
    expect([...k.run("reduce", { kind: 0, outer: 4, r: 2, inner: 1, x, y: out.f32(4) }).y]).toEqual([Infinity, NaN, NaN, Infinity]);
  });

  test("an empty axis gives the neutral element", () => {
    const x = new Float32Array(0);
    const empty = kinds.map((kind) => k.run("reduce", { kind: reduceKinds[kind], outer: 1, r: 0, inner: 2, x, y: out.f32(2) }).y[1]);
    expect(Object.fromEntries(kinds.map((kind, i) => [kind, empty[i]]))).toEqual({ sum: 0, max: -Infinity, prod: 1 });
    expect(k.run("reduce", { kind: 0, outer: 0, r: 3, inner: 2, x, y: out.f32(0) }).y).toHaveLength(0);
  });

  test("large sums keep single precision, positions are exact", () => {
    for (const layout of [[1, 4_000_037, 1], [2, 300_001, 1], [1, 60_001, 64], [1, 100_003, 10], [1, 4099, 1027], [1, 3, 300_000]] as Layout[]) {
      const [outer, r, inner] = layout, x = uniform(outer * r * inner, 4, -0.5, 1.5);
      const { y } = k.run("reduce", { kind: 0, outer, r, inner, x, y: out.f32(outer * inner) });
      const at = k.run("argMax", { outer, r, inner, x, y: out.i32(outer * inner) }).y;
      const want = new Float64Array(outer * inner), scale = new Float64Array(outer * inner), best = new Int32Array(outer * inner);
      for (let o = 0; o < outer; o++)
        for (let a = 0; a < r; a++)
          for (let i = 0, j = o * inner; i < inner; i++, j++) {
            const v = x[(o * r + a) * inner + i]!;
            want[j]! += v;
            scale[j]! += Math.abs(v);
            if (v > x[(o * r + best[j]!) * inner + i]!) best[j] = a;
          }
      expectClose(y, want, 3e-7, `sum ${layout}`, scale);
      expectClose(at, best, 0, `argmax ${layout}`);
    }
  });
});
