/**
 * Whole-sequence recurrent layers: input projections and weight gradients as products over all steps at once,
 * the steps themselves in the `recurrent` and `recurrentGrad` kernels.
 */
import { activationCodes, cellCodes, reduceKinds, scratchBytes, type Pointer } from "@nn/kernels";
import { kernel, type Backend } from "../backend.ts";
import type { Aval } from "../define.ts";
import { contiguous, type Shape } from "../layout.ts";
import { cells, type Cell } from "../ops/recurrent-cells.ts";
import { checkLengths, type RecurrentAttrs } from "../ops/recurrent.ts";
import { empty, pointerOf, viewOf, type Tensor } from "../tensor.ts";
import { withLayouts } from "./dense.ts";
import { run, withScratch } from "./launch.ts";
import { gemm } from "./matmul.ts";

/** The fused kernels take f32, i32 lengths, and no empty dimension. */
const sequences = (inputs: readonly Tensor[], outputs: readonly Aval[]): boolean =>
  outputs.every((o) => o.dtype === "f32") && inputs.every((t) => t.dtype === "f32" || t.dtype === "i32") && inputs[0]!.size > 0 && inputs[2]!.size > 0;

/** A block of consecutive gates in the weights (`row`, in units of H) and in a row of `gates` or of its gradient (`column`). */
interface Gates {
  readonly row: number;
  readonly column: number;
  readonly count: number;
}
/** gru keeps n apart from r and z: its state's part takes another way. */
const inputGates: Record<Cell, readonly Gates[]> = {
  lstm: [{ row: 0, column: 0, count: 4 }],
  gru: [{ row: 0, column: 1, count: 2 }, { row: 2, column: 0, count: 1 }],
  tanh: [{ row: 0, column: 0, count: 1 }],
  relu: [{ row: 0, column: 0, count: 1 }],
};
const stateGates: Record<Cell, Gates> = {
  lstm: { row: 0, column: 0, count: 4 },
  gru: { row: 0, column: 1, count: 3 },
  tanh: { row: 0, column: 0, count: 1 },
  relu: { row: 0, column: 0, count: 1 },
};

const f32 = 4;
interface Matrix {
  readonly at: Pointer;
  readonly row: number;
  readonly col: number;
}
/** c[m,n] (+)= a[m,k]·b[k,n] + bias */
function product(backend: Backend, [m, n, k]: readonly [number, number, number], a: Matrix, b: Matrix, c: Omit<Matrix, "col">, { bias = 0, accumulate = false } = {}): void {
  gemm(backend, {
    batch: 1, m, n, k,
    a: a.at, aRow: a.row, aCol: a.col, aBatch: 0,
    b: b.at, bRow: b.row, bCol: b.col, bBatch: 0,
    c: c.at, cRow: c.row, cBatch: 0,
    bias, act: activationCodes.none, accumulate: Number(accumulate),
  });
}

export interface Inputs {
  x: Tensor;
  weightIh: Tensor;
  weightHh: Tensor;
  h0?: Tensor;
  c0?: Tensor;
  lengths?: Tensor;
}
type As = (x: Tensor, layout: { shape: Shape; strides: readonly number[]; offset: number }) => Tensor;
/** Address of a dense copy, or of the tensor itself; 0 if it is absent. */
const dense = (as: As) => (t: Tensor | undefined): Pointer => (t ? pointerOf(as(t, contiguous(t.shape))) : 0);

const numbersOf = (lengths: Tensor): ArrayLike<number> => lengths.dataSync();

export const recurrent = kernel<Inputs & { biasIh?: Tensor; biasHh?: Tensor }, RecurrentAttrs, Record<"y" | "h" | "c" | "gates", Aval>>((inputs, { cell, reverse }, out) => {
  const { x, weightIh, weightHh, biasIh, biasHh, h0, c0, lengths } = inputs;
  const { backend } = x;
  const [T, B, I] = x.shape as readonly [number, number, number];
  const H = weightHh.shape[1]!;
  if (lengths) checkLengths("recurrent", numbersOf(lengths), T);
  const make = (aval: Aval): Tensor => empty(aval, "recurrent", contiguous(aval.shape), backend);
  const [y, h, c, gates] = [make(out.y), make(out.h), make(out.c), make(out.gates)];
  const width = Math.max(1, cells[cell].saved) * H;
  const projections = pointerOf(cells[cell].saved > 0 ? gates : y);
  withLayouts((as) => {
    const at = dense(as);
    const [input, weight, bias] = [at(x), at(weightIh), at(biasIh)];
    for (const { row, column, count } of inputGates[cell]) {
      const b = { at: weight + row * H * I * f32, row: 1, col: I }; // [I, count·H]
      product(backend, [T * B, count * H, I], { at: input, row: I, col: 1 }, b, { at: projections + column * H * f32, row: width }, { bias: bias && bias + row * H * f32 });
    }
    const args = {
      cell: cellCodes[cell], steps: T, batch: B, hidden: H, reverse: Number(reverse),
      weight: at(weightHh), bias: at(biasHh), h0: at(h0), c0: at(c0), lengths: at(lengths), y: pointerOf(y), h: pointerOf(h), c: pointerOf(c), gates: pointerOf(gates),
    };
    withScratch(backend, scratchBytes.recurrent(args), (scratch) => run(backend, "recurrent", { ...args, scratch }));
  });
  return { y, h, c, gates };
}, sequences);

export type GradOutputs<T> = Record<"dx" | "dweightIh" | "dweightHh" | "dbiasIh" | "dbiasHh" | "dh0" | "dc0", T>;
export type GradInputs = Inputs & { y: Tensor; gates: Tensor; dy?: Tensor; dh?: Tensor; dc?: Tensor };

export const recurrentGrad = kernel<GradInputs, RecurrentAttrs & { needsX: boolean }, GradOutputs<Aval>>((inputs, { cell, reverse, needsX }, out) => {
  const { x, weightIh, weightHh, y, gates, h0, c0, lengths, dy, dh, dc } = inputs;
  const { backend } = x;
  const [T, B, I] = x.shape as readonly [number, number, number];
  const H = weightHh.shape[1]!;
  if (lengths) checkLengths("recurrentGrad", numbersOf(lengths), T);
  const results = Object.fromEntries(Object.entries(out).map(([name, aval]) => [name, empty(aval, "recurrentGrad", contiguous(aval.shape), backend)])) as GradOutputs<Tensor>;
  const width = (cell === "gru" ? 4 : cells[cell].gates) * H;
  withLayouts((as) => withScratch(backend, T * B * width * f32, (dgates) => {
    const at = dense(as);
    const [input, states] = [at(x), at(y)];
    const args = {
      cell: cellCodes[cell], steps: T, batch: B, hidden: H, reverse: Number(reverse),
      weight: at(weightHh), h0: at(h0), c0: at(c0), lengths: at(lengths), y: states, gates: at(gates),
      dy: at(dy), dh: at(dh), dc: at(dc), dgates, dh0: pointerOf(results.dh0), dc0: pointerOf(results.dc0),
    };
    withScratch(backend, scratchBytes.recurrentGrad(args), (scratch) => run(backend, "recurrentGrad", { ...args, scratch }));

    inputGates[cell].forEach(({ row, column, count }, part) => {
      const d = dgates + column * H * f32;
      const offset = row * H * I * f32;
      product(backend, [count * H, I, T * B], { at: d, row: 1, col: width }, { at: input, row: I, col: 1 }, { at: pointerOf(results.dweightIh) + offset, row: I });
      if (needsX) product(backend, [T * B, I, count * H], { at: d, row: width, col: 1 }, { at: at(weightIh) + offset, row: I, col: 1 }, { at: pointerOf(results.dx), row: I }, { accumulate: part > 0 });
    });

    // dW_hh: each step's gates with the state before it, that is y one step earlier (later, if reversed), or h0 at a sequence's first step.
    const { column, count } = stateGates[cell];
    const d = dgates + column * H * f32;
    const dW = { at: pointerOf(results.dweightHh), row: H };
    const rest = (T - 1) * B;
    const later = { gates: reverse ? 0 : B * width * f32, states: reverse ? B * H * f32 : 0 };
    product(backend, [count * H, H, rest], { at: d + later.gates, row: 1, col: width }, { at: states + later.states, row: H, col: 1 }, dW);
    if (h0) {
      withFirstSteps(backend, { T, B, width, dgates, reverse, lengths }, (first) =>
        product(backend, [count * H, H, B], { at: first + column * H * f32, row: 1, col: width }, { at: args.h0, row: H, col: 1 }, dW, { accumulate: true }));
    }
    biasGradients(backend, cell, { rows: T * B, width, H, dgates }, results);
  }));
  return results;
}, sequences);

/** Calls `f` with gate gradients [B,width] of the first step that each sequence runs. */
function withFirstSteps(backend: Backend, { T, B, width, dgates, reverse, lengths }: { T: number; B: number; width: number; dgates: Pointer; reverse: boolean; lengths: Tensor | undefined }, f: (first: Pointer) => void): void {
  if (!reverse) return f(dgates);
  if (!lengths) return f(dgates + (T - 1) * B * width * f32);
  const rows = empty({ shape: [B], dtype: "i32" }, "recurrentGrad", contiguous([B]), backend, null);
  viewOf(rows.storage, "i32", 0, B).set(Array.from(numbersOf(lengths), (n, b) => (n === 0 ? -1 : (n - 1) * B + b))); // −1 reads zeros
  withScratch(backend, B * width * f32, (first) => {
    run(backend, "gatherRows", { outer: 1, size: T * B, rows: B, inner: width, x: dgates, index: pointerOf(rows), y: first, elemSize: f32 });
    f(first);
  });
  rows.dispose();
}

/** Sums of the gate gradients over all steps, in the order of the weights. */
function biasGradients(backend: Backend, cell: Cell, { rows, width, H, dgates }: { rows: number; width: number; H: number; dgates: Pointer }, { dbiasIh, dbiasHh }: GradOutputs<Tensor>): void {
  withScratch(backend, width * f32, (sums) => {
    run(backend, "reduce", { kind: reduceKinds.sum, outer: 1, r: rows, inner: width, x: dgates, y: sums });
    const all = backend.engine.f32(sums, width);
    const give = (target: Tensor, parts: readonly Gates[]): void => {
      const view = viewOf(target.storage, "f32", 0, target.size);
      for (const { row, column, count } of parts) view.set(all.subarray(column * H, (column + count) * H), row * H);
    };
    give(dbiasIh, inputGates[cell]);
    give(dbiasHh, [stateGates[cell]]);
  });
}
