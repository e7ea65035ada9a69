import { ArgumentError, type TypedArray } from "@nn/tensor";
import type { Graph, Operand } from "./graph.ts";
import type { Lowering } from "./lowering.ts";

/** ONNX's gates, as places among PyTorch's: lstm i,f,g,o → i,o,f,g; gru r,z,n → z,r,n. */
const order = { lstm: [0, 3, 1, 2], gru: [1, 0, 2], tanh: [0], relu: [0] } as const;
type Cell = keyof typeof order;

/** Weights or biases with their gates in ONNX's order. */
function reordered(t: Operand, cell: Cell): Float32Array {
  if (!t.data) throw new ArgumentError("exportOnnx", "weights of a recurrent layer that are computed from the inputs have no ONNX form");
  const data: TypedArray = t.data(), gates = order[cell], part = data.length / gates.length;
  const out = new Float32Array(data.length);
  gates.forEach((from, to) => out.set(data.subarray(from * part, (from + 1) * part), to * part));
  return out;
}

/** A weight [rows, columns] as [directions = 1, rows, columns]. */
const weight = (g: Graph, t: Operand, cell: Cell): string => g.constant(reordered(t, cell), [1, ...(t.shape as readonly number[])], "f32", "weight");

/** Both biases one after the other; zeros where a layer has none. */
function biases(g: Graph, ih: Operand | undefined, hh: Operand | undefined, rows: number, cell: Cell): string {
  const both = new Float32Array(2 * rows);
  if (ih) both.set(reordered(ih, cell), 0);
  if (hh) both.set(reordered(hh, cell), rows);
  return g.constant(both, [1, 2 * rows], "f32", "bias");
}

export const recurrence: Readonly<Record<string, Lowering>> = {
  recurrent(g, { inputs: { x, weightIh, weightHh, biasIh, biasHh, h0, c0, lengths }, attrs }) {
    const { cell, reverse } = attrs as { cell: Cell; reverse: boolean };
    const [rows, hidden] = weightHh!.shape as readonly [number, number];
    const state = (t: Operand | undefined): string => (t ? g.node("Unsqueeze", [t.name, g.ints([0])]) : ""); // [B,H] → [1,B,H]
    const inputs = [x!.name, weight(g, weightIh!, cell), weight(g, weightHh!, cell), biases(g, biasIh, biasHh, rows, cell), lengths?.name ?? "", state(h0), ...(cell === "lstm" ? [state(c0)] : [])];
    const attributes = { hidden_size: hidden, direction: reverse ? "reverse" : "forward" };
    const type = cell === "lstm" ? "LSTM" : cell === "gru" ? "GRU" : "RNN";
    const special = cell === "gru" ? { linear_before_reset: 1 } : cell === "relu" ? { activations: ["Relu"] } : {};
    const [y, h, c] = g.nodes(type, inputs, { ...attributes, ...special }, cell === "lstm" ? 3 : 2) as [string, string, string?];
    const squeezed = (name: string, dim: number): string => g.node("Squeeze", [name, g.ints([dim])]);
    return [squeezed(y, 1), squeezed(h, 0), ...(c === undefined ? [] : [squeezed(c, 0)])]; // [T,1,B,H] → [T,B,H], [1,B,H] → [B,H]
  },
};
