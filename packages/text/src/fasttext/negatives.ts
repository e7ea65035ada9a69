/** Targets to draw negative samples from: each in proportion to the square root of its count, in a table of ten million, as the original's. */
const SIZE = 10_000_000;

export function negativeTable(counts: ArrayLike<number>): Int32Array {
  const f = Math.fround, roots = Float32Array.from(counts, Math.sqrt);
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum = f(sum + Math.sqrt(counts[i]!));
  const shares = roots.map((root) => Math.ceil(f(f(root * SIZE) / sum)));
  const table = new Int32Array(shares.reduce((n, share) => n + share, 0));
  let at = 0;
  shares.forEach((share, i) => table.fill(i, at, (at += share)));
  return table;
}
