import { expect, test } from "vitest";
import { expectClose, integers, onEveryEngine, out, uniform } from "./harness.ts";

const shapes = [[1, 1], [3, 2], [2, 7], [5, 8], [3, 9], [4, 10], [2, 16], [3, 17], [37, 10], [21, 31], [19, 32], [18, 33], [4000, 10], [2, 65], [3, 513], [40, 1000], [2, 9000]] as const;

/** log Σ exp of a row in double; NaN for a row of -inf, as torch.log_softmax sees it. */
function logSumExp(row: Float32Array): number {
  const m = row.reduce((a, b) => Math.max(a, b), -Infinity);
  return m + Math.log(row.reduce((s, v) => s + Math.exp(v - m), 0));
}
const rowsOf = (x: Float32Array, cols: number) => Array.from({ length: x.length / cols }, (_, r) => x.subarray(r * cols, (r + 1) * cols));
const logSoftmax = (x: Float32Array, cols: number) => rowsOf(x, cols).flatMap((row) => { const l = logSumExp(row); return [...row].map((v) => v - l); });

onEveryEngine((k) => {
  test("softmax and log-softmax", () => {
    for (const [rows, cols] of shapes) {
      const x = uniform(rows * cols, 6, -20, 20), y = out.f32(x.length), want = logSoftmax(x, cols);
      expectClose(k.run("softmax", { log: 1, rows, cols, x, y }).y, want, 2e-7, `log-softmax ${rows}×${cols}`);
      expectClose(k.run("softmax", { log: 0, rows, cols, x, y }).y, want.map(Math.exp), 4e-6, `softmax ${rows}×${cols}`, want.map(Math.exp)); // x - m rounds at |40|
    }
  });

  test("the worked example, shifted by 1000 too", () => {
    const want = [0.0900305732, 0.2447284711, 0.6652409558];
    const x = new Float32Array([1, 2, 3, 1000, 1001, 1002]);
    expectClose(k.run("softmax", { log: 0, rows: 2, cols: 3, x, y: out.f32(6) }).y, [...want, ...want], 1e-7, "softmax");
    const { loss } = k.run("crossEntropy", { rows: 2, cols: 3, logits: x, target: new Int32Array([2, 2]), loss: out.f32(2), logSum: out.f32(2) });
    expectClose(loss, [0.4076059644, 0.4076059644], 1e-7, "cross-entropy");
  });

  test("-inf entries are probability 0; NaN, +inf and rows of -inf give NaN", () => {
    const x = new Float32Array([0, -Infinity, 0, -Infinity, -Infinity, -Infinity, 1, NaN, 2, 1, Infinity, 2]);
    const { y } = k.run("softmax", { log: 0, rows: 4, cols: 3, x, y: out.f32(12) });
    expect([...y.subarray(0, 6)]).toEqual([0.5, 0, 0.5, NaN, NaN, NaN]);
    expect([...y.subarray(6, 9)]).toEqual([NaN, NaN, NaN]);
    expect(y[10]).toBeNaN();
    const log = k.run("softmax", { log: 1, rows: 4, cols: 3, x, y: out.f32(12) }).y;
    expectClose(log.subarray(0, 6), [-Math.LN2, -Infinity, -Math.LN2, NaN, NaN, NaN], 1e-7, "log-softmax");
  });

  test("gradients", () => {
    for (const [rows, cols] of shapes) {
      const x = uniform(rows * cols, 7, -5, 5), dy = uniform(rows * cols, 8), logs = logSoftmax(x, cols);
      for (const log of [0, 1]) {
        const y = Float32Array.from(log ? logs : logs.map(Math.exp));
        const { dx } = k.run("softmaxGrad", { log, rows, cols, y, dy, dx: out.f32(x.length) });
        const want = rowsOf(y, cols).flatMap((row, r) => {
          const g = dy.subarray(r * cols), s = row.reduce((a, v, i) => a + g[i]! * (log ? 1 : v), 0);
          return [...row].map((v, i) => (log ? g[i]! - Math.exp(v) * s : v * (g[i]! - s)));
        });
        expectClose(dx, want, 2e-6, `grad log ${log} ${rows}×${cols}`);
      }
    }
  });

  test("cross-entropy and its gradient; negative targets are ignored", () => {
    for (const [rows, cols] of shapes) {
      const logits = uniform(rows * cols, 9, -10, 10), dloss = uniform(rows, 10), target = integers(rows, 11, cols);
      if (rows > 2) target.set([-1, -100], 1);
      const { loss, logSum } = k.run("crossEntropy", { rows, cols, logits, target, loss: out.f32(rows), logSum: out.f32(rows) });
      const wantLse = rowsOf(logits, cols).map(logSumExp);
      const wantLogSum = rowsOf(logits, cols).map((row, r) => wantLse[r]! - Math.max(...row));
      expectClose(logSum, wantLogSum, 4e-7, `logSum ${rows}×${cols}`);
      expectClose(loss, wantLse.map((l, r) => (target[r]! < 0 ? 0 : l - logits[r * cols + target[r]!]!)), 2e-7, `loss ${rows}×${cols}`);
      const { dlogits } = k.run("crossEntropyGrad", { rows, cols, logits, target, logSum, dloss, dlogits: out.f32(logits.length) });
      const want = Array.from(logits, (v, at) => {
        const r = Math.floor(at / cols), t = target[r]!;
        return t < 0 ? 0 : dloss[r]! * (Math.exp(v - wantLse[r]!) - (at % cols === t ? 1 : 0));
      });
      expectClose(dlogits, want, 2e-6, `dlogits ${rows}×${cols}`);
    }
  });

  test("large logits keep the digits of loss and gradient", () => {
    const rows = 3, cols = 40; // and short rows
    for (const n of [3, cols]) {
      const logits = Float32Array.from({ length: rows * n }, (_, i) => 1e4 + ((i * 7) % 5) / 4 - (i % n > 2 ? 1e4 : 0));
      const target = new Int32Array([0, 1, 2]), dloss = new Float32Array([1, -2, 0.5]), lse = rowsOf(logits, n).map(logSumExp);
      const { loss, logSum } = k.run("crossEntropy", { rows, cols: n, logits, target, loss: out.f32(rows), logSum: out.f32(rows) });
      expectClose(loss, lse.map((l, r) => l - logits[r * n + target[r]!]!), 2e-7, `loss of ${n} columns`);
      const { dlogits } = k.run("crossEntropyGrad", { rows, cols: n, logits, target, logSum, dloss, dlogits: out.f32(rows * n) });
      const want = Array.from(logits, (v, at) => { const r = Math.floor(at / n); return dloss[r]! * (Math.exp(v - lse[r]!) - (at % n === target[r] ? 1 : 0)); });
      expectClose(dlogits, want, 5e-7, `dlogits of ${n} columns`); // with lse kept in f32: 6e-4
    }
  });

  test("a row that is not finite is its own matter, and none where it is ignored", () => {
    const ones = new Float32Array([1, 1, 1, 1]), target = new Int32Array([0, 1, -1, 2]), rows = 4;
    for (const cols of [3, 4, 33]) {
      for (const bad of [NaN, Infinity, -Infinity]) {
        const logits = uniform(rows * cols, 12);
        if (bad === -Infinity) logits.fill(bad, cols, 3 * cols); // rows 1 and 2
        else logits[cols + 2] = logits[2 * cols] = bad;
        const { loss, logSum } = k.run("crossEntropy", { rows, cols, logits, target, loss: out.f32(rows), logSum: out.f32(rows) });
        expect([...loss].map(Number.isNaN)).toEqual([false, true, false, false]);
        expect(loss[2]).toBe(0);
        const { dlogits } = k.run("crossEntropyGrad", { rows, cols, logits, target, logSum, dloss: ones, dlogits: out.f32(rows * cols) });
        const nan = rowsOf(dlogits, cols).map((row) => row.some(Number.isNaN));
        expect(nan).toEqual([false, true, false, false]);
        expect(rowsOf(dlogits, cols)[2]!.every((v) => v === 0)).toBe(true);
        const { y } = k.run("softmax", { log: 0, rows, cols, x: logits, y: out.f32(rows * cols) });
        expect(rowsOf(y, cols).map((row) => row.some(Number.isNaN))).toEqual([false, true, true, false]);
        if (Number.isNaN(bad)) expect(rowsOf(y, cols)[1]!.every(Number.isNaN)).toBe(true);
      }
    }
  });

  test("a small loss keeps its digits", () => {
    const logits = new Float32Array([100, 100 - 14]), t = Math.log1p(Math.exp(-14));
    const { loss } = k.run("crossEntropy", { rows: 1, cols: 2, logits, target: new Int32Array([0]), loss: out.f32(1), logSum: out.f32(1) });
    expect(Math.abs(loss[0]! - t)).toBeLessThan(1e-7); // log Σ e^logit − logit would round to multiples of 7.6e-6
  });
});
