/** Datasets: where samples come from. */
import { ArgumentError, Random, ShapeError, type Tensor, type TypedArray } from "@nn/tensor";
import { collate, ndarray, rowAt, takeRows, type Fields, type NdArray } from "./array.ts";

/** Which pass over the data a sample is read for. Random transforms depend on this and on the sample's index, on nothing else. */
export interface Pass {
  seed: number;
  epoch: number;
}

/** A numbered set of samples. Implement `get`; add `gather` where many samples at once are cheaper. */
export interface Dataset<F extends Fields = Fields> {
  readonly length: number;
  /** Sample `index`: the fields of one sample, without a batch dimension. */
  get(index: number, pass: Pass): F | Promise<F>;
  /** The samples at `indices` as one batch, stacked along a new first dimension. */
  gather?(indices: ArrayLike<number>, pass: Pass): F | Promise<F>;
}

/** Samples of a dataset as one batch. */
export function gather<F extends Fields>(dataset: Dataset<F>, indices: ArrayLike<number>, pass: Pass, stack: (samples: F[]) => F = collate): F | Promise<F> {
  if (dataset.gather && stack === collate) return dataset.gather(indices, pass);
  const samples = Array.from(indices, (index) => dataset.get(index, pass));
  if (samples.some((sample) => sample instanceof Promise)) return Promise.all(samples).then(stack);
  return stack(samples as F[]);
}

type Source = Tensor | NdArray | TypedArray;
type Columns<S extends readonly Source[]> = { -readonly [K in keyof S]: NdArray };

/**
 * Samples from arrays that share their first dimension: sample i is row i of each.
 * Tensors are copied out when the dataset is made; a bare typed array has one number per sample.
 *
 *     new TensorDataset(x, y)   // x: [n, …], y: [n]
 */
export class TensorDataset<const S extends readonly Source[]> implements Dataset<Columns<S>> {
  readonly length: number;
  /** The columns: one array [n, …] per field. */
  readonly fields: Columns<S>;

  constructor(...sources: S) {
    const fields = sources.map((source): NdArray => {
      if ("dataSync" in source) return { data: source.dataSync(), shape: [...source.shape] };
      return "shape" in source ? ndarray(source.data, source.shape) : ndarray(source);
    });
    const length = fields[0]?.shape[0];
    if (length === undefined) throw new ShapeError("TensorDataset", "needs arrays with a first dimension for the samples");
    for (const { shape } of fields) {
      if (shape[0] !== length) throw new ShapeError("TensorDataset", `first dimensions differ: ${fields.map((f) => `[${f.shape}]`).join(" and ")}`);
    }
    this.length = length;
    this.fields = fields as Columns<S>;
  }

  get(index: number): Columns<S> {
    checkIndex(index, this.length);
    return this.fields.map((field) => rowAt(field, index)) as Columns<S>;
  }

  gather(indices: ArrayLike<number>): Columns<S> {
    for (let i = 0; i < indices.length; i++) checkIndex(indices[i]!, this.length);
    return this.fields.map((field) => takeRows(field, indices)) as Columns<S>;
  }
}

type Values = number | readonly Values[] | TypedArray | NdArray;
type Converted<T> = { -readonly [K in keyof T]: NdArray };

/**
 * Samples from a plain array of tuples or records. Fields are numbers, nested arrays, typed arrays or `NdArray`s.
 * Typed arrays keep their type; a field of single numbers becomes i32 if all its values are integers (labels), everything else f32.
 *
 *     new ArrayDataset([{ x: [0, 1], y: 1 }, { x: [1, 1], y: 0 }])
 */
export class ArrayDataset<const T extends readonly Values[] | { readonly [name: string]: Values }> implements Dataset<Converted<T>> {
  readonly length: number;
  readonly #samples: Converted<T>[];

  constructor(samples: readonly T[]) {
    this.length = samples.length;
    const integer = new Map<string, boolean>();
    for (const sample of samples) {
      for (const [key, value] of Object.entries(sample)) integer.set(key, (integer.get(key) ?? true) && Number.isInteger(value));
    }
    this.#samples = samples.map((sample) => {
      const entries = Object.entries(sample as Record<string, Values>).map(([key, value]) => [key, toArray(value, integer.get(key)!)] as const);
      return (Array.isArray(sample) ? entries.map(([, field]) => field) : Object.fromEntries(entries)) as Converted<T>;
    });
  }

  get(index: number): Converted<T> {
    checkIndex(index, this.length);
    return this.#samples[index]!;
  }
}

function toArray(value: Values, integer: boolean): NdArray {
  if (typeof value === "number") return { data: integer ? Int32Array.of(value) : Float32Array.of(value), shape: [] };
  if (ArrayBuffer.isView(value)) return ndarray(value as TypedArray);
  if ("shape" in value) return ndarray(value.data, value.shape);
  const shape: number[] = [];
  for (let level: Values | undefined = value as readonly Values[]; Array.isArray(level); level = level[0]) shape.push(level.length);
  const flat: number[] = [];
  const visit = (item: Values, depth: number): void => {
    const isRow = Array.isArray(item) && item.length === shape[depth];
    if (depth < shape.length ? !isRow : typeof item !== "number") throw new ShapeError("ArrayDataset", `a nested array is not a regular [${shape}]`);
    if (isRow) for (const part of item as Values[]) visit(part, depth + 1);
    else flat.push(item as number);
  };
  visit(value, 0);
  return ndarray(Float32Array.from(flat), shape);
}

/** Some samples of another dataset, in the order of `indices`. */
export class Subset<F extends Fields> implements Dataset<F> {
  readonly length: number;
  readonly source: Dataset<F>;
  readonly indices: Int32Array;

  constructor(source: Dataset<F>, indices: ArrayLike<number>) {
    this.source = source;
    this.indices = Int32Array.from(indices);
    this.length = this.indices.length;
    for (const index of this.indices) checkIndex(index, source.length);
  }

  get(index: number, pass: Pass): F | Promise<F> {
    checkIndex(index, this.length);
    return this.source.get(this.indices[index]!, pass);
  }

  gather(indices: ArrayLike<number>, pass: Pass): F | Promise<F> {
    return gather(this.source, Array.from(indices, (i) => (checkIndex(i, this.length), this.indices[i]!)), pass);
  }
}

/**
 * A dataset whose samples pass through `transform`. `random` belongs to (seed, epoch, sample index): whichever batch, worker or resumed
 * run the sample is read in, it is transformed the same way, and differently in the next epoch.
 *
 *     mapDataset(train, ([x, y], random) => [augment(x, random), y])
 */
export function mapDataset<F extends Fields, R extends readonly [NdArray, ...NdArray[]] | Fields>(source: Dataset<F>, transform: (sample: F, random: Random) => R): Dataset<R> {
  return new MapDataset(source, transform);
}

class MapDataset<F extends Fields, R extends Fields> implements Dataset<R> {
  readonly length: number;
  readonly source: Dataset<F>;
  readonly depth: number; // of maps upon maps: each has numbers of its own
  readonly #transform: (sample: F, random: Random) => R;

  constructor(source: Dataset<F>, transform: (sample: F, random: Random) => R) {
    this.length = source.length;
    this.source = source;
    this.depth = depthOf(source) + 1;
    this.#transform = transform;
  }

  get(index: number, pass: Pass): R | Promise<R> {
    const random = Random.keyed(pass.seed, pass.epoch, index, this.depth);
    const sample = this.source.get(index, pass);
    return sample instanceof Promise ? sample.then((ready) => this.#transform(ready, random)) : this.#transform(sample, random);
  }
}

const depthOf = (dataset: Dataset<never> | Dataset): number =>
  dataset instanceof MapDataset ? dataset.depth : dataset instanceof Subset ? depthOf(dataset.source) : 0;

export interface SplitOptions {
  /** Share of the samples (below 1) or their number (1 and above) in the second part. Default 0.2. */
  testSize?: number;
  seed?: number;
  /** Class of every sample: both parts then hold each class in the same proportion. */
  stratify?: ArrayLike<number>;
}

/**
 * Splits a dataset at random into two disjoint parts that together hold every sample once, each in the order of the original.
 *
 *     const [train, test] = trainTestSplit(dataset, { testSize: 0.2, seed: 1, stratify: labels });
 */
export function trainTestSplit<F extends Fields>(dataset: Dataset<F>, { testSize = 0.2, seed = 0, stratify }: SplitOptions = {}): [Subset<F>, Subset<F>] {
  const n = dataset.length;
  const wanted = testSize < 1 ? Math.round(n * testSize) : testSize;
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > n) throw new ArgumentError("trainTestSplit", `testSize ${testSize} of ${n} samples`);
  if (stratify && stratify.length !== n) throw new ShapeError("trainTestSplit", `${stratify.length} classes for ${n} samples`);

  const members = new Map<number, number[]>();
  for (let i = 0; i < n; i++) {
    const label = stratify ? stratify[i]! : 0;
    members.get(label)?.push(i) ?? members.set(label, [i]);
  }
  const groups = [...members.keys()].sort((a, b) => a - b).map((label) => members.get(label)!);
  const test = new Set<number>();
  shares(groups.map((group) => group.length), wanted).forEach((share, k) => {
    const group = groups[k]!, order = new Random(seed).fork(k).permutation(group.length);
    for (const i of order.subarray(0, share)) test.add(group[i]!);
  });
  const all = Array.from({ length: n }, (_, i) => i);
  return [new Subset(dataset, all.filter((i) => !test.has(i))), new Subset(dataset, all.filter((i) => test.has(i)))];
}

/** Splits `total` over groups in proportion to their sizes: rounded down, the rest to the largest remainders (the first of equals). */
function shares(sizes: readonly number[], total: number): number[] {
  const all = sizes.reduce((a, b) => a + b, 0);
  const exact = sizes.map((size) => (all === 0 ? 0 : (size * total) / all));
  const result = exact.map(Math.floor);
  const byRemainder = exact.map((_, k) => k).sort((a, b) => exact[b]! - result[b]! - (exact[a]! - result[a]!) || a - b);
  for (const k of byRemainder.slice(0, total - result.reduce((a, b) => a + b, 0))) result[k]!++;
  return result;
}

function checkIndex(index: number, length: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= length) throw new ArgumentError("Dataset", `sample ${index} of ${length}`);
}

