import { ArgumentError, step, zeros, type Tensor } from "@nn/tensor";
import { Module } from "../module.ts";
import { buffer, type Buffer } from "../parameter.ts";
import { affine, orderOf, samplesOf, type Samples } from "./rows.ts";

export interface PerceptronEpoch {
  readonly weight: readonly number[];
  readonly bias: number;
  /** Samples that were answered wrongly on the way: each of them changed the weights. */
  readonly mistakes: number;
  /** With `averaged`: the mean of the weights after every sample so far. */
  readonly average?: { readonly weight: readonly number[]; readonly bias: number };
}
export interface PerceptronFit {
  /** The last epoch made no mistake. */
  readonly converged: boolean;
  /** Mistakes of all epochs: at most `novikoffBound(…).bound` from a zero start. */
  readonly mistakes: number;
  readonly epochs: readonly PerceptronEpoch[];
}
export interface PerceptronOptions {
  /** η; from a zero start it scales the weights and changes no answer. Default 0.1. */
  rate?: number;
  /** Data that no plane separates never converge: stop here. Default 100. */
  maxEpochs?: number;
  /** Keep the mean of the weights after every sample (Freund & Schapire 1999): better where data overlap. */
  averaged?: boolean;
  /** Seed of a new order of the samples for each epoch; default: the order given. Data sorted by class need it. */
  shuffle?: number;
}

/**
 * `y = 1 if w·x + b > 0 else 0`, trained by Rosenblatt's rule `w ← w + η(t−y)x, b ← b + η(t−y)`, sample by sample (Rosenblatt 1958,
 * "The perceptron: a probabilistic model"). Not a matter of gradients: the step has none. Weights are f64 buffers, zero at the start.
 */
export class Perceptron extends Module {
  readonly weight: Buffer; // [features]
  readonly bias: Buffer; // [1]

  constructor(features: number) {
    super();
    this.weight = buffer(zeros([features], { dtype: "f64" }));
    this.bias = buffer(zeros([1], { dtype: "f64" }));
  }

  /** [..., features] → [...] of 0 and 1 */
  forward(x: Tensor): Tensor {
    return step(this.score(x));
  }

  /** [..., features] → w·x + b; the largest of several perceptrons' scores names the class. */
  score(x: Tensor): Tensor {
    return x.cast("f64").mul(this.weight).sum(-1).add(this.bias.reshape([]));
  }

  /**
   * Goes through the samples until an epoch makes no mistake. `x` is [N, features], `targets` [N] of 0 and 1.
   *
   * @throws ArgumentError for a target that is neither.
   */
  fit(x: Tensor, targets: Tensor, { rate = 0.1, maxEpochs = 100, averaged = false, shuffle }: PerceptronOptions = {}): PerceptronFit {
    if (!(rate > 0)) throw new ArgumentError("Perceptron", `rate is ${rate}`, { hint: "a positive number" });
    const samples = samplesOf("Perceptron", x, targets, this.weight.size);
    checkTargets(samples);
    const w = Float64Array.from(this.weight.dataSync());
    let b = this.bias.dataSync()[0]!;
    const mean = averaged ? new RunningMean(samples.features) : null;
    const epochs: PerceptronEpoch[] = [];
    do {
      let mistakes = 0;
      for (const i of orderOf(samples.count, epochs.length, shuffle)) {
        const error = samples.targets[i]! - (affine(w, b, samples, i) > 0 ? 1 : 0);
        if (error !== 0) {
          mistakes++;
          mean?.until(w, b);
          for (let j = 0, at = i * samples.features; j < w.length; j++) w[j]! += rate * error * samples.inputs[at + j]!;
          b += rate * error;
        }
        mean?.count();
      }
      const kept = mean?.result(w, b);
      epochs.push({ weight: [...w], bias: b, mistakes, ...(kept && { average: { weight: [...kept.w], bias: kept.b } }) });
    } while (epochs.at(-1)!.mistakes > 0 && epochs.length < maxEpochs);

    const { weight, bias } = epochs.at(-1)!.average ?? epochs.at(-1)!;
    this.weight.write(weight, "Perceptron.fit");
    this.bias.write([bias], "Perceptron.fit");
    return { converged: epochs.at(-1)!.mistakes === 0, mistakes: epochs.reduce((n, e) => n + e.mistakes, 0), epochs };
  }

  override describe(): string {
    return String(this.weight.size);
  }
}

function checkTargets({ targets, count }: Samples): void {
  for (let i = 0; i < count; i++) {
    if (targets[i] !== 0 && targets[i] !== 1) throw new ArgumentError("Perceptron", `target ${targets[i]} of sample ${i} is not 0 or 1`, { hint: "t.eq(k) makes targets for class k against the rest" });
  }
}

/** The mean of the weights over all samples seen. Weights change at mistakes only, so only then something is added. */
class RunningMean {
  readonly #sum: Float64Array;
  #sumBias = 0;
  #seen = 0;
  #added = 0;
  constructor(features: number) {
    this.#sum = new Float64Array(features);
  }
  count(): void {
    this.#seen++;
  }
  /** Adds `w`, which was in force since the last call. */
  until(w: Float64Array, b: number): void {
    const times = this.#seen - this.#added;
    for (let j = 0; j < w.length; j++) this.#sum[j]! += times * w[j]!;
    this.#sumBias += times * b;
    this.#added = this.#seen;
  }
  result(w: Float64Array, b: number): { w: Float64Array; b: number } {
    this.until(w, b);
    const n = Math.max(1, this.#seen);
    return { w: this.#sum.map((v) => v / n), b: this.#sumBias / n };
  }
}
