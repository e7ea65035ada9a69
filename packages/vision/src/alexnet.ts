import { AdaptiveAvgPool2d, Conv2d, Dropout, Linear, LocalResponseNorm, MaxPool2d, Module, ReLU, Sequential, init, type DropoutOptions } from "@nn/layers";
import { ArgumentError, type Tensor } from "@nn/tensor";

export type AlexNetVariant = "krizhevsky2012" | "one-tower" | "torchvision";

export interface AlexNetOptions {
  /**
   * - "krizhevsky2012" (default): the paper's network. Convolutions 2, 4 and 5 have two groups: each half sees the maps of its own GPU.
   * - "one-tower": the same on one GPU, without groups.
   * - "torchvision": Krizhevsky 2014 ("One weird trick for parallelizing convolutional neural networks") as torchvision has it, with its names:
   *   fewer filters, no response normalisation, dropout before the dense layers instead of behind them.
   */
  variant?: AlexNetVariant;
  /** Default 1000. */
  classes?: number;
  /** 224 (default) pads the image by 2, 227 does not: both give 55×55 maps, 224 alone would give 54×54. */
  size?: 224 | 227;
  /** Default 0.5, scaled in training. `{ scaleAt: "evaluation" }` is the paper's: outputs are halved in evaluation instead. */
  dropout?: DropoutOptions & { p?: number };
  /** Response normalisation. "paper" (default): α as printed; "torch": divided by n, as in PyTorch, Caffe and the authors' code. Torchvision's network has "none". */
  lrn?: "paper" | "torch" | "none";
  /** Bias of convolutions 2, 4, 5 and of the hidden dense layers, so that ReLU starts out positive. Default 1 as in the paper; Caffe's replica has 0.1. */
  bias?: number;
  /** Factor on the units of every hidden layer, for tests and small data. Default 1. */
  width?: number;
}

/** Maps of the five convolutions, groups of the second, fourth and fifth. */
const variants: Readonly<Record<AlexNetVariant, { maps: readonly number[]; groups: 1 | 2 }>> = {
  krizhevsky2012: { maps: [96, 256, 384, 384, 256], groups: 2 },
  "one-tower": { maps: [96, 256, 384, 384, 256], groups: 1 },
  torchvision: { maps: [64, 192, 384, 256, 256], groups: 1 },
};

/**
 * AlexNet (Krizhevsky, Sutskever, Hinton 2012, "ImageNet Classification with Deep Convolutional Neural Networks"): five convolutions with
 * overlapping 3/2 max pooling, three dense layers, ReLU throughout.
 */
export class AlexNet extends Module {
  readonly features: Sequential;
  /** Torchvision's: its dense layers take images of other sizes. The same pixels where the maps are 6×6. */
  readonly avgpool: AdaptiveAvgPool2d | null = null;
  readonly classifier: Sequential;

  constructor({ variant = "krizhevsky2012", classes = 1000, size = 224, dropout: { p = 0.5, ...convention } = {}, lrn = "paper", bias = 1, width = 1 }: AlexNetOptions = {}) {
    super();
    if (!Object.hasOwn(variants, variant)) throw new ArgumentError("alexnet", `there is no variant ${JSON.stringify(variant)}`, { hint: `one of ${Object.keys(variants).join(", ")}` });
    if (size !== 224 && size !== 227) throw new ArgumentError("alexnet", `size is ${String(size)}`, { hint: "224 (padded by 2) or 227" });
    const { maps, groups } = variants[variant];
    const torchvision = variant === "torchvision";
    const [c1, c2, c3, c4, c5] = maps.map((n) => scaled(n, width)) as [number, number, number, number, number];
    const hidden = scaled(4096, width);

    // N(0, 0.01²) everywhere, and biases of 0 or `bias`; torchvision leaves PyTorch's defaults.
    const start = (value: number): { init?: init.Initializer; initBias?: init.Initializer } => (torchvision ? {} : { init: init.normal(0.01), initBias: init.constant(value) });
    const norm = (): Module[] => (torchvision || lrn === "none" ? [] : [new LocalResponseNorm(5, { k: 2, alpha: 1e-4, beta: 0.75, form: lrn })]);
    const pool = (): MaxPool2d => new MaxPool2d(3, { stride: 2 });
    const drop = (): Dropout => new Dropout(p, convention);

    this.features = new Sequential(
      new Conv2d(3, c1, 11, { stride: 4, padding: size === 224 ? 2 : 0, ...start(0) }), new ReLU(), ...norm(), pool(), //  55² → 27²
      new Conv2d(c1, c2, 5, { padding: 2, groups, ...start(bias) }), new ReLU(), ...norm(), pool(), //                      27² → 13²
      new Conv2d(c2, c3, 3, { padding: 1, ...start(0) }), new ReLU(),
      new Conv2d(c3, c4, 3, { padding: 1, groups, ...start(bias) }), new ReLU(),
      new Conv2d(c4, c5, 3, { padding: 1, groups, ...start(bias) }), new ReLU(), pool(), //                                 13² → 6²
    ); // prettier-ignore
    const [fc6, fc7, fc8] = [new Linear(c5 * 6 * 6, hidden, start(bias)), new Linear(hidden, hidden, start(bias)), new Linear(hidden, classes, start(0))];
    if (torchvision) this.avgpool = new AdaptiveAvgPool2d(6);
    this.classifier = torchvision
      ? new Sequential(drop(), fc6, new ReLU(), drop(), fc7, new ReLU(), fc8)
      : new Sequential(fc6, new ReLU(), drop(), fc7, new ReLU(), drop(), fc8);
  }

  /** [N, 3, size, size] → logits [N, classes]; torchvision's variant takes any images from 63×63. */
  forward(x: Tensor): Tensor {
    const maps = this.features.call(x);
    return this.classifier.call((this.avgpool?.call(maps) ?? maps).flatten(1));
  }
}

/** `alexnet({ variant: "torchvision" })`: an AlexNet with 60,965,224 ("krizhevsky2012"), 62,378,344 ("one-tower") or 61,100,840 parameters. */
export const alexnet = (options: AlexNetOptions = {}): AlexNet => new AlexNet(options);

/** An even number of units, for two groups. */
const scaled = (units: number, width: number): number => Math.max(2, 2 * Math.round((units * width) / 2));
