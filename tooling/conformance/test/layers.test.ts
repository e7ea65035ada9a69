/**
 * Every layer that `@nn/layers` and its subpaths export, in f64: first and second derivatives by all its inputs and parameters agree with differences.
 * Those of losses are in packages/layers/test/loss.test.ts, those of single ops in gradientRules().
 */
import { gradcheck, gradgradcheck } from "@nn/autograd";
import * as layers from "@nn/layers";
import { Module, type Parameter } from "@nn/layers";
import * as pool from "@nn/layers/pool";
import * as sequence from "@nn/layers/sequence";
import { Tensor, manualSeed, randn, tensor } from "@nn/tensor";
import { describe, expect, test } from "vitest";

type Named = Record<string, unknown>;
interface Case {
  readonly make: () => Module;
  /** Shapes of the inputs that move; default one of [3, 4]. */
  readonly inputs?: readonly (readonly number[])[];
  /** How the module is called, where not with the inputs alone. */
  readonly call?: (m: never, ...xs: Tensor[]) => unknown;
}

const tokens = tensor([[0, 2, 1], [2, 2, 3]], { dtype: "i32" }) as Tensor;
const lengths = [3, 1];
const states = [[3, 2, 3], [4, 2, 5], [4, 2, 5]]; // x, h0, c0 of two layers in two directions
const images = [[2, 4, 5, 5]];
const signals = [[2, 4, 6]];
const stacked = { numLayers: 2, bidirectional: true } as const;
type Recurrent = { call(x: Tensor, options: object): { output: Tensor; h: Tensor } };
const packed = (m: Recurrent, x: Tensor, h0: Tensor, c0: Tensor): unknown => m.call(x, { lengths, h0, c0 });
const hidden = tensor([[false, false, true], [false, false, false]]) as Tensor;

/** Constructors by name; inputs are drawn, so ReLU and pooling meet no kink. */
const cases: Record<string, Case> = {
  ...Object.fromEntries(
    ["Identity", "ReLU", "Sigmoid", "Tanh", "SiLU", "Mish", "Softsign", "Hardsigmoid", "Hardswish", "Softplus", "Hardtanh", "ReLU6", "LeakyReLU", "PReLU", "ELU", "SELU", "Softmax", "LogSoftmax", "GELU", "RReLU", "Dropout", "Flatten"].map(
      (name): [string, Case] => [name, { make: () => new (layers as unknown as Record<string, new () => Module>)[name]!() }],
    ),
  ),
  "GELU by tanh": { make: () => new layers.GELU({ approximate: "tanh" }) },
  "PReLU per channel": { make: () => new layers.PReLU(4) },
  "RReLU of the paper": { make: () => new layers.RReLU({ reciprocal: true }) },
  "Softplus, β = 3": { make: () => new layers.Softplus({ beta: 3 }) },
  Maxout: { make: () => new layers.Maxout(4, 2, 3) },
  Linear: { make: () => new layers.Linear(4, 2) },
  Conv1d: { make: () => new layers.Conv1d(4, 2, 3, { padding: "same", dilation: 2 }), inputs: signals },
  Conv2d: { make: () => new layers.Conv2d(4, 6, 3, { groups: 2, stride: 2, padding: 1 }), inputs: images },
  ConvTranspose1d: { make: () => new sequence.ConvTranspose1d(4, 2, 3, { stride: 2, outputPadding: 1 }), inputs: signals },
  ConvTranspose2d: { make: () => new layers.ConvTranspose2d(4, 6, 3, { groups: 2, stride: 2, padding: 1 }), inputs: images },
  MaxPool1d: { make: () => new pool.MaxPool1d(3, { stride: 2 }), inputs: signals },
  AvgPool1d: { make: () => new pool.AvgPool1d(3, { padding: 1 }), inputs: signals },
  AdaptiveAvgPool1d: { make: () => new pool.AdaptiveAvgPool1d(4), inputs: signals },
  AdaptiveMaxPool1d: { make: () => new pool.AdaptiveMaxPool1d(4), inputs: signals },
  AdaptiveMaxPool2d: { make: () => new pool.AdaptiveMaxPool2d(3), inputs: images },
  GlobalAvgPool: { make: () => new pool.GlobalAvgPool({ dim: 1 }), inputs: [[2, 3, 4]], call: (m: pool.GlobalAvgPool, x) => m.call(x!, { lengths }) },
  GlobalMaxPool: { make: () => new pool.GlobalMaxPool({ dim: 1 }), inputs: [[2, 3, 4]], call: (m: pool.GlobalMaxPool, x) => m.call(x!, { lengths }) },
  MaxPool2d: { make: () => new layers.MaxPool2d(3, { stride: 2 }), inputs: images },
  AvgPool2d: { make: () => new layers.AvgPool2d(3, { padding: 1 }), inputs: images },
  AdaptiveAvgPool2d: { make: () => new layers.AdaptiveAvgPool2d(2), inputs: images },
  Dropout2d: { make: () => new layers.Dropout2d(), inputs: images },
  LocalResponseNorm: { make: () => new layers.LocalResponseNorm(3, { alpha: 0.5 }), inputs: images },
  LayerNorm: { make: () => new layers.LayerNorm(4) },
  RMSNorm: { make: () => new layers.RMSNorm(4) },
  BatchNorm1d: { make: () => new layers.BatchNorm1d(4) },
  BatchNorm2d: { make: () => new layers.BatchNorm2d(4), inputs: images },
  "BatchNorm2d in evaluation": { make: () => new layers.BatchNorm2d(4).eval(), inputs: images },
  GroupNorm: { make: () => new layers.GroupNorm(2, 4), inputs: images },
  InstanceNorm: { make: () => new layers.InstanceNorm(4, { affine: true }), inputs: images },
  Embedding: { make: () => new layers.Embedding(5, 3), inputs: [], call: (m: layers.Embedding) => m.call(tokens) },
  EmbeddingBag: { make: () => new layers.EmbeddingBag(5, 3), inputs: [], call: (m: layers.EmbeddingBag) => m.call(tokens) },
  RNN: { make: () => new layers.RNN(3, 5, stacked), inputs: states.slice(0, 2), call: packed as Case["call"] },
  GRU: { make: () => new layers.GRU(3, 5, stacked), inputs: states.slice(0, 2), call: packed as Case["call"] },
  "GRU of Cho": { make: () => new layers.GRU(3, 5, { ...stacked, form: sequence.cho }), inputs: states.slice(0, 2), call: packed as Case["call"] },
  "GRU of Bahdanau": { make: () => new layers.GRU(3, 5, { ...stacked, form: sequence.bahdanau }), inputs: states.slice(0, 2), call: packed as Case["call"] },
  LSTM: { make: () => new layers.LSTM(3, 5, stacked), inputs: states, call: packed as Case["call"] },
  MultiheadAttention: {
    make: () => new layers.MultiheadAttention(4, 2, { batchFirst: true }),
    inputs: [[2, 2, 4], [2, 3, 4], [2, 3, 4]],
    call: (m: layers.MultiheadAttention, q, k, v) => m.call(q!, k!, v!, { keyPaddingMask: hidden })[0],
  },
  TransformerEncoderLayer: { make: () => encoderLayer(), inputs: [[2, 3, 4]], call: (m: layers.TransformerEncoderLayer, x) => m.call(x!, { keyPaddingMask: hidden }) },
  TransformerEncoder: { make: () => new layers.TransformerEncoder(encoderLayer, 2, { norm: new layers.LayerNorm(4) }), inputs: [[2, 3, 4]] },
  Sequential: { make: () => new layers.Sequential(new layers.Linear(4, 3), new layers.Tanh(), new layers.Linear(3, 2)) },
  "a block of AlexNet": {
    make: () => new layers.Sequential(new layers.Conv2d(4, 6, 3, { groups: 2 }), new layers.ReLU(), new layers.LocalResponseNorm(5, { alpha: 0.5, form: "paper" }), new layers.MaxPool2d(3, { stride: 2 }), new layers.Dropout()),
    inputs: [[2, 4, 9, 9]],
  },
  MLP: { make: () => new layers.MLP([4, 3, 2], { activation: "sigmoid" }) },
};
function encoderLayer(): layers.TransformerEncoderLayer {
  return new layers.TransformerEncoderLayer(4, 2, { dimFeedforward: 5, dropout: 0, batchFirst: true, activation: "gelu" });
}

/** Puts `value` where the parameter `path` of `m` is. */
function replace(m: Module, path: string, value: Tensor): void {
  const names = path.split(".");
  const holder = names.slice(0, -1).reduce<Named>((at, name) => at[name] as Named, m as unknown as Named);
  Object.assign(holder, { [names.at(-1)!]: value });
}

/** A module's output as one tensor: recurrent layers have several. */
const joined = (y: unknown): Tensor => (y instanceof Tensor ? y : Object.values(y as Record<string, Tensor>).map((t) => t.flatten().sin().sum()).reduce((a, b) => a.add(b)));

/** Output of the module of `c` as a function of its inputs and parameters, and where those start. */
function functionOf({ make, inputs = [[3, 4]], call = (m: Module, ...xs) => (m.call as (...xs: Tensor[]) => unknown)(...xs) }: Case): [f: (...xs: Tensor[]) => Tensor, at: Tensor[]] {
  manualSeed(5);
  const module = make();
  const named = [...module.namedParameters()] as [string, Parameter][];
  if ("parameter" in module) Object.assign(module, { parameter: (name: string) => (module as unknown as Named)[name] }); // not only where it is a Parameter
  const at = [...inputs.map((shape, i) => randn([...shape], { dtype: "f64", seed: 10 + i }) as Tensor), ...named.map(([, p], i) => p.cast("f64").add(randn(p.shape, { dtype: "f64", seed: 50 + i }).mul(0.1)).detach() as Tensor)];
  const f = (...xs: Tensor[]): Tensor => {
    manualSeed(9); // the same dropout and slopes in every call
    named.forEach(([name], i) => replace(module, name, xs[inputs.length + i]!));
    return joined((call as (m: Module, ...xs: Tensor[]) => unknown)(module, ...xs.slice(0, inputs.length)));
  };
  return [f, at];
}

test("every layer is here", () => {
  const abstract = ["Module"];
  const exported = Object.entries({ ...layers, ...pool, ...sequence }).flatMap(([name, value]) => (typeof value === "function" && value.prototype instanceof Module && !abstract.includes(name) ? [name] : []));
  expect(exported.filter((name) => !(name in cases))).toEqual(["Step"]); // which has no gradient
});

describe.each(Object.entries(cases))("%s", (_, c) => {
  test("first derivatives", () => gradcheck(...functionOf(c)));
  test("second derivatives", () => gradgradcheck(...functionOf(c)));
});
