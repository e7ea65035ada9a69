import { gradcheck, gradgradcheck } from "@nn/autograd";
import { Conv2d, Dropout, Dropout2d, Linear, Parameter, maxNorm, mseLoss, param, removeWeightNorm, sequential, weightNorm } from "@nn/layers";
import { SGD } from "@nn/optim";
import { manualSeed, noGrad, ones, randn, tensor, type Tensor } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";

beforeEach(() => manualSeed(1));
const values = (t: Tensor): number[] => Array.from(t.dataSync());

describe("Dropout", () => {
  it("the paper's: nothing scaled in training, everything by 1 − p in evaluation", () => {
    const layer = new Dropout(0.25, { scaleAt: "evaluation" });
    const x: Tensor = ones([20_000]);
    const trained = layer.call(x);
    expect([...new Set(values(trained))].sort()).toEqual([0, 1]);
    expect(trained.mean().item()).toBeCloseTo(0.75, 1);
    expect(values(layer.eval().call(tensor([4, -8])))).toEqual([3, -6]);
    expect(String(layer)).toBe("Dropout(p=0.25, scaleAt=evaluation)");
  });
  it("both forms have the same expectation in training and evaluation", () => {
    for (const scaleAt of ["training", "evaluation"] as const) {
      const layer = new Dropout(0.4, { scaleAt });
      const x: Tensor = ones([50_000]);
      expect(Math.abs(layer.call(x).mean().item() - layer.eval().call(x).mean().item())).toBeLessThan(0.01);
    }
  });
  it("passes the gradient where it passed the value", () => {
    const x = (ones([1000]) as Tensor).mul(1).detach().requireGrad();
    const y = new Dropout(0.5).call(x);
    y.sum().backward();
    expect(values(x.grad!)).toEqual(values(y));
    const layer = new Dropout(0.5);
    gradcheck((v) => (manualSeed(4), layer.call(v)), [randn([4, 5], { dtype: "f64", seed: 1 }) as Tensor]);
  });
});

describe("Dropout2d", () => {
  it("drops whole maps", () => {
    const x: Tensor = ones([50, 40, 3, 2]);
    const maps = new Dropout2d(0.3).call(x).reshape([2000, 6]).toArray() as number[][];
    for (const map of maps) expect(new Set(map).size).toBe(1);
    const kept = maps.filter((m) => m[0] !== 0);
    expect(kept[0]![0]).toBeCloseTo(1 / 0.7, 6);
    expect(kept.length / 2000).toBeCloseTo(0.7, 1);
    expect(new Dropout2d(0.3).eval().call(x)).toBe(x);
    expect([...new Set(values(new Dropout2d(0.3, { scaleAt: "evaluation" }).call(x)))].sort()).toEqual([0, 1]);
  });
  it("is for maps", () => {
    expect(() => new Dropout2d().call(ones([2, 3]))).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: Dropout2d: needs [N, C, …] with at least three dimensions, got [2,3]
        hint: Dropout is for single features]
    `);
    expect(() => new Dropout2d(-1)).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: Dropout2d: probability -1 is not in [0, 1]]`);
  });
});

describe("weightNorm", () => {
  it("leaves the function as it is and names its parameters as PyTorch", () => {
    for (const layer of [new Linear(3, 4), new Conv2d(3, 4, 2)] as const) {
      const x: Tensor = layer instanceof Linear ? randn([5, 3]) : randn([2, 3, 4, 4]);
      const call = layer.call as (x: Tensor) => Tensor;
      const before = values(noGrad(() => call(x)));
      weightNorm(layer);
      expect([...layer.stateDict().keys()].sort()).toEqual(["bias", "weight_g", "weight_v"]);
      expect((layer as unknown as { weight_g: Tensor }).weight_g.shape).toEqual(layer instanceof Linear ? [4, 1] : [4, 1, 1, 1]);
      values(noGrad(() => call(x))).forEach((v, i) => expect(v).toBeCloseTo(before[i]!, 5));
      const kept = values(removeWeightNorm(layer).weight as Tensor);
      expect([...layer.stateDict().keys()].sort()).toEqual(["bias", "weight"]);
      expect(layer.weight).toBeInstanceOf(Parameter);
      expect(kept.length).toBe(layer.weight.size);
      values(noGrad(() => call(x))).forEach((v, i) => expect(v).toBeCloseTo(before[i]!, 5));
    }
  });

  it("trains length and direction apart: gradients of g and v, to second order", () => {
    const f64 = (seed: number, ...shape: number[]): Tensor => randn(shape, { dtype: "f64", seed }) as Tensor;
    for (const dim of [0, 1, null]) {
      const layer = weightNorm(new Linear(3, 4, { bias: false }), { dim }) as Linear;
      const through = (x: Tensor, g: Tensor, v: Tensor): Tensor => Object.assign(layer, { weight_g: g, weight_v: v }).call(x as Tensor<[2, 3]>);
      const inputs = [f64(1, 2, 3), f64(2, dim === 0 ? 4 : 1, dim === 1 ? 3 : 1), f64(3, 4, 3)];
      gradcheck((x, g, v) => through(x!, g!, v!), inputs);
      gradgradcheck((x, g, v) => through(x!, g!, v!), inputs);
    }

    const layer = weightNorm(new Linear(3, 1, { bias: false })) as unknown as Linear & { weight_g: Parameter; weight_v: Parameter };
    layer.weight_v.write([3, 0, 4]);
    layer.weight_g.write([10]);
    layer.call(tensor([[1, 2, 3]])).sum().backward();
    // w = 2·(3, 0, 4); ∂/∂g = x·v/‖v‖ = 3; ∂/∂v = g/‖v‖·(x − v·(x·v)/‖v‖²) = 2·((1, 2, 3) − 0.6·(3, 0, 4))
    values(layer.weight_g.grad!).forEach((v) => expect(v).toBeCloseTo(3, 5));
    [-1.6, 4, 1.2].forEach((e, i) => expect(values(layer.weight_v.grad!)[i]).toBeCloseTo(e, 5));
  });

  it("learns, with one length for all when dim is null", () => {
    const layer = weightNorm(new Linear(2, 3), { dim: null });
    expect((layer as unknown as { weight_g: Tensor }).weight_g.size).toBe(1);
    const net = sequential(layer);
    const [x, t] = [randn([16, 2]), randn([16, 3])];
    const optimizer = new SGD(net.parameters(), { lr: 0.1 });
    const losses = Array.from({ length: 200 }, () => {
      optimizer.zeroGrad();
      const l = mseLoss(net.call(x), t);
      l.backward();
      optimizer.step();
      return l.item();
    });
    expect(losses.at(-1)!).toBeLessThan(0.9 * losses[0]!);
  });

  it("explains what it cannot do", () => {
    expect(() => weightNorm(new Linear(2, 3), { name: "wieght" })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: weightNorm: Linear has no parameter 'wieght'
        hint: it has weight, bias]
    `);
    expect(() => weightNorm(new Linear(2, 3), { dim: 2 })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: weightNorm: dimension 2 of 'weight' [3,2] does not exist
        hint: 0 is the output units; null one length for all]
    `);
    expect(() => removeWeightNorm(new Linear(2, 3))).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: removeWeightNorm: 'weight' of Linear is not normalised]`);
  });
});

describe("maxNorm", () => {
  it("shortens long rows to the limit and touches nothing else", () => {
    const w = param(tensor([[3, 4], [0.3, 0.4], [0, 0], [-6, 8]]) as Tensor);
    const bias = param(tensor([30, 40]) as Tensor);
    maxNorm([w, bias], 2.5);
    expect(w.toArray()).toEqual([[1.5, 2], [Math.fround(0.3), Math.fround(0.4)], [0, 0], [-1.5, 2]]);
    expect(bias.toArray()).toEqual([30, 40]);
  });
  it("holds after every step of training, for convolutions too", () => {
    const conv = new Conv2d(2, 3, 3);
    const optimizer = new SGD(conv.parameters(), { lr: 5 });
    for (let k = 0; k < 5; k++) {
      optimizer.zeroGrad();
      conv.call(randn([2, 2, 5, 5])).square().mean().neg().backward(); // grows without end
      optimizer.step();
      maxNorm(conv.parameters(), 1.9365);
      for (const length of values(noGrad(() => conv.weight.norm([1, 2, 3])))) expect(length).toBeLessThanOrEqual(1.9365 * (1 + 1e-6));
    }
    expect(Math.max(...values(noGrad(() => conv.weight.norm([1, 2, 3]))))).toBeCloseTo(1.9365, 4);
    expect(() => maxNorm(conv.parameters(), 0)).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: maxNorm: limit is 0
        hint: a positive number]
    `);
  });
});
