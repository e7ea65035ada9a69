import { gradcheck, gradgradcheck } from "@nn/autograd";
import {
  ELU, GELU, Hardtanh, LeakyReLU, LogSoftmax, MLP, Maxout, PReLU, RReLU, ReLU, SELU, Sigmoid, Softmax, Softplus, Tanh, activation, activationNames, crossEntropy, init, mseLoss, sequential, type ActivationName,
} from "@nn/layers";
import { manualSeed, maxout, noGrad, randn, tensor, trace, type Tensor } from "@nn/tensor";
import { beforeEach, describe, expect, it, test } from "vitest";

beforeEach(() => manualSeed(1));

const f64 = (values: Parameters<typeof tensor>[0]): Tensor => tensor(values as number[], { dtype: "f64" }) as Tensor;
const rounded = (t: Tensor, decimals: number): number[] => Array.from(t.dataSync(), (v) => Number(v.toFixed(decimals)) + 0);
const slope = (f: (x: Tensor) => Tensor, x: Tensor): Tensor => {
  const leaf = x.detach().requireGrad();
  f(leaf).sum().backward();
  return leaf.grad!;
};

describe("worked numbers at −2, −0.5, 0, 0.5, 2", () => {
  const x = f64([-2, -0.5, 0, 0.5, 2]);
  test.each([
    ["sigmoid", [0.119203, 0.377541, 0.5, 0.622459, 0.880797]],
    ["tanh", [-0.964028, -0.462117, 0, 0.462117, 0.964028]],
    ["elu", [-0.864665, -0.393469, 0, 0.5, 2]],
    ["prelu", [-0.5, -0.125, 0, 0.5, 2]],
    ["relu", [0, 0, 0, 0.5, 2]],
    ["step", [0, 0, 0, 1, 1]],
    ["identity", [-2, -0.5, 0, 0.5, 2]],
  ] as const)("%s", (name, expected) => {
    expect(rounded(noGrad(() => activation(name).call(x)), 6)).toEqual(expected);
  });
  it("ELU's slope: .135335 .606531 1 1 1", () => {
    expect(rounded(slope((v) => v.elu(), x), 6)).toEqual([0.135335, 0.606531, 1, 1, 1]);
  });
  it("softmax(1, 2, 3) = softmax(1000, 1001, 1002)", () => {
    for (const shift of [0, 999]) expect(rounded(new Softmax().call(f64([1, 2, 3]).add(shift)), 10)).toEqual([0.0900305732, 0.2447284711, 0.6652409558]);
    expect(new LogSoftmax().call(f64([1, 2, 3])).dataSync()[2]).toBeCloseTo(-0.4076059644, 10);
  });
});

/** Names by how often they can be differentiated: piecewise linear ones have no second derivative to check but zero. */
const smooth: ActivationName[] = ["sigmoid", "tanh", "elu", "selu", "gelu", "silu", "mish", "softplus", "softsign", "softmax", "logSoftmax", "hardswish", "leakyRelu", "prelu", "relu", "relu6", "hardsigmoid", "hardtanh", "identity", "rrelu"];

describe.each(activationNames)("%s", (name) => {
  const module = activation(name).eval();
  const differentiable = name !== "step";

  it("has a first and a second derivative that differences agree with", () => {
    // ± 0.3 … ± 2.5 without 1, 3 and 6: away from every kink.
    const x = f64([[-2.5, -1.7, -0.6, -0.3], [0.3, 0.7, 1.6, 2.5]]);
    if (!differentiable) return expect(() => activation(name).call(x.detach().requireGrad())).toThrow(/no gradient gets through/);
    expect(smooth).toContain(name);
    gradcheck((v) => module.call(v), [x]);
    gradgradcheck((v) => module.call(v), [x]);
  });

  it("is finite at ±10⁴ and 0, its gradients too", () => {
    for (const dtype of ["f32", "f64"] as const) {
      const x = tensor([1e4, -1e4, 0, 88, -88, 30, -30], { dtype }) as Tensor;
      const y = noGrad(() => module.call(x));
      expect([...y.dataSync()].every(Number.isFinite)).toBe(true);
      if (!differentiable) continue;
      const leaf = x.detach().requireGrad();
      module.call(leaf).square().sum().mul(1e-4).backward({ createGraph: true });
      const first = leaf.grad!;
      expect([...first.dataSync()].every(Number.isFinite)).toBe(true);
      leaf.grad = null;
      if (!first.requiresGrad) continue;
      first.sum().backward();
      expect([...(leaf.grad as Tensor | null)?.dataSync() ?? []].every(Number.isFinite)).toBe(true);
    }
  });

  it("keeps shapes, in training as well", () => {
    const x = randn([2, 3, 4]);
    expect(noGrad(() => activation(name).call(x)).shape).toEqual([2, 3, 4]);
    expect(noGrad(() => activation(name).call(randn([0, 3]))).shape).toEqual([0, 3]);
  });
});

describe("by name", () => {
  it("takes the options of its module", () => {
    const x = f64([-2, 5]);
    expect(rounded(activation("elu", { alpha: 0.5 }).call(x), 6)).toEqual([-0.432332, 5]);
    expect(activation("leakyRelu", { negativeSlope: 0.2 }).call(x).toArray()).toEqual([-0.4, 5]);
    expect(activation("hardtanh", { maxVal: 3 }).call(x).toArray()).toEqual([-1, 3]);
    expect([activation("relu"), activation("elu"), activation("gelu", { approximate: "tanh" }), activation("softplus", { beta: 2 }), activation("rrelu"), activation("rrelu", { reciprocal: true }), activation("prelu", { channels: 4 }), activation("softmax")].map(String)).toEqual([
      "ReLU()", "ELU(alpha=1)", "GELU(approximate=tanh)", "Softplus(beta=2)", "RReLU(lower=0.125, upper=0.3333)", "RReLU(lower=3, upper=8, reciprocal=true)", "PReLU(numParameters=4)", "Softmax(dim=-1)",
    ]);
  });
  it("names the nearest for a typing error", () => {
    expect(() => activation("leakyReLU" as "leakyRelu")).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: activation: there is none called "leakyReLU"
        hint: did you mean "leakyRelu"?]
    `);
    expect(() => activation("toString" as "relu")).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: activation: there is none called "toString"
        hint: one of identity, step, sigmoid, tanh, relu, leakyRelu, prelu, rrelu, elu, selu, gelu, silu, mish, softplus, softsign, hardtanh, hardsigmoid, hardswish, relu6, softmax, logSoftmax]
    `);
  });
  it("softplus with another β, GELU by tanh, hardtanh with other limits: values", () => {
    const x = f64([-3, 0.5, 60]);
    const [a, b, c] = new Softplus({ beta: 2 }).call(x).dataSync() as Float64Array;
    [a, b, c].forEach((v, i) => expect(v).toBeCloseTo(Math.log1p(Math.exp(2 * [-3, 0.5, 60][i]!)) / 2, 12));
    expect(new GELU({ approximate: "tanh" }).call(f64([1])).item()).toBeCloseTo(0.5 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * 1.044715)), 12);
    expect(new Hardtanh({ minVal: 0, maxVal: 1 }).call(x).toArray()).toEqual([0, 0.5, 1]);
  });
});

describe("PReLU", () => {
  it("starts at .25 and learns ∂a = Σ dy·min(0, x), shared or per channel", () => {
    const x = f64([[-2, 3], [-1, -4]]);
    const shared = new PReLU();
    expect(shared.weight.toArray()).toEqual([0.25]);
    shared.call(x).sum().backward();
    expect(shared.weight.grad!.toArray()).toEqual([-7]);
    const each = new PReLU(2, { initial: 0.5 });
    each.call(x).sum().backward();
    expect(each.weight.grad!.toArray()).toEqual([-3, -4]);
    expect([...each.stateDict().keys()]).toEqual(["weight"]);
    gradcheck((v, a) => v!.prelu(a!), [randn([3, 4, 2], { dtype: "f64", seed: 1 }) as Tensor, f64([0.25, -0.5, 0.1, 1])]);
    gradgradcheck((v, a) => v!.prelu(a!), [randn([3, 4, 2], { dtype: "f64", seed: 1 }) as Tensor, f64([0.25, -0.5, 0.1, 1])]);
  });
  it("refuses slopes that fit no channel", () => {
    expect(() => new PReLU(3).call(randn([2, 4]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: prelu: slope must be [1] or [4], one number for all or one per channel of f32[2,4], got f32[3]]`);
    expect(() => tensor([1], { dtype: "i32" }).prelu(tensor([0.5]))).toThrowErrorMatchingInlineSnapshot(`
      [DTypeError: prelu: is not defined for i32[1]
        hint: x.cast("f32")]
    `);
  });
});

describe("RReLU", () => {
  const x = tensor(new Float32Array(10_000).fill(-1));
  const range = (t: Tensor): [number, number, number] => [t.min().item(), t.max().item(), t.mean().item()];

  it("PyTorch's: a·x with a from U(1/8, 1/3), its mean .2291667 in evaluation", () => {
    const [low, high, mean] = range(new RReLU().call(x));
    expect(low).toBeGreaterThanOrEqual(-1 / 3);
    expect(low).toBeLessThan(-0.333);
    expect(high).toBeLessThanOrEqual(-1 / 8);
    expect(high).toBeGreaterThan(-0.1255);
    expect(mean).toBeCloseTo(-0.2291667, 2);
    expect(new RReLU().eval().call(f64([-1, 2])).toArray()).toEqual([-(1 / 8 + 1 / 3) / 2, 2]);
  });
  it("the paper's: x/a with a from U(3, 8), x/5.5 = .181818x in evaluation", () => {
    const [low, high, mean] = range(new RReLU({ reciprocal: true }).call(x));
    expect(low).toBeGreaterThanOrEqual(-1 / 3);
    expect(low).toBeLessThan(-0.332);
    expect(high).toBeLessThanOrEqual(-1 / 8);
    expect(mean).toBeCloseTo(-Math.log(8 / 3) / 5, 2); // E[1/a]: not 1/E[a]
    expect(rounded(new RReLU({ reciprocal: true }).eval().call(f64([-1, 2])), 6)).toEqual([-0.181818, 2]);
  });
  it("draws anew in each call, leaves x > 0 alone, and the slope drawn is the gradient", () => {
    const layer = new RReLU();
    expect([...layer.call(x).dataSync()]).not.toEqual([...layer.call(x).dataSync()]);
    const leaf = tensor([-1, -2, 3]).requireGrad();
    const y = layer.call(leaf);
    y.sum().backward();
    const [v, g] = [y.dataSync(), leaf.grad!.dataSync()];
    [-1, -2, 3].forEach((xi, i) => expect(g[i]! * xi).toBeCloseTo(v[i]!, 6));
    expect(g[2]).toBe(1);
    const frozen = (u: Tensor): Tensor => (manualSeed(7), layer.call(u));
    gradcheck(frozen, [f64([-1, -0.3, 0.4, 2])]);
  });
  it("refuses slopes in the wrong order", () => {
    expect(() => new RReLU({ lower: 0.5 })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: RReLU: slopes from 0.5 to 0.3333333333333333
        hint: lower ≤ upper]
    `);
    expect(() => new RReLU({ reciprocal: true, lower: 0 })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: RReLU: slopes from 0 to 8
        hint: 0 < lower ≤ upper]
    `);
  });
});

describe("Maxout", () => {
  it("is the largest of its pieces, unit by unit", () => {
    const layer = new Maxout(2, 2, 3);
    layer.loadStateDict(new Map<string, Tensor>([
      ["linear.weight", tensor([[1, 0], [0, 1], [-1, -1], [2, 0], [0, 2], [0, 0]])],
      ["linear.bias", tensor([0, 0, 0, 0, 0, 1])],
    ]));
    expect(layer.call(tensor([[3, 5], [-3, -5], [0, 0]])).toArray()).toEqual([[5, 10], [8, 1], [0, 1]]);
    expect(String(layer)).toContain("Maxout(pieces=3");
  });
  it("the first of equal pieces gets the whole gradient", () => {
    const z = tensor([[1, 3, 3], [2, 2, 2], [0, -1, 0]]).requireGrad();
    maxout(z).sum().backward();
    expect(z.grad!.toArray()).toEqual([[0, 1, 0], [1, 0, 0], [1, 0, 0]]);
  });
  it("has right gradients in all pieces, and learns |x|", () => {
    const weight = randn([6, 3], { dtype: "f64", seed: 1 });
    gradcheck((x, w) => maxout(x!.matmul(w!.t()).reshape([4, 2, 3])), [randn([4, 3], { dtype: "f64", seed: 2 }) as Tensor, weight as Tensor]);
    gradgradcheck((x, w) => maxout(x!.matmul(w!.t()).reshape([4, 2, 3])), [randn([4, 3], { dtype: "f64", seed: 2 }) as Tensor, weight as Tensor]);
    const layer = new Maxout(1, 1, 2, { initBias: init.zero });
    layer.linear.weight.write([0.5, -0.2]);
    const x = tensor([[-2], [-1], [1], [2]]);
    for (let k = 0; k < 300; k++) {
      layer.zeroGrad();
      mseLoss(layer.call(x), x.abs()).backward();
      for (const p of layer.parameters()) p.write(p.sub(p.grad!.mul(0.1)).dataSync());
    }
    expect(mseLoss(layer.call(x), x.abs()).item()).toBeLessThan(1e-3);
  });
  it("needs a piece", () => {
    expect(() => new Maxout(2, 2, 0)).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: Maxout: 0 pieces
        hint: a whole number of at least 1]
    `);
  });
});

describe("MLP", () => {
  it("784-300-10 with sigmoids: names, sizes, one fused pass per layer", () => {
    const net = new MLP([784, 300, 10], { activation: "sigmoid", output: "sigmoid" });
    expect([...net.stateDict().keys()]).toEqual(["layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias"]);
    expect(net.parameterCount()).toBe(785 * 300 + 301 * 10);
    const { result, kernels } = trace(() => noGrad(() => net.call(randn([2, 1, 28, 28]))));
    expect(result.shape).toEqual([2, 10]);
    expect(kernels.filter((k) => k.startsWith("map"))).toEqual([]);
    const [w0, b0, w1, b1] = net.parameters() as Tensor[];
    const x = randn([3, 784]);
    const byHand = noGrad(() => x.matmul(w0!.t()).add(b0!).sigmoid().matmul(w1!.t()).add(b1!).sigmoid()).dataSync();
    noGrad(() => net.call(x)).dataSync().forEach((v, i) => expect(v).toBeCloseTo(byHand[i]!, 5));
  });
  it("256-128-100 with ReLU and dropout ends in logits and learns", () => {
    const net = new MLP([4, 256, 128, 100, 3], { dropout: 0.1, init: init.kaimingNormal() });
    expect(String(net)).toContain("Dropout(p=0.1)");
    const x = randn([6, 4]), t = tensor([0, 1, 2, 0, 1, 2], { dtype: "i32" });
    let loss = Infinity;
    for (let k = 0; k < 60; k++) {
      net.zeroGrad();
      const l = crossEntropy(net.call(x), t);
      l.backward();
      for (const p of net.parameters()) p.write(p.sub(p.grad!.mul(0.05)).dataSync());
      loss = l.item();
    }
    expect(loss).toBeLessThan(0.1);
    expect(() => new MLP([3])).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: MLP: sizes are [3]
        hint: inputs first, outputs last: [784, 300, 10]]
    `);
  });
});

it("the modules are the methods of tensors", () => {
  const x = randn([3, 5], { seed: 4 });
  const pairs: [Tensor, Tensor][] = [
    [new ReLU().call(x), x.relu()], [new Sigmoid().call(x), x.sigmoid()], [new Tanh().call(x), x.tanh()], [new SELU().call(x), x.selu()], [new ELU().call(x), x.elu()], [new LeakyReLU(0.1).call(x), x.leakyRelu({ negativeSlope: 0.1 })],
    [activation("mish").call(x), x.mish()], [activation("hardswish").call(x), x.hardswish()], [activation("hardsigmoid").call(x), x.hardsigmoid()], [activation("relu6").call(x), x.relu6()], [activation("softsign").call(x), x.softsign()], [activation("silu").call(x), x.silu()],
  ];
  for (const [a, b] of pairs) expect(a.toArray()).toEqual(b.toArray());
  expect(String(sequential(activation("mish"), activation("softsign"), activation("relu6")))).toContain("(0): Mish()");
});
