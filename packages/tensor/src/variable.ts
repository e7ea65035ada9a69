/** State that outlives steps and scopes and is replaced in place: parameters, buffers, carried hidden states. */
import { ShapeError } from "./errors.ts";
import { isContiguous, showShape, type Shape } from "./layout.ts";
import { Tensor, empty, copyInto } from "./tensor.ts";

/**
 * A tensor whose value can be replaced. It belongs to no scope and no step; it ends with `dispose()` or when forgotten.
 * Views of it alias its memory and see the new value, unless `assign` exchanged the storage.
 */
export class Variable<S extends Shape = Shape> extends Tensor<S> {
  /** With `take` the memory of a value that owns it alone is taken over, not copied; the value must then end. */
  constructor(value: Tensor<S>, { take = false } = {}) {
    if (take && ownsDense(value)) {
      super(value.storage.retain(), value, value.dtype, "Variable", null);
      return;
    }
    const dense = empty(value, "Variable", undefined, value.backend, null);
    copyInto(value, dense);
    super(dense.storage.retain(), dense, value.dtype, "Variable", null);
    dense.dispose();
  }

  /**
   * Takes the value of `t`, cut off from any tape: exchanges storages if `t` owns its memory alone, else copies.
   * The old memory returns to the pool once no tape needs it. `t` itself ends.
   */
  assign(t: Tensor): this {
    if (t.shape.join() !== this.shape.join() || t.dtype !== this.dtype) {
      throw new ShapeError("assign", `a Variable of ${this.dtype}${showShape(this.shape)} cannot take ${t.dtype}${showShape(t.shape)}`);
    }
    const old = this.block;
    if (ownsDense(t)) {
      this.block = t.storage.retain();
    } else {
      const copy = empty(t, "Variable", undefined, t.backend, null);
      copyInto(t, copy);
      this.block = copy.storage.retain();
      copy.dispose();
    }
    t.dispose();
    this.watch();
    old.release();
    return this;
  }

  /** Copies `data` (row-major) into the same memory. */
  write(data: ArrayLike<number>, writer = "write"): this {
    if (data.length !== this.size) throw new ShapeError("write", `${data.length} values for ${showShape(this.shape)}, which has ${this.size}`);
    (this.unsafeView() as Float32Array).set(data);
    this.storage.touch(writer);
    return this;
  }
}

const ownsDense = (t: Tensor): boolean => t.storage.references === 1 && t.offset === 0 && isContiguous(t);

/** A `Variable` with the value of `t`. */
export const variable = <S extends Shape>(t: Tensor<S>): Variable<S> => new Variable(t);
