import { tensor, type Tensor } from "@nn/tensor";
import { Dropout } from "./dropout.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { MultiheadAttention, type AttendOptions } from "./multihead-attention.ts";
import { LayerNorm } from "./norm.ts";

export interface TransformerEncoderLayerOptions {
  /** Features between the two linear layers; default 2048. */
  dimFeedforward?: number;
  /** Of attention weights and of the results of both parts; default 0.1. */
  dropout?: number;
  activation?: "relu" | "gelu";
  layerNormEps?: number;
  /** Inputs are [batch, position, feature]; default false, as in PyTorch: [position, batch, feature]. */
  batchFirst?: boolean;
  /** Normalise the input of each part (Xiong 2020) instead of its result; default false. */
  normFirst?: boolean;
  bias?: boolean;
}

/** Which positions see which; as in MultiheadAttention. */
export type EncoderMasks = Pick<AttendOptions, "attnMask" | "keyPaddingMask" | "causal">;

/** Self-attention, then two linear layers at each position, each added to its input and normalised (Vaswani 2017). Parameters are named as in PyTorch. */
export class TransformerEncoderLayer extends Module {
  // PyTorch's spelling: this name is part of the keys of its state dicts.
  readonly self_attn: MultiheadAttention;
  readonly linear1: Linear;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout: Dropout;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly activation: "relu" | "gelu";
  readonly normFirst: boolean;

  constructor(dModel: number, nHead: number, { dimFeedforward = 2048, dropout = 0.1, activation = "relu", layerNormEps = 1e-5, batchFirst = false, normFirst = false, bias = true }: TransformerEncoderLayerOptions = {}) {
    super();
    this.self_attn = new MultiheadAttention(dModel, nHead, { dropout, batchFirst, bias });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias });
    this.linear2 = new Linear(dimFeedforward, dModel, { bias });
    this.norm1 = new LayerNorm(dModel, { eps: layerNormEps, bias });
    this.norm2 = new LayerNorm(dModel, { eps: layerNormEps, bias });
    this.dropout = new Dropout(dropout);
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.activation = activation;
    this.normFirst = normFirst;
  }

  /** [B, T, dModel] (batchFirst), [T, B, dModel], or without a batch [T, dModel] → the same */
  forward(x: Tensor, masks: EncoderMasks = {}): Tensor {
    if (this.normFirst) {
      const y = x.add(this.#attend(this.norm1.call(x), masks));
      return y.add(this.#feedForward(this.norm2.call(y)));
    }
    const y = this.norm1.call(x.add(this.#attend(x, masks)));
    return this.norm2.call(y.add(this.#feedForward(y)));
  }

  #attend(x: Tensor, masks: EncoderMasks): Tensor {
    return this.dropout1.call(this.self_attn.call(x, x, x, masks)[0]);
  }

  #feedForward(x: Tensor): Tensor {
    const hidden: Tensor = this.activation === "relu" ? this.linear1.forwardActivated(x, "relu") : this.linear1.call(x).gelu();
    return this.dropout2.call(this.linear2.call(this.dropout.call(hidden)));
  }

  override describe(): string {
    return `activation=${this.activation}${this.normFirst ? ", normFirst=true" : ""}`;
  }
}

/** `numLayers` layers one after the other, and `norm` at the end (needed after layers with `normFirst`). */
export class TransformerEncoder extends Module {
  readonly layers: readonly TransformerEncoderLayer[];
  readonly norm: LayerNorm | null;

  /** @param makeLayer called once per layer, so that each starts from values of its own (PyTorch copies one layer). */
  constructor(makeLayer: (index: number) => TransformerEncoderLayer, numLayers: number, { norm = null }: { norm?: LayerNorm | null } = {}) {
    super();
    this.layers = Array.from({ length: numLayers }, (_, i) => makeLayer(i));
    this.norm = norm;
  }

  /** As its layers: the result has the shape of x. */
  forward(x: Tensor, masks: EncoderMasks = {}): Tensor {
    const y = this.layers.reduce((h, layer) => layer.call(h, masks), x);
    return this.norm ? this.norm.call(y) : y;
  }
}

/** Positions as constants to add to embeddings: `p[t, 2i] = sin(t/10000^(2i/d))`, `p[t, 2i+1] = cos(…)` (Vaswani 2017). [length, d] */
export function sinusoidalPositions(length: number, d: number): Tensor {
  const angle = (t: number, j: number): number => t / 10000 ** ((2 * Math.floor(j / 2)) / d);
  const values = Float32Array.from({ length: length * d }, (_, i) => {
    const [t, j] = [Math.floor(i / d), i % d];
    return j % 2 === 0 ? Math.sin(angle(t, j)) : Math.cos(angle(t, j));
  });
  return tensor(values, { shape: [length, d] });
}
