import { ArgumentError, ShapeError, scope, type Tensor } from "@nn/tensor";
import { Module } from "../module.ts";
import { lengthMask, type Lengths } from "../sequence/lengths.ts";

export interface GlobalPoolOptions {
  /** Where time is: 2 in [N, C, L], 1 in [B, T, H], 0 in [T, B, H]. Default: all dimensions behind the channels of [N, C, …]. */
  dim?: number;
}

/** Which positions take part; all others, whatever they hold, change nothing. A row without any gives 0. */
export interface RealPositions {
  /** Real length of each sequence. */
  lengths?: Lengths | null;
  /** Batch first in any layout: [B, T], or [N, H, W] of images. bool: true takes part. */
  mask?: Tensor | null;
}

abstract class GlobalPool extends Module {
  readonly dim: number | null;

  constructor({ dim }: GlobalPoolOptions = {}) {
    super();
    this.dim = dim ?? null;
  }

  /** [N, C, …] → [N, C], or a sequence of features without its time. @throws ShapeError, ArgumentError */
  forward(x: Tensor, { lengths, mask }: RealPositions = {}): Tensor {
    const name = this.constructor.name;
    const dims = this.dim === null ? x.shape.slice(2).map((_, i) => i + 2) : [this.dim];
    if (dims.length === 0 || !dims.every((d) => d in x.shape)) throw new ShapeError(name, `[${x.shape.join(",")}] has no dimension ${dims[0] ?? 2} to pool over`);
    if (lengths && (mask || dims.length > 1)) throw new ArgumentError(name, mask ? "takes lengths or a mask, not both" : `lengths count steps in one dimension, and [${x.shape.join(",")}] is pooled over [${dims.join(",")}]: give a mask`);
    return scope(() => {
      const real = lengths ? lengthMask(lengths, x.shape[dims[0]!]!) : mask;
      return real ? this.some(x, dims, aligned(name, real, x, dims)) : this.all(x, dims);
    }, name);
  }

  protected abstract all(x: Tensor, dims: readonly number[]): Tensor;
  /** @param real where positions take part; size 1 in the dimensions of features */
  protected abstract some(x: Tensor, dims: readonly number[], real: Tensor): Tensor;

  override describe(): string {
    return this.dim === null ? "" : `dim=${this.dim}`;
  }
}

/** A mask [batch, …positions] as it lies over x: batch and positions in their places, size 1 elsewhere. */
function aligned(name: string, mask: Tensor, x: Tensor, dims: readonly number[]): Tensor {
  const batch = dims.includes(0) ? 1 : 0;
  const expected = [x.shape[batch]!, ...dims.map((d) => x.shape[d]!)];
  if (mask.shape.join() !== expected.join()) throw new ShapeError(name, `the mask must be [${expected.join(",")}] (batch, positions) for [${x.shape.join(",")}], got [${mask.shape.join(",")}]`);
  const ordered = batch === 0 ? mask : mask.t();
  return ordered.reshape(x.shape.map((n, d) => (d === batch || dims.includes(d) ? n : 1)));
}

/** Mean over all positions, or over the real ones. */
export class GlobalAvgPool extends GlobalPool {
  protected override all(x: Tensor, dims: readonly number[]): Tensor {
    return x.mean(dims);
  }
  protected override some(x: Tensor, dims: readonly number[], real: Tensor): Tensor {
    const count = real.cast(x.dtype).sum(dims).maximum(1);
    return real.where(x, 0).sum(dims).div(count);
  }
}

/** Largest value over all positions, or over the real ones; equal ones share the gradient. */
export class GlobalMaxPool extends GlobalPool {
  protected override all(x: Tensor, dims: readonly number[]): Tensor {
    return x.max(dims);
  }
  protected override some(x: Tensor, dims: readonly number[], real: Tensor): Tensor {
    return real.any(dims).where(real.where(x, -Infinity).max(dims), 0);
  }
}
