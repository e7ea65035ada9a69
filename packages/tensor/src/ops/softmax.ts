/** Softmax along any dimension, and softmax with cross-entropy in one pass over the logits. */
import { defineOp, noGradient, type Aval, type RefArray } from "../define.ts";
import { toFloat } from "../dtype.ts";
import { ArgumentError, DTypeError, ShapeError } from "../errors.ts";
import type { Tensor } from "../tensor.ts";
import { axis, forEachLine } from "./axes.ts";
import { checkDim, show } from "./shape-rules.ts";

interface DimAttrs {
  dim: number;
}

function inferSoftmax(op: string, x: Aval, dim: number): Aval {
  checkDim(op, x, dim);
  return { shape: x.shape, dtype: toFloat(x.dtype) };
}

/** Maximum of one line and log Σ e^(x − max), so that nothing overflows. NaN where the maximum is infinite, as PyTorch's softmax. */
function shiftedSum(x: Float64Array, first: number, step: number, n: number): { max: number; logSum: number } {
  let max = -Infinity;
  for (let j = 0; j < n; j++) max = Math.max(max, x[first + j * step]!);
  let sum = 0;
  for (let j = 0; j < n; j++) sum += Math.exp(x[first + j * step]! - max);
  return { max, logSum: Math.log(sum) };
}

/** log Σ e^x of one line. */
function logSumExp(x: Float64Array, first: number, step: number, n: number): number {
  const { max, logSum } = shiftedSum(x, first, step, n);
  return max + logSum;
}

function eachLine({ shape }: RefArray, dim: number, f: (first: number, step: number, n: number) => void): void {
  const d = axis(dim, shape.length);
  forEachLine(shape, d, (first, step) => f(first, step, shape[d] ?? 1));
}

const softmaxSamples = [[3, 5], [2, 3, 4], [7, 1], [513], [0, 3]].flatMap((shape) =>
  (shape.length === 3 ? [0, 1, -1] : [-1]).map((dim) => ({ inputs: { x: shape }, attrs: { dim } })),
);

/** `yᵢ = e^(xᵢ − max) / Σⱼ e^(xⱼ − max)` along `dim` */
export const softmax = defineOp({
  name: "softmax",
  inputs: ["x"],
  saves: ["y"],
  infer: ({ x }, { dim }: DimAttrs) => inferSoftmax("softmax", x, dim),
  reference({ x }, { dim }, y) {
    eachLine(x, dim, (first, step, n) => {
      const lse = logSumExp(x.data, first, step, n);
      for (let j = 0, i = first; j < n; j++, i += step) y.data[i] = Math.exp(x.data[i]! - lse);
    });
  },
  vjp: { x: ({ dy, y, attrs: { dim } }): Tensor => softmaxGrad({ grad: dy, result: y }, { dim, log: false }) },
  samples: softmaxSamples,
});

/** `yᵢ = xᵢ − log Σⱼ e^xⱼ` along `dim`, without overflow */
export const logSoftmax = defineOp({
  name: "logSoftmax",
  inputs: ["x"],
  saves: ["y"],
  infer: ({ x }, { dim }: DimAttrs) => inferSoftmax("logSoftmax", x, dim),
  reference({ x }, { dim }, y) {
    eachLine(x, dim, (first, step, n) => {
      const lse = logSumExp(x.data, first, step, n);
      for (let j = 0, i = first; j < n; j++, i += step) y.data[i] = x.data[i]! - lse;
    });
  },
  vjp: { x: ({ dy, y, attrs: { dim } }): Tensor => softmaxGrad({ grad: dy, result: y }, { dim, log: true }) },
  samples: softmaxSamples,
});

/** `dx = s∘(grad − Σ grad·s)` with `s = result`; for the logarithm `dx = grad − eʳᵉˢᵘˡᵗ·Σ grad`. */
export const softmaxGrad = defineOp({
  name: "softmaxGrad",
  inputs: ["grad", "result"],
  saves: ["grad", "result"],
  infer({ grad, result }, { dim }: DimAttrs & { log: boolean }) {
    if (grad.shape.join() !== result.shape.join()) throw new ShapeError("softmaxGrad", `gradient ${show(grad)} and result ${show(result)} differ`);
    return inferSoftmax("softmaxGrad", result, dim);
  },
  reference({ grad, result }, { dim, log }, y) {
    eachLine(grad, dim, (first, step, n) => {
      let sum = 0;
      for (let j = 0, i = first; j < n; j++, i += step) sum += grad.data[i]! * (log ? 1 : result.data[i]!);
      for (let j = 0, i = first; j < n; j++, i += step) y.data[i] = log ? grad.data[i]! - Math.exp(result.data[i]!) * sum : result.data[i]! * (grad.data[i]! - sum);
    });
  },
  vjp: {
    grad: ({ dy, result, attrs: { dim, log } }): Tensor => (log ? dy.sub(dy.mul(result.exp()).sum(dim, { keepdim: true })) : softmaxGrad({ grad: dy, result }, { dim, log })),
    result: ({ dy, grad, result, attrs: { dim, log } }): Tensor => {
      const keepdim = true;
      if (log) return dy.mul(result.exp()).mul(grad.sum(dim, { keepdim })).neg();
      const inner = (a: Tensor, b: Tensor): Tensor => a.mul(b).sum(dim, { keepdim });
      return dy.mul(grad.sub(inner(grad, result))).sub(grad.mul(inner(dy, result)));
    },
  },
  samples: [[3, 5], [2, 3, 4], [0, 3]].flatMap((shape) =>
    [false, true].map((log) => ({ inputs: { grad: shape, result: { shape, low: 0.1, high: 0.9 } }, attrs: { dim: shape.length === 3 ? 1 : -1, log } })),
  ),
});

interface TargetAttrs {
  /** Rows with this target count nothing. */
  ignoreIndex: number;
}

/** @throws ArgumentError for a target that is neither a class nor `ignoreIndex`. */
export function checkTargets(op: string, target: ArrayLike<number>, classes: number, ignoreIndex: number): void {
  for (let row = 0; row < target.length; row++) {
    const t = target[row]!;
    if (t !== ignoreIndex && (t < 0 || t >= classes)) {
      throw new ArgumentError(op, `target ${t} in row ${row} is no class: logits have K = ${classes}, classes 0 … ${classes - 1}`, { hint: `fix the labels, or mark rows to skip with ignoreIndex (now ${ignoreIndex})` });
    }
  }
}

function checkRows(op: string, logits: Aval, target: Aval): void {
  if (logits.shape.length !== 2) throw new ShapeError(op, `logits must be [N,K], got ${show(logits)}`);
  if (target.dtype !== "i32") throw new DTypeError(op, `class indices must be i32, got ${show(target)}`, { hint: 'target.cast("i32")' });
  if (target.shape.join() !== `${logits.shape[0]}`) throw new ShapeError(op, `target must be i32[${logits.shape[0]}], one class per row of ${show(logits)}, got ${show(target)}`);
}

const classesNotValues = noGradient("class indices are whole numbers");

/** `loss[row] = max − logits[row, target[row]] + logSum[row]` with `logSum = log Σ e^(logits − max)`: apart, they keep the digits of large logits. */
export const softmaxCrossEntropy = defineOp({
  name: "softmaxCrossEntropy",
  inputs: ["logits", "target"],
  outputs: ["loss", "logSum"],
  saves: ["logits", "target", "logSum"],
  infer({ logits, target }, _attrs: TargetAttrs) {
    checkRows("softmaxCrossEntropy", logits, target);
    const row = { shape: [logits.shape[0]!], dtype: toFloat(logits.dtype) };
    return { loss: row, logSum: row };
  },
  reference({ logits, target }, { ignoreIndex }, { loss, logSum }) {
    const [rows, cols] = logits.shape as readonly [number, number];
    checkTargets("crossEntropy", target.data, cols, ignoreIndex);
    for (let r = 0; r < rows; r++) {
      const line = shiftedSum(logits.data, r * cols, 1, cols);
      logSum.data[r] = line.logSum;
      loss.data[r] = target.data[r] === ignoreIndex ? 0 : line.max - logits.data[r * cols + target.data[r]!]! + line.logSum;
    }
  },
  vjp: {
    logits: ({ dy, logits, target, logSum, attrs }): Tensor => softmaxCrossEntropyGrad({ logits, target, dloss: dy, logSum }, attrs),
    target: classesNotValues,
  },
  samples: [
    { inputs: { logits: [4, 5], target: { shape: [4], dtype: "i32", low: 0, high: 4 } }, attrs: { ignoreIndex: -100 } },
    { inputs: { logits: [7, 3], target: { shape: [7], dtype: "i32", low: 0, high: 2 } }, attrs: { ignoreIndex: 1 } },
    { inputs: { logits: [3, 513], target: { shape: [3], dtype: "i32", low: 0, high: 512 } }, attrs: { ignoreIndex: -100 } },
    { inputs: { logits: [0, 3], target: { shape: [0], dtype: "i32", low: 0, high: 2 } }, attrs: { ignoreIndex: -100 } },
  ],
});

/**
 * `dlogits = (softmax(logits) − onehot(target))·dloss`, 0 in ignored rows. `logSum`, if the forward pass left it, spares a pass over the logits;
 * it must be theirs.
 */
export const softmaxCrossEntropyGrad = defineOp({
  name: "softmaxCrossEntropyGrad",
  inputs: ["logits", "target", "dloss", "logSum?"],
  saves: ["logits", "target", "dloss", "logSum"],
  infer({ logits, target, dloss, logSum }, _attrs: TargetAttrs) {
    checkRows("softmaxCrossEntropyGrad", logits, target);
    for (const v of [dloss, logSum]) {
      if (v && v.shape.join() !== target.shape.join()) throw new ShapeError("softmaxCrossEntropyGrad", `needs one number per row of ${show(logits)}, got ${show(v)}`);
    }
    return { shape: logits.shape, dtype: toFloat(logits.dtype) };
  },
  reference({ logits, target, dloss }, { ignoreIndex }, y) {
    const [rows, cols] = logits.shape as readonly [number, number];
    for (let r = 0; r < rows; r++) {
      if (target.data[r] === ignoreIndex) continue;
      const { max, logSum } = shiftedSum(logits.data, r * cols, 1, cols);
      for (let k = 0; k < cols; k++) {
        const p = Math.exp(logits.data[r * cols + k]! - max - logSum);
        y.data[r * cols + k] = (p - (target.data[r] === k ? 1 : 0)) * dloss.data[r]!;
      }
    }
  },
  vjp: {
    // Through softmax(logits), not e^(logits − max − logSum): logSum is a function of the logits too.
    logits: ({ dy, logits, target, dloss, attrs }): Tensor => {
      const weight = dloss.mul(target.ne(attrs.ignoreIndex)).unsqueeze(1); // [N,1]
      return softmaxGrad({ grad: dy.mul(weight), result: softmax({ x: logits }, { dim: 1 }) }, { dim: 1, log: false });
    },
    target: classesNotValues,
    dloss: ({ dy, logits, target, dloss, logSum, attrs }): Tensor => {
      const slope = softmaxCrossEntropyGrad({ logits, target, dloss: dloss.mul(0).add(1), ...(logSum ? { logSum } : {}) }, attrs);
      return dy.mul(slope).sum(1);
    },
    logSum: noGradient("a function of the logits, whose rule has its part"),
  },
  samples: [
    { inputs: { logits: [4, 5], target: { shape: [4], dtype: "i32", low: 0, high: 4 }, dloss: [4] }, attrs: { ignoreIndex: -100 } },
    { inputs: { logits: [7, 3], target: { shape: [7], dtype: "i32", low: 0, high: 2 }, dloss: [7] }, attrs: { ignoreIndex: 1 } },
    { inputs: { logits: [0, 3], target: { shape: [0], dtype: "i32", low: 0, high: 2 }, dloss: [0] }, attrs: { ignoreIndex: -100 } },
  ],
});
