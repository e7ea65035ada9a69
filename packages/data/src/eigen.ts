/**
 * Eigenvalues, largest first, and unit eigenvectors of a small symmetric matrix (n×n, row-major), by Jacobi's rotations (Jacobi 1846).
 * An eigenvector has a sign of its own choice: here its largest component is positive.
 */
export function eigenSymmetric(matrix: readonly number[]): { eigenvalues: number[]; eigenvectors: number[][] } {
  const n = Math.round(Math.sqrt(matrix.length));
  const a = Float64Array.from(matrix), v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  const size = Math.hypot(...a);
  for (let sweep = 0; sweep < 50; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off = Math.hypot(off, a[p * n + q]!);
    if (off <= 1e-15 * size) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) if (a[p * n + q] !== 0) rotate(a, v, n, p, q);
  }
  const order = Array.from({ length: n }, (_, k) => k).sort((i, j) => a[j * n + j]! - a[i * n + i]!);
  return {
    eigenvalues: order.map((k) => a[k * n + k]!),
    eigenvectors: order.map((k) => {
      const vector = Array.from({ length: n }, (_, i) => v[i * n + k]!);
      const largest = vector.reduce((best, x) => (Math.abs(x) > Math.abs(best) ? x : best), 0);
      return largest < 0 ? vector.map((x) => -x) : vector;
    }),
  };
}

/** Turns rows and columns p and q until a[p,q] = 0, and the eigenvectors (columns of v) with them. */
function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * a[p * n + q]!);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1), s = t * c;
  const turn = (m: Float64Array, i: number, j: number): void => {
    const [x, y] = [m[i]!, m[j]!];
    m[i] = c * x - s * y;
    m[j] = s * x + c * y;
  };
  for (let k = 0; k < n; k++) turn(a, k * n + p, k * n + q);
  for (let k = 0; k < n; k++) turn(a, p * n + k, q * n + k);
  for (let k = 0; k < n; k++) turn(v, k * n + p, k * n + q);
}
