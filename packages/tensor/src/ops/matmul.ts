/** Matrix products: plain with batches, and the linear layer with bias and activation in one pass. */
import { defineOp, type Aval } from "../define.ts";
import { isFloat, promote, type DType } from "../dtype.ts";
import { DTypeError, ShapeError } from "../errors.ts";
import { broadcastShapes, showShape, sizeOf, type Shape } from "../layout.ts";
import type { Tensor } from "../tensor.ts";
import { activations, beforeActivation, checkActivation, type Activation } from "./activation.ts";
import { forEachBroadcast, show } from "./shape-rules.ts";

/** Both operands as stacks of matrices: a vector is one row on the left, one column on the right. */
export interface MatMulSizes {
  readonly batchA: Shape;
  readonly batchB: Shape;
  /** Broadcast of both. */
  readonly batch: Shape;
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** @throws ShapeError */
export function matmulSizes(a: Aval, b: Aval): MatMulSizes {
  if (a.shape.length === 0 || b.shape.length === 0) throw new ShapeError("matmul", `needs at least one dimension on each side: ${show(a)} @ ${show(b)}`, { hint: "to scale by a number use mul" });
  const [m, k] = a.shape.length === 1 ? [1, a.shape[0]!] : [a.shape.at(-2)!, a.shape.at(-1)!];
  const [k2, n] = b.shape.length === 1 ? [b.shape[0]!, 1] : [b.shape.at(-2)!, b.shape.at(-1)!];
  if (k !== k2) {
    const swapped = b.shape.length === 2 && n === k;
    throw new ShapeError("matmul", `inner sizes differ: ${show(a)} @ ${show(b)} (${k} vs ${k2})`, swapped ? { hint: "is b transposed? try a.matmul(b.t())" } : {});
  }
  const batchA = a.shape.slice(0, -2);
  const batchB = b.shape.slice(0, -2);
  const batch = broadcastShapes(batchA, batchB);
  if (!batch) throw new ShapeError("matmul", `batches ${showShape(batchA)} and ${showShape(batchB)} do not broadcast: ${show(a)} @ ${show(b)}`, { hint: "all but the last two dimensions must be equal or 1" });
  return { batchA, batchB, batch, m, k, n };
}

const sumType = (dtype: DType): DType => (dtype === "bool" || dtype === "u8" ? "i32" : dtype);
const swapLast = (x: Tensor): Tensor => x.transpose(-2, -1);
/** As a stack of matrices: `[k]` becomes a row `[1,k]` or a column `[k,1]`. */
const asRow = (x: Tensor): Tensor => (x.rank === 1 ? x.unsqueeze(0) : x);
const asColumn = (x: Tensor): Tensor => (x.rank === 1 ? x.unsqueeze(1) : x);

/** All but the last dimension as one. */
const asRows = (x: Tensor, last: number): Tensor => x.rank === 2 ? x : x.reshape([sizeOf(x.shape.slice(0, -1)), last]);

/** The gradient with the dimensions that vectors dropped: `[…, m, n]`. */
function asMatrices(dy: Tensor, a: Aval, b: Aval): Tensor {
  const { batch, m, n } = matmulSizes(a, b);
  return dy.reshape([...batch, m, n]);
}

/** `y[…,m,n] = Σₖ a[…,m,k]·b[…,k,n]`; vectors and batches as in PyTorch. */
export const matmul = defineOp({
  name: "matmul",
  inputs: ["a", "b"],
  saves: ["a", "b"],
  infer({ a, b }) {
    const { batch, m, n } = matmulSizes(a, b);
    const shape = [...batch, ...(a.shape.length === 1 ? [] : [m]), ...(b.shape.length === 1 ? [] : [n])];
    return { shape, dtype: sumType(promote(a.dtype, b.dtype)) };
  },
  reference({ a, b }, _, y) {
    const { batchA, batchB, batch, m, k, n } = matmulSizes({ ...a, dtype: "f64" }, { ...b, dtype: "f64" });
    forEachBroadcast(batch, [{ ...a, shape: batchA }, { ...b, shape: batchB }], (s, p, q) => {
      for (let i = 0; i < m; i++)
        for (let l = 0; l < k; l++) {
          const left = a.data[(p! * m + i) * k + l]!;
          for (let j = 0; j < n; j++) y.data[(s * m + i) * n + j]! += left * b.data[(q! * k + l) * n + j]!;
        }
    });
  },
  vjp: {
    a({ dy, b, avals }): Tensor {
      const grad = asMatrices(dy, avals.a, avals.b);
      const [m, k] = [grad.shape.at(-2)!, avals.a.shape.at(-1)!];
      const da = grad.matmul(swapLast(asColumn(b)));
      return da.sumTo([...avals.a.shape.slice(0, -2), m, k]).reshape(avals.a.shape);
    },
    b({ dy, a, avals }): Tensor {
      const grad = asMatrices(dy, avals.a, avals.b);
      const [k, n] = [avals.a.shape.at(-1)!, grad.shape.at(-1)!];
      // One matrix under a whole batch, as in x[B,T,D] @ w[D,E]: one long product instead of B short ones and a sum.
      if (avals.b.shape.length <= 2) return asRows(a, k).t().matmul(asRows(grad, n)).reshape(avals.b.shape);
      const db = swapLast(asRow(a)).matmul(grad);
      return db.sumTo([...avals.b.shape.slice(0, -2), k, n]).reshape(avals.b.shape);
    },
  },
  samples: [
    [[2, 3], [3, 4]], [[1, 7], [7, 1]], [[5], [5]], [[3], [3, 2]], [[4, 3], [3]], [[2, 3, 5], [5, 4]], [[2, 1, 3, 5], [3, 5, 2]], [[3, 5], [2, 5, 4]],
    [[2, 3, 4], [4]], [[2, 0], [0, 3]], [[0, 3], [3, 2]], [[17, 33], [33, 19]],
  ].map(([a, b]) => ({ inputs: { a: a!, b: b! }, attrs: {} })),
});

/** `y = act(x·Wᵀ + b)` for x `[…, in]`, weight `[out, in]`, bias `[out]`, in one pass over memory. */
export const linear = defineOp({
  name: "linear",
  inputs: ["x", "weight", "bias?"],
  saves: ["x", "weight", "y"],
  infer({ x, weight, bias }, { act }: { act: Activation }) {
    checkActivation("linear", act);
    if (weight.shape.length !== 2) throw new ShapeError("linear", `weight must be [out, in], got ${show(weight)}`);
    const [out, features] = weight.shape as readonly [number, number];
    if (x.shape.length === 0 || x.shape.at(-1) !== features) {
      throw new ShapeError("linear", `expected ${x.dtype}[…,${features}], got ${show(x)}`, {
        hint: x.shape.at(-1) === out ? `weight ${showShape(weight.shape)} is [out, in]; is it transposed?` : sizeOf(x.shape.slice(1)) === features ? "x.flatten(1) has this shape" : `weight ${showShape(weight.shape)} is [out, in]`,
      });
    }
    if (bias && (bias.shape.length !== 1 || bias.shape[0] !== out)) throw new ShapeError("linear", `bias must be [${out}], got ${show(bias)}`);
    const dtype = [x, weight, ...(bias ? [bias] : [])].map((t) => t.dtype).reduce(promote);
    if (!isFloat(dtype)) throw new DTypeError("linear", `needs floating-point inputs, got ${show(x)} and ${show(weight)}`, { hint: 'x.cast("f32")' });
    return { shape: [...x.shape.slice(0, -1), out], dtype };
  },
  reference({ x, weight, bias }, { act }, y) {
    const [out, features] = weight.shape as readonly [number, number];
    for (let i = 0; i < y.data.length; i++) {
      const [row, o] = [Math.floor(i / out), i % out];
      let sum = bias?.data[o] ?? 0;
      for (let f = 0; f < features; f++) sum += x.data[row * features + f]! * weight.data[o * features + f]!;
      y.data[i] = activations[act].value(sum);
    }
  },
  unread: ({ act }) => (act === "none" ? ["y"] : []),
  vjp: {
    x: (node) => beforeActivation(node).matmul(node.weight),
    weight: (node) => {
      const [out, features] = node.avals.weight.shape as readonly [number, number];
      return asRows(beforeActivation(node), out).t().matmul(asRows(node.x, features));
    },
    bias: (node) => asRows(beforeActivation(node), node.avals.weight.shape[0]!).sum(0),
  },
  samples: [
    { inputs: { x: [3, 5], weight: [4, 5], bias: [4] }, attrs: { act: "none" } },
    { inputs: { x: [5], weight: [2, 5] }, attrs: { act: "tanh" } },
    { inputs: { x: [2, 3, 7], weight: [3, 7], bias: [3] }, attrs: { act: "sigmoid" } },
    { inputs: { x: [9, 17], weight: [33, 17], bias: [33] }, attrs: { act: "relu" } },
    { inputs: { x: [0, 3], weight: [2, 3], bias: [2] }, attrs: { act: "none" } },
    { inputs: { x: [2, 0], weight: [3, 0], bias: [3] }, attrs: { act: "none" } },
  ],
});
