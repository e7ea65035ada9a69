/** The matrices of a model: vectors of words and n-grams, and of labels. Sums in single precision and in order, as the original's. */
const f = Math.fround;

export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  /** to += scale · row i */
  addRow(to: Float32Array, i: number, scale?: number): void;
  /** vector · row i */
  dot(vector: Float32Array, i: number): number;
}

/** Numbers as they are, row by row. */
export class DenseMatrix implements Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly #data: Float32Array | (() => Float32Array);

  /** `data`: f32 [rows, cols], or where to find them at any moment (WASM memory moves when it grows). */
  constructor(rows: number, cols: number, data: Float32Array | (() => Float32Array) = new Float32Array(rows * cols)) {
    this.rows = rows;
    this.cols = cols;
    this.#data = data;
  }

  get data(): Float32Array { return typeof this.#data === "function" ? this.#data() : this.#data; }

  row(i: number): Float32Array { return this.data.subarray(i * this.cols, (i + 1) * this.cols); }

  addRow(to: Float32Array, i: number, scale = 1): void {
    const { data, cols } = this, at = i * cols;
    if (scale === 1) for (let j = 0; j < cols; j++) to[j]! += data[at + j]!;
    else for (let j = 0; j < cols; j++) to[j]! += f(scale * data[at + j]!);
  }

  dot(vector: Float32Array, i: number): number {
    const { data, cols } = this, at = i * cols;
    let sum = 0;
    for (let j = 0; j < cols; j++) sum = f(sum + f(vector[j]! * data[at + j]!));
    return sum;
  }
}

/** Rows as codes of a product quantiser; with `norms`, of the rows' directions, their lengths quantised apart. */
export class QuantMatrix implements Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly codes: Uint8Array;
  readonly quantizer: ProductQuantizer;
  readonly norms: { codes: Uint8Array; quantizer: ProductQuantizer } | undefined;

  constructor(rows: number, cols: number, codes: Uint8Array, quantizer: ProductQuantizer, norms?: { codes: Uint8Array; quantizer: ProductQuantizer }) {
    this.rows = rows;
    this.cols = cols;
    this.codes = codes;
    this.quantizer = quantizer;
    this.norms = norms;
  }

  #norm(i: number): number { return this.norms === undefined ? 1 : this.norms.quantizer.centroids[this.norms.codes[i]!]!; }

  addRow(to: Float32Array, i: number, scale = 1): void {
    const { quantizer, codes } = this, { parts, partSize, centroids } = quantizer, a = f(scale * this.#norm(i));
    for (let part = 0; part < parts; part++) {
      const at = quantizer.start(part, codes[i * parts + part]!), size = quantizer.sizeOf(part);
      for (let j = 0; j < size; j++) to[part * partSize + j]! += f(a * centroids[at + j]!);
    }
  }

  dot(vector: Float32Array, i: number): number {
    const { quantizer, codes } = this, { parts, partSize, centroids } = quantizer;
    let sum = 0;
    for (let part = 0; part < parts; part++) {
      const at = quantizer.start(part, codes[i * parts + part]!), size = quantizer.sizeOf(part);
      for (let j = 0; j < size; j++) sum = f(sum + f(vector[part * partSize + j]! * centroids[at + j]!));
    }
    return f(sum * this.#norm(i));
  }
}

/** Centroids per part of a vector: a code is one byte. */
export const CENTROIDS = 256;

/** Product quantisation (Jégou 2011, "Product Quantization for Nearest Neighbor Search"): each part of a vector by the nearest of 256 centroids. */
export class ProductQuantizer {
  readonly dim: number;
  /** Elements per part; the last part may have fewer. */
  readonly partSize: number;
  readonly parts: number;
  /** Part by part, 256 centroids each. */
  readonly centroids: Float32Array;

  constructor(dim: number, partSize: number, centroids: Float32Array = new Float32Array(dim * CENTROIDS)) {
    this.dim = dim;
    this.partSize = partSize;
    this.parts = Math.ceil(dim / partSize);
    this.centroids = centroids;
  }

  get lastSize(): number { return this.sizeOf(this.parts - 1); }
  sizeOf(part: number): number { return Math.min(this.partSize, this.dim - part * this.partSize); }
  /** Where centroid `code` of a part begins. */
  start(part: number, code: number): number { return part * CENTROIDS * this.partSize + code * this.sizeOf(part); }
}
