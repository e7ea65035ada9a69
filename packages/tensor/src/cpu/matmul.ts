/** Matrix products on the `gemm` kernel, which reads operands through any strides. */
import { activationCodes, instructions, scratchBytes, type Instruction, type KernelArgs } from "@nn/kernels";
import { kernel, type Backend } from "../backend.ts";
import type { Aval } from "../define.ts";
import { collapse, contiguous, expandLayout, reshapeLayout, rowMajor, sizeOf, type Layout } from "../layout.ts";
import type { Activation } from "../ops/activation.ts";
import { matmulSizes } from "../ops/matmul.ts";
import { empty, pointerOf, type Tensor } from "../tensor.ts";
import { withLayouts } from "./dense.ts";
import { runProgram, type Program } from "./elementwise.ts";
import { run, withScratch } from "./launch.ts";

/** One call of the `gemm` kernel with the scratch memory it needs. */
export function gemm(backend: Backend, args: Omit<KernelArgs["gemm"], "scratch">): void {
  withScratch(backend, scratchBytes.gemm(args), (scratch) => run(backend, "gemm", { ...args, scratch }));
}

const noBatch = { shape: [1], strides: [[0], [0], [0]] };

/** Products of all batches: one call for the innermost batch dimension, none for dimensions that join the rows of A. */
export const matmul = kernel<{ a: Tensor; b: Tensor }, object, Aval>(({ a, b }, _, out) => {
  const { backend } = a;
  const { batchA, batchB, batch, m, k, n } = matmulSizes(a, b);
  const y = empty(out, "matmul", contiguous(out.shape), backend);
  if (sizeOf(out.shape) === 0) return y;
  const [rowA, colA] = a.rank === 1 ? [0, a.strides[0]!] : [a.strides.at(-2)!, a.strides.at(-1)!];
  const [rowB, colB] = b.rank === 1 ? [b.strides[0]!, 1] : [b.strides.at(-2)!, b.strides.at(-1)!];
  const over = (shape: readonly number[], t: Layout) => expandLayout({ shape, strides: t.strides.slice(0, shape.length), offset: 0 }, batch).strides;
  const loops = batch.length === 0 ? noBatch : collapse(batch, [over(batchA, a), over(batchB, b), rowMajor(batch).map((s) => s * m * n)]);
  const [stepA, stepB, stepC] = loops.strides as [number[], number[], number[]];
  const sizes = loops.shape;

  const last = sizes.length - 1;
  let rows = m;
  let row = m === 1 ? stepA[last]! : rowA;
  let count = sizes[last]!;
  // x[B,T,D] @ w[D,E] is one product of B·T rows.
  if (count === 1) row = rowA;
  else if (stepB[last] === 0 && stepA[last] === m * row) [rows, count] = [m * count, 1];
  else row = rowA;

  const outer = sizes.slice(0, last);
  for (let i = 0; i < sizeOf(outer); i++) {
    let [pa, pb, pc] = [pointerOf(a), pointerOf(b), pointerOf(y)];
    for (let d = last - 1, rest = i; d >= 0; d--) {
      const at = rest % outer[d]!;
      rest = Math.floor(rest / outer[d]!);
      pa += 4 * at * stepA[d]!;
      pb += 4 * at * stepB[d]!;
      pc += 4 * at * stepC[d]!;
    }
    gemm(backend, {
      batch: count, m: rows, n, k,
      a: pa, aRow: row, aCol: colA, aBatch: stepA[last]!,
      b: pb, bRow: rowB, bCol: colB, bBatch: stepB[last]!,
      c: pc, cRow: n, cBatch: stepC[last]!,
      bias: 0, act: activationCodes.none, accumulate: 0,
    });
  }
  return y;
});

/** One product of all rows, with bias and activation in its epilogue. */
export const linear = kernel<{ x: Tensor; weight: Tensor; bias?: Tensor }, { act: Activation }, Aval>(({ x, weight, bias }, { act }, out) => {
  const { backend } = x;
  const [n, k] = weight.shape as readonly [number, number];
  const m = sizeOf(x.shape.slice(0, -1));
  const y = empty(out, "linear", contiguous(out.shape), backend);
  if (m * n === 0) return y;
  withLayouts((as) => {
    const flat = x.rank === 2 ? x : reshapeLayout(x, [m, k]);
    const rows = flat ? x : as(x, contiguous(x.shape));
    gemm(backend, {
      batch: 1, m, n, k,
      a: pointerOf(rows), aRow: flat ? flat.strides[0]! : k, aCol: flat ? flat.strides[1]! : 1, aBatch: 0,
      b: pointerOf(weight), bRow: weight.strides[1]!, bCol: weight.strides[0]!, bBatch: 0,
      c: pointerOf(y), cRow: n, cBatch: 0,
      bias: bias ? pointerOf(as(bias, contiguous(bias.shape))) : 0, act: activationCodes[act], accumulate: 0,
    });
  });
  return y;
});

// Registers: 0 grad, 1 result, then temporaries. `y ≥ y` makes the 1 that a program has no constant for.
const program = (key: string, ...words: [Instruction, number, number, number][]): Program => ({
  key: `activationGrad.${key}`,
  words: Int32Array.from(words.flatMap(([op, dst, a, b]) => [instructions.indexOf(op), dst, a, b, b])),
  inputs: 2,
  params: 0,
  constants: [],
  outputs: [words.at(-1)![1]],
});
const slopes: Record<Activation, Program> = {
  none: program("none", ["mov", 2, 0, 0]),
  relu: program("relu", ["sign", 2, 1, 1], ["mul", 3, 0, 2]),
  sigmoid: program("sigmoid", ["ge", 2, 1, 1], ["sub", 3, 2, 1], ["mul", 4, 1, 3], ["mul", 5, 0, 4]),
  tanh: program("tanh", ["ge", 2, 1, 1], ["sub", 3, 2, 1], ["add", 4, 2, 1], ["mul", 5, 3, 4], ["mul", 6, 0, 5]),
};

/** grad · act'(x), read off the result, in one pass. */
export const activationGrad = kernel<{ grad: Tensor; result: Tensor }, { act: Activation }, Aval>(({ grad, result }, { act }, out) =>
  runProgram(grad.backend, slopes[act], [grad, result], out, "activationGrad"),
);
