/** Lookups in a table of vectors. */
import { ArgumentError, ShapeError } from "../errors.ts";
import { fromTyped, type Tensor } from "../tensor.ts";
import { composite } from "./composite.ts";
import { checkIndexAval } from "./index-rules.ts";
import { indexSelect, indexSelectGrad } from "./indexing.ts";
import { show } from "./shape-rules.ts";

export interface EmbeddingLookup {
  /** This row gets no gradient, and counts nothing in a bag; negative: counted from the end. */
  paddingIdx?: number | null;
  /** The gradient holds the rows that were read and no others: see `RowGradient`. */
  sparse?: boolean;
}

function checkTable(op: string, weight: Tensor): void {
  if (weight.rank !== 2) throw new ShapeError(op, `weight must be [rows, dim], got ${show(weight)}`);
}

/** `paddingIdx` as a row; negative ones count from the end. @throws ArgumentError */
export function rowOf(op: string, paddingIdx: number, rows: number): number {
  const row = paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
  if (!Number.isInteger(row) || row < 0 || row >= rows) throw new ArgumentError(op, `paddingIdx ${paddingIdx} is none of the ${rows} rows`);
  return row;
}

/**
 * Rows of a table `[rows, dim]` for ids of any shape: `i32[…]` → `[…, dim]`.
 *
 * @throws ArgumentError for an id that is no row.
 */
export function embedding(ids: Tensor, weight: Tensor, { paddingIdx = null, sparse = false }: EmbeddingLookup = {}): Tensor {
  checkTable("embedding", weight);
  return indexSelect({ x: weight, index: ids }, { dim: 0, sparse, ...(paddingIdx === null ? {} : { skip: rowOf("embedding", paddingIdx, weight.shape[0]!) }) });
}

export interface EmbeddingBagOptions extends EmbeddingLookup {
  /** Default "mean". Of an empty bag each gives 0. */
  mode?: "sum" | "mean" | "max";
  /** Where each bag begins in ids `[n]`; the first at 0, rising. Ids `[bags, size]` need none. */
  offsets?: readonly number[] | Tensor;
}

/** Sum, mean or maximum of the rows of each bag of ids, without the padding row: `i32[bags, size]`, or `i32[n]` with offsets → `[bags, dim]`. */
export const embeddingBag = composite("embeddingBag", (ids: Tensor, weight: Tensor, { mode = "mean", offsets, paddingIdx = null, sparse = false }: EmbeddingBagOptions = {}): Tensor => {
  checkTable("embeddingBag", weight);
  if (sparse && mode === "max") throw new ArgumentError("embeddingBag", "a sparse gradient of the maximum", { hint: 'sparse goes with mode "sum" or "mean"' });
  checkIndexAval("embeddingBag", ids);
  const padding = paddingIdx === null ? null : rowOf("embeddingBag", paddingIdx, weight.shape[0]!);
  if (ids.rank === 2 && offsets === undefined) return poolRows(ids, weight, mode, padding);
  const members = bagsOf(ids, offsets).map((bag) => bag.filter((id) => id !== padding));
  const bags = members.length;
  const i32 = (data: readonly number[], shape: readonly number[]): Tensor => fromTyped(Int32Array.from(data), shape, "i32", "embeddingBag");
  const flat = members.flatMap((bag) => [...bag]);

  if (mode === "max" && flat.length > 0) {
    const longest = Math.max(...members.map((bag) => bag.length));
    const at = members.flatMap((bag) => Array.from({ length: longest }, (_, i) => bag[i] ?? 0));
    const real = Uint8Array.from(members.flatMap((bag) => Array.from({ length: longest }, (_, i) => Number(i < bag.length))));
    const rows = indexSelect({ x: weight, index: i32(at, [bags, longest]) }, { dim: 0 }); // [bags, longest, dim]
    const mask = fromTyped(real, [bags, longest, 1], "bool", "embeddingBag");
    const some = fromTyped(Uint8Array.from(members, (bag) => Number(bag.length > 0)), [bags, 1], "bool", "embeddingBag");
    return some.where(mask.where(rows, -Infinity).max(1), 0);
  }
  const rows = indexSelect({ x: weight, index: i32(flat, [flat.length]) }, { dim: 0, sparse }); // [n, dim]
  const bagOfRow = i32(members.flatMap((bag, b) => Array.from(bag, () => b)), [flat.length]);
  const sum = indexSelectGrad({ dy: rows, index: bagOfRow }, { dim: 0, size: bags });
  if (mode !== "mean") return sum;
  const sizes = fromTyped(Float32Array.from(members, (bag) => Math.max(1, bag.length)), [bags, 1], "f32", "embeddingBag");
  return sum.div(sizes);
});

/** Bags of one size, `ids` [bags, size]: nothing is read out of the ids, so that graphs of models can follow. */
function poolRows(ids: Tensor, weight: Tensor, mode: "sum" | "mean" | "max", padding: number | null): Tensor {
  const rows = indexSelect({ x: weight, index: ids }, { dim: 0 }); // [bags, size, dim]
  const real = padding === null ? null : ids.ne(padding).unsqueeze(2); // [bags, size, 1]
  if (mode === "max" && ids.shape[1]! > 0) return real ? real.any(1).where(real.where(rows, -Infinity).max(1), 0) : rows.max(1);
  const sum: Tensor = (real ? real.where(rows, 0) : rows).sum(1);
  if (mode !== "mean") return sum;
  return real ? sum.div(real.cast(sum.dtype).sum(1).maximum(1)) : sum.div(Math.max(1, ids.shape[1]!));
}

/** The ids of each bag. */
function bagsOf(ids: Tensor, offsets: EmbeddingBagOptions["offsets"]): Int32Array[] {
  const data = ids.dataSync() as Int32Array;
  if (ids.rank === 2) throw new ArgumentError("embeddingBag", `ids ${show(ids)} are bags of one size already`, { hint: "offsets go with ids of one dimension" });
  if (ids.rank !== 1) throw new ShapeError("embeddingBag", `ids must be [bags, size] or [n], got ${show(ids)}`);
  if (offsets === undefined) throw new ArgumentError("embeddingBag", `ids ${show(ids)} need offsets`, { hint: "where each bag begins, the first at 0" });
  const starts = "shape" in offsets ? [...offsets.dataSync()] : offsets;
  starts.forEach((start, b) => {
    const low = b === 0 ? 0 : starts[b - 1]!;
    if (!Number.isInteger(start) || start < low || start > data.length || (b === 0 && start !== 0)) {
      throw new ArgumentError("embeddingBag", `offset ${b} is ${start}`, { hint: `offsets begin at 0 and rise to at most ${data.length}, the number of ids` });
    }
  });
  return starts.map((start, b) => data.subarray(start, starts[b + 1] ?? data.length));
}
