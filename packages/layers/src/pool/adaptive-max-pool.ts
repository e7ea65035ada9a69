import { ArgumentError, ShapeError, maxPool2d, scope, tensor, type Tensor } from "@nn/tensor";
import type { Pair } from "../conv2d.ts";
import { AdaptivePool } from "./pool2d.ts";

/** Largest value of each of `outputSize` windows; the first of equals gets the gradient. */
export class AdaptiveMaxPool2d extends AdaptivePool<Pair> {
  /** [N, C, H, W] → [N, C, …outputSize] */
  forward(x: Tensor): Tensor {
    return adaptiveMaxPool2d(x, this.outputSize);
  }
}

/** Windows laid side by side, then pooled without overlap. */
export function adaptiveMaxPool2d(x: Tensor, outputSize: Pair): Tensor {
  const [oh, ow] = typeof outputSize === "number" ? [outputSize, outputSize] : outputSize;
  if (x.rank !== 4 || x.shape[2] === 0 || x.shape[3] === 0) throw new ShapeError("adaptiveMaxPool2d", `input must be [N,C,H,W] with pixels, got [${x.shape.join(",")}]`);
  return scope(() => {
    const [tall, kh] = sideBySide(x, 2, oh);
    const [wide, kw] = sideBySide(tall, 3, ow);
    return maxPool2d(wide, [kh, kw]);
  }, "adaptiveMaxPool2d");
}

/** x with the `out` windows along `dim` one after the other, and their size. Shorter windows repeat their last element, which wins no tie. */
function sideBySide(x: Tensor, dim: number, out: number): [Tensor, number] {
  if (!(Number.isInteger(out) && out > 0)) throw new ArgumentError("adaptiveMaxPool2d", `outputSize is ${out}`, { hint: "a whole number ≥ 1, or two: [height, width]" });
  const size = x.shape[dim]!;
  if (size % out === 0) return [x, size / out];
  const starts = Array.from({ length: out }, (_, i) => Math.floor((i * size) / out));
  const ends = starts.map((_, i) => Math.ceil(((i + 1) * size) / out));
  const longest = Math.max(...ends.map((end, i) => end - starts[i]!));
  const positions = starts.flatMap((start, i) => Array.from({ length: longest }, (_, k) => Math.min(start + k, ends[i]! - 1)));
  return [x.indexSelect(dim, tensor(positions, { dtype: "i32" })), longest];
}
