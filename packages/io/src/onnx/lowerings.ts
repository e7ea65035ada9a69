/** What each op is in ONNX. Ops without an entry are taken apart by their own decomposition. */
import type { DType } from "@nn/tensor";
import type { Dim } from "./align.ts";
import type { Graph, Operand } from "./graph.ts";
import { elementwise } from "./lower-elementwise.ts";
import { images } from "./lower-images.ts";
import { indexing } from "./lower-indexing.ts";
import { movement } from "./lower-movement.ts";
import { products } from "./lower-products.ts";
import { recurrence } from "./lower-recurrent.ts";
import { reductions } from "./lower-reduce.ts";

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

export const lowerings: Readonly<Record<string, Lowering>> = { ...elementwise, ...movement, ...products, ...images, ...reductions, ...indexing, ...recurrence };
