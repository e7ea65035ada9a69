import type { Tensor } from "@nn/tensor";
import { affine, samplesOf, type Samples } from "./rows.ts";

/** A plane w·x + b = 0. */
export interface Separator {
  readonly weight: ArrayLike<number>;
  readonly bias: number;
}
export interface NovikoffBound {
  /** R: the largest ‖[x; 1]‖. */
  readonly radius: number;
  /** γ: the smallest distance of a sample from the plane, in the space of [x; 1]; not positive if the plane does not separate. */
  readonly margin: number;
  /** (R/γ)²: no more mistakes than this in any order of samples, from a zero start; Infinity if no separator is known. */
  readonly bound: number;
  readonly separator: Separator | null;
}

/**
 * How many mistakes Rosenblatt's rule can make at most on `x` [N, D] with `targets` [N] of 0 and 1 (Novikoff 1962, "On convergence proofs
 * on perceptrons"). Every separator gives a bound, a wide margin a sharper one. Without one, a separator is sought for `maxEpochs` epochs.
 */
export function novikoffBound(x: Tensor, targets: Tensor, separator?: Separator, { maxEpochs = 1000 } = {}): NovikoffBound {
  const samples = samplesOf("novikoffBound", x, targets, separator?.weight.length);
  let radius = 0;
  for (let i = 0; i < samples.count; i++) radius = Math.max(radius, Math.sqrt(affine(row(samples, i), 1, samples, i)));
  const plane = separator ?? search(samples, maxEpochs);
  const margin = plane ? marginOf(plane, samples) : -Infinity;
  return { radius, margin, bound: margin > 0 ? (radius / margin) ** 2 : Infinity, separator: plane };
}

const row = ({ inputs, features }: Samples, i: number): number[] => Array.from({ length: features }, (_, j) => inputs[i * features + j]!);
const sign = ({ targets }: Samples, i: number): number => (targets[i]! > 0.5 ? 1 : -1);

function marginOf({ weight, bias }: Separator, samples: Samples): number {
  const norm = Math.hypot(...Array.from(weight), bias);
  let smallest = Infinity;
  for (let i = 0; i < samples.count; i++) smallest = Math.min(smallest, (sign(samples, i) * affine(weight, bias, samples, i)) / norm);
  return smallest;
}

/** A plane with no sample on it: Rosenblatt's rule with ±1, where z = 0 is a mistake for both classes. */
function search(samples: Samples, maxEpochs: number): Separator | null {
  const weight = new Float64Array(samples.features);
  let bias = 0;
  for (let epoch = 0; epoch < maxEpochs; epoch++) {
    let mistakes = 0;
    for (let i = 0; i < samples.count; i++) {
      const s = sign(samples, i);
      if (s * affine(weight, bias, samples, i) > 0) continue;
      mistakes++;
      row(samples, i).forEach((v, j) => (weight[j]! += s * v));
      bias += s;
    }
    if (mistakes === 0) return { weight, bias };
  }
  return null;
}
