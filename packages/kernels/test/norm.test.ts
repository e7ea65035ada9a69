import { scratchBytes } from "@nn/kernels";
import { expect, test } from "vitest";
import { expectClose, onEveryEngine, out, uniform } from "./harness.ts";

const shapes = [[1, 1], [3, 2], [2, 7], [5, 8], [37, 10], [19, 16], [3, 17], [2, 31], [18, 33], [600, 33], [4000, 10], [40, 1000], [2, 9000]] as const;
const eps = 1e-5;

/** x̂ of each row, in double. */
function normalised(x: Float32Array, rows: number, cols: number, rms: number) {
  return Array.from({ length: rows }, (_, r) => {
    const row = [...x.subarray(r * cols, (r + 1) * cols)];
    const mean = rms ? 0 : row.reduce((a, b) => a + b, 0) / cols;
    const rstd = 1 / Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / cols + eps);
    return { mean, rstd, hat: row.map((v) => (v - mean) * rstd) };
  });
}

onEveryEngine((k) => {
  test("layer norm and RMS norm, with and without weights", () => {
    for (const [rows, cols] of shapes)
      for (const rms of [0, 1])
        for (const affine of [true, false]) {
          const x = uniform(rows * cols, 1, -3, 5), weight = uniform(cols, 2), bias = uniform(cols, 3);
          const { y, mean, rstd } = k.run("layerNorm", { rms, rows, cols, eps, x, weight: affine ? weight : 0, bias: affine ? bias : 0, y: out.f32(x.length), mean: out.f32(rows), rstd: out.f32(rows) });
          const want = normalised(x, rows, cols, rms);
          expectClose(y, want.flatMap(({ hat }) => hat.map((v, i) => (affine ? v * weight[i]! + bias[i]! : v))), 4e-6, `y ${rows}×${cols} rms ${rms}`);
          expectClose(mean, want.map((w) => w.mean), 1e-6, "mean");
          expectClose(rstd, want.map((w) => w.rstd), 1e-6, "rstd", want.map((w) => w.rstd));
        }
  });

  test("gradients of x, weight and bias in one pass", () => {
    for (const [rows, cols] of shapes)
      for (const rms of [0, 1]) {
        const x = uniform(rows * cols, 4, -3, 5), weight = uniform(cols, 5), dy = uniform(x.length, 6);
        const stats = normalised(x, rows, cols, rms);
        const scratch = out.f32(scratchBytes.layerNormGrad({ rows, cols }) / 4);
        const { dx, dw, db } = k.run("layerNormGrad", {
          rms, rows, cols, x, weight, dy, mean: Float32Array.from(stats, (s) => s.mean), rstd: Float32Array.from(stats, (s) => s.rstd),
          dx: out.f32(x.length), dw: out.f32(cols), db: out.f32(cols), scratch,
        });
        const line = (f: (r: number, i: number) => number) => Array.from({ length: cols }, (_, i) => Array.from({ length: rows }, (_, r) => f(r, i)).reduce((a, b) => a + b, 0));
        const size = Math.sqrt(rows);
        expectClose(dw, line((r, i) => dy[r * cols + i]! * stats[r]!.hat[i]!), 4e-6 * size, `dw ${rows}×${cols}`);
        expectClose(db, line((r, i) => dy[r * cols + i]!), 2e-6 * size, `db ${rows}×${cols}`);
        const want = stats.flatMap(({ rstd, hat }, r) => {
          const g = hat.map((_, i) => dy[r * cols + i]! * weight[i]!);
          const c1 = rms ? 0 : g.reduce((a, b) => a + b, 0) / cols, c2 = g.reduce((a, b, i) => a + b * hat[i]!, 0) / cols;
          return g.map((v, i) => rstd * (v - c1 - hat[i]! * c2));
        });
        const largest = Math.max(1, ...want.map(Math.abs));
        expectClose(dx, want, 1e-5 * largest, `dx ${rows}×${cols} rms ${rms}`);
      }
  });

  test("dw and db may be absent", () => {
    const { dx } = k.run("layerNormGrad", {
      rms: 1, rows: 1, cols: 2, x: new Float32Array([3, 4]), weight: 0, dy: new Float32Array([1, 0]), mean: 0, rstd: new Float32Array([1 / Math.sqrt(12.5)]),
      dx: out.f32(2), dw: 0, db: 0, scratch: out.f32(8),
    });
    expectClose(dx, [0.64 / Math.sqrt(12.5), -0.48 / Math.sqrt(12.5)], 1e-6, "dx");
    expect(dx.length).toBe(2);
  });

  test("sums and scaling of columns", () => {
    for (const [rows, cols] of shapes) {
      const x = uniform(rows * cols, 7, -3, 5), dy = uniform(x.length, 8), mean = uniform(cols, 9, 0, 2), [scale, shift, gain] = [10, 11, 12].map((seed) => uniform(cols, seed)) as [Float32Array, Float32Array, Float32Array];
      const centred = Float64Array.from(x, (v, i) => v - mean[i % cols]!);
      const down = (f: (i: number) => number): number[] => Array.from({ length: cols }, (_, c) => Array.from({ length: rows }, (_, r) => f(r * cols + c)).reduce((a, b) => a + b, 0));
      for (const g of [dy, 0] as const) {
        const { dot, sum } = k.run("channelSums", { rows, cols, x, dy: g, mean, dot: out.f32(cols), sum: out.f32(cols), scratch: out.f32(scratchBytes.channelSums({ rows, cols }) / 4) });
        const of = (i: number): number => (g ? g[i]! : centred[i]!);
        expectClose(dot, down((i) => of(i) * centred[i]!), 1e-6, `dot ${rows}×${cols}`, down((i) => Math.abs(of(i) * centred[i]!)));
        expectClose(sum, down(of), 1e-6, `sum ${rows}×${cols}`, down((i) => Math.abs(of(i))));
        const { y } = k.run("channelScale", { rows, cols, x, mean, scale, shift, dy: g, gain, y: out.f32(x.length) });
        expectClose(y, Array.from(centred, (d, i) => d * scale[i % cols]! + shift[i % cols]! + (g ? g[i]! * gain[i % cols]! : 0)), 2e-6, `scaled ${rows}×${cols}`);
      }
    }
  });
});
