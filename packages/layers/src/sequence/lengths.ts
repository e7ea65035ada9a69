import { ArgumentError, arange, scope, tensor, type Tensor } from "@nn/tensor";

/** Real length of each sequence of a padded batch. */
export type Lengths = Tensor | readonly number[];

/**
 * Which steps of a padded batch are real: bool [B, steps], true below each length. Its `logicalNot()` is a keyPaddingMask for attention.
 *
 * @throws ArgumentError for a length outside 0 … steps
 */
export function lengthMask(lengths: Lengths, steps: number): Tensor {
  const counts = Array.isArray(lengths) ? (lengths as readonly number[]) : Array.from((lengths as Tensor).dataSync());
  counts.forEach((n, b) => {
    if (!(n >= 0 && n <= steps)) throw new ArgumentError("lengthMask", `length ${n} of sequence ${b} is not within 0 … ${steps}`, { hint: "lengths count steps of the padded input" });
  });
  return scope(() => (arange(steps) as Tensor).lt(tensor(counts, { shape: [counts.length, 1] })), "lengthMask"); // [steps] < [B,1]
}
