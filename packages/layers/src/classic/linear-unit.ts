import { ArgumentError, zeros, type Tensor } from "@nn/tensor";
import { Module } from "../module.ts";
import { param, type Parameter } from "../parameter.ts";
import { affine, orderOf, samplesOf, type Samples } from "./rows.ts";

export interface LinearUnitEpoch {
  readonly weight: readonly number[];
  readonly bias: number;
  /** 1/(2N) Σ (a−y)² over all samples after the epoch. */
  readonly loss: number;
}
export interface LinearUnitFit {
  readonly stop: "epochs" | "gradTol" | "diverged";
  /** Changes of the weights: N, ⌈N/B⌉ or 1 per epoch. */
  readonly updates: number;
  readonly epochs: readonly LinearUnitEpoch[];
}
export interface LinearUnitOptions {
  /** α; default 0.01. */
  rate?: number;
  epochs?: number;
  /** Samples per update: 1 (the default) is stochastic descent, "all" batch descent, a number between a mini-batch. */
  batchSize?: number | "all";
  /** Leave out a last batch that is not full. */
  dropLast?: boolean;
  /** Stop when the norm of the gradient over all samples is below this; 0 never does. */
  gradTol?: number;
  /** Seed of a new order of the samples for each epoch; default: the order given. */
  shuffle?: number;
}

/**
 * `a = w·x + b`, trained by the delta rule `w ← w − α·1/m Σ (aᵢ−yᵢ)xᵢ` on `J = 1/(2m) Σ (aᵢ−yᵢ)²` (Widrow & Hoff 1960). The activation is the
 * identity: through a step nothing can be derived. Weights are f64 parameters, zero at the start, and autograd trains them as well.
 */
export class LinearUnit extends Module {
  readonly weight: Parameter; // [features]
  readonly bias: Parameter; // [1]

  constructor(features: number) {
    super();
    this.weight = param(zeros([features], { dtype: "f64" }) as Tensor);
    this.bias = param(zeros([1], { dtype: "f64" }) as Tensor);
  }

  /** [..., features] → [...] */
  forward(x: Tensor): Tensor {
    return x.cast("f64").mul(this.weight).sum(-1).add(this.bias.reshape([]));
  }

  /** Goes through `x` [N, features] and `targets` [N], `epochs` times or until it stops by itself. */
  fit(x: Tensor, targets: Tensor, { rate = 0.01, epochs = 10, batchSize = 1, dropLast = false, gradTol = 0, shuffle }: LinearUnitOptions = {}): LinearUnitFit {
    const samples = samplesOf("LinearUnit", x, targets, this.weight.size);
    const size = batchSize === "all" ? Math.max(1, samples.count) : batchSize;
    if (!(rate > 0)) throw new ArgumentError("LinearUnit", `rate is ${rate}`, { hint: "a positive number" });
    if (!Number.isInteger(size) || size < 1) throw new ArgumentError("LinearUnit", `batchSize is ${batchSize}`, { hint: 'a whole number of at least 1, or "all"' });

    let w = Float64Array.from(this.weight.dataSync());
    let b = this.bias.dataSync()[0]!;
    const trace: LinearUnitEpoch[] = [];
    let updates = 0;
    let stop: LinearUnitFit["stop"] = "epochs";
    while (trace.length < epochs && stop === "epochs") {
      const order = orderOf(samples.count, trace.length, shuffle);
      for (let from = 0; from < samples.count && !(dropLast && from + size > samples.count); from += size) {
        const g = gradient(w, b, samples, order.subarray(from, from + size));
        w = w.map((v, j) => v - rate * g.w[j]!);
        b -= rate * g.b;
        updates++;
      }
      const all = gradient(w, b, samples, orderOf(samples.count, 0));
      trace.push({ weight: [...w], bias: b, loss: all.loss });
      if (!Number.isFinite(all.loss)) stop = "diverged";
      else if (Math.hypot(...all.w, all.b) < gradTol) stop = "gradTol";
    }
    this.weight.write(w, "LinearUnit.fit");
    this.bias.write([b], "LinearUnit.fit");
    return { stop, updates, epochs: trace };
  }

  override describe(): string {
    return String(this.weight.size);
  }
}

/** J over some samples and its gradient. */
function gradient(w: Float64Array, b: number, samples: Samples, chosen: Int32Array): { w: Float64Array; b: number; loss: number } {
  const dw = new Float64Array(w.length);
  let db = 0;
  let squares = 0;
  for (const i of chosen) {
    const error = affine(w, b, samples, i) - samples.targets[i]!;
    for (let j = 0, at = i * samples.features; j < w.length; j++) dw[j]! += error * samples.inputs[at + j]!;
    db += error;
    squares += error * error;
  }
  const m = chosen.length;
  return { w: dw.map((v) => v / m), b: db / m, loss: squares / (2 * m) };
}
