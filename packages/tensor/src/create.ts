/** Tensors from data, from rules and from random numbers. JavaScript numbers make f32 unless a dtype is asked for. */
import { randomKinds } from "@nn/kernels";
import { fill } from "./cpu/copy.ts";
import { run } from "./cpu/launch.ts";
import { dtypeOf, isFloat, store, typedArray, type DType, type TypedArray } from "./dtype.ts";
import { ArgumentError, DTypeError, ShapeError } from "./errors.ts";
import { showShape, sizeOf, type Shape } from "./layout.ts";
import { Random, nextStream, type RandomStream } from "./random.ts";
import type { Known } from "./shape-types.ts";
import { empty, fromTyped, pointerOf, type Nested, type Tensor } from "./tensor.ts";
import { launchesFor } from "./trace.ts";

export interface TensorOptions {
  dtype?: DType;
}

/** Shape of nested array literals, e.g. `[2, 3]`; `number` where an array has no known length. */
export type ShapeOf<T> = Nested extends T
  ? Shape
  : T extends readonly [infer First, ...infer Rest]
    ? [[First, ...Rest]["length"], ...ShapeOf<First>]
    : T extends readonly (infer Item)[]
      ? [number, ...ShapeOf<Item>]
      : [];

/**
 * A tensor from a number, nested arrays (their shape is its shape) or a typed array (1-d, or of `shape`).
 * Booleans give `bool`, typed arrays their own type, numbers f32.
 *
 * @throws ShapeError if nested arrays are ragged or data does not fill `shape`.
 */
export function tensor(data: TypedArray, options?: TensorOptions): Tensor<[number]>;
export function tensor<const S extends number[]>(data: TypedArray | readonly number[], options: TensorOptions & { shape: readonly [...S] }): Tensor<Known<S>>;
export function tensor<const T extends Nested>(data: T, options?: TensorOptions): Tensor<ShapeOf<T>>;
export function tensor(data: Nested | TypedArray, { dtype, shape }: TensorOptions & { shape?: Shape } = {}): Tensor {
  let flat: ArrayLike<number>;
  let found: Shape;
  let natural: DType;
  if (ArrayBuffer.isView(data)) {
    [flat, found, natural] = [data, [data.length], dtypeOf(data)];
  } else {
    found = nestedShape(data);
    const values: number[] = [];
    natural = flatten(data, found, [], values) ? "bool" : "f32";
    flat = values;
  }
  if (shape) checkShape("tensor", shape);
  if (shape && sizeOf(shape) !== flat.length) throw new ShapeError("tensor", `${flat.length} values do not fill ${showShape(shape)}, which has ${sizeOf(shape)}`);
  return filled(shape ?? found, dtype ?? natural, "tensor", (i) => flat[i]!);
}

function nestedShape(data: Nested): number[] {
  const shape: number[] = [];
  for (let at = data; Array.isArray(at); at = (at as readonly Nested[])[0] as Nested) {
    shape.push(at.length);
    if (at.length === 0) break;
  }
  return shape;
}

/** Appends all numbers; true if there was a boolean and nothing else. */
function flatten(data: Nested, shape: Shape, at: readonly number[], out: number[]): boolean {
  const place = () => `data[${at.join("][")}]`;
  if (at.length === shape.length) {
    if (typeof data !== "number" && typeof data !== "boolean") {
      throw new ShapeError("tensor", `${at.length === 0 ? "data" : place()} should be a number, got ${Array.isArray(data) ? `an array of ${data.length}` : String(data)}`, { hint: "all items of a nested array have the same depth" });
    }
    out.push(Number(data));
    return typeof data === "boolean";
  }
  const length = shape[at.length]!;
  if (!Array.isArray(data) || data.length !== length) {
    throw new ShapeError("tensor", `ragged nested array: ${place()} is ${Array.isArray(data) ? `of length ${data.length}` : String(data)}, the first one at that depth has length ${length}`, { hint: "pad the rows to one length" });
  }
  let booleans = data.length > 0;
  for (let i = 0; i < length; i++) booleans = flatten((data as readonly Nested[])[i]!, shape, [...at, i], out) && booleans;
  return booleans;
}

function checkShape(op: string, shape: Shape): void {
  if (!Array.isArray(shape) || shape.some((n) => !Number.isInteger(n) || n < 0)) {
    throw new ShapeError(op, `${Array.isArray(shape) ? showShape(shape) : String(shape)} is not a shape`, { hint: "a shape is an array of whole numbers of at least 0, e.g. [2, 3]" });
  }
}

/** A tensor with `value(i)` at row-major position i. */
function filled(shape: Shape, dtype: DType, origin: string, value: (i: number) => number): Tensor {
  const data = typedArray(dtype, sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = store(value(i), dtype);
  return fromTyped(data, shape, dtype, origin);
}

function constant(op: string, shape: Shape, value: number, { dtype = "f32" }: TensorOptions = {}): Tensor {
  checkShape(op, shape);
  const t = empty({ shape, dtype }, op);
  launchesFor(op);
  fill(t, value);
  return t;
}
/** All elements `value`. */
export const full = <const S extends number[]>(shape: readonly [...S], value: number, options?: TensorOptions): Tensor<Known<S>> => constant("full", shape, value, options) as Tensor<Known<S>>;
export const zeros = <const S extends number[]>(shape: readonly [...S], options?: TensorOptions): Tensor<Known<S>> => constant("zeros", shape, 0, options) as Tensor<Known<S>>;
export const ones = <const S extends number[]>(shape: readonly [...S], options?: TensorOptions): Tensor<Known<S>> => constant("ones", shape, 1, options) as Tensor<Known<S>>;

/** `value` in the shape, type and engine of x. */
export function fullLike<S extends Shape>(x: Tensor<S>, value: number, { dtype = x.dtype }: TensorOptions = {}): Tensor<S> {
  const t = empty({ shape: x.shape, dtype }, "fullLike", undefined, x.backend);
  launchesFor("fullLike");
  fill(t, value);
  return t as Tensor<S>;
}
export const zerosLike = <S extends Shape>(x: Tensor<S>, options?: TensorOptions): Tensor<S> => fullLike(x, 0, options);
export const onesLike = <S extends Shape>(x: Tensor<S>, options?: TensorOptions): Tensor<S> => fullLike(x, 1, options);

/** `start, start + step, …` before `end`; with one argument 0 … end − 1. f32 unless asked otherwise, e.g. i32 for positions. */
export function arange(end: number, options?: TensorOptions): Tensor<[number]>;
export function arange(start: number, end: number, options?: TensorOptions): Tensor<[number]>;
export function arange(start: number, end: number, step: number, options?: TensorOptions): Tensor<[number]>;
export function arange(...args: (number | TensorOptions | undefined)[]): Tensor<[number]> {
  const numbers = args.filter((a) => typeof a === "number");
  const { dtype = "f32" } = (args.find((a) => typeof a === "object") ?? {}) as TensorOptions;
  const [start, end, step] = numbers.length === 1 ? [0, numbers[0]!, 1] : [numbers[0]!, numbers[1]!, numbers[2] ?? 1];
  const length = Math.ceil((end - start) / step);
  if (!(step !== 0 && length >= 0 && Number.isFinite(length))) throw new ArgumentError("arange", `${start} to ${end} in steps of ${step} does not end`, { hint: "the step must lead from start to end" });
  return filled([length], dtype, "arange", (i) => start + i * step) as Tensor as Tensor<[number]>;
}

/** `steps` evenly spaced values from `start` to `end`, both included. */
export function linspace<const N extends number>(start: number, end: number, steps: N, { dtype = "f32" }: TensorOptions = {}): Tensor<[N]> {
  checkShape("linspace", [steps]);
  const gap = (end - start) / Math.max(1, steps - 1);
  // From the nearer end, so that both ends are exact.
  return filled([steps], dtype, "linspace", (i) => (i * 2 < steps ? start + i * gap : end - (steps - 1 - i) * gap)) as Tensor as Tensor<[N]>;
}

/** Identity matrix [n, m]. */
export function eye<const N extends number, const M extends number = N>(n: N, m?: M, { dtype = "f32" }: TensorOptions = {}): Tensor<[N, M]> {
  const columns = m ?? n;
  checkShape("eye", [n, columns]);
  return filled([n, columns], dtype, "eye", (i) => (Math.floor(i / columns) === i % columns ? 1 : 0)) as Tensor as Tensor<[N, M]>;
}

export interface RandomOptions extends TensorOptions {
  /** Given: the same numbers each time. Not given: the next stream of `manualSeed`. */
  seed?: number;
  /** An independent sequence of the same seed. */
  stream?: number;
}

/** Where a call's numbers come from. */
const streamOf = ({ seed, stream = 0 }: RandomOptions): RandomStream => (seed === undefined ? nextStream() : new Random(seed, stream));

function random(op: "rand" | "randn", kind: number, shape: Shape, options: RandomOptions): Tensor {
  checkShape(op, shape);
  const { dtype = "f32" } = options;
  if (!isFloat(dtype)) throw new DTypeError(op, `makes fractions, not ${dtype}`, { hint: "use randint(low, high, shape)" });
  const { seed, stream } = streamOf(options);
  const t = empty({ shape, dtype: "f32" }, op);
  launchesFor(op);
  if (t.size > 0) run(t.backend, "random", { kind, n: t.size, seedLo: seed >>> 0, seedHi: Math.floor(seed / 2 ** 32), stream, offset: 0, out: pointerOf(t) });
  if (dtype === "f32") return t;
  const wide = t.cast(dtype);
  t.dispose();
  return wide;
}
/** Uniform in [0, 1). */
export const rand = <const S extends number[]>(shape: readonly [...S], options: RandomOptions = {}): Tensor<Known<S>> => random("rand", randomKinds.uniform, shape, options) as Tensor<Known<S>>;
/** Standard normal. */
export const randn = <const S extends number[]>(shape: readonly [...S], options: RandomOptions = {}): Tensor<Known<S>> => random("randn", randomKinds.normal, shape, options) as Tensor<Known<S>>;

/** Integers from `low` to `high` − 1, all equally likely. */
export function randint<const S extends number[]>(low: number, high: number, shape: readonly [...S], options: RandomOptions = {}): Tensor<Known<S>> {
  checkShape("randint", shape);
  if (!(Number.isInteger(low) && Number.isInteger(high) && high > low)) throw new ArgumentError("randint", `no whole number lies in ${low} … ${high} (without ${high})`);
  const { seed, stream } = streamOf(options);
  const numbers = new Random(seed, stream);
  return filled(shape, options.dtype ?? "i32", "randint", (i) => low + numbers.int(i, high - low)) as Tensor<Known<S>>;
}

/** 0 … n − 1 in random order. */
export function randperm<const N extends number>(n: N, options: RandomOptions = {}): Tensor<[N]> {
  checkShape("randperm", [n]);
  const { seed, stream } = streamOf(options);
  const order = new Random(seed, stream).permutation(n);
  return filled([n], options.dtype ?? "i32", "randperm", (i) => order[i]!) as Tensor as Tensor<[N]>;
}

/** 1 with probability p, else 0. */
export function bernoulli<const S extends number[]>(shape: readonly [...S], p: number, options: RandomOptions = {}): Tensor<Known<S>> {
  if (!(p >= 0 && p <= 1)) throw new ArgumentError("bernoulli", `p = ${p} is not a probability`);
  const draws = random("rand", randomKinds.uniform, shape, { ...options, dtype: "f32" });
  const hits = draws.lt(p);
  const t = hits.cast(options.dtype ?? "f32");
  if (t !== hits) hits.dispose();
  draws.dispose();
  return t as Tensor<Known<S>>;
}
