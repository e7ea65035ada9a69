import { ArgumentError, embedding, embeddingBag, rowOf, type Tensor } from "@nn/tensor";
import { normal, zero, type Initializer } from "./init.ts";
import { Module } from "./module.ts";
import { buffer, param, type Buffer, type Parameter } from "./parameter.ts";

export interface EmbeddingOptions {
  /** This row starts at 0 and gets no gradient; negative: counted from the end. */
  paddingIdx?: number | null;
  /** Rows that a call looks up and whose 2-norm exceeds this are first scaled down to it, in place, as in PyTorch. */
  maxNorm?: number | null;
  /** The gradient holds the rows of the step alone (`RowGradient`), and optimizers leave the others and their moments as they are. */
  sparse?: boolean;
  /** Keeps the table as it is: a buffer, not a parameter. */
  freeze?: boolean;
  /** Default N(0, 1). */
  init?: Initializer;
}

/** A vector per id: row `id` of the weight [rows, dim]. */
export class Embedding extends Module {
  readonly weight: Parameter | Buffer;
  readonly paddingIdx: number | null;
  readonly maxNorm: number | null;
  readonly sparse: boolean;

  constructor(rows: number, dim: number, { paddingIdx = null, maxNorm = null, sparse = false, freeze = false, init = normal() }: EmbeddingOptions = {}) {
    super();
    this.paddingIdx = paddingIdx === null ? null : rowOf("Embedding", paddingIdx, rows);
    if (maxNorm !== null && !(maxNorm > 0)) throw new ArgumentError("Embedding", `maxNorm is ${maxNorm}`, { hint: "a number > 0, or null" });
    this.maxNorm = maxNorm;
    this.sparse = sparse;
    this.weight = (freeze ? buffer : param)(init([rows, dim]));
    if (this.paddingIdx !== null) {
      this.weight.unsafeView().fill(0, this.paddingIdx * dim, (this.paddingIdx + 1) * dim);
      this.weight.storage.touch("Embedding");
    }
  }

  /** The table of given vectors [rows, dim], copied (the padding row too); not trained unless `freeze` is false. */
  static fromPretrained(vectors: Tensor, { freeze = true, ...options }: Omit<EmbeddingOptions, "init"> = {}): Embedding {
    if (vectors.rank !== 2) throw new ArgumentError("Embedding.fromPretrained", `vectors must be [rows, dim], got [${vectors.shape.join(",")}]`);
    const layer = new Embedding(vectors.shape[0]!, vectors.shape[1]!, { ...options, freeze, init: zero });
    layer.weight.write(vectors.dataSync(), "fromPretrained");
    return layer;
  }

  /** i32 [...] → [..., dim] */
  forward(ids: Tensor): Tensor {
    if (this.maxNorm !== null) shorten(this.weight, ids, this.maxNorm);
    return embedding(ids, this.weight as Tensor, { paddingIdx: this.paddingIdx, sparse: this.sparse });
  }

  override describe(): string {
    return [...this.weight.shape, ...(this.paddingIdx === null ? [] : [`paddingIdx=${this.paddingIdx}`]), ...(this.maxNorm === null ? [] : [`maxNorm=${this.maxNorm}`]), ...(this.sparse ? ["sparse"] : [])].join(", ");
  }
}

/** Scales the rows at `ids` whose norm exceeds `maxNorm` down to it. Ids out of range are left to the lookup, which refuses them. */
function shorten(weight: Parameter | Buffer, ids: Tensor, maxNorm: number): void {
  const [rows, dim] = weight.shape as readonly [number, number];
  const wanted = new Set(ids.dataSync());
  const table = weight.unsafeView() as Float32Array;
  for (const id of wanted) {
    if (id < 0 || id >= rows) continue;
    const row = table.subarray(id * dim, (id + 1) * dim);
    const norm = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0));
    // The 1e-7 is PyTorch's.
    if (norm > maxNorm) for (let i = 0; i < dim; i++) row[i] = (row[i]! * maxNorm) / (norm + 1e-7);
  }
  weight.storage.touch("Embedding maxNorm");
}

export interface EmbeddingBagOptions extends EmbeddingOptions {
  /** Default "mean". */
  mode?: "sum" | "mean" | "max";
}

/** Sum, mean or maximum of the vectors of each bag of ids; padding counts nothing. Weight [rows, dim]. */
export class EmbeddingBag extends Embedding {
  readonly mode: "sum" | "mean" | "max";

  constructor(rows: number, dim: number, { mode = "mean", ...options }: EmbeddingBagOptions = {}) {
    super(rows, dim, options);
    this.mode = mode;
  }

  /** i32 [bags, size], or [n] with the place where each bag begins → [bags, dim] */
  override forward(ids: Tensor, offsets?: readonly number[] | Tensor): Tensor {
    if (this.maxNorm !== null) shorten(this.weight, ids, this.maxNorm);
    return embeddingBag(ids, this.weight as Tensor, { mode: this.mode, paddingIdx: this.paddingIdx, sparse: this.sparse, ...(offsets === undefined ? {} : { offsets }) });
  }
}
