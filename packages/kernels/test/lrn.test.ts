import { expect, test } from "vitest";
import { expectClose, onEveryEngine, out, uniform } from "./harness.ts";

/** pixels, channels, window: less than a vector, odd, a window wider than the channels, tile ± 1, several tiles, windows at the limit. */
const shapes = [[1, 1, 5], [3, 2, 1], [4, 7, 5], [5, 16, 5], [3, 17, 4], [700, 96, 5], [2, 31, 40], [2, 33, 3], [2, 1023, 5], [1, 1024, 5], [3, 1025, 7], [1, 2500, 256]] as const;

onEveryEngine((k) => {
  for (const beta of [0.75, 0.6]) {
    test(`forward and gradient, beta ${beta}`, () => {
      for (const [pixels, c, size] of shapes) {
        const alpha = Math.fround(0.3), b = Math.fround(beta), lo = Math.floor(size / 2), hi = Math.floor((size - 1) / 2);
        const n = pixels * c, x = uniform(n, 1, -2, 2), dy = uniform(n, 2);
        const args = { pixels, c, size, alpha, beta, k: 2, x };
        const sum = (at: number, before: number, behind: number, f: (i: number) => number): number => {
          let s = 0;
          const first = at - (at % c);
          for (let j = Math.max(0, (at % c) - before); j <= Math.min(c - 1, (at % c) + behind); j++) s += f(first + j);
          return s;
        };
        const d = Float64Array.from(x, (_, i) => 2 + alpha * sum(i, lo, hi, (j) => x[j]! ** 2));
        const what = `${pixels}×${c}, window ${size}`;
        expectClose(k.run("localResponseNorm", { ...args, y: out.f32(n) }).y, Array.from(x, (v, i) => v * d[i]! ** -b), 1e-6, `y ${what}`);
        const want = Array.from(x, (v, i) => dy[i]! * d[i]! ** -b - 2 * alpha * b * v * sum(i, hi, lo, (j) => dy[j]! * x[j]! * d[j]! ** (-b - 1)));
        expectClose(k.run("localResponseNormGrad", { ...args, dy, dx: out.f32(n) }).dx, want, 2e-6, `dx ${what}`);
      }
    });
  }

  test("nothing, zeros and NaN", () => {
    const args = { pixels: 2, c: 3, size: 3, alpha: 1, beta: 0.75 };
    const x = new Float32Array([0, 0, 0, 1, NaN, 2]), dy = new Float32Array([1, 2, 3, 1, 1, 1]);
    const { y } = k.run("localResponseNorm", { ...args, k: 1, x, y: out.f32(6) });
    expect([...y]).toEqual([0, 0, 0, NaN, NaN, NaN]);
    expect([...k.run("localResponseNormGrad", { ...args, k: 1, x, dy, dx: out.f32(6) }).dx]).toEqual([1, 2, 3, NaN, NaN, NaN]);
    expect([...k.run("localResponseNorm", { ...args, k: 0, x, y: out.f32(6) }).y]).toEqual([NaN, NaN, NaN, NaN, NaN, NaN]);
    k.run("localResponseNorm", { ...args, pixels: 0, k: 1, x, y: out.f32(0) });
    k.run("localResponseNorm", { ...args, c: 0, k: 1, x, y: out.f32(0) });
  });
});
