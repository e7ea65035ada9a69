/** Gradients of tables of which a step reads few rows: they hold these rows alone. */
import { ShapeError } from "./errors.ts";
import type { Shape } from "./layout.ts";
import { currentScope } from "./memory.ts";
import { indexSelectGrad } from "./ops/indexing.ts";
import { concat } from "./ops/movement.ts";
import { show } from "./ops/shape-rules.ts";
import { Tensor, fromTyped } from "./tensor.ts";

/**
 * The gradient of a table `[tableRows, …]` that is 0 but for `rows`, which are distinct and rise. As a tensor it is those rows,
 * `[rows.length, …]`: norms and sums over it are those of the whole. Optimizers leave all other rows and their state alone.
 */
export class RowGradient extends Tensor {
  readonly rows: Int32Array;
  readonly tableRows: number;

  /** Shares the memory of the contiguous `values`. @throws ShapeError unless there is a row of values for each of `rows`. */
  constructor(values: Tensor, rows: Int32Array, tableRows: number, scope = currentScope()) {
    if (values.shape[0] !== rows.length || !rows.every((row, k) => row > (rows[k - 1] ?? -1) && row < tableRows)) {
      throw new ShapeError("RowGradient", `${show(values)} for ${rows.length} rows of ${tableRows}`, { hint: "one row of values for each of the rows, which rise" });
    }
    super(values.storage.retain(), values, values.dtype, "RowGradient", scope);
    this.rows = rows;
    this.tableRows = tableRows;
  }

  override alias(scope = currentScope()): RowGradient {
    return this.with(this, scope);
  }
  /** Other values for the same rows. */
  with(values: Tensor, scope = currentScope()): RowGradient {
    return new RowGradient(values, this.rows, this.tableRows, scope);
  }
  /** Of the whole gradient. */
  get tableShape(): Shape {
    return [this.tableRows, ...this.shape.slice(1)];
  }
  /** As the table: `[tableRows, …]`. */
  dense(): Tensor {
    return indexSelectGrad({ dy: this, index: positions(this.rows) }, { dim: 0, size: this.tableRows });
  }
}

function joined(a: Int32Array, b: Int32Array): Int32Array {
  const all = new Int32Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

const positions = (at: Int32Array): Tensor => fromTyped(at, [at.length], "i32", "RowGradient");

/** Where `row` is in rising `rows`, by bisection. */
function placeOf(row: number, rows: Int32Array): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]! < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Adds up the values `[ids.length, …]` of equal ids; those of `skip` count 0. */
export function sumRows(values: Tensor, ids: Int32Array, tableRows: number, skip = -1): RowGradient {
  const rows = ids.slice().sort().filter((id, k, sorted) => id !== sorted[k - 1]);
  const index = positions(ids.map((id) => placeOf(id, rows)));
  return new RowGradient(indexSelectGrad({ dy: values, index }, { dim: 0, size: rows.length, skip: ids.includes(skip) ? placeOf(skip, rows) : -1 }), rows, tableRows);
}

/** A gradient in the shape of what it belongs to. */
export const denseGradient = (g: Tensor): Tensor => (g instanceof RowGradient ? g.dense() : g);

/** The sum of two gradients of one tensor: of rows if both are. */
export const addGradients = (a: Tensor, b: Tensor): Tensor =>
  a instanceof RowGradient && b instanceof RowGradient
    ? sumRows(concat({ xs: [a, b] }, { dim: 0 }), joined(a.rows, b.rows), a.tableRows)
    : denseGradient(a).add(denseGradient(b));
