/** Sequences [N, C, L] as images one pixel high, for the kernels of images. */
import { ShapeError, scope, type Tensor } from "@nn/tensor";
import type { Conv1dOptions } from "./conv1d.ts";

/** Zeros at both ends: a number, [before, after], or a mode of the SAME/VALID rule. */
export type Ends = NonNullable<Conv1dOptions["padding"]>;
type Sides = "same" | "valid" | readonly [number, number, number, number];

/** @throws ShapeError unless x is [N, C, L] */
export function asImage(layer: string, x: Tensor, f: (image: Tensor) => Tensor): Tensor {
  if (x.rank !== 3) throw new ShapeError(layer, `input must be [N,C,L], got [${x.shape.join(",")}]`, x.rank === 2 ? { hint: "one sequence alone? add a batch dimension: unsqueeze(0)" } : {});
  return scope(() => f(x.unsqueeze(2)).squeeze(2), layer);
}

/** Padding of the sequence as [top, bottom, left, right]. */
export const sides = (padding: Ends): Sides => (typeof padding === "string" ? padding : typeof padding === "number" ? [0, 0, padding, padding] : [0, 0, ...padding]);
