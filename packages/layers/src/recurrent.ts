/** RNN, LSTM and GRU: stacks of whole-sequence layers, with PyTorch's parameter names, gate order and initialisation. */
import { ArgumentError, ShapeError, concat, noGrad, ops, scope, stack, tensor, type FitsLast, type Shape, type Tensor, type WithLast } from "@nn/tensor";
import { dropout } from "./dropout.ts";
import { uniform } from "./init.ts";
import { Module } from "./module.ts";
import { param, Parameter } from "./parameter.ts";

export interface RecurrentOptions<D extends boolean = boolean> {
  /** Layers on top of each other; default 1. */
  numLayers?: number;
  bias?: boolean;
  /** Input and output are [B,T,…] instead of [T,B,…]; states are [layers, B, H] either way. Default false, as PyTorch. */
  batchFirst?: boolean;
  /** Probability of dropout between layers, in training. */
  dropout?: number;
  /** A second stack reads backwards; outputs are [forward, backward]. */
  bidirectional?: D;
}

export interface SequenceOptions {
  /** Initial states [numLayers·directions, B, H] ([numLayers·directions, H] for one sequence [T,I]); zeros if absent. */
  h0?: Tensor;
  /**
   * Real length of each sequence of a padded batch. Past its end a sequence's state stands still and the output is 0; the backward direction
   * starts at the sequence's own end. More padding changes nothing.
   */
  lengths?: Tensor | readonly number[];
}

/** What one direction of one layer reads: input [T,B,I], its parameters, the state before the first step [B,H]. */
export interface DirectionInputs {
  x: Tensor;
  weightIh: Tensor;
  weightHh: Tensor;
  biasIh?: Tensor;
  biasHh?: Tensor;
  h0?: Tensor;
  c0?: Tensor;
  lengths?: Tensor;
}

/** Size of the last dimension of the output. */
type Width<H extends number, D extends boolean> = D extends true ? number : H;
type Cell = "lstm" | "gru" | "tanh" | "relu";
const gates: Record<Cell, number> = { lstm: 4, gru: 3, tanh: 1, relu: 1 };

/** What the three layers share: parameters `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, then `…_l0_reverse`, `…_l1`, … */
abstract class Recurrent<I extends number, H extends number, D extends boolean> extends Module {
  readonly inputSize: I;
  readonly hiddenSize: H;
  readonly options: Required<RecurrentOptions<D>>;
  readonly #cell: Cell;

  constructor(cell: Cell, inputSize: I, hiddenSize: H, { numLayers = 1, bias = true, batchFirst = false, dropout: p = 0, bidirectional = false as D }: RecurrentOptions<D>) {
    super();
    if (!(p >= 0 && p <= 1)) throw new ArgumentError(this.constructor.name, `dropout probability ${p} is not in [0, 1]`);
    if (!(Number.isInteger(numLayers) && numLayers > 0)) throw new ArgumentError(this.constructor.name, `numLayers must be a whole number above 0, got ${numLayers}`);
    this.#cell = cell;
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.options = { numLayers, bias, batchFirst, dropout: p, bidirectional };
    const rows = gates[cell] * hiddenSize;
    const init = uniform(1 / Math.sqrt(hiddenSize));
    for (let layer = 0; layer < numLayers; layer++) {
      const width = layer === 0 ? inputSize : hiddenSize * this.#suffixes(layer).length;
      for (const suffix of this.#suffixes(layer)) {
        const parameters: Record<string, Parameter> = { [`weight_ih_${suffix}`]: param(init([rows, width])), [`weight_hh_${suffix}`]: param(init([rows, hiddenSize])) };
        if (bias) for (const side of ["ih", "hh"]) parameters[`bias_${side}_${suffix}`] = param(init([rows]));
        Object.assign(this, parameters); // named by their properties, like those of every module
      }
    }
  }

  #suffixes(layer: number): string[] {
    return this.options.bidirectional ? [`l${layer}`, `l${layer}_reverse`] : [`l${layer}`];
  }

  /** The parameter of this name, e.g. `weight_ih_l0`. @throws ArgumentError if there is none */
  parameter(name: string): Parameter {
    const p = (this as unknown as Record<string, unknown>)[name];
    if (p instanceof Parameter) return p;
    throw new ArgumentError(this.constructor.name, `there is no parameter '${name}'`, { hint: `one of ${[...this.namedParameters()].map(([n]) => n).join(", ")}` });
  }

  /** One direction of one layer: all outputs [T,B,H], the last state [B,H] and, of an LSTM, the last cell state. */
  protected direction(inputs: DirectionInputs, reverse: boolean): { y: Tensor; h: Tensor; c?: Tensor } {
    return ops.recurrent(inputs, { cell: this.#cell, reverse });
  }

  /** All layers and directions, in a scope of their own; `h` and `c` are the last states [numLayers·directions, B, H]. */
  protected sequence(input: Tensor, options: SequenceOptions & { c0?: Tensor }): { output: Tensor; h: Tensor; c: Tensor } {
    return scope(() => this.#stacked(input, options), this.constructor.name);
  }

  #stacked(input: Tensor, { h0, c0, lengths }: SequenceOptions & { c0?: Tensor }): { output: Tensor; h: Tensor; c: Tensor } {
    const { numLayers, bias, batchFirst, dropout: p } = this.options;
    const name = this.constructor.name;
    const alone = input.rank === 2; // a batch of one
    if (!alone && input.rank !== 3) throw new ShapeError(name, `input must be ${batchFirst ? "[B,T,I]" : "[T,B,I]"} or [T,I], got [${input.shape.join(",")}]`);
    let x = alone ? input.unsqueeze(1) : batchFirst ? input.transpose(0, 1) : input; // [T,B,I]
    const count = lengths === undefined || !Array.isArray(lengths) ? (lengths as Tensor | undefined) : (tensor(lengths as number[], { dtype: "i32" }) as Tensor);
    const states = numLayers * this.#suffixes(0).length;
    for (const [label, t] of [["h0", h0], ["c0", c0]] as const) {
      const expected = [states, ...(alone ? [] : [x.shape[1]!]), this.hiddenSize];
      if (t && t.shape.join() !== expected.join()) throw new ShapeError(name, `${label} must be [${expected.join(",")}] (layers and directions, ${alone ? "" : "batch, "}hidden), got [${t.shape.join(",")}]`);
    }
    const h: Tensor[] = [];
    const c: Tensor[] = [];
    for (let layer = 0; layer < numLayers; layer++) {
      if (layer > 0 && p > 0 && this.training) x = dropout(x, p);
      const start = (states: Tensor): Tensor => states.at(h.length).reshape([x.shape[1]!, this.hiddenSize]);
      const directions = this.#suffixes(layer).map((suffix, direction) => {
        const inputs = {
          x,
          weightIh: this.parameter(`weight_ih_${suffix}`),
          weightHh: this.parameter(`weight_hh_${suffix}`),
          ...(bias && { biasIh: this.parameter(`bias_ih_${suffix}`), biasHh: this.parameter(`bias_hh_${suffix}`) }),
          ...(h0 && { h0: start(h0) }),
          ...(c0 && { c0: start(c0) }),
          ...(count && { lengths: count }),
        };
        const result = this.direction(inputs, direction === 1);
        h.push(result.h);
        c.push(result.c ?? result.h);
        return result.y;
      });
      x = directions.length === 1 ? directions[0]! : concat(directions, 2);
    }
    if (alone) return { output: x.squeeze(1), h: joined(h).squeeze(1), c: joined(c).squeeze(1) };
    return { output: batchFirst ? x.transpose(0, 1) : x, h: joined(h), c: joined(c) };
  }

  override describe(): string {
    const standard: Record<string, unknown> = { numLayers: 1, bias: true, batchFirst: false, dropout: 0, bidirectional: false };
    const rest = Object.entries(this.options).filter(([key, v]) => v !== standard[key]);
    return [this.inputSize, this.hiddenSize, ...rest.map(([key, v]) => `${key}=${v}`)].join(", ");
  }
}

/** A stack of one needs no copy. */
const joined = (states: Tensor[]): Tensor => (states.length === 1 ? states[0]!.unsqueeze(0) : stack(states));

export interface RNNOptions<D extends boolean = boolean> extends RecurrentOptions<D> {
  nonlinearity?: "tanh" | "relu";
}

/** Plain recurrent layers `h' = act(W_ih·x + b_ih + W_hh·h + b_hh)` (Elman 1990). */
export class RNN<I extends number = number, H extends number = number, D extends boolean = false> extends Recurrent<I, H, D> {
  constructor(inputSize: I, hiddenSize: H, { nonlinearity = "tanh", ...options }: RNNOptions<D> = {}) {
    super(nonlinearity, inputSize, hiddenSize, options);
  }
  /** [T,B,I] (or [B,T,I], or [T,I]) → output [T,B,H·directions] and the last states h [layers·directions, B, H]; without B if x has none */
  forward<S extends Shape>(x: Tensor<S> & FitsLast<S, I>, options: SequenceOptions = {}): { output: Tensor<WithLast<S, Width<H, D>>>; h: Tensor } {
    const { output, h } = this.sequence(x as Tensor, options);
    return { output: output as Tensor<WithLast<S, Width<H, D>>>, h };
  }
}

/** Other equations for the same parameters. */
export interface GRUForm {
  readonly name: string;
  direction(inputs: DirectionInputs, reverse: boolean): { y: Tensor; h: Tensor };
}

export interface GRUOptions<D extends boolean = boolean> extends RecurrentOptions<D> {
  /** `cho` or `bahdanau` of `@nn/layers/sequence`, the papers' equations; default: PyTorch's, which one kernel computes. */
  form?: GRUForm | null;
}

/**
 * Gated recurrent units (Cho 2014) as PyTorch and cuDNN have them: `r, z = σ(…)`, `n = tanh(W_in·x + b_in + r·(W_hn·h + b_hn))`,
 * `h' = (1 − z)·n + z·h`. Weight rows are r, z, n.
 */
export class GRU<I extends number = number, H extends number = number, D extends boolean = false> extends Recurrent<I, H, D> {
  readonly form: GRUForm | null;

  constructor(inputSize: I, hiddenSize: H, { form = null, ...options }: GRUOptions<D> = {}) {
    super("gru", inputSize, hiddenSize, options);
    this.form = form;
  }
  protected override direction(inputs: DirectionInputs, reverse: boolean): { y: Tensor; h: Tensor } {
    return this.form ? this.form.direction(inputs, reverse) : super.direction(inputs, reverse);
  }
  override describe(): string {
    return super.describe() + (this.form ? `, form=${this.form.name}` : "");
  }
  /** [T,B,I] (or [B,T,I], or [T,I]) → output [T,B,H·directions] and the last states h [layers·directions, B, H]; without B if x has none */
  forward<S extends Shape>(x: Tensor<S> & FitsLast<S, I>, options: SequenceOptions = {}): { output: Tensor<WithLast<S, Width<H, D>>>; h: Tensor } {
    const { output, h } = this.sequence(x as Tensor, options);
    return { output: output as Tensor<WithLast<S, Width<H, D>>>, h };
  }
}

export interface LSTMOptions<D extends boolean = boolean> extends RecurrentOptions<D> {
  /** Start the forget gates' bias at this value (b_ih; b_hh starts at 0): 1 lets memory last from the first step on (Jozefowicz 2015). */
  forgetBias?: number;
}

/**
 * Long short-term memory (Hochreiter 1997, with the forget gate of Gers 2000): `i, f, o = σ(…)`, `g = tanh(…)`, `c' = f·c + i·g`,
 * `h' = o·tanh(c')`. Weight rows are i, f, g, o.
 */
export class LSTM<I extends number = number, H extends number = number, D extends boolean = false> extends Recurrent<I, H, D> {
  constructor(inputSize: I, hiddenSize: H, { forgetBias, ...options }: LSTMOptions<D> = {}) {
    super("lstm", inputSize, hiddenSize, options);
    if (forgetBias === undefined) return;
    if (options.bias === false) throw new ArgumentError("LSTM", "forgetBias needs biases", { hint: "leave bias: false out" });
    for (const [name, p] of this.namedParameters()) if (name.startsWith("bias_")) startForget(p, hiddenSize, name.startsWith("bias_ih") ? forgetBias : 0);
  }
  /** [T,B,I] (or [B,T,I], or [T,I]) → output [T,B,H·directions] and the last states h and c [layers·directions, B, H]; without B if x has none */
  forward<S extends Shape>(x: Tensor<S> & FitsLast<S, I>, options: SequenceOptions & { /** Initial cell states, shaped as h0. */ c0?: Tensor } = {}): { output: Tensor<WithLast<S, Width<H, D>>>; h: Tensor; c: Tensor } {
    const { output, h, c } = this.sequence(x as Tensor, options);
    return { output: output as Tensor<WithLast<S, Width<H, D>>>, h, c };
  }
}

/** Sets the forget gate's quarter of a bias. */
function startForget(bias: Parameter, hidden: number, value: number): void {
  noGrad(() => {
    const values = bias.dataSync();
    values.fill(value, hidden, 2 * hidden);
    bias.write(values, "forgetBias");
  });
}
