/** Softmax and cross-entropy kernels work on rows; a softmax along another dimension is rows of a permuted view. */
import { kernel } from "../backend.ts";
import type { Aval } from "../define.ts";
import { contiguous, denseStrides, memoryOrder, sizeOf, type Layout } from "../layout.ts";
import { axis } from "../ops/axes.ts";
import { checkTargets } from "../ops/softmax.ts";
import { empty, pointerOf, type Tensor } from "../tensor.ts";
import { withLayouts } from "./dense.ts";
import { withRowMajor } from "./copy.ts";
import { run, withScratch } from "./launch.ts";

/** Dense memory with `dim` innermost, otherwise in the order of `x`: channels-last images keep their layout under softmax(1). */
function rowsAlong(x: Layout, dim: number): { layout: Layout; rows: number; cols: number } {
  const d = axis(dim, x.shape.length);
  const order = [...memoryOrder(x).filter((e) => e !== d), ...(x.shape.length === 0 ? [] : [d])];
  const cols = x.shape[d] ?? 1;
  return { layout: { shape: x.shape, strides: denseStrides(x.shape, order), offset: 0 }, rows: cols === 0 ? 0 : sizeOf(x.shape) / cols, cols };
}

const softmaxOf = (name: "softmax" | "logSoftmax") =>
  kernel<{ x: Tensor }, { dim: number }, Aval>(({ x }, { dim }, out) => {
    const { layout, rows, cols } = rowsAlong(x, dim);
    const y = empty(out, name, layout, x.backend);
    if (rows > 0) withLayouts((as) => run(x.backend, "softmax", { log: name === "logSoftmax" ? 1 : 0, rows, cols, x: pointerOf(as(x, layout)), y: pointerOf(y) }));
    return y;
  });
export const softmax = softmaxOf("softmax");
export const logSoftmax = softmaxOf("logSoftmax");

export const softmaxGrad = kernel<{ grad: Tensor; result: Tensor }, { dim: number; log: boolean }, Aval>(({ grad, result }, { dim, log }, out) => {
  const { layout, rows, cols } = rowsAlong(result, dim);
  const dx = empty(out, "softmaxGrad", layout, grad.backend);
  if (rows > 0) withLayouts((as) => run(grad.backend, "softmaxGrad", { log: Number(log), rows, cols, y: pointerOf(as(result, layout)), dy: pointerOf(as(grad, layout)), dx: pointerOf(dx) }));
  return dx;
});

/** Logits and results in f32, targets in i32. */
const rowsAndTargets = (inputs: readonly Tensor[], outputs: readonly Aval[]): boolean =>
  inputs.every(({ dtype }, i) => dtype === (i === 1 ? "i32" : "f32")) && outputs.every(({ dtype }) => dtype === "f32");

/** Targets as the kernels want them: ignored rows are negative. They are copied only where `ignoreIndex` could be a class. */
function withTargets(target: Tensor, ignoreIndex: number, check: number | null, f: (target: number) => void): void {
  withRowMajor(target, (pointer) => {
    const values = target.backend.engine.i32(pointer, target.size);
    if (check !== null) checkTargets("crossEntropy", values, check, ignoreIndex);
    if (ignoreIndex < 0) return f(pointer);
    const marked = values.map((t) => (t === ignoreIndex ? -1 : t));
    withScratch(target.backend, marked.byteLength, (own) => {
      target.backend.engine.i32(own, marked.length).set(marked);
      f(own);
    });
  });
}

export const softmaxCrossEntropy = kernel<{ logits: Tensor; target: Tensor }, { ignoreIndex: number }, { loss: Aval; logSum: Aval }>(({ logits, target }, { ignoreIndex }, out) => {
  const [rows, cols] = logits.shape as readonly [number, number];
  const row = (aval: Aval) => empty(aval, "softmaxCrossEntropy", contiguous(aval.shape), logits.backend);
  const loss = row(out.loss);
  const logSum = row(out.logSum);
  withTargets(target, ignoreIndex, cols, (targets) =>
    withLayouts((as) => run(logits.backend, "crossEntropy", { rows, cols, logits: pointerOf(as(logits, contiguous(logits.shape))), target: targets, loss: pointerOf(loss), logSum: pointerOf(logSum) })),
  );
  return { loss, logSum };
}, rowsAndTargets);

export const softmaxCrossEntropyGrad = kernel<{ logits: Tensor; target: Tensor; dloss: Tensor; logSum?: Tensor }, { ignoreIndex: number }, Aval>(({ logits, target, dloss, logSum }, { ignoreIndex }, out) => {
  const [rows, cols] = logits.shape as readonly [number, number];
  const { backend } = logits;
  const dlogits = empty(out, "softmaxCrossEntropyGrad", contiguous(out.shape), backend);
  if (sizeOf(out.shape) === 0) return dlogits;
  withTargets(target, ignoreIndex, null, (targets) =>
    withLayouts((as) => {
      const x = as(logits, contiguous(logits.shape));
      const args = { rows, cols, logits: pointerOf(x), target: targets };
      const perRow = contiguous([rows]);
      const known = logSum ? as(logSum, perRow) : sums(backend, args);
      run(backend, "crossEntropyGrad", { ...args, logSum: pointerOf(known), dloss: pointerOf(as(dloss, perRow)), dlogits: pointerOf(dlogits) });
      if (!logSum) known.dispose();
    }),
  );
  return dlogits;
}, rowsAndTargets);

/** log Σ e^logits of each row, where the forward pass is not at hand. */
function sums(backend: Tensor["backend"], args: { rows: number; cols: number; logits: number; target: number }): Tensor {
  const row = () => empty({ shape: [args.rows], dtype: "f32" }, "softmaxCrossEntropyGrad", contiguous([args.rows]), backend, null);
  const [loss, logSum] = [row(), row()];
  run(backend, "crossEntropy", { ...args, loss: pointerOf(loss), logSum: pointerOf(logSum) });
  loss.dispose();
  return logSum;
}
