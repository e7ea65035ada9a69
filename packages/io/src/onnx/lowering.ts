/** How the ONNX form of one op is written down. */
import type { DType } from "@nn/tensor";
import type { Dim } from "./align.ts";
import type { Graph, Operand } from "./graph.ts";

/** One use of an op. */
export interface Call {
  readonly attrs: Readonly<Record<string, unknown>>;
  /** Inputs by name; absent optional ones are undefined. */
  readonly inputs: Readonly<Record<string, Operand | undefined>>;
  /** Inputs of an op that takes a list. */
  readonly list: readonly Operand[];
  readonly outputs: readonly { readonly dtype: DType; readonly shape: readonly Dim[] }[];
}

/** Adds nodes for a call and returns the names of its results, in the record's order; those that no model reads may be missing. */
export type Lowering = (graph: Graph, call: Call) => string | string[];
