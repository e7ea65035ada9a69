/** The cells of `recurrent`, twice: as plain loops in f64, the definition, and as other ops, for second derivatives. */
import type { RefArray } from "../define.ts";
import type { Tensor } from "../tensor.ts";
import { scalar } from "../scalar.ts";
import { stack } from "./composite-movement.ts";
import { sigmoid } from "./functions.ts";

/** Number of gates in the weights and of values per unit that backward reads again. */
export const cells = {
  lstm: { gates: 4, saved: 5 },
  gru: { gates: 3, saved: 4 },
  tanh: { gates: 1, saved: 0 },
  relu: { gates: 1, saved: 0 },
} as const;
export type Cell = keyof typeof cells;
export const isCell = (name: string): name is Cell => Object.hasOwn(cells, name);

interface Attrs {
  readonly cell: Cell;
  readonly reverse: boolean;
}
type Arrays = { x: RefArray; weightIh: RefArray; weightHh: RefArray } & Partial<Record<"biasIh" | "biasHh" | "h0" | "c0" | "lengths", RefArray>>;

/** `out[i] += Σⱼ w[i,j]·v[from+j]` */
function addProduct(out: Float64Array, w: RefArray, v: Float64Array, from: number): void {
  const [rows, cols] = w.shape as readonly [number, number];
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) out[i]! += w.data[i * cols + j]! * v[from + j]!;
}

/** Steps of a sequence of `length` out of `steps` in the order they run. */
function order(steps: number, length: number, reverse: boolean): number[] {
  const all = Array.from({ length: Math.min(steps, length) }, (_, t) => t);
  return reverse ? all.reverse() : all;
}

export function recurrentReference({ x, weightIh, weightHh, biasIh, biasHh, h0, c0, lengths }: Arrays, { cell, reverse }: Attrs, out: Record<"y" | "h" | "c" | "gates", RefArray>): void {
  const [T, B, I] = x.shape as readonly [number, number, number];
  const H = weightHh.shape[1]!;
  const width = cells[cell].saved * H;
  for (let b = 0; b < B; b++) {
    const h = h0 ? h0.data.slice(b * H, b * H + H) : new Float64Array(H);
    const c = c0 ? c0.data.slice(b * H, b * H + H) : new Float64Array(H);
    for (const t of order(T, lengths?.data[b] ?? T, reverse)) {
      const fromX = biasIh ? biasIh.data.slice() : new Float64Array(weightIh.shape[0]!);
      const fromH = biasHh ? biasHh.data.slice() : new Float64Array(weightIh.shape[0]!);
      addProduct(fromX, weightIh, x.data, (t * B + b) * I);
      addProduct(fromH, weightHh, h, 0);
      const gate = (k: number, j: number): number => fromX[k * H + j]! + fromH[k * H + j]!;
      for (let j = 0; j < H; j++) {
        const save = (...values: number[]): void => values.forEach((v, k) => (out.gates.data[(t * B + b) * width + k * H + j] = v));
        if (cell === "lstm") {
          const [i, f, g, o] = [sigmoid(gate(0, j)), sigmoid(gate(1, j)), Math.tanh(gate(2, j)), sigmoid(gate(3, j))];
          c[j] = f * c[j]! + i * g;
          h[j] = o * Math.tanh(c[j]!);
          save(i, f, g, o, c[j]!);
        } else if (cell === "gru") {
          const [r, z, own] = [sigmoid(gate(0, j)), sigmoid(gate(1, j)), fromH[2 * H + j]!];
          const n = Math.tanh(fromX[2 * H + j]! + r * own);
          h[j] = (1 - z) * n + z * h[j]!;
          save(n, r, z, own);
        } else {
          h[j] = cell === "tanh" ? Math.tanh(gate(0, j)) : Math.max(0, gate(0, j));
        }
        out.y.data[(t * B + b) * H + j] = h[j]!;
      }
    }
    out.h.data.set(h, b * H);
    if (cell === "lstm") out.c.data.set(c, b * H);
  }
}

type GradArrays = Omit<Arrays, "biasIh" | "biasHh"> & { y: RefArray; gates: RefArray } & Partial<Record<"dy" | "dh" | "dc", RefArray>>;

export function recurrentGradReference(
  { x, weightIh, weightHh, y, gates, h0, c0, lengths, dy, dh: dLast, dc: dcLast }: GradArrays,
  { cell, reverse, needsX }: Attrs & { readonly needsX: boolean },
  out: Record<"dx" | "dweightIh" | "dweightHh" | "dbiasIh" | "dbiasHh" | "dh0" | "dc0", RefArray>,
): void {
  const [T, B, I] = x.shape as readonly [number, number, number];
  const H = weightHh.shape[1]!;
  const rows = weightIh.shape[0]!;
  const width = cells[cell].saved * H;
  for (let b = 0; b < B; b++) {
    const dh = dLast ? dLast.data.slice(b * H, b * H + H) : new Float64Array(H);
    const dc = dcLast ? dcLast.data.slice(b * H, b * H + H) : new Float64Array(H);
    const steps = order(T, lengths?.data[b] ?? T, reverse);
    for (let s = steps.length - 1; s >= 0; s--) {
      const at = steps[s]! * B + b;
      const before = s === 0 ? null : steps[s - 1]! * B + b;
      const hWas = (j: number): number => (before === null ? (h0?.data[b * H + j] ?? 0) : y.data[before * H + j]!);
      const cWas = (j: number): number => (before === null ? (c0?.data[b * H + j] ?? 0) : gates.data[before * width + 4 * H + j]!);
      const dX = new Float64Array(rows); // gradient of the input's part of each gate, before its activation
      const dH = new Float64Array(rows); // and of the state's part
      for (let j = 0; j < H; j++) {
        const g = (k: number): number => gates.data[at * width + k * H + j]!;
        const dOut = dh[j]! + (dy?.data[at * H + j] ?? 0);
        const give = (k: number, fromX: number, fromH = fromX): void => ((dX[k * H + j] = fromX), void (dH[k * H + j] = fromH));
        dh[j] = 0;
        if (cell === "lstm") {
          const [i, f, u, o, t] = [g(0), g(1), g(2), g(3), Math.tanh(g(4))];
          const dCell = dc[j]! + dOut * o * (1 - t * t);
          give(0, dCell * u * i * (1 - i));
          give(1, dCell * cWas(j) * f * (1 - f));
          give(2, dCell * i * (1 - u * u));
          give(3, dOut * t * o * (1 - o));
          dc[j] = dCell * f;
        } else if (cell === "gru") {
          const [n, r, z, own] = [g(0), g(1), g(2), g(3)];
          const dn = dOut * (1 - z) * (1 - n * n);
          give(0, dn * own * r * (1 - r));
          give(1, dOut * (hWas(j) - n) * z * (1 - z));
          give(2, dn, dn * r);
          dh[j] = dOut * z;
        } else {
          const h = y.data[at * H + j]!;
          give(0, dOut * (cell === "tanh" ? 1 - h * h : h > 0 ? 1 : 0));
        }
      }
      for (let k = 0; k < rows; k++) {
        out.dbiasIh.data[k]! += dX[k]!;
        out.dbiasHh.data[k]! += dH[k]!;
        for (let i = 0; i < I; i++) {
          out.dweightIh.data[k * I + i]! += dX[k]! * x.data[at * I + i]!;
          if (needsX) out.dx.data[at * I + i]! += dX[k]! * weightIh.data[k * I + i]!;
        }
        for (let j = 0; j < H; j++) {
          out.dweightHh.data[k * H + j]! += dH[k]! * hWas(j);
          dh[j]! += dH[k]! * weightHh.data[k * H + j]!;
        }
      }
    }
    out.dh0.data.set(dh, b * H);
    if (cell === "lstm") out.dc0.data.set(dc, b * H);
  }
}

type Inputs = { x: Tensor; weightIh: Tensor; weightHh: Tensor } & Partial<Record<"biasIh" | "biasHh" | "h0" | "c0" | "lengths", Tensor>>;

/** The same as a loop of other ops, step by step. */
export function recurrentDecomposition({ x, weightIh, weightHh, biasIh, biasHh, h0, c0, lengths }: Inputs, { cell, reverse }: Attrs): { y: Tensor; h: Tensor; c: Tensor } {
  const [T, B] = x.shape as readonly [number, number];
  const H = weightHh.shape[1]!;
  const [wx, wh] = [weightIh.t(), weightHh.t()];
  const zeros = scalar(0, weightHh).expand([B, H]);
  const part = (gates: Tensor, k: number): Tensor => gates.slice(1, k * H, (k + 1) * H);
  const plus = (t: Tensor, bias: Tensor | undefined): Tensor => (bias ? t.add(bias) : t);
  let h = h0 ?? zeros;
  let c = c0 ?? zeros;
  const y: Tensor[] = new Array<Tensor>(T);
  for (let step = 0; step < T; step++) {
    const t = reverse ? T - 1 - step : step;
    const fromX = plus(x.at(t).matmul(wx), biasIh);
    const fromH = plus(h.matmul(wh), biasHh);
    let [hNext, cNext] = [h, c];
    if (cell === "lstm") {
      const gates = fromX.add(fromH);
      cNext = part(gates, 1).sigmoid().mul(c).add(part(gates, 0).sigmoid().mul(part(gates, 2).tanh()));
      hNext = part(gates, 3).sigmoid().mul(cNext.tanh());
    } else if (cell === "gru") {
      const [r, z] = [0, 1].map((k) => part(fromX, k).add(part(fromH, k)).sigmoid()) as [Tensor, Tensor];
      const n = part(fromX, 2).add(r.mul(part(fromH, 2))).tanh();
      hNext = n.add(z.mul(h.sub(n)));
    } else {
      hNext = cell === "tanh" ? fromX.add(fromH).tanh() : fromX.add(fromH).relu();
    }
    const alive = lengths?.gt(t).unsqueeze(1); // [B,1]
    y[t] = alive ? alive.where(hNext, zeros) : hNext;
    h = alive ? alive.where(hNext, h) : hNext;
    c = alive && cell === "lstm" ? alive.where(cNext, c) : cNext;
  }
  return { y: T > 0 ? stack(y) : zeros.expand([0, B, H]), h, c: cell === "lstm" ? c : zeros.reshape([B * H]).slice(0, 0, 0) };
}
