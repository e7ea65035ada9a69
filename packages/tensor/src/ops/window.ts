/** Windows that slide over an image: what convolution and pooling share. Height first, as in shapes. */
import { samePadding, type Padded } from "../padding.ts";
import type { Aval } from "../define.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { show } from "./shape-rules.ts";

/** `[height, width]` */
export type Pair = readonly [number, number];
/** `[top, bottom, left, right]` */
export type Padding = readonly [number, number, number, number];

/** How a window moves. */
export interface Sliding {
  readonly stride: Pair;
  readonly padding: Padding;
  readonly dilation: Pair;
}

/** One number for both directions, or `[height, width]`. */
export type PairLike = number | Pair;
/** One number for all sides, `[height, width]`, `[top, bottom, left, right]`, or a mode: see `samePadding`. */
export type PaddingLike = number | Pair | Padding | "same" | "valid";

/** Size of a kernel with its holes. */
export const effectiveSize = (kernel: number, dilation: number): number => (kernel - 1) * dilation + 1;

export function toPair(op: string, name: string, value: PairLike, least = 1): Pair {
  const pair: Pair = typeof value === "number" ? [value, value] : value;
  if (pair.length !== 2 || !pair.every((v) => Number.isInteger(v) && v >= least)) {
    throw new ArgumentError(op, `${name} is ${JSON.stringify(value)}`, { hint: `give a whole number ≥ ${least}, or two: [height, width]` });
  }
  return pair;
}

/** Padding of any notation as four numbers, for an image of `[height, width]`. */
export function toPadding(op: string, value: PaddingLike, image: Pair, kernel: Pair, stride: Pair, dilation: Pair): Padding {
  if (value === "valid") return [0, 0, 0, 0];
  if (value === "same") {
    const [rows, columns] = [0, 1].map((d) => samePadding(image[d]!, kernel[d]!, stride[d], dilation[d])) as [Padded, Padded];
    return [rows.before, rows.after, columns.before, columns.after];
  }
  const list = typeof value === "number" ? [value, value, value, value] : value.length === 2 ? [value[0], value[0], value[1], value[1]] : value;
  if (!Array.isArray(list) || list.length !== 4 || !list.every((v) => Number.isInteger(v) && v >= 0)) {
    throw new ArgumentError(op, `padding is ${JSON.stringify(value)}`, { hint: "give a number, [height, width], [top, bottom, left, right], 'same' or 'valid'" });
  }
  return list as unknown as Padding;
}

/**
 * How many windows fit: `⌊(in + padding − effective kernel) / stride⌋ + 1` per direction.
 * With `ceilMode` one that hangs over the end counts if it starts inside the input or the padding before it, as PyTorch.
 *
 * @throws ShapeError if the kernel is larger than the padded image.
 */
export function windowCounts(op: string, x: Aval, kernel: Pair, { stride, padding, dilation }: Sliding, ceilMode = false): [number, number] {
  toPair(op, "kernel size", kernel);
  toPair(op, "stride", stride);
  toPair(op, "dilation", dilation);
  if (!padding.every((v) => Number.isInteger(v) && v >= 0)) throw new ArgumentError(op, `padding is ${JSON.stringify(padding)}`, { hint: "four whole numbers ≥ 0: [top, bottom, left, right]" });
  const count = (d: 0 | 1): number => {
    const size = x.shape[x.shape.length - 2 + d]!;
    const before = padding[2 * d]!;
    const room = size + before + padding[2 * d + 1]! - effectiveSize(kernel[d], dilation[d]);
    if (room < 0) {
      const holes = dilation[d] > 1 ? ` (${effectiveSize(kernel[d], dilation[d])} with dilation ${dilation[d]})` : "";
      throw new ShapeError(op, `kernel ${d === 0 ? "height" : "width"} ${kernel[d]}${holes} is larger than ${size + before + padding[2 * d + 1]!}, the padded ${d === 0 ? "height" : "width"} of ${show(x)}`, {
        hint: "use a smaller kernel or more padding, e.g. padding: 'same'",
      });
    }
    const n = (ceilMode ? Math.ceil(room / stride[d]) : Math.floor(room / stride[d])) + 1;
    return ceilMode && (n - 1) * stride[d] >= size + before ? n - 1 : n;
  };
  return [count(0), count(1)];
}

/** @throws ShapeError unless `x` is `[N,C,H,W]`. */
export function checkImage(op: string, name: string, x: Aval): void {
  if (x.shape.length !== 4) {
    throw new ShapeError(op, `${name} must be [N,C,H,W], got ${show(x)}`, x.shape.length === 3 ? { hint: "one image alone? add a batch dimension: unsqueeze(0)" } : {});
  }
}
