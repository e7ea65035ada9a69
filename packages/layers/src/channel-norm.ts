import { ArgumentError, ShapeError, batchNorm, groupNorm, instanceNorm, noGrad, ones, ops, scope, tensor, zeros, type Shape, type Tensor } from "@nn/tensor";
import { Module } from "./module.ts";
import { buffer, param, type Buffer, type Parameter } from "./parameter.ts";

export interface BatchNormOptions {
  /** Added to the variance; default 1e-5. */
  eps?: number;
  /** Share of the batch in the running statistics; null: their plain average over all batches. Default 0.1. */
  momentum?: number | null;
  /** A trained weight and bias per channel; default true. */
  affine?: boolean;
  /** Keep running statistics, for evaluation; without them every batch is normalised by itself. Default true. */
  trackRunningStats?: boolean;
}

/** `(x − mean)/√(var + eps)·weight + bias` per channel: over the batch in training, by running statistics in evaluation (Ioffe & Szegedy 2015). */
abstract class BatchNorm extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  // PyTorch's names, which checkpoints go by.
  readonly running_mean: Buffer | null;
  readonly running_var: Buffer | null;
  readonly num_batches_tracked: Buffer | null;
  protected abstract readonly ranks: readonly number[];

  constructor(numFeatures: number, { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true }: BatchNormOptions = {}) {
    super();
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? param<Shape>(ones([numFeatures])) : null;
    this.bias = affine ? param<Shape>(zeros([numFeatures])) : null;
    this.running_mean = trackRunningStats ? buffer<Shape>(zeros([numFeatures])) : null;
    this.running_var = trackRunningStats ? buffer<Shape>(ones([numFeatures])) : null;
    this.num_batches_tracked = trackRunningStats ? buffer<Shape>(tensor(0, { dtype: "i32" })) : null;
  }

  forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    if (!this.ranks.includes(x.rank)) throw new ShapeError(this.constructor.name, `needs ${this.ranks.map((r) => ["[N, C]", "[N, C, L]", "[N, C, H, W]"][r - 2]).join(" or ")}, got [${x.shape.join(",")}]`);
    if (x.shape[1] !== this.numFeatures) throw new ShapeError(this.constructor.name, `expected ${this.numFeatures} channels, got [${x.shape.join(",")}]`);
    return scope(() => {
      const { weight, bias, eps, running_mean, running_var } = this;
      if (!this.training && running_mean && running_var) return batchNorm(x as Tensor, { weight, bias, eps, statistics: { mean: running_mean, variance: running_var } });
      const values = x.size / x.shape[1]!;
      if (this.training && values === 1) throw new ArgumentError(this.constructor.name, `one value per channel in [${x.shape.join(",")}] has no variance`, { hint: "train with larger batches, or call eval()" });
      const { y, mean, variance } = ops.batchNorm({ x: x as Tensor, ...(weight && { weight }), ...(bias && { bias }) }, { eps });
      if (this.training && values > 0) noGrad(() => this.#track(mean, variance.mul(values / (values - 1))));
      return y;
    }, this.constructor.name) as Tensor<S>;
  }

  /** The running variance is that of the population, n − 1 below the line. */
  #track(mean: Tensor, variance: Tensor): void {
    if (!this.running_mean || !this.running_var || !this.num_batches_tracked) return;
    const count = this.num_batches_tracked.item() + 1;
    const share = this.momentum ?? 1 / count;
    const follow = (running: Buffer, now: Tensor): unknown => running.assign(running.mul(1 - share).add(now.mul(share).cast(running.dtype)) as Tensor);
    follow(this.running_mean, mean);
    follow(this.running_var, variance);
    this.num_batches_tracked.write([count]);
  }

  override describe(): string {
    return `${this.numFeatures}, eps=${this.eps}, momentum=${this.momentum}${this.weight ? "" : ", affine=false"}${this.running_mean ? "" : ", trackRunningStats=false"}`;
  }
}

/** For features [N, C] or sequences [N, C, L]. */
export class BatchNorm1d extends BatchNorm {
  protected readonly ranks = [2, 3];
}
/** For images [N, C, H, W]. */
export class BatchNorm2d extends BatchNorm {
  protected readonly ranks = [4];
}

export interface GroupNormOptions {
  /** Added to the variance; default 1e-5. */
  eps?: number;
  /** A trained weight and bias per channel; default true. */
  affine?: boolean;
}

/** Each sample's channels in groups, whatever the batch (Wu & He 2018): x [N, C, …]. */
export class GroupNorm extends Module {
  readonly numGroups: number;
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(numGroups: number, numChannels: number, { eps = 1e-5, affine = true }: GroupNormOptions = {}) {
    super();
    if (!(numGroups > 0 && numChannels % numGroups === 0)) throw new ArgumentError("GroupNorm", `${numChannels} channels do not divide into ${numGroups} groups`);
    this.numGroups = numGroups;
    this.eps = eps;
    this.weight = affine ? param<Shape>(ones([numChannels])) : null;
    this.bias = affine ? param<Shape>(zeros([numChannels])) : null;
  }
  forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return groupNorm(x as Tensor, this.numGroups, { weight: this.weight, bias: this.bias, eps: this.eps }) as Tensor<S>;
  }
  override describe(): string {
    return `${this.numGroups}${this.weight ? `, ${this.weight.shape[0]}` : ""}, eps=${this.eps}`;
  }
}

/** Every map of [N, C, …] by itself (Ulyanov 2016). Without running statistics, and by default without weight and bias, as in PyTorch. */
export class InstanceNorm extends Module {
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(numFeatures: number, { eps = 1e-5, affine = false }: GroupNormOptions = {}) {
    super();
    this.eps = eps;
    this.weight = affine ? param<Shape>(ones([numFeatures])) : null;
    this.bias = affine ? param<Shape>(zeros([numFeatures])) : null;
  }
  forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return instanceNorm(x as Tensor, { weight: this.weight, bias: this.bias, eps: this.eps }) as Tensor<S>;
  }
  override describe(): string {
    return `${this.weight ? `${this.weight.shape[0]}, ` : ""}eps=${this.eps}`;
  }
}
