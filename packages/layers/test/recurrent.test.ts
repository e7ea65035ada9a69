import { gradcheck, gradgradcheck } from "@nn/autograd";
import { concat, getEngine, manualSeed, noGrad, ones, randn, scope, tensor, trace, type Tensor } from "@nn/tensor";
import { GRU, LSTM, Parameter, RNN, init, param } from "@nn/layers";
import { GlobalAvgPool, GlobalMaxPool } from "@nn/layers/pool";
import { bahdanau, cho } from "@nn/layers/sequence";
import { beforeEach, describe, expect, expectTypeOf, it, test } from "vitest";

beforeEach(() => manualSeed(1));

type Sequence = RNN<number, number, boolean> | GRU<number, number, boolean> | LSTM<number, number, boolean>;
interface Result {
  output: Tensor;
  h: Tensor;
  c?: Tensor;
}
const call = (layer: Sequence, x: Tensor, options: object = {}): Result => (layer.call as (x: Tensor, options: object) => Result)(x, options);

/** Parameters in f64, for comparisons to the last digit. */
function double<M extends Sequence>(layer: M): M {
  for (const [name, p] of layer.namedParameters()) Object.assign(layer, { [name]: param(p.cast("f64") as Tensor) });
  return layer;
}
const f64 = (shape: number[], seed: number): Tensor => randn(shape, { seed }).cast("f64") as Tensor;
const makers: [string, (options?: { batchFirst?: boolean }) => Sequence][] = [
  ["RNN", (options) => new RNN(3, 4, { numLayers: 2, bidirectional: true, ...options })],
  ["RNN relu", (options) => new RNN(3, 4, { numLayers: 2, bidirectional: true, nonlinearity: "relu", ...options })],
  ["GRU", (options) => new GRU(3, 4, { numLayers: 2, bidirectional: true, ...options })],
  ["GRU of Cho", (options) => new GRU(3, 4, { numLayers: 2, bidirectional: true, form: cho, ...options })],
  ["GRU of Bahdanau", (options) => new GRU(3, 4, { numLayers: 2, bidirectional: true, form: bahdanau, ...options })],
  ["LSTM", (options) => new LSTM(3, 4, { numLayers: 2, bidirectional: true, ...options })],
];

describe("recurrent layers", () => {
  it("name their parameters as PyTorch", () => {
    const layer = new LSTM(3, 4, { numLayers: 2, bidirectional: true });
    const names = [...layer.stateDict()].map(([name, t]) => `${name} [${t.shape.join(",")}]`);
    expect(names).toEqual([
      "weight_ih_l0 [16,3]", "weight_hh_l0 [16,4]", "bias_ih_l0 [16]", "bias_hh_l0 [16]",
      "weight_ih_l0_reverse [16,3]", "weight_hh_l0_reverse [16,4]", "bias_ih_l0_reverse [16]", "bias_hh_l0_reverse [16]",
      "weight_ih_l1 [16,8]", "weight_hh_l1 [16,4]", "bias_ih_l1 [16]", "bias_hh_l1 [16]",
      "weight_ih_l1_reverse [16,8]", "weight_hh_l1_reverse [16,4]", "bias_ih_l1_reverse [16]", "bias_hh_l1_reverse [16]",
    ]);
    expect([...new GRU(3, 4, { bias: false }).stateDict().keys()]).toEqual(["weight_ih_l0", "weight_hh_l0"]);
    expect(layer.parameter("weight_hh_l1")).toBeInstanceOf(Parameter);
    expect(() => new RNN(1, 1).parameter("weight_ih_l1")).toThrow("there is no parameter 'weight_ih_l1'");
    expect(String(layer)).toBe("LSTM(3, 4, numLayers=2, bidirectional=true)");
  });

  it("start uniformly within 1/√H", () => {
    for (const p of new GRU(100, 25).parameters()) {
      const values = p.dataSync() as Float32Array;
      const largest = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      expect(largest).toBeLessThanOrEqual(0.2);
      expect(largest).toBeGreaterThan(0.18);
    }
  });

  it("keep sizes in their types", () => {
    const { output } = noGrad(() => new LSTM(3, 8).call(ones([5, 2, 3])));
    expectTypeOf(output).toEqualTypeOf<Tensor<[5, 2, 8]>>();
    expect(output.shape).toEqual([5, 2, 8]);
    const both = noGrad(() => new GRU(3, 8, { bidirectional: true }).call(ones([5, 2, 3]))).output;
    expectTypeOf(both).toEqualTypeOf<Tensor<[5, 2, number]>>();
    expect(both.shape).toEqual([5, 2, 16]);
    // @ts-expect-error the last size of [5,2,4] must be 3
    expect(() => new RNN(3, 8).call(ones([5, 2, 4]))).toThrow("weightIh must be [8,4]");
  });

  it("say what is wrong with inputs and options", () => {
    expect(() => call(new LSTM(3, 4, { batchFirst: true }), ones([3]) as Tensor)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: LSTM: input must be [B,T,I] or [T,I], got [3]]`);
    expect(() => call(new GRU(3, 4), ones([5, 3]) as Tensor, { h0: ones([1, 1, 4]) })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: GRU: h0 must be [1,4] (layers and directions, hidden), got [1,1,4]]`);
    expect(() => call(new LSTM(3, 4), ones([5, 2, 3]) as Tensor, { c0: ones([2, 4]) })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: LSTM: c0 must be [1,2,4] (layers and directions, batch, hidden), got [2,4]]`);
    for (const form of [null, cho]) expect(() => call(new GRU(3, 4, { form }), ones([5, 2, 3]) as Tensor, { lengths: [6, 2] })).toThrow("length 6 of sequence 0 is not within 0 … 5");
    expect(() => new LSTM(3, 4, { bias: false, forgetBias: 1 })).toThrow("forgetBias needs biases");
    expect(() => new RNN(3, 4, { dropout: 1.5 })).toThrow("dropout probability 1.5");
    expect(() => new RNN(3, 4, { numLayers: 0 })).toThrow("numLayers must be");
  });

  it("start to forget as told", () => {
    const layer = new LSTM(2, 3, { forgetBias: 1, bidirectional: true });
    for (const suffix of ["l0", "l0_reverse"]) {
      expect([...layer.parameter(`bias_ih_${suffix}`).dataSync().subarray(3, 6)]).toEqual([1, 1, 1]);
      expect([...layer.parameter(`bias_hh_${suffix}`).dataSync().subarray(3, 6)]).toEqual([0, 0, 0]);
      expect(layer.parameter(`bias_ih_${suffix}`).dataSync()[0]).not.toBe(1);
    }
  });

  it("drop between layers, in training only", () => {
    const layer = new GRU(3, 5, { numLayers: 2, dropout: 0.5 });
    const x = randn([4, 2, 3]) as Tensor;
    const run = () => noGrad(() => call(layer, x).output.dataSync());
    expect(run()).not.toEqual(run());
    layer.eval();
    expect(run()).toEqual(run());
  });

  it("run one fused kernel per layer and direction", () => {
    const { kernels } = trace(() => noGrad(() => call(new LSTM(8, 16, { numLayers: 2, bidirectional: true }), randn([5, 4, 8]) as Tensor)));
    expect(kernels.filter((k) => k === `recurrent_${getEngine().isa}`).length).toBe(4);
  });

  it.each(makers)("a %s leaves nothing behind but its results, nor does pooling them", (_, make) => {
    const layer = make({ batchFirst: true });
    const pools = [new GlobalMaxPool({ dim: 1 }), new GlobalAvgPool({ dim: 1 })];
    const x = randn([2, 5, 3]) as Tensor;
    const step = () =>
      scope(() => {
        const { output, h, c } = call(layer, x, { lengths: [5, 3] });
        [output, h, ...(c ? [c] : []), ...pools.map((pool) => pool.call(output, { lengths: [5, 3] }))].map((t) => t.sum()).reduce((p, q) => p.add(q)).backward();
        layer.zeroGrad();
      });
    step();
    const before = getEngine().memory.inUse;
    step();
    expect(getEngine().memory.inUse).toBe(before);
    const results = scope(() => noGrad(() => [call(layer, x).output, ...pools.map((pool) => pool.call(x, { lengths: [5, 3] }))]));
    for (const t of results) t.dispose();
    expect(getEngine().memory.inUse).toBe(before);
  });
});

describe.each(makers)("padded batches of a %s", (_, make) => {
  const lengths = [2, 5, 1, 4];
  const T = 5;
  const sequences = lengths.map((n, b) => f64([n, 1, 3], 10 + b));
  const padded = (steps: number): Tensor => concat(sequences.map((x) => x.pad([[0, steps - x.shape[0]!], [0, 0], [0, 0]], 9)), 1); // the padding is not zero
  const [h0, c0] = [f64([4, 4, 4], 20), f64([4, 4, 4], 21)];
  const weights = { output: f64([T, 4, 8], 30), h: f64([4, 4, 4], 31), c: f64([4, 4, 4], 32) };

  /** Outputs, last states, and gradients of a weighted sum of them all. */
  function run(layer: Sequence, input: Tensor, b: number | null, options: { lengths?: number[] }): Record<string, Tensor> {
    const pick = (t: Tensor): Tensor => (b === null ? t : t.slice(1, b, b + 1));
    const states: Record<string, Tensor> = { h0: pick(h0).detach().requireGrad(), ...(layer instanceof LSTM && { c0: pick(c0).detach().requireGrad() }) };
    const x = input.detach().requireGrad();
    const result = call(layer, x, { ...states, ...options });
    const steps = Math.min(T, x.shape[0]!);
    const outputs = { output: result.output.slice(0, 0, steps), h: result.h, ...(result.c && { c: result.c }) };
    Object.entries(outputs).map(([name, t]) => t.mul(pick(weights[name as "h"]).slice(0, 0, t.shape[0])).sum()).reduce((p, q) => p.add(q)).backward();
    const gradients = Object.fromEntries(Object.entries({ x, ...states }).map(([name, t]) => [`d${name}`, t.grad!]));
    return { ...outputs, ...gradients };
  }
  const same = (a: Tensor, b: Tensor, what: string): void => {
    expect(a.shape, what).toEqual(b.shape);
    const [p, q] = [a.dataSync(), b.dataSync()];
    p.forEach((v, i) => expect(Math.abs(v - q[i]!), what).toBeLessThanOrEqual(1e-12));
  };
  const parameterGradients = (layer: Sequence): Map<string, Tensor> => new Map([...layer.namedParameters()].map(([name, p]) => [name, p.grad!.detach()]));

  it("each sequence is as it would be alone, with its gradients; more padding changes nothing", () => {
    const layer = double(make());
    const batch = run(layer, padded(T), null, { lengths });
    const sums = parameterGradients(layer);
    layer.zeroGrad();
    lengths.forEach((n, b) => {
      const alone = run(layer, sequences[b]!, b, {});
      for (const [name, t] of Object.entries(alone)) same(batch[name]!.slice(1, b, b + 1).slice(0, 0, t.shape[0]), t, `${name} of sequence ${b}`);
      if (n < T) expect(batch["output"]!.slice(1, b, b + 1).slice(0, n).abs().max().item()).toBe(0);
    });
    for (const [name, g] of parameterGradients(layer)) same(sums.get(name)!, g, name);
    layer.zeroGrad();
    const more = run(layer, padded(T + 3), null, { lengths });
    for (const [name, t] of Object.entries(batch)) same(more[name]!.slice(0, 0, t.shape[0]), t, name);
    for (const [name, g] of parameterGradients(layer)) same(sums.get(name)!, g, name);
  });
});

test.each(makers)("a %s takes one sequence alone, as a batch of one", (_, make) => {
  for (const batchFirst of [false, true]) {
    const layer = make({ batchFirst });
    const x = randn([5, 3]) as Tensor;
    const states = { h0: randn([4, 4]) as Tensor, ...(layer instanceof LSTM && { c0: randn([4, 4]) as Tensor }) };
    const alone = noGrad(() => call(layer, x, { ...states, lengths: [4] }));
    const batch = noGrad(() => call(layer, x.unsqueeze(batchFirst ? 0 : 1), { ...Object.fromEntries(Object.entries(states).map(([name, t]) => [name, t.unsqueeze(1)])), lengths: [4] }));
    expect(alone.output.shape).toEqual([5, 8]);
    expect(alone.output.toArray()).toEqual(batch.output.squeeze(batchFirst ? 0 : 1).toArray());
    for (const [name, t] of Object.entries(alone)) if (name !== "output") expect(t.toArray()).toEqual((batch as unknown as Record<string, Tensor>)[name]!.squeeze(1).toArray());
  }
});

describe("cells of one unit by hand", () => {
  const column = (values: number[]): Parameter => param(tensor(values.map((v) => [v]), { dtype: "f64" }) as Tensor);
  const flat = (values: number[]): Parameter => param(tensor(values, { dtype: "f64" }) as Tensor);
  const one = (v: number): Tensor => tensor([[v]], { dtype: "f64" }) as Tensor;
  const numbers = (weightIh: number[], weightHh: number[], biasIh: number[], biasHh: number[]) => ({ weight_ih_l0: column(weightIh), weight_hh_l0: column(weightHh), bias_ih_l0: flat(biasIh), bias_hh_l0: flat(biasHh) });

  // r = .6681877722, z = .6106392339
  test.each([["PyTorch", null, 0.4643917422], ["Cho", cho, 0.46973656], ["Bahdanau", bahdanau, 0.4525374782]] as const)("GRU as of %s", (_, form, expected) => {
    const layer = Object.assign(new GRU(1, 1, { form }), numbers([0.5, 0.4, 0.3], [0.2, -0.3, 0.6], [0.1, 0, -0.1], [0, 0.2, 0.05]));
    expect(call(layer, one(1), { h0: one(0.5) }).h.item()).toBeCloseTo(expected, 9);
  });

  test("LSTM, its forget bias 1", () => {
    const layer = Object.assign(new LSTM(1, 1), numbers([0.5, 0.4, 0.3, 0.2], [0.1, -0.2, 0.3, -0.4], [0, 1, 0, 0], [0, 0, 0, 0]));
    const { h, c } = call(layer, one(1), { h0: one(0.5), c0: one(-0.2) });
    expect(h.item()).toBeCloseTo(0.0549640711, 9);
    expect(c!.item()).toBeCloseTo(0.1103741784, 9);
  });
});

test.each([cho, bahdanau])("the GRU of $name has gradients to second order, and prints its form", (form) => {
  const [T, B, I, H] = [3, 2, 3, 2];
  const inputs = [[T, B, I], [3 * H, I], [3 * H, H], [3 * H], [3 * H], [B, H]].map((shape, i) => f64(shape, i + 1));
  const f = (x: Tensor, weightIh: Tensor, weightHh: Tensor, biasIh: Tensor, biasHh: Tensor, h0: Tensor): Tensor => {
    const { y, h } = form.direction({ x, weightIh, weightHh, biasIh, biasHh, h0, lengths: tensor([3, 2], { dtype: "i32" }) as Tensor }, true);
    return concat([y.flatten(), h.flatten()]);
  };
  gradcheck(f, inputs);
  gradgradcheck(f, inputs);
  expect(String(new GRU(3, 2, { form, numLayers: 2 }))).toBe(`GRU(3, 2, numLayers=2, form=${form.name})`);
});

test("contexts of RCNN by hand: c(w_i) = tanh(W_l·c(w_{i−1}) + W_sl·e(w_{i−1})) (Lai 2015)", () => {
  const layer = double(new RNN(2, 2, { bias: false }) as Sequence);
  Object.assign(layer, {
    weight_ih_l0: param(tensor([[0.2, 0.1], [-0.1, 0.3]], { dtype: "f64" }) as Tensor),
    weight_hh_l0: param(tensor([[0.5, 0], [0, 0.5]], { dtype: "f64" }) as Tensor),
  });
  const words = tensor([[[1, 0]], [[0, 1]], [[1, 1]]], { dtype: "f64" }) as Tensor;
  const contexts = call(layer, words).output.dataSync(); // the first context is the zero state, the last word's is not needed
  [0.1973753202, -0.0996679946, 0.1961137791, 0.245074701].forEach((v, i) => expect(contexts[i]).toBeCloseTo(v, 9));
});

test("initialisers can be put on afterwards", () => {
  const layer = new RNN(3, 4);
  Object.assign(layer, { weight_hh_l0: param(init.zero([4, 4])) });
  const x = randn([2, 1, 3]) as Tensor;
  const alone = noGrad(() => call(layer as Sequence, x.slice(0, 1)).output.dataSync());
  expect([...noGrad(() => call(layer as Sequence, x).output.dataSync())].slice(4)).toEqual([...alone]); // no memory without W_hh
});
