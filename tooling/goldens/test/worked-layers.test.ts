/**
 * Examples worked out by hand, with their printed digits: recurrent cells, alignment, local response normalisation, convolution in groups
 * and its parameters, how gradients shrink and grow with depth and time, the Transformer's rate. In f64.
 */
import { grad } from "@nn/autograd";
import { Conv1d, Conv2d, GRU, LSTM, LocalResponseNorm, param, type Module } from "@nn/layers";
import { schedule } from "@nn/optim";
import { concat, conv2d, randn, softmax, tensor, type Tensor } from "@nn/tensor";
import { describe, expect, test } from "vitest";

const f64 = (values: Parameters<typeof tensor>[0]): Tensor => tensor(values as number[], { dtype: "f64" }) as Tensor;
const close = (t: Tensor, expected: readonly number[], decimals = 10): void => {
  const got = t.dataSync();
  expect(got.length).toBe(expected.length);
  expected.forEach((e, i) => expect(got[i], `element ${i}`).toBeCloseTo(e, decimals));
};

describe("cells of one unit, x = 1, h = .5", () => {
  const [x, h0, c0] = [f64([[[1]]]), f64([[[0.5]]]), f64([[[-0.2]]])];
  /** `layer` with these columns in place of its parameters, in their order. */
  const having = <M extends Module>(layer: M, ...columns: number[][]): M => {
    [...layer.namedParameters()].forEach(([name, p], i) => Object.assign(layer, { [name]: param(f64(columns[i]!).reshape(p.shape)) }));
    return layer;
  };

  test("GRU: r .6681877722, z .6106392339, h′ .4643917422", () => {
    const gates = f64([0.5 + 0.1 + 0.2 * 0.5, 0.4 - 0.3 * 0.5 + 0.2]).sigmoid();
    close(gates, [0.6681877722, 0.6106392339]);
    const gru = having(new GRU(1, 1), [0.5, 0.4, 0.3], [0.2, -0.3, 0.6], [0.1, 0, -0.1], [0, 0.2, 0.05]);
    close(gru.call(x as Tensor<[1, 1, 1]>, { h0 }).h as Tensor, [0.4643917422]);
    // The same by hand: r outside U·h + b, z weighing the old state.
    const [r, z] = gates.dataSync() as Float64Array as unknown as [number, number];
    expect((1 - z) * Math.tanh(0.3 - 0.1 + r * (0.6 * 0.5 + 0.05)) + z * 0.5).toBeCloseTo(0.4643917422, 10);
  });

  test("LSTM, forget bias 1: h .0549640711, c .1103741784", () => {
    const lstm = having(new LSTM(1, 1), [0.5, 0.4, 0.3, 0.2], [0.1, -0.2, 0.3, -0.4], [0, 1, 0, 0], [0, 0, 0, 0]);
    const { h, c } = lstm.call(x as Tensor<[1, 1, 1]>, { h0, c0 });
    close(h as Tensor, [0.0549640711]);
    close(c as Tensor, [0.1103741784]);
  });
});

describe("alignment (Bahdanau 2014)", () => {
  test("e = (2, .5, 1): α = .6285, .1402, .2312, c = (.8598, .3715)", () => {
    const alpha = softmax(f64([2, 0.5, 1]), 0);
    close(alpha, [0.6285, 0.1402, 0.2312], 4);
    close(alpha.matmul(f64([[1, 0], [0, 1], [1, 1]])), [0.8598, 0.3715], 4);
    close(softmax(f64([0, 0, 0]), 0), [1 / 3, 1 / 3, 1 / 3]); // v_a = 0
  });
});

describe("local response normalisation of 1 … 7 (Krizhevsky 2012)", () => {
  const x = f64([1, 2, 3, 4, 5, 6, 7]).reshape([1, 7, 1]);
  const first4 = (form: "paper" | "torch"): Tensor => new LocalResponseNorm(5, { k: 2, form }).call(x).slice(1, 0, 4);
  test("as printed", () => close(first4("paper"), [0.5942915817, 1.1878710105, 1.7801403936, 2.370418559]));
  test("α over the window's size", () => close(first4("torch"), [0.5945411318, 1.1889396136, 1.7830752045, 2.3768100636]));
});

describe("convolution in groups", () => {
  test("two groups are two convolutions side by side", () => {
    const [x, w, b] = [randn([2, 4, 5, 5], { dtype: "f64", seed: 1 }), randn([6, 2, 3, 3], { dtype: "f64", seed: 2 }), randn([6], { dtype: "f64", seed: 3 })] as Tensor[];
    const half = (k: number): Tensor => conv2d(x!.slice(1, 2 * k, 2 * k + 2), w!.slice(0, 3 * k, 3 * k + 3), { bias: b!.slice(0, 3 * k, 3 * k + 3), padding: 1 });
    close(conv2d(x!, w!, { bias: b!, padding: 1, groups: 2 }), [...concat([half(0), half(1)], 1).dataSync()], 12);
  });

  // out·(in/groups·kH·kW + 1): one bias per map, whatever the number of positions.
  test.each([
    ["conv1", new Conv2d(3, 96, 11, { stride: 4 }), 34_944],
    ["conv2", new Conv2d(96, 256, 5, { groups: 2 }), 307_456],
    ["conv3", new Conv2d(256, 384, 3), 885_120],
    ["conv4", new Conv2d(384, 384, 3, { groups: 2 }), 663_936],
    ["conv5", new Conv2d(384, 256, 3, { groups: 2 }), 442_624],
  ] as const)("AlexNet's %s has as many parameters as its table says", (_, layer, parameters) => {
    expect(layer.parameterCount()).toBe(parameters);
  });

  test("a filter over word vectors, then its largest answer: 2.1, −1.9, −.9 → 2.1 (Kim 2014)", () => {
    const conv = new Conv1d(2, 1, 2);
    conv.weight.write([1, 0.5, -1, 0.5]); // [1, in, k]: the filter's rows (1, −1), (.5, .5) are its columns
    conv.bias!.write([0.1]);
    const y = conv.call(f64([[1, 0], [0, 2], [-1, 1], [3, -1]]).t().unsqueeze(0) as Tensor);
    close(y, [2.1, -1.9, -0.9], 6);
    expect(y.max(2).item()).toBeCloseTo(2.1, 6);
  });
});

describe("gradients through depth and time", () => {
  const slope = (f: (x: Tensor) => Tensor): number => grad((v) => f(v).sum())(f64([0])).item();

  test.each([[3, 0.015625], [5, 9.765625e-4], [10, 9.54e-7]])("%i sigmoids at their steepest pass .25ᵏ = %f", (k, bound) => {
    const chain = (x: Tensor): Tensor => Array.from({ length: k }).reduce<Tensor>((v) => v.sigmoid().sub(0.5), x);
    expect(slope(chain) / bound).toBeCloseTo(1, k === 10 ? 3 : 12);
  });

  test.each([[0.9, 0.0051537752], [1.1, 117.39085288]])("a linear recurrence of %f passes its 50th power", (w, printed) => {
    const unrolled = (x: Tensor): Tensor => Array.from({ length: 50 }).reduce<Tensor>((h) => h.mul(w), x);
    expect(slope(unrolled)).toBeCloseTo(printed, w < 1 ? 10 : 8);
  });
});

test("the Transformer's rate, d = 512: steps 1, 4000 and 100 000", () => {
  const rate = schedule.noam(512, 4000);
  [[1, 1.7469e-7], [4000, 6.9877e-4], [100_000, 1.3975e-4]].forEach(([step, printed]) => expect(rate(step! - 1) / printed!).toBeCloseTo(1, 4));
});
