import { Random, nextStream, tensor, type Shape, type Tensor } from "@nn/tensor";

/**
 * Rows (or, where there are more rows than columns, columns) of length `gain` at right angles to each other, uniformly among all such
 * matrices (Saxe 2013, "Exact solutions to the nonlinear dynamics of learning"). More than two dimensions count as `[first, rest]`.
 */
export const orthogonal = (gain = 1) => (shape: Shape): Tensor => {
  const rows = shape[0] ?? 1;
  const cols = shape.slice(1).reduce((a, b) => a * b, 1);
  const [long, short] = [Math.max(rows, cols), Math.min(rows, cols)];
  const { seed, stream } = nextStream();
  const random = new Random(seed, stream);
  const vectors = Array.from({ length: short }, (_, k) => Float64Array.from({ length: long }, (_, i) => random.normal(k * long + i)));
  orthonormalise(vectors);
  const at = rows < cols || rows === cols ? (r: number, c: number): number => vectors[r]![c]! : (r: number, c: number): number => vectors[c]![r]!;
  return tensor(Float32Array.from({ length: rows * cols }, (_, i) => gain * at(Math.floor(i / cols), i % cols)), { shape: [...shape] });
};

/** Gram–Schmidt, each vector twice: once is not enough when vectors are nearly parallel (Giraud 2005). Lengths stay positive, so the result is uniform. */
function orthonormalise(vectors: readonly Float64Array[]): void {
  vectors.forEach((v, k) => {
    for (let pass = 0; pass < 2; pass++) {
      for (const u of vectors.slice(0, k)) {
        const along = dot(u, v);
        for (let i = 0; i < v.length; i++) v[i]! -= along * u[i]!;
      }
    }
    const length = Math.sqrt(dot(v, v));
    for (let i = 0; i < v.length; i++) v[i]! /= length;
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
