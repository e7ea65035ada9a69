/** Training data of a single neuron as plain f64 numbers: its rules are a few flops per sample, far less than a tensor op costs. */
import { Random, ShapeError, type Tensor } from "@nn/tensor";

export interface Samples {
  readonly count: number;
  readonly features: number;
  /** Sample `i` is `inputs[i·features …]`. */
  readonly inputs: ArrayLike<number>;
  readonly targets: ArrayLike<number>;
}

/** Inputs `[N, D]` with targets `[N]` or `[N, 1]`. @throws ShapeError */
export function samplesOf(op: string, x: Tensor, targets: Tensor, features?: number): Samples {
  const [count, width] = x.shape;
  if (x.rank !== 2 || (features !== undefined && width !== features)) throw new ShapeError(op, `inputs must be [N,${features ?? "D"}], got [${x.shape.join(",")}]`, x.rank === 1 ? { hint: "one row per sample: reshape([-1, 1]) for samples of one number" } : {});
  if (![`${count}`, `${count},1`].includes(targets.shape.join())) throw new ShapeError(op, `targets must be [${count}], one number per sample, got [${targets.shape.join(",")}]`);
  return { count: count!, features: width!, inputs: x.dataSync(), targets: targets.dataSync() };
}

/** w·x + b of sample `i`, added up in order. */
export function affine(w: ArrayLike<number>, b: number, { inputs, features }: Samples, i: number): number {
  let z = 0;
  for (let j = 0, at = i * features; j < features; j++) z += w[j]! * inputs[at + j]!;
  return z + b;
}

/** The order of an epoch's samples: as given, or drawn anew for each epoch from a seed. */
export const orderOf = (count: number, epoch: number, seed?: number): Int32Array => (seed === undefined ? Int32Array.from({ length: count }, (_, i) => i) : Random.keyed(seed, epoch).permutation(count));
