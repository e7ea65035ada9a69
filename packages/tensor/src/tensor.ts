/**
 * `Tensor<S>`: an immutable strided view over a reference-counted storage, with its shape in its type where known.
 * Methods come from `methods.ts`; this file holds what a tensor is: memory, reading, printing, its place on a tape.
 */
import { defaultBackend, type Backend } from "./backend.ts";
import { byteSize, type DType, type TypedArray } from "./dtype.ts";
import { ArgumentError, GradError, ReleasedError } from "./errors.ts";
import { contiguous, isContiguous, showShape, sizeOf, type Layout, type Shape } from "./layout.ts";
import { Storage, currentScope, noteHandle, unwatchForgotten, watchForgotten, type Scope } from "./memory.ts";
import type { TensorMethods } from "./methods.ts";
import { format } from "./print.ts";
import { getRecorder, type BackwardOptions, type TapeSlot } from "./recorder.ts";

export type Nested = number | boolean | readonly Nested[];

// The methods (add, sum, matmul, …) are put on the prototype by methods.ts.
// eslint-disable-next-line @typescript-eslint/no-empty-object-type, @typescript-eslint/no-unused-vars
export interface Tensor<S extends Shape = Shape> extends TensorMethods {}

export class Tensor<S extends Shape = Shape> implements Layout {
  readonly shape: S;
  readonly strides: readonly number[];
  readonly offset: number;
  readonly dtype: DType;
  /** Name of the op that made it, for messages. */
  readonly origin: string;
  protected block: Storage;
  #slot: TapeSlot | null = null;
  #scope: Scope | null;
  #step: Scope | null = null;
  #ended: string | null = null;
  #watched = false;

  /** Takes over one reference of `storage`. Use `tensor(…)`, `zeros(…)` and ops instead. */
  constructor(storage: Storage, layout: Layout, dtype: DType, origin: string, scope: Scope | null = currentScope()) {
    this.block = storage;
    this.shape = layout.shape as S;
    this.strides = layout.strides;
    this.offset = layout.offset;
    this.dtype = dtype;
    this.origin = origin;
    this.#scope = scope;
    if (scope) scope.add(this);
    else this.watch();
    noteHandle(this);
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }
  /** Number of dimensions. */
  get rank(): number {
    return this.shape.length;
  }
  /** The memory behind it. @throws ReleasedError after the handle ended. */
  get storage(): Storage {
    if (this.#ended !== null) {
      throw new ReleasedError(this.origin, `this ${this.dtype}${showShape(this.shape)} was released by ${this.#ended} and is used again`, {
        hint: "return it from the scope, keep(t) it, or assign it to a Variable if it must live longer",
      });
    }
    return this.block;
  }
  get backend(): Backend {
    return this.storage.backend;
  }
  get released(): boolean {
    return this.#ended !== null;
  }

  // — memory —

  get scope(): Scope | null {
    return this.#scope;
  }

  /** Moves the handle to another scope (null: none); by default it also leaves its training step. */
  moveTo(scope: Scope | null, { leaveStep = true } = {}): this {
    void this.storage;
    const [oldScope, oldStep] = [this.#scope, this.#step];
    if (leaveStep) this.#step = null;
    this.#scope = scope;
    if (oldScope !== scope) {
      oldScope?.leave();
      scope?.add(this);
    }
    if (leaveStep) oldStep?.leave();
    this.watch();
    return this;
  }

  /** Ties the handle to a training step. */
  joinStep(step: Scope): void {
    if (this.#step === step) return;
    this.#step?.leave();
    this.#step = step;
    step.add(this);
    if (this.#watched) this.watch();
  }

  /** Lets the garbage collector release what this handle owns now, if nothing else will. */
  protected watch(): void {
    if (this.#watched) unwatchForgotten(this);
    this.#watched = !this.#scope && !this.#step;
    if (this.#watched) watchForgotten(this, this.#slot ? bothOf(this.block, this.#slot) : this.block);
  }

  /** The training step the handle ends with, if any. */
  get step(): Scope | null {
    return this.#step;
  }

  /** Ends the handle; memory returns to the pool when no other owner is left. */
  dispose(): void {
    this.end("dispose()");
  }
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Ends the handle, remembering by what. */
  end(by: string): void {
    if (this.#ended !== null) return;
    this.#ended = by;
    this.#scope?.leave();
    this.#step?.leave();
    if (this.#watched) unwatchForgotten(this);
    this.#slot?.release();
    this.block.release();
  }

  /** Another handle to the same value and tape slot. */
  alias(scope: Scope | null = currentScope()): Tensor<S> {
    const t = new Tensor<S>(this.storage.retain(), this, this.dtype, this.origin, scope);
    if (this.#slot) t.slot = this.#slot;
    return t;
  }

  // — place on a tape —

  get slot(): TapeSlot | null {
    return this.#slot;
  }
  set slot(slot: TapeSlot | null) {
    slot?.retain();
    this.#slot?.release();
    this.#slot = slot;
    if (!this.#scope && !this.#step) this.watch();
  }
  get requiresGrad(): boolean {
    return this.#slot?.requiresGrad ?? false;
  }
  /** Watches this tensor: `backward` will leave a gradient in `grad`. */
  requireGrad(): this {
    if (this.#slot) return this;
    const recorder = getRecorder();
    if (!recorder) throw new GradError("requireGrad", "gradients need @nn/autograd", { hint: 'import "@nn/autograd"' });
    if (this.dtype !== "f32" && this.dtype !== "f64") throw new GradError("requireGrad", `${this.dtype} tensors have no gradient`, { hint: 'x.cast("f32")' });
    this.slot = recorder.leaf();
    return this;
  }
  /** Gradient accumulated by `backward`, for leaves. */
  get grad(): Tensor<S> | null {
    return (this.#slot?.grad ?? null) as Tensor<S> | null;
  }
  set grad(g: Tensor<S> | null) {
    if (!this.#slot) throw new GradError("grad", "this tensor does not require a gradient", { hint: "call requireGrad() first" });
    this.#slot.grad = g;
  }
  /** Adds to `grad` of every leaf this value depends on. */
  backward(options: BackwardOptions = {}): void {
    const recorder = getRecorder();
    if (!recorder) throw new GradError("backward", "gradients need @nn/autograd", { hint: 'import "@nn/autograd"' });
    recorder.backward(this, options);
  }
  /** The same value, cut off from the tape. */
  detach(): Tensor<S> {
    return new Tensor<S>(this.storage.retain(), this, this.dtype, "detach");
  }

  // — reading —

  /** A copy of the elements in logical row-major order, whatever the memory layout. */
  data(): Promise<TypedArray> {
    return Promise.resolve().then(() => this.dataSync());
  }
  /** As `data()`, at once; cpu only. */
  dataSync(): TypedArray {
    if (isContiguous(this)) return this.#view().slice();
    const dense = empty(this, "dataSync", contiguous(this.shape), this.backend, null);
    copyInto(this, dense);
    const data = dense.#view().slice();
    dense.dispose();
    return data;
  }
  /** A live view of the memory of a contiguous tensor: for reading at once, or for writing by its owner. */
  unsafeView(): TypedArray {
    if (!isContiguous(this)) throw new ArgumentError("unsafeView", `memory of ${showShape(this.shape)} is not contiguous`, { hint: "x.contiguous()" });
    return this.#view();
  }
  #view(): TypedArray {
    return viewOf(this.storage, this.dtype, this.offset, this.size);
  }
  /** Nested arrays of numbers (booleans for bool). */
  toArray(): Nested {
    const data = this.dataSync();
    const value = (i: number): Nested => (this.dtype === "bool" ? data[i] !== 0 : data[i]!);
    const build = (d: number, at: number): Nested => {
      if (d === this.rank) return value(at);
      const step = sizeOf(this.shape.slice(d + 1));
      return Array.from({ length: this.shape[d]! }, (_, i) => build(d + 1, at + i * step));
    };
    return build(0, 0);
  }
  /** The value of a one-element tensor. */
  item(): number {
    if (this.size !== 1) throw new ArgumentError("item", `needs one element, ${showShape(this.shape)} has ${this.size}`, { hint: "reduce first, e.g. x.mean().item()" });
    return viewOf(this.storage, this.dtype, this.offset, 1)[0]!;
  }
  toString(): string {
    return format(this);
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.released ? `Tensor ${this.dtype}${showShape(this.shape)} (released)` : format(this);
  }
}

const bothOf = (a: { release(): void }, b: { release(): void }) => ({
  release() {
    a.release();
    b.release();
  },
});

/** Typed-array view of `n` elements from element `offset`; use at once, memory may move when it grows. */
export function viewOf(storage: Storage, dtype: DType, offset: number, n: number): TypedArray {
  const { engine } = storage.backend;
  const at = storage.pointer + offset * byteSize(dtype);
  switch (dtype) {
    case "f32":
      return engine.f32(at, n);
    case "f64":
      return engine.f64(at, n);
    case "i32":
      return engine.i32(at, n);
    default:
      return engine.u8(at, n);
  }
}

/** Byte address of a tensor's first element. */
export const pointerOf = (t: Tensor): number => t.storage.pointer + t.offset * byteSize(t.dtype);

/** A new tensor with undefined contents. */
export function empty(
  { shape, dtype }: { shape: Shape; dtype: DType },
  origin: string,
  layout: Layout = contiguous(shape),
  backend: Backend = defaultBackend(),
  scope: Scope | null = currentScope(),
): Tensor {
  return new Tensor(new Storage(backend, sizeOf(shape) * byteSize(dtype)), layout, dtype, origin, scope);
}

/** Copies elements in logical order; both have the same shape and dtype. */
export function copyInto(from: Tensor, to: Tensor): void {
  copyElements(from, to);
}

// Filled by cpu/copy.ts; here so that reading needs no import of kernels.
let copyElements: (from: Tensor, to: Tensor) => void;
export const provideCopy = (copy: typeof copyElements): void => void (copyElements = copy);

/** A tensor from a typed array (copied) of `shape`. */
export function fromTyped(data: TypedArray, shape: Shape, dtype: DType, origin = "tensor"): Tensor {
  const t = empty({ shape, dtype }, origin);
  (t.unsafeView() as Float32Array).set(data as Float32Array);
  return t;
}

