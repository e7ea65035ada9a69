import { elementType } from "./graph.ts";
import type { Lowering } from "./lowering.ts";

export const indexing: Readonly<Record<string, Lowering>> = {
  indexSelect: (g, { inputs: { x, index }, attrs }) => g.node("Gather", [x!.name, g.cast(index!, "i32")], { axis: attrs["dim"] as number }),
  gather: (g, { inputs: { x, index }, attrs }) => (x!.shape.length === 0 ? x!.name : g.node("GatherElements", [x!.name, g.cast(index!, "i32")], { axis: attrs["dim"] as number })),
  oneHot(g, { inputs: { x }, outputs: [y], attrs }) {
    const classes = g.ints(Array.from({ length: attrs["numClasses"] as number }, (_, i) => i));
    const column = g.node("Unsqueeze", [g.cast(x!, "i64"), g.ints([-1])]);
    return g.node("Cast", [g.node("Equal", [column, classes])], { to: elementType(y!.dtype) }); // runtimes have OneHot for few types
  },
};
