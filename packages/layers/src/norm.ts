import { layerNorm, ones, rmsNorm, zeros, type Shape, type Tensor } from "@nn/tensor";
import { Module } from "./module.ts";
import { param, type Parameter } from "./parameter.ts";

export interface LayerNormOptions {
  /** Added to the variance; default 1e-5. */
  eps?: number;
  /** A trained weight and bias per element; default true. */
  elementwiseAffine?: boolean;
  /** With `elementwiseAffine`, whether there is a bias; default true. */
  bias?: boolean;
}

/** `(x − mean)/√(var + eps)·weight + bias` over the last dimensions, whose sizes are `normalizedShape` (Ba 2016). */
export class LayerNorm extends Module {
  readonly normalizedShape: Shape;
  readonly eps: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(normalizedShape: number | Shape, { eps = 1e-5, elementwiseAffine = true, bias = true }: LayerNormOptions = {}) {
    super();
    this.normalizedShape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
    this.eps = eps;
    this.weight = elementwiseAffine ? param<Shape>(ones(this.normalizedShape)) : null;
    this.bias = elementwiseAffine && bias ? param<Shape>(zeros(this.normalizedShape)) : null;
  }
  /** [..., ...normalizedShape] → the same */
  forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return layerNorm(x as Tensor, this.normalizedShape, { weight: this.weight, bias: this.bias, eps: this.eps }) as Tensor<S>;
  }
  override describe(): string {
    return `[${this.normalizedShape.join(",")}], eps=${this.eps}${this.weight ? (this.bias ? "" : ", bias=false") : ", elementwiseAffine=false"}`;
  }
}

export interface RMSNormOptions {
  /** Added to the mean square; default: the smallest step above 1 of x's dtype. */
  eps?: number | null;
  /** A trained weight per element; default true. */
  elementwiseAffine?: boolean;
}

/** `x/√(mean(x²) + eps)·weight` over the last dimensions, whose sizes are `normalizedShape` (Zhang & Sennrich 2019). */
export class RMSNorm extends Module {
  readonly normalizedShape: Shape;
  readonly eps: number | null;
  readonly weight: Parameter | null;

  constructor(normalizedShape: number | Shape, { eps = null, elementwiseAffine = true }: RMSNormOptions = {}) {
    super();
    this.normalizedShape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
    this.eps = eps;
    this.weight = elementwiseAffine ? param<Shape>(ones(this.normalizedShape)) : null;
  }
  /** [..., ...normalizedShape] → the same */
  forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return rmsNorm(x as Tensor, this.normalizedShape, { weight: this.weight, eps: this.eps }) as Tensor<S>;
  }
  override describe(): string {
    return `[${this.normalizedShape.join(",")}]${this.eps === null ? "" : `, eps=${this.eps}`}${this.weight ? "" : ", elementwiseAffine=false"}`;
  }
}
