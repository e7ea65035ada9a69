/** Batch norm on kernels that work on the columns of dense rows, the channels: three passes over x forward, two over x and dy back. */
import { scratchBytes } from "@nn/kernels";
import { kernel } from "../backend.ts";
import type { Aval } from "../define.ts";
import { sizeOf } from "../layout.ts";
import type { BatchNormAttrs } from "../ops/batch-norm.ts";
import { noGrad } from "../recorder.ts";
import { empty, pointerOf, type Tensor } from "../tensor.ts";
import { channelsInnermost, withLayouts } from "./dense.ts";
import { run, withScratch } from "./launch.ts";

/** Rows narrower than this are read several at once, as far as they divide: a kernel works along rows. */
const narrow = 64;

interface Rows {
  readonly rows: number;
  readonly cols: number;
  /** [C] once for each of the rows that are read as one: [cols]. */
  readonly repeat: (line: Tensor) => Tensor;
  /** [cols] summed over those rows: [C]. */
  readonly join: (sums: Tensor) => Tensor;
}
function rowsOf({ shape }: Aval): Rows {
  const c = shape[1]!;
  const pixels = sizeOf(shape) / c;
  let g = Math.max(1, Math.floor(narrow / c));
  while (pixels % g !== 0) g--;
  return { rows: pixels / g, cols: g * c, repeat: (line) => (g === 1 ? line : line.expand([g, c]).reshape([g * c])).contiguous(), join: (sums) => (g === 1 ? sums : sums.reshape([g, c]).sum(0)) };
}

/** Per channel Σ (x − mean)², or with dy Σ dy·(x − mean) and Σ dy; x and dy lie with their channels innermost. */
function sums(x: Tensor, mean: Tensor, dy?: Tensor): Tensor[] {
  const { rows, cols, repeat, join } = rowsOf(x);
  const [dot, sum] = [x, dy].flatMap((t) => (t ? [empty({ shape: [cols], dtype: "f32" }, "batchNorm", undefined, x.backend)] : []));
  withScratch(x.backend, scratchBytes.channelSums({ rows, cols }), (scratch) =>
    run(x.backend, "channelSums", { rows, cols, x: pointerOf(x), dy: dy ? pointerOf(dy) : 0, mean: pointerOf(repeat(mean)), dot: pointerOf(dot!), sum: sum ? pointerOf(sum) : 0, scratch }));
  return sum ? [join(dot!), join(sum)] : [join(dot!)];
}

/** (x − mean)·scale + shift per channel, and back also + dy·gain. */
function affine(x: Tensor, mean: Tensor, scale: Tensor, shift: Tensor, back?: { dy: Tensor; gain: Tensor }): Tensor {
  const { rows, cols, repeat } = rowsOf(x);
  const y = empty(x, "batchNorm", channelsInnermost(x.shape), x.backend);
  const at = (line: Tensor): number => pointerOf(repeat(line));
  run(x.backend, "channelScale", { rows, cols, x: pointerOf(x), mean: at(mean), scale: at(scale), shift: at(shift), dy: back ? pointerOf(back.dy) : 0, gain: back ? at(back.gain) : 0, y: pointerOf(y) });
  return y;
}

/** An empty batch is the reference's. */
const accepts = (inputs: readonly Tensor[]): boolean => inputs.every((t) => t.dtype === "f32") && inputs[0]!.size > 0;

export const batchNorm = kernel<{ x: Tensor; weight?: Tensor; bias?: Tensor }, BatchNormAttrs, unknown>(({ x, weight, bias }, { eps }) =>
  withLayouts((as) =>
    noGrad(() => {
      const dense = as(x, channelsInnermost(x.shape));
      const mean: Tensor = dense.mean([...x.shape.keys()].filter((d) => d !== 1));
      const variance = sums(dense, mean)[0]!.div(x.size / mean.size);
      const rstd: Tensor = variance.add(eps).rsqrt();
      return { y: affine(dense, mean, weight ? rstd.mul(weight) : rstd, bias ?? mean.mul(0)), mean, variance };
    }),
  ), accepts);

export const batchNormGrad = kernel<{ x: Tensor; dy: Tensor; mean: Tensor; variance: Tensor; weight?: Tensor }, BatchNormAttrs, unknown>(({ x, dy, mean, variance, weight }, { eps }) =>
  withLayouts((as) =>
    noGrad(() => {
      const [dense, grad] = [x, dy].map((t) => as(t, channelsInnermost(x.shape))) as [Tensor, Tensor];
      const [dot, sum] = sums(dense, mean, grad) as [Tensor, Tensor];
      const rstd: Tensor = variance.add(eps).rsqrt();
      const gain: Tensor = weight ? rstd.mul(weight) : rstd;
      // dx = gain·(dy − Σdy/n − x̂·Σ(dy·x̂)/n)
      const each = gain.mul(-mean.size / x.size);
      return { dx: affine(dense, mean, each.mul(rstd.square()).mul(dot), each.mul(sum), { dy: grad, gain }), dw: dot.mul(rstd), db: sum };
    }),
  ), accepts);
