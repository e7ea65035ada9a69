/**
 * The study notes that this library implements have errors. Each test shows, by numbers, that one of them is not in the code: the right value,
 * and that the misprint would have given another. Those about words alone have no test. The notes' own forms that are merely different
 * (optimizers) are options, never defaults; their numbers are in packages/optim/test/worked.test.ts.
 */
import { grad } from "@nn/autograd";
import { Conv2d, GRU, Linear, LocalResponseNorm, Step, halfMse, init, mseLoss, sequential } from "@nn/layers";
import { BackPropagation, LinearUnit, gradientDescent } from "@nn/layers/classic";
import { Adadelta, Adagrad, Adam, RMSprop, SGD, type Optimizer } from "@nn/optim";
import { GradError, conv2d, noGrad, ones, randn, samePadding, tensor, trace, validPadding, variable, zeros, type Tensor, type Variable } from "@nn/tensor";
import { describe, expect, test } from "vitest";

const f64 = (values: Parameters<typeof tensor>[0]): Tensor => tensor(values as number[], { dtype: "f64" }) as Tensor;
const slope = (f: (x: Tensor) => Tensor, x: number): number => grad((v) => f(v).sum())(f64([x])).item();

describe("back-propagation", () => {
  const rows = [[[0.1, -0.2, 0.3, 0.1], [0.4, 0.5, -0.6, -0.2], [-0.7, 0.8, 0.9, 0.3], [0.2, -0.4, 0.6, -0.1]], [[0.3, -0.5, 0.2, 0.7, 0.1], [-0.4, 0.6, -0.1, 0.5, -0.3]]];
  const [x, t] = [[0.5, -1, 1.5], [1, 0]];

  test("the update has (1 − y) once, and multiplies by the input, not by net", () => {
    const net = new BackPropagation(rows);
    const { layers } = net.learn(x, t, 0.5);
    const [a4, y1] = [layers[1]![0]!, layers[2]![0]!];
    expect(net.weight(8, 4)).toBeCloseTo(0.3208967944, 10);
    const twice = 0.3 + 0.5 * (1 - y1.a) * y1.delta! * a4.a;
    expect(twice).toBeCloseTo(0.3061149605, 9);
    const byNet = 0.3 + 0.5 * y1.delta! * a4.net!;
    for (const wrong of [twice, byNet]) expect(Math.abs(net.weight(8, 4) - wrong)).toBeGreaterThan(1e-3);
  });

  test("δ is −∂E/∂net, of the error, not of itself", () => {
    const { layers, error } = new BackPropagation(rows).pass(x, t);
    // Moving the bias moves net by as much.
    const h = 1e-6;
    layers[1]!.forEach((node, j) => {
      const moved = rows.map((layer) => layer.map((row) => [...row]));
      moved[0]![j]![3]! += h;
      expect((new BackPropagation(moved).pass(x, t).error - error) / h).toBeCloseTo(-node.delta!, 6);
    });
  });

  test("a node hands on its output a, not the function f or its net", () => {
    const { layers } = new BackPropagation(rows).pass(x, t);
    const a = layers[1]!.map((n) => n.a);
    expect(layers[2]![0]!.net).toBeCloseTo(0.3 * a[0]! - 0.5 * a[1]! + 0.2 * a[2]! + 0.7 * a[3]! + 0.1, 14);
  });

  test("inputs are augmented with 1: biases take part and learn", () => {
    const without = rows.map((layer) => layer.map((row) => [...row.slice(0, -1), 0]));
    const net = new BackPropagation(rows);
    expect(net.predict(x)[0]).not.toBeCloseTo(new BackPropagation(without).predict(x)[0]!, 3);
    net.learn(x, t, 0.5);
    expect(net.weight(8, "b")).toBeCloseTo(0.1302863294, 10);
  });

  test("y − a or a − y in the loss: the same loss, the same gradient, the same sign", () => {
    const w = f64([1, 2]);
    const [a, b] = [(v: Tensor) => v.sub(w), (v: Tensor) => w.sub(v)].map((f) => grad((v) => f(v).square().sum())(f64([0.5, 3])).toArray());
    expect(a).toEqual(b);
    expect(mseLoss(f64([0.5, 3]), w).item()).toBe(mseLoss(w, f64([0.5, 3])).item());
  });

  test("the delta rule is not derived through a step: refused", () => {
    expect(() => sequential(new Linear(2, 1), new Step()).call(tensor([[1, 1]]))).toThrow(GradError);
    // Its own unit is linear: the first update from zero is α·t·x, where a step unit would subtract step(0) = 0 too but never a real error.
    const unit = new LinearUnit(1);
    unit.fit(f64([[2], [1]]), f64([3, 1]), { rate: 0.1, epochs: 1 });
    const w1 = 0.1 * 3 * 2, b1 = 0.1 * 3;
    expect(unit.weight.item()).toBeCloseTo(w1 - 0.1 * (w1 + b1 - 1), 14);
  });
});

describe("convolution", () => {
  const image = f64([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]).reshape([1, 1, 5, 5]);
  const kernel = f64([[1, 0, 1], [0, 1, 0], [1, 0, 1]]).reshape([1, 1, 3, 3]);

  test("all nine products count, the last one too, and then a bias", () => {
    const at00 = (w: Tensor, bias: Tensor): number => conv2d(image, w, { bias }).dataSync()[0]!;
    expect(at00(kernel, f64([0]))).toBe(4);
    expect(at00(kernel, f64([0.5]))).toBe(4.5);
    const dropped = kernel.reshape([9]).mul(f64([1, 1, 1, 1, 1, 1, 1, 1, 0])).reshape([1, 1, 3, 3]); // without w22·x22
    expect(at00(dropped, f64([0]))).toBe(3);
  });
  test("is a correlation: no flip", () => {
    const lopsided = f64([[1, 2, 0], [0, 1, 0], [0, 0, -1]]).reshape([1, 1, 3, 3]);
    expect(conv2d(image, lopsided).reshape([9]).toArray()).toEqual([3, 3, 1, 1, 3, 4, -1, 3, 4]);
    expect(conv2d(image, lopsided.flip([2, 3])).reshape([9]).toArray()).toEqual([1, 3, 3, 1, 3, 2, 3, 3, 0]);
  });
  test("one bias per filter, for all positions and input channels", () => {
    const bias = f64([0, 0]).requireGrad();
    const y = conv2d(ones([2, 3, 4, 4], { dtype: "f64" }), ones([2, 3, 3, 3], { dtype: "f64" }), { bias });
    y.sum().backward();
    expect(bias.grad!.toArray()).toEqual([8, 8]); // 2 images × 2×2 positions
    expect(conv2d(ones([1, 3, 3, 3]), ones([1, 3, 3, 3]), { bias: tensor([1]) }).item()).toBe(28); // once, not once per channel
  });
  test("sizes are rounded down and count dilation", () => {
    expect(validPadding(6, 3, 2).out).toBe(2); // (6 − 3)/2 + 1 = 2.5
    expect(validPadding(10, 3, 1, 2).out).toBe(6); // 8 without dilation
    expect(samePadding(10, 3, 1, 2)).toEqual({ out: 10, before: 2, after: 2 });
  });
});

describe("optimizers: defaults are the field's", () => {
  const walk = (make: (w: Variable[]) => Optimizer<{ lr: number }>): number[] => {
    const w = variable(tensor([1], { dtype: "f64" })).requireGrad() as Variable;
    const optimizer = make([w]);
    return [0.5, -0.3, 0.2].map((g) => {
      w.grad = tensor([g], { dtype: "f64" }).moveTo(null) as Tensor;
      optimizer.step();
      return w.item();
    });
  };
  test.each([
    ["momentum is v = μv + g, no running mean", (w: Variable[]) => new SGD(w, { lr: 0.1, momentum: 0.9 }), 0.9015, 0.99015],
    ["RMSProp has ρ = .9 and ε beside the root", (w: Variable[]) => new RMSprop(w, { lr: 0.1 }), 0.7416061572, -1.5614233458],
    ["Adagrad has ε beside the root", (w: Variable[]) => new Adagrad(w, { lr: 0.1 }), 0.9190052913, 0.919005293],
    ["Adam corrects both means and has ε and β₂ = .999", (w: Variable[]) => new Adam(w, { lr: 0.1 }), 0.8461074308, 0.9769489753],
  ] as const)("%s", (_, make, right, misprint) => {
    const last = walk(make)[2]!;
    expect(last).toBeCloseTo(right, 9);
    expect(Math.abs(last - misprint)).toBeGreaterThan(1e-9);
  });
  test("Adadelta's step has the numerator √(U+ε): without it the first one would be 1/√.1 = 3.16", () => {
    expect(walk((w) => new Adadelta(w))[0]).toBeCloseTo(1 - (Math.sqrt(1e-6) / Math.sqrt(0.1 * 0.25 + 1e-6)) * 0.5, 9);
  });
  test("Adagrad's rate is one for each weight", () => {
    const w = variable(tensor([1, 1], { dtype: "f64" })).requireGrad() as Variable;
    const optimizer = new Adagrad([w], { lr: 0.1 });
    for (const g of [[1, 0.01], [1, 0.01]]) {
      w.grad = tensor(g, { dtype: "f64" }).moveTo(null) as Tensor;
      optimizer.step();
    }
    // Gradients a hundred times apart, steps alike: α and α/√2.
    for (const v of w.dataSync()) expect(v).toBeCloseTo(1 - 0.1 * (1 + Math.SQRT1_2), 6);
  });
  test("Adadelta cures Adagrad's shrinking rate: under the same gradient for ever its steps do not fade", () => {
    const lastStep = (make: (w: Variable[]) => Optimizer<{ lr: number }>): [early: number, late: number] => {
      const w = variable(tensor([0], { dtype: "f64" })).requireGrad() as Variable;
      const optimizer = make([w]);
      const path = Array.from({ length: 401 }, () => {
        w.grad = tensor([1], { dtype: "f64" }).moveTo(null) as Tensor;
        optimizer.step();
        return w.item();
      });
      return [path[99]! - path[100]!, path[399]! - path[400]!];
    };
    const [adagrad, adadelta] = [lastStep((w) => new Adagrad(w, { lr: 0.1 })), lastStep((w) => new Adadelta(w))];
    expect(adagrad[1] / adagrad[0]).toBeCloseTo(Math.sqrt(101 / 401), 6); // the rate, 1/√t
    expect(adadelta[1]).toBeGreaterThan(adadelta[0]);
  });
  test("batch descent finds a minimum, not always the lowest, and needs a rate small enough", () => {
    const two = (v: Tensor): Tensor => v.square().square().sub(v.square().mul(3)).add(v).sum(); // minima at −1.30 and 1.13
    const [left, right] = [-0.5, 0.5].map((from) => gradientDescent(two, f64([from]), { rate: 0.02 }));
    expect([left!.stop, right!.stop]).toEqual(["gradTol", "gradTol"]);
    expect([left!.x.item(), right!.x.item()].map((v) => v.toFixed(2))).toEqual(["-1.30", "1.13"]);
    expect(right!.value).toBeGreaterThan(left!.value + 2);
    expect(gradientDescent((v) => v.square().sum(), f64([2]), { rate: 1.1 }).stop).toBe("diverged");
  });
});

describe("activations", () => {
  test("the sigmoid's slope is y(1 − y): its gradient does not divide", () => {
    for (const x of [-3, 0, 0.7]) expect(slope((v) => v.sigmoid(), x)).toBeCloseTo(Math.exp(-x) / (1 + Math.exp(-x)) ** 2, 15);
    const x = randn([64]).requireGrad();
    const y = x.sigmoid();
    expect(trace(() => y.backward({ gradient: ones([64]) })).kernels.filter((k) => /div/.test(k))).toEqual([]);
  });
  test("the slope of ReLU is 1 for x > 0 only", () => {
    expect([-1, 0, 1e-300, 2].map((x) => slope((v) => v.relu(), x))).toEqual([0, 0, 1, 1]);
  });
  test("ranges are open: (0, 1) and (−1, 1)", () => {
    for (const x of [-36, -5, 5, 36]) {
      const [s, th] = [f64([x]).sigmoid().item(), f64([x / 2]).tanh().item()];
      expect(s > 0 && s < 1, `sigmoid(${x})`).toBe(true);
      expect(th > -1 && th < 1, `tanh(${x / 2})`).toBe(true);
    }
  });
  test("max(0, x) squashes nothing and does not saturate for large x", () => {
    expect(f64([1e4]).relu().item()).toBe(1e4);
    expect(slope((v) => v.relu(), 1e4)).toBe(1);
    expect(slope((v) => v.sigmoid(), 1e4)).toBe(0);
  });
  test("a constant derivative means affine, not linear", () => {
    const affine = (v: Tensor): Tensor => v.mul(3).add(1);
    expect([-2, 0, 5].map((x) => slope(affine, x))).toEqual([3, 3, 3]);
    expect(affine(f64([0])).item()).toBe(1);
    // Two layers without activation between are one: affine again.
    const [a, b] = [new Linear(2, 3, { init: init.normal(1) }), new Linear(3, 1, { init: init.normal(1) })];
    const f = (x: Tensor): number => b.call(a.call(x as Tensor<[1, 2]>) as Tensor<[1, 3]>).item();
    const [o, p, q, both] = [[0, 0], [1, 2], [-3, 1], [-2, 3]].map((v) => f(tensor([v]) as Tensor));
    expect(p! + q! - o!).toBeCloseTo(both!, 4);
  });
  test("the half in halfMse is a factor of the gradient, too", () => {
    expect(slope((v) => halfMse(v, f64([0])), 3)).toBe(3);
    expect(slope((v) => mseLoss(v, f64([0])), 3)).toBe(6);
  });
});

describe("AlexNet", () => {
  test("224 pixels under 11×11/4 give 54, not 55: that takes 227, or padding of 2", () => {
    expect([224, 227, 224 + 2 * 2].map((n) => validPadding(n, 11, 4).out)).toEqual([54, 55, 55]);
  });
  test("its first layer has 290 400 neurons, not 253 440", () => {
    expect(noGrad(() => new Conv2d(3, 96, 11, { stride: 4, padding: 2 }).call(zeros([1, 3, 224, 224]) as Tensor)).size).toBe(290_400);
  });
  test("conv3 holds 1.45 % of all parameters, more than 1 %", () => {
    expect(new Conv2d(256, 384, 3).parameterCount() / 60_965_224).toBeCloseTo(0.0145, 4);
  });
  test("α of its normalisation is as printed only on request: divided by n it is another value", () => {
    const x = f64([1, 2, 3, 4, 5, 6, 7]).reshape([1, 7, 1]);
    const [byDefault, paper] = [{ k: 2 }, { k: 2, form: "paper" } as const].map((options) => new LocalResponseNorm(5, options).call(x).dataSync()[0]!);
    expect([byDefault, paper].map((v) => v!.toFixed(10))).toEqual(["0.5945411318", "0.5942915817"]);
  });
});

test("sequences of a batch need not be equally long", () => {
  const gru = new GRU(2, 3, { batchFirst: true });
  const x = randn([2, 5, 2]) as Tensor<[2, 5, 2]>;
  const { h } = gru.call(x, { lengths: [5, 2] });
  const alone = gru.call(x.slice(0, 1, 2).slice(1, 0, 2) as Tensor<[1, 2, 2]>).h as Tensor;
  alone.dataSync().forEach((v, i) => expect(h.dataSync()[3 + i]).toBeCloseTo(v, 6));
});
