/** Readable printing: rows and columns, long axes shortened. */
import type { Tensor } from "./tensor.ts";

const edge = 3;
const longest = 8;

/** `Tensor f32[2,3] [[1, 2, 3], [4, 5, 6]]`, with `…` in axes longer than eight. */
export function format(t: Tensor): string {
  const data = t.dataSync();
  const show = (v: number): string => {
    if (t.dtype === "bool") return v ? "true" : "false";
    if (Number.isInteger(v) || !Number.isFinite(v)) return Object.is(v, -0) ? "-0" : String(v);
    return String(Number(v.toPrecision(5)));
  };
  const build = (d: number, at: number, indent: string): string => {
    if (d === t.rank) return show(data[at]!);
    const n = t.shape[d]!;
    const step = t.shape.slice(d + 1).reduce((a, b) => a * b, 1);
    const rows = n > longest ? [...range(0, edge), -1, ...range(n - edge, n)] : range(0, n);
    const parts = rows.map((i) => (i < 0 ? "…" : build(d + 1, at + i * step, `${indent} `)));
    const separator = d === t.rank - 1 ? ", " : `,\n${indent} `;
    return `[${parts.join(separator)}]`;
  };
  const head = `Tensor ${t.dtype}[${t.shape.join(",")}]`;
  return t.rank < 2 ? `${head} ${build(0, 0, "")}` : `${head}\n${build(0, 0, "")}`;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
