import type { Graph } from "./graph.ts";
import type { Lowering } from "./lowering.ts";

const types = { none: null, relu: "Relu", sigmoid: "Sigmoid", tanh: "Tanh" } as const;
/** The activation that an op applies to its result. */
export function activated(g: Graph, y: string, act: unknown): string {
  const type = types[act as keyof typeof types];
  return type === null ? y : g.node(type, [y]);
}

export const products: Readonly<Record<string, Lowering>> = {
  matmul: (g, { inputs: { a, b }, outputs: [y] }) => g.node("MatMul", [g.cast(a!, y!.dtype), g.cast(b!, y!.dtype)]),
  linear(g, { inputs: { x, weight, bias }, attrs }) {
    if (x!.shape.length === 2) return activated(g, g.node("Gemm", [x!.name, weight!.name, ...(bias ? [bias.name] : [])], { transB: 1 }), attrs["act"]);
    const y = g.node("MatMul", [x!.name, g.node("Transpose", [weight!.name], { perm: [1, 0] })]);
    return activated(g, bias ? g.node("Add", [y, bias.name]) : y, attrs["act"]);
  },
  softmax: (g, { inputs: { x }, attrs }) => g.node("Softmax", [x!.name], { axis: attrs["dim"] as number }),
  logSoftmax: (g, { inputs: { x }, attrs }) => g.node("LogSoftmax", [x!.name], { axis: attrs["dim"] as number }),
  layerNorm(g, { inputs: { x, weight, bias }, attrs }) {
    const shape = attrs["normalizedShape"] as readonly number[];
    const scale = weight?.name ?? g.constant(new Float32Array(shape.reduce((n, size) => n * size, 1)).fill(1), shape, "f32", "ones");
    return g.node("LayerNormalization", [x!.name, scale, ...(bias ? [bias.name] : [])], { axis: -shape.length, epsilon: { float: attrs["eps"] as number } });
  },
};
