/** `@nn/kernels/costs`: what each kernel has to do at least, from its arguments. For profiles and summaries; no part of what a page needs to train. */
import type { KernelArgs } from "./abi.gen.ts";
import { cellCodes, type KernelName } from "./abi.ts";
import type { Engine } from "./engine.ts";

/** Floating-point operations (a multiply-add is two) and bytes that must be read and written. */
export interface KernelCost {
  readonly flops: number;
  readonly bytes: number;
}

type Formula<K extends KernelName> = (args: KernelArgs[K], engine: Engine) => KernelCost;

const f32 = 4;
const compute = (flops: number, floats: number): KernelCost => ({ flops, bytes: f32 * floats });
const memory = (bytes: number): KernelCost => ({ flops: 0, bytes });
const floats = (n: number): KernelCost => memory(f32 * n);

const product = (numbers: readonly number[]): number => numbers.reduce((a, b) => a * b, 1);
/** Elements of a strided array that are distinct: a stride of 0 repeats them. */
const distinct = (shape: ArrayLike<number>, strides: ArrayLike<number>, nd: number, from = 0): number =>
  product(Array.from({ length: nd }, (_, d) => (strides[from + d] === 0 ? 1 : shape[d]!)));
/** Bytes of an element by its type code (dtypeCodes): f32, i32, u8. */
const width = [4, 4, 1];

/** Direct convolution: Winograd does with fewer, and may exceed the limit. */
const conv = (a: KernelArgs["conv2d"] | KernelArgs["conv2dInputGrad"] | KernelArgs["conv2dWeightGrad"]): KernelCost => {
  const weight = a.oc * (a.c / a.groups) * a.kh * a.kw;
  return compute(2 * a.n * a.oh * a.ow * weight, a.n * (a.h * a.w * a.c + a.oh * a.ow * a.oc) + weight);
};
type Pool = { n: number; h: number; w: number; c: number; oh: number; ow: number };
/** The image on one side, results on the other; of max pooling also their taps, bytes or words. */
const pool = ({ n, h, w, c, oh, ow }: Pool): KernelCost => floats(n * c * (h * w + oh * ow));
const maxPool = ({ wideTaps, ...sizes }: Pool & { wideTaps: number }): KernelCost => memory(pool(sizes).bytes + sizes.n * sizes.c * sizes.oh * sizes.ow * (wideTaps ? 4 : 1));
const reduced = ({ outer, r, inner }: { outer: number; r: number; inner: number }): KernelCost => floats(outer * inner * (r + 1));
const matrix = (passes: number) => ({ rows, cols }: { rows: number; cols: number }): KernelCost => floats(passes * rows * cols);
/** State times weight in every step; saved gates and states pass memory once. */
const sequences = ({ cell, steps, batch, hidden }: { cell: number; steps: number; batch: number; hidden: number }): KernelCost => {
  const gates = cell === cellCodes.lstm ? 4 : cell === cellCodes.gru ? 3 : 1;
  return compute(2 * steps * batch * gates * hidden * hidden, steps * batch * (gates + 2) * hidden + gates * hidden * hidden);
};
/** Scores and sums of values, `times` over: backward makes the scores again and has four more products. */
const attention = (times: number) => ({ b, h, t, s, d, e, causal }: { b: number; h: number; t: number; s: number; d: number; e: number; causal: number }): KernelCost =>
  compute((times * 2 * b * h * t * s * (d + e)) / (causal ? 2 : 1), times * 2 * b * h * (t * d + s * (d + e)));
type Rows = { outer: number; size: number; rows: number; inner: number };

/** Every kernel; null: its time is shown alone. */
const formulas: { readonly [K in KernelName]: Formula<K> | null } = {
  map: (a) => {
    const read = Array.from({ length: a.nin }, (_, i) => width[a.inType[i]!]! * distinct(a.shape, a.inStride, a.nd, i * 8));
    const written = Array.from({ length: a.nout }, (_, i) => width[a.outType[i]!]! * distinct(a.shape, [], a.nd));
    return memory([...read, ...written].reduce((x, y) => x + y, 0));
  },
  mapList: (a, engine) => {
    const row = 1 + a.nin + a.nout;
    const table = engine.f64(a.segments, a.count * row);
    let elements = 0;
    for (let i = 0; i < a.count; i++) elements += table[i * row]!;
    return floats(elements * (a.nin + a.nout));
  },
  copy: (a) => memory(a.elemSize * (distinct(a.shape, a.srcStride, a.nd) + distinct(a.shape, [], a.nd))),
  fill: (a) => memory(width[a.kind]! * a.n),
  gemm: (a) => compute(2 * a.batch * a.m * a.n * a.k, (a.aBatch === 0 ? 1 : a.batch) * a.m * a.k + (a.bBatch === 0 ? 1 : a.batch) * a.k * a.n + a.batch * a.m * a.n),
  conv2d: conv,
  conv2dInputGrad: conv,
  conv2dWeightGrad: conv,
  maxPool2d: maxPool,
  maxPool2dGrad: maxPool,
  poolGather: maxPool,
  avgPool2d: pool,
  avgPool2dGrad: pool,
  reduce: reduced,
  argMax: reduced,
  softmax: matrix(2),
  softmaxGrad: matrix(3),
  crossEntropy: matrix(1),
  crossEntropyGrad: matrix(2),
  gatherRows: ({ outer, rows, inner, elemSize }) => memory(outer * rows * (4 + 2 * inner * elemSize)),
  scatterAddRows: ({ outer, size, rows, inner }: Rows) => floats(outer * inner * (size + rows) + rows),
  gather: ({ outer, rows, inner }: Rows) => floats(3 * outer * rows * inner),
  gatherGrad: ({ outer, size, rows, inner }: Rows) => floats(outer * inner * (size + 2 * rows)),
  cumsum: ({ outer, r, inner }) => floats(2 * outer * r * inner),
  random: ({ n }) => floats(n),
  recurrent: sequences,
  recurrentGrad: sequences,
  layerNorm: matrix(2),
  layerNormGrad: matrix(3),
  channelSums: matrix(2),
  channelScale: matrix(3),
  attention: attention(1),
  attentionGrad: attention(2.5),
  localResponseNorm: ({ pixels, c }) => floats(2 * pixels * c),
  localResponseNormGrad: ({ pixels, c }) => floats(3 * pixels * c),
};

/** What a launch of `kernel` needs, or null if that is not written down. Call it while the memory of the arguments is still the kernel's. */
export const kernelCost = <K extends KernelName>(kernel: K, args: KernelArgs[K], engine: Engine): KernelCost | null => formulas[kernel]?.(args, engine) ?? null;
