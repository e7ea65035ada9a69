import { ArgumentError, noGrad, type Variable } from "@nn/tensor";

/**
 * Shortens every row of each weight that is longer than `limit` to that length, in place: call it after `optimizer.step()`. A row is what leads
 * to one unit (dimension 0 of Linear and convolution weights; Srebro 2005, Srivastava 2014 with limits of 3 to 4). Vectors, such as biases, are left alone.
 */
export function maxNorm(weights: Iterable<Variable>, limit: number): void {
  if (!(limit > 0)) throw new ArgumentError("maxNorm", `limit is ${limit}`, { hint: "a positive number" });
  noGrad(() => {
    for (const w of weights) {
      if (w.rank < 2) continue;
      const length = w.norm(w.shape.map((_, d) => d).slice(1), { keepdim: true });
      if (length.max().item() <= limit) continue;
      const scale = length.gt(limit).where(length.reciprocal().mul(limit), 1); // exactly 1 for rows within
      w.write(w.mul(scale).dataSync(), "maxNorm");
    }
  });
}
