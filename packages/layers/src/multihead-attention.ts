import { ArgumentError, ShapeError, attentionWithWeights, linear, packedSelfAttention, scaledDotProductAttention, scope, type AttentionOptions, type Tensor } from "@nn/tensor";
import { xavierUniform, zero } from "./init.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { param, type Parameter } from "./parameter.ts";

export interface MultiheadAttentionOptions {
  /** Probability with which a weight is dropped in training; default 0. */
  dropout?: number;
  /** Biases of all four projections; default true. */
  bias?: boolean;
  /** Features of keys and of values; default: those of queries. */
  kdim?: number;
  vdim?: number;
  /** Inputs are [batch, position, feature]; default false, as in PyTorch: [position, batch, feature]. */
  batchFirst?: boolean;
}

export interface AttendOptions {
  /** [B, S]. bool: true hides the key (PyTorch's way round); floats are added to the scores. */
  keyPaddingMask?: Tensor | null;
  /** [T, S] or [B·heads, T, S]. bool: true hides; floats are added. */
  attnMask?: Tensor | null;
  /** Position t sees the positions 0 … t only; needs no mask. */
  causal?: boolean;
  /** Return the weights too, which holds them in memory; default false. */
  needWeights?: boolean;
  /** Return the mean over heads; default true. */
  averageWeights?: boolean;
}

/**
 * Attention in several subspaces at once: `concat(head₁ … head_h)·Wᵒ`, `headᵢ = softmax(q·Wᵢq (k·Wᵢk)ᵀ/√d)·v·Wᵢv` (Vaswani 2017).
 * Parameters are named as in PyTorch, so its checkpoints load by name.
 */
export class MultiheadAttention extends Module {
  readonly embedDim: number;
  readonly numHeads: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  // PyTorch's spelling: these names are the keys of its state dicts.
  /** The three projections as one product, [3·embedDim, embedDim]; null where keys or values have sizes of their own. */
  readonly in_proj_weight: Parameter | null = null;
  readonly q_proj_weight: Parameter | null = null;
  readonly k_proj_weight: Parameter | null = null;
  readonly v_proj_weight: Parameter | null = null;
  readonly in_proj_bias: Parameter | null;
  readonly out_proj: Linear;

  /** @throws ArgumentError if the heads do not divide `embedDim` */
  constructor(embedDim: number, numHeads: number, { dropout = 0, bias = true, kdim = embedDim, vdim = embedDim, batchFirst = false }: MultiheadAttentionOptions = {}) {
    super();
    if (!Number.isInteger(numHeads) || numHeads < 1 || embedDim % numHeads !== 0) throw new ArgumentError("MultiheadAttention", `${embedDim} features do not divide into ${numHeads} heads`);
    if (!(dropout >= 0 && dropout < 1)) throw new ArgumentError("MultiheadAttention", `dropout ${dropout} is not in [0, 1)`);
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.dropout = dropout;
    this.batchFirst = batchFirst;
    const init = xavierUniform();
    if (kdim === embedDim && vdim === embedDim) this.in_proj_weight = param(init([3 * embedDim, embedDim]));
    else {
      this.q_proj_weight = param(init([embedDim, embedDim]));
      this.k_proj_weight = param(init([embedDim, kdim]));
      this.v_proj_weight = param(init([embedDim, vdim]));
    }
    this.in_proj_bias = bias ? param(zero([3 * embedDim])) : null;
    this.out_proj = new Linear(embedDim, embedDim, { bias, initBias: zero });
  }

  /**
   * query [B, T, E], key [B, S, kdim], value [B, S, vdim] (batchFirst), [T, B, E] …, or without a batch [T, E] … → the result, like query,
   * and the weights [B, T, S] ([B, heads, T, S] if not averaged), null unless `needWeights`. A query that sees no key gives the bias of `out_proj`.
   *
   * @throws ShapeError
   */
  forward(query: Tensor, key: Tensor = query, value: Tensor = key, options: AttendOptions = {}): [Tensor, Tensor | null] {
    return scope(() => this.#attend(query, key, value, options), "MultiheadAttention"); // masks on the way hang on no tape
  }

  #attend(query: Tensor, key: Tensor, value: Tensor, options: AttendOptions): [Tensor, Tensor | null] {
    if (query.rank === 2) return this.#unbatched(query, key, value, options);
    if ([query, key, value].some((x) => x.rank !== 3)) throw new ShapeError("MultiheadAttention", `query, key and value must have 3 dimensions each (or 2 without a batch), got ${[query, key, value].map((x) => `[${x.shape.join(",")}]`).join(", ")}`);
    const b = query.shape[this.batchFirst ? 0 : 1]!;
    const attend: AttentionOptions = { mask: this.#mask(b, options), causal: options.causal ?? false, dropout: this.training ? this.dropout : 0 };
    const { needWeights = false, averageWeights = true } = options;
    if (query === key && key === value && this.in_proj_weight && !needWeights) {
      const all = linear(query, this.in_proj_weight, { bias: this.in_proj_bias });
      const y = packedSelfAttention(this.#inBatches(this.#split(all, 3)), attend); // [B,T,3,H,D] → [B,T,H,D]
      return [this.#project(y), null];
    }
    const [q, k, v] = this.#projections(query, key, value).map((x) => this.#inBatches(this.#split(x, 1)).squeeze(2).transpose(1, 2)) as [Tensor, Tensor, Tensor]; // [B,H,N,D]
    if (!needWeights) return [this.#project(scaledDotProductAttention(q, k, v, attend).transpose(1, 2)), null];
    const { y, weights } = attentionWithWeights(q, k, v, attend);
    return [this.#project(y.transpose(1, 2)), averageWeights ? weights.mean(1) : weights];
  }

  #unbatched(query: Tensor, key: Tensor, value: Tensor, options: AttendOptions): [Tensor, Tensor | null] {
    const at = this.batchFirst ? 0 : 1;
    const q = query.unsqueeze(at);
    const k = key === query ? q : key.unsqueeze(at);
    const v = value === key ? k : value.unsqueeze(at);
    const [y, weights] = this.#attend(q, k, v, { ...options, keyPaddingMask: options.keyPaddingMask?.unsqueeze(0) ?? null });
    return [y.squeeze(at), weights && weights.squeeze(0)];
  }

  /** [.., .., n·E] → [.., .., n, heads, E/heads] */
  #split(x: Tensor, n: number): Tensor {
    return x.reshape([x.shape[0]!, x.shape[1]!, n, this.numHeads, this.embedDim / this.numHeads]);
  }
  /** Puts the batch first; a view, which the kernels read as it lies. */
  #inBatches(x: Tensor): Tensor {
    return this.batchFirst ? x : x.transpose(0, 1);
  }
  /** [B, T, heads, E/heads] → like the query */
  #project(y: Tensor): Tensor {
    const x = this.#inBatches(y);
    return this.out_proj.call(x.reshape([x.shape[0]!, x.shape[1]!, this.embedDim]));
  }

  #projections(...inputs: [Tensor, Tensor, Tensor]): Tensor[] {
    const e = this.embedDim;
    const own = [this.q_proj_weight, this.k_proj_weight, this.v_proj_weight];
    return inputs.map((x, i) => {
      const weight = this.in_proj_weight ? this.in_proj_weight.slice(0, i * e, (i + 1) * e) : own[i]!;
      return linear(x, weight, { bias: this.in_proj_bias ? this.in_proj_bias.slice(0, i * e, (i + 1) * e) : null });
    });
  }

  /** Both masks as numbers to add, broadcasting to [B, heads, T, S]. */
  #mask(b: number, { keyPaddingMask, attnMask }: AttendOptions): Tensor | null {
    const added = (m: Tensor): Tensor => (m.dtype === "bool" ? m.where(-Infinity, 0) : m);
    const padding = keyPaddingMask ? added(keyPaddingMask).unsqueeze(1).unsqueeze(1) : null; // [B,1,1,S]
    let mask = attnMask ? added(attnMask) : null;
    if (mask?.rank === 3) mask = mask.reshape([b, this.numHeads, ...mask.shape.slice(1)]);
    return padding && mask ? padding.add(mask) : (padding ?? mask);
  }

  override describe(): string {
    return `${this.embedDim}, ${this.numHeads}${this.dropout > 0 ? `, dropout=${this.dropout}` : ""}${this.batchFirst ? ", batchFirst=true" : ""}`;
  }
}
