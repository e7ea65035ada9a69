/** Recurrent layers over whole sequences, time-major: input [T,B,I], states [B,H]. Gate order and equations are PyTorch's. */
import { defineOp, noGradient, oncePerNode, type Aval } from "../define.ts";
import { isFloat, promote, type DType } from "../dtype.ts";
import { ArgumentError, DTypeError, ShapeError } from "../errors.ts";
import type { Shape } from "../layout.ts";
import type { Tensor } from "../tensor.ts";
import { cells, isCell, recurrentDecomposition, recurrentGradReference, recurrentReference, type Cell } from "./recurrent-cells.ts";
import { show } from "./shape-rules.ts";

export interface RecurrentAttrs {
  cell: Cell;
  /** Steps run from the last to the first. With lengths each sequence starts at its own last step. */
  reverse: boolean;
}

interface Sequences<T> {
  x: T;
  weightIh: T;
  weightHh: T;
  biasIh?: T;
  biasHh?: T;
  h0?: T;
  c0?: T;
  lengths?: T;
}

interface Sizes {
  readonly steps: number;
  readonly batch: number;
  readonly inputs: number;
  readonly hidden: number;
  readonly dtype: DType;
}

/** Checks all operands against x and weightHh. */
function sizesOf(op: string, { x, weightIh, weightHh, biasIh, biasHh, h0, c0, lengths }: Sequences<Aval>, { cell }: RecurrentAttrs): Sizes {
  if (!isCell(cell)) throw new ArgumentError(op, `there is no cell "${String(cell)}"`, { hint: `one of ${Object.keys(cells).join(", ")}` });
  if (x.shape.length !== 3) throw new ShapeError(op, `input must be [T,B,I], got ${show(x)}`, x.shape.length === 2 ? { hint: "one sequence alone? add a batch dimension: unsqueeze(1)" } : {});
  if (weightHh.shape.length !== 2) throw new ShapeError(op, `weightHh must be [${cells[cell].gates}·H,H], got ${show(weightHh)}`);
  const [steps, batch, inputs] = x.shape as readonly [number, number, number];
  const [hidden, rows] = [weightHh.shape[1]!, cells[cell].gates * weightHh.shape[1]!];
  const expect = (name: string, t: Aval | undefined, shape: Shape): void => {
    if (t && t.shape.join() !== shape.join()) throw new ShapeError(op, `${name} must be [${shape.join(",")}] for cell ${cell} with input ${show(x)} and H = ${hidden}, got ${show(t)}`);
  };
  expect("weightHh", weightHh, [rows, hidden]);
  expect("weightIh", weightIh, [rows, inputs]);
  expect("biasIh", biasIh, [rows]);
  expect("biasHh", biasHh, [rows]);
  expect("h0", h0, [batch, hidden]);
  expect("c0", c0, [batch, hidden]);
  expect("lengths", lengths, [batch]);
  if (c0 && cell !== "lstm") throw new ArgumentError(op, `cell ${cell} has no second state: leave c0 out`);
  if (lengths && lengths.dtype !== "i32") throw new DTypeError(op, `lengths must be i32, got ${show(lengths)}`, { hint: 'lengths.cast("i32")' });
  const floats = [x, weightIh, weightHh, biasIh, biasHh, h0, c0].filter((t) => t !== undefined);
  const dtype = floats.map((t) => t.dtype).reduce(promote);
  if (!isFloat(dtype)) throw new DTypeError(op, `needs floating-point inputs, got ${show(x)} and ${show(weightHh)}`, { hint: 'x.cast("f32")' });
  return { steps, batch, inputs, hidden, dtype };
}

/** @throws ArgumentError for a length outside 0 … T. */
export function checkLengths(op: string, lengths: ArrayLike<number>, steps: number): void {
  for (let b = 0; b < lengths.length; b++) {
    if (!(lengths[b]! >= 0 && lengths[b]! <= steps)) throw new ArgumentError(op, `length ${lengths[b]} of sequence ${b} is not within 0 … ${steps}`, { hint: "lengths count steps of the padded input" });
  }
}

const onlyThrough = noGradient("second derivatives go through the decomposition of recurrent");

/**
 * Gradients of `recurrent` from its inputs, its outputs `y` and `gates`, and the gradients of y, h and c (each may be missing).
 * `needsX: false` leaves dx out (empty).
 */
export const recurrentGrad = defineOp({
  name: "recurrentGrad",
  inputs: ["x", "weightIh", "weightHh", "y", "gates", "h0?", "c0?", "lengths?", "dy?", "dh?", "dc?"],
  outputs: ["dx", "dweightIh", "dweightHh", "dbiasIh", "dbiasHh", "dh0", "dc0"],
  saves: [],
  infer(inputs, attrs: RecurrentAttrs & { needsX: boolean }) {
    const { x, weightIh, weightHh } = inputs;
    const { batch, hidden, dtype } = sizesOf("recurrentGrad", inputs, attrs);
    const of = (shape: Shape): Aval => ({ shape, dtype });
    return {
      dx: of(attrs.needsX ? x.shape : [0]),
      dweightIh: of(weightIh.shape),
      dweightHh: of(weightHh.shape),
      dbiasIh: of([weightIh.shape[0]!]),
      dbiasHh: of([weightIh.shape[0]!]),
      dh0: of([batch, hidden]),
      dc0: of(attrs.cell === "lstm" ? [batch, hidden] : [0]),
    };
  },
  reference(inputs, attrs, out) {
    if (inputs.lengths) checkLengths("recurrent", inputs.lengths.data, inputs.x.shape[0]!);
    recurrentGradReference(inputs, attrs, out);
  },
  vjp: {
    x: onlyThrough, weightIh: onlyThrough, weightHh: onlyThrough, y: onlyThrough, gates: onlyThrough, h0: onlyThrough, c0: onlyThrough,
    lengths: noGradient("whole numbers"), dy: onlyThrough, dh: onlyThrough, dc: onlyThrough,
  },
  samples: (
    [
      ["lstm", 5, true, false],
      ["gru", 4, false, true],
      ["tanh", 0, true, false],
      ["relu", 0, true, true],
    ] as const
  ).map(([cell, saved, all, reverse]) => {
    const [T, B, I, H] = [3, 2, 4, 5];
    const rows = cells[cell].gates * H;
    const part = { low: 0.1, high: 0.9 };
    return {
      inputs: {
        x: [T, B, I], weightIh: [rows, I], weightHh: [rows, H], y: { shape: [T, B, H], ...part }, gates: { shape: saved === 0 ? [0] : [T, B, saved * H], ...part },
        dy: [T, B, H],
        ...(all && { dh: [B, H], h0: [B, H] }),
        ...(all && cell === "lstm" && { dc: [B, H], c0: [B, H] }),
        ...(all && !reverse && { lengths: { shape: [B], dtype: "i32" as const, low: 1, high: T } }),
      },
      attrs: { cell, reverse, needsX: all },
    };
  }),
});

type Gradients = Record<"dx" | "dweightIh" | "dweightHh" | "dbiasIh" | "dbiasHh" | "dh0" | "dc0", Tensor>;
interface Context extends Sequences<Tensor> {
  readonly dys: { readonly y?: Tensor; readonly h?: Tensor; readonly c?: Tensor };
  readonly wanted: ReadonlySet<string>;
  readonly attrs: RecurrentAttrs;
  readonly y: Tensor;
  readonly gates: Tensor;
}

// One sweep back through time gives all gradients.
const sweep = oncePerNode(({ x, weightIh, weightHh, y, gates, h0, c0, lengths, dys, attrs, wanted }: Context): Gradients => {
  const optional = Object.entries({ h0, c0, lengths, dy: dys.y, dh: dys.h, dc: dys.c }).filter(([, t]) => t !== undefined);
  return recurrentGrad({ x, weightIh, weightHh, y, gates, ...(Object.fromEntries(optional) as { h0?: Tensor }) }, { ...attrs, needsX: wanted.has("x") });
});

/**
 * One direction of one layer, all steps at once. With `lengths` the state of a sequence stands still past its own end, and y is zero there.
 * `y` [T,B,H]: all hidden states; `h` [B,H]: the last ones; `c` [B,H]: the last cell states of an lstm, else empty;
 * `gates`: what the gradient reads again (lstm i, f, g, o, c; gru n, r, z and the state's part of n; else empty).
 * Equations: Hochreiter 1997 with the forget gate of Gers 2000; Cho 2014 with the reset gate behind the product; Elman 1990.
 */
export const recurrent = defineOp({
  name: "recurrent",
  inputs: ["x", "weightIh", "weightHh", "biasIh?", "biasHh?", "h0?", "c0?", "lengths?"],
  outputs: ["y", "h", "c", "gates"],
  differentiable: ["y", "h", "c"],
  saves: ["x", "weightIh", "weightHh", "biasIh", "biasHh", "h0", "c0", "lengths", "y", "gates"],
  infer(inputs, attrs: RecurrentAttrs) {
    const { steps, batch, hidden, dtype } = sizesOf("recurrent", inputs, attrs);
    const of = (shape: Shape): Aval => ({ shape, dtype });
    const saved = cells[attrs.cell].saved * hidden;
    return {
      y: of([steps, batch, hidden]),
      h: of([batch, hidden]),
      c: of(attrs.cell === "lstm" ? [batch, hidden] : [0]),
      gates: of(saved > 0 ? [steps, batch, saved] : [0]),
    };
  },
  reference(inputs, attrs, out) {
    if (inputs.lengths) checkLengths("recurrent", inputs.lengths.data, inputs.x.shape[0]!);
    recurrentReference(inputs, attrs, out);
  },
  vjp: {
    x: (node) => sweep(node).dx,
    weightIh: (node) => sweep(node).dweightIh,
    weightHh: (node) => sweep(node).dweightHh,
    biasIh: (node) => sweep(node).dbiasIh,
    biasHh: (node) => sweep(node).dbiasHh,
    h0: (node) => sweep(node).dh0,
    c0: (node) => sweep(node).dc0,
    lengths: noGradient("whole numbers"),
  },
  decompose: recurrentDecomposition,
  samples: (
    // cell, T, B, I, H, biases, states, lengths, reverse
    [
      ["lstm", 3, 2, 4, 5, true, true, false, false],
      ["lstm", 4, 3, 3, 5, true, true, true, true],
      ["lstm", 1, 1, 1, 1, false, false, false, false],
      ["lstm", 2, 19, 7, 17, true, false, false, true],
      ["gru", 3, 2, 4, 5, true, true, false, true],
      ["gru", 4, 3, 3, 5, true, true, true, true],
      ["gru", 3, 17, 2, 9, false, false, true, false],
      ["tanh", 3, 2, 4, 5, true, true, true, false],
      ["tanh", 2, 33, 3, 16, true, false, false, true],
      ["relu", 3, 3, 4, 5, true, true, true, true],
      ["lstm", 0, 2, 3, 4, true, true, false, false],
      ["gru", 2, 0, 3, 4, true, false, false, false],
    ] as const
  ).map(([cell, T, B, I, H, biases, states, lengths, reverse]) => {
    const rows = cells[cell].gates * H;
    const small = (shape: Shape) => ({ shape, low: -0.7, high: 0.7 });
    return {
      inputs: {
        x: [T, B, I], weightIh: small([rows, I]), weightHh: small([rows, H]),
        ...(biases && { biasIh: [rows], biasHh: [rows] }),
        ...(states && { h0: [B, H] }),
        ...(states && cell === "lstm" && { c0: [B, H] }),
        ...(lengths && { lengths: { shape: [B], dtype: "i32" as const, low: 1, high: T } }),
      },
      attrs: { cell, reverse },
    };
  }),
});
