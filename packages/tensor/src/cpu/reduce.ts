/**
 * Reductions on the `reduce`, `argMax` and `cumsum` kernels, which know one form only: x[outer, r, inner].
 * Any dense tensor is brought to it by reading its dimensions in memory order, so channels-last images are never copied.
 */
import { reduceKinds, type Pointer } from "@nn/kernels";
import { kernel, type Backend } from "../backend.ts";
import type { Aval } from "../define.ts";
import { denseStrides, memoryOrder, sizeOf, type Layout, type Shape } from "../layout.ts";
import { axis, reducedDims } from "../ops/axes.ts";
import { noGrad, withRecording } from "../recorder.ts";
import { empty, pointerOf, type Tensor } from "../tensor.ts";
import { copyBlock, fill, withDense } from "./copy.ts";
import { run, withScratch } from "./launch.ts";

/** What a reduction over no elements gives; `infer` refuses it for max. */
const emptyValue = { sum: 0, prod: 1, max: NaN };
type Kind = keyof typeof emptyValue;

/** Neighbouring dimensions, in memory order, that are all folded or all kept. */
interface Run {
  readonly size: number;
  readonly fold: boolean;
}
function runsOf(shape: Shape, order: readonly number[], dims: readonly number[]): Run[] {
  const runs: Run[] = [];
  for (const d of order) {
    if (shape[d] === 1) continue;
    const fold = dims.includes(d);
    const last = runs.at(-1);
    if (last?.fold === fold) runs[runs.length - 1] = { size: last.size * shape[d]!, fold };
    else runs.push({ size: shape[d]!, fold });
  }
  return runs;
}

/** Folds one run after another, the longest first, through scratch memory. `y` is dense in the order of the kept runs. */
function foldRuns(backend: Backend, kind: Kind, runs: readonly Run[], x: Pointer, y: Pointer): void {
  const at = runs.reduce((best, { size, fold }, i) => (fold && (best < 0 || size > runs[best]!.size) ? i : best), -1);
  const product = (part: readonly Run[]): number => part.reduce((n, { size }) => n * size, 1);
  const outer = product(runs.slice(0, at));
  const inner = product(runs.slice(at + 1));
  const rest = [...runs.slice(0, at), ...runs.slice(at + 1)];
  const step = (target: Pointer) => run(backend, "reduce", { kind: reduceKinds[kind], outer, r: runs[at]!.size, inner, x, y: target });
  if (!rest.some(({ fold }) => fold)) return step(y);
  withScratch(backend, outer * inner * 4, (partial) => {
    step(partial);
    foldRuns(backend, kind, rest, partial, y);
  });
}

/** Layout of a result that keeps the memory order of x; folded dimensions are gone, or have size 1. */
function keptLayout(x: Tensor, order: readonly number[], dims: readonly number[], out: Shape): Layout {
  if (out.length === x.rank) return { shape: out, strides: denseStrides(out, order), offset: 0 };
  const kept = [...x.shape.keys()].filter((d) => !dims.includes(d));
  const rank = new Map(kept.map((d, i) => [d, i]));
  return { shape: out, strides: denseStrides(out, order.filter((d) => rank.has(d)).map((d) => rank.get(d)!)), offset: 0 };
}

export interface Attrs {
  readonly dim?: number | readonly number[];
  readonly keepdim?: boolean;
}

export const reduce = (kind: Kind) =>
  kernel<{ x: Tensor }, Attrs, Aval>(({ x }, { dim }, out) => {
    const dims = reducedDims(kind, x, dim);
    const order = memoryOrder(x);
    const y = empty(out, kind, keptLayout(x, order, dims, out.shape), x.backend);
    if (y.size === 0) return y;
    if (x.size === 0) {
      fill(y, emptyValue[kind]);
      return y;
    }
    const runs = runsOf(x.shape, order, dims);
    withDense(x, order, (pointer) => {
      if (runs.some(({ fold }) => fold)) foldRuns(x.backend, kind, runs, pointer, pointerOf(y));
      else copyBlock(x.backend, 4, [x.size], { pointer, strides: [1] }, { pointer: pointerOf(y), strides: [1] });
    });
    return y;
  });

export const max = reduce("max");
/** −max(−x): a second copy of the kernel is not worth its bytes in every page. */
export const min = kernel<{ x: Tensor }, Attrs, Aval>(({ x }, attrs, out) => noGrad(() => (max.run({ x: x.neg() }, attrs, out) as Tensor).neg()));

/** x as outer, r, inner around `dim`, its dimensions taken in `order`. */
function aroundInMemory(shape: Shape, order: readonly number[], dim: number): { outer: number; r: number; inner: number } {
  const at = order.indexOf(dim);
  const sizes = order.map((d) => shape[d]!);
  return { outer: sizeOf(sizes.slice(0, at)), r: shape[dim]!, inner: sizeOf(sizes.slice(at + 1)) };
}

export const argReduce = (kind: "max" | "min") =>
  kernel<{ x: Tensor }, { dim?: number; keepdim?: boolean }, Aval>(
    ({ x }, { dim }, out) => {
      const whole = dim === undefined || x.rank === 0;
      // A position in the flattened tensor counts in logical order; along one dimension any memory order does.
      const order = whole ? [...x.shape.keys()] : memoryOrder(x);
      const dims = whole ? order : [axis(dim, x.rank)];
      const y = empty(out, kind === "max" ? "argmax" : "argmin", keptLayout(x, order, dims, out.shape), x.backend);
      if (y.size === 0) return y;
      const form = whole ? { outer: 1, r: x.size, inner: 1 } : aroundInMemory(x.shape, order, dims[0]!);
      // The kernel finds maxima only, as `reduce` does.
      const searched = kind === "max" ? x : withRecording(false, () => x.neg());
      withDense(searched, order, (pointer) => run(x.backend, "argMax", { ...form, x: pointer, y: pointerOf(y) }));
      if (searched !== x) searched.dispose();
      return y;
    },
    (inputs) => inputs.every((t) => t.dtype === "f32"),
  );

export const cumsum = kernel<{ x: Tensor }, { dim: number; reverse?: boolean }, Aval>(({ x }, { dim, reverse = false }, out) => {
  const order = memoryOrder(x);
  const y = empty(out, "cumsum", { shape: out.shape, strides: denseStrides(out.shape, order), offset: 0 }, x.backend);
  if (y.size === 0) return y;
  const form = x.rank === 0 ? { outer: 1, r: 1, inner: 1 } : aroundInMemory(x.shape, order, axis(dim, x.rank));
  withDense(x, order, (pointer) => run(x.backend, "cumsum", { ...form, x: pointer, y: pointerOf(y), reverse: reverse ? 1 : 0 }));
  return y;
});
