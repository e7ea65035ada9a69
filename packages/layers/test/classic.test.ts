/** Worked examples of single neurons, descent and back-propagation, with their printed digits. */
import { existsSync, readFileSync } from "node:fs";
import { grad, hessianVector, valueAndGrad } from "@nn/autograd";
import { Linear, halfMse, sequential, Step } from "@nn/layers";
import { BackPropagation, LinearUnit, Perceptron, gradientDescent, novikoffBound, stabilityBound, type NodeTrace } from "@nn/layers/classic";
import { SGD } from "@nn/optim";
import { GradError, concat, noGrad, randn, step, tensor, type Tensor } from "@nn/tensor";
import { describe, expect, it } from "vitest";

const iris = new URL("../../../../shared/data/tabular/iris.data", import.meta.url);
const f64 = (values: Parameters<typeof tensor>[0]): Tensor => tensor(values as number[], { dtype: "f64" }) as Tensor;
const close = (got: ArrayLike<number>, expected: readonly number[], decimals: number): void => {
  expect(got.length).toBe(expected.length);
  expected.forEach((e, i) => expect(got[i], `element ${i}`).toBeCloseTo(e, decimals));
};

describe("Perceptron", () => {
  const corners = f64([[1, 1], [0, 0], [1, 0], [0, 1]]);
  const and = f64([1, 0, 0, 0]);
  const xor = f64([0, 0, 1, 1]);

  it("learns AND along the printed weights", () => {
    const unit = new Perceptron(2);
    const fit = unit.fit(corners, and, { rate: 0.1 });
    const trace = fit.epochs.map(({ weight, bias }) => [...weight, bias].map((v) => Number(v.toFixed(12))));
    expect(trace).toEqual([[0, 0.1, -0.1], [0, 0.1, -0.2], [0.1, 0.1, -0.2], [0.1, 0.2, -0.2], [0.1, 0.2, -0.2]]);
    expect(fit.epochs.map((e) => e.mistakes)).toEqual([3, 3, 2, 2, 0]);
    expect(fit).toMatchObject({ converged: true, mistakes: 10 });
    // (0, 1) lies exactly on the plane: step(0) = 0 makes it right.
    expect(unit.score(corners).dataSync()[3]).toBe(0);
    expect(unit.call(corners).toArray()).toEqual([1, 0, 0, 0]);
    expect([...unit.stateDict().keys()]).toEqual(["weight", "bias"]);
    expect(unit.parameters()).toEqual([]);
  });

  it("never learns XOR, and says so", () => {
    const fit = new Perceptron(2).fit(corners, xor, { maxEpochs: 200 });
    expect(fit.converged).toBe(false);
    expect(fit.epochs.length).toBe(200);
    expect(fit.epochs.slice(5).every((e) => e.mistakes > 0)).toBe(true);
    expect(novikoffBound(corners, xor)).toMatchObject({ bound: Infinity, separator: null });
  });

  it("makes no more mistakes than Novikoff's bound, whichever separator gives it", () => {
    // The widest margin of AND: x + y = 1.5 in the space of [x; 1].
    const wide = novikoffBound(corners, and, { weight: [2, 2], bias: -3 });
    expect(wide.radius).toBeCloseTo(Math.sqrt(3), 12);
    expect(wide.margin).toBeCloseTo(1 / Math.sqrt(17), 12);
    expect(wide.bound).toBeCloseTo(51, 9);
    const { mistakes } = new Perceptron(2).fit(corners, and);
    for (const { bound } of [wide, novikoffBound(corners, and)]) expect(mistakes).toBeLessThanOrEqual(bound);
    expect(novikoffBound(corners, and).separator).not.toBeNull();
    expect(novikoffBound(corners, and, { weight: [1, 2], bias: -2 }).bound).toBe(Infinity); // a sample on the plane

    const x = randn([60, 3], { dtype: "f64", seed: 3 });
    const t = x.mul(f64([1, -2, 0.5])).sum(1).add(0.3).gt(0).cast("f64");
    const fit = new Perceptron(3).fit(x, t, { maxEpochs: 5000 });
    expect(fit.converged).toBe(true);
    expect(fit.mistakes).toBeLessThanOrEqual(novikoffBound(x, t, { weight: [1, -2, 0.5], bias: 0.3 }).bound);
  });

  it("averages its weights over all samples on request", () => {
    const [plain, averaged] = [new Perceptron(2), new Perceptron(2)];
    plain.fit(corners, xor, { maxEpochs: 3, rate: 1 });
    const { epochs } = averaged.fit(corners, xor, { maxEpochs: 3, rate: 1, averaged: true });
    expect(epochs.at(-1)!.weight).toEqual([...plain.weight.dataSync()]);
    // By hand: the weights after each of the 12 samples.
    let [w1, w2, b] = [0, 0, 0];
    const sum = [0, 0, 0];
    for (let k = 0; k < 12; k++) {
      const [x1, x2] = (corners.toArray() as number[][])[k % 4] as [number, number];
      const e = (xor.toArray() as number[])[k % 4]! - (w1 * x1 + w2 * x2 + b > 0 ? 1 : 0);
      [w1, w2, b] = [w1 + e * x1, w2 + e * x2, b + e];
      [w1, w2, b].forEach((v, i) => (sum[i]! += v / 12));
    }
    close(averaged.weight.dataSync(), sum.slice(0, 2), 12);
    close(averaged.bias.dataSync(), sum.slice(2), 12);
    expect(epochs.at(-1)!.average).toEqual({ weight: [...averaged.weight.dataSync()], bias: averaged.bias.dataSync()[0] });
    expect(new Perceptron(2).fit(corners, xor, { maxEpochs: 2, rate: 1, averaged: true }).epochs).toEqual(epochs.slice(0, 2)); // looking at the mean after an epoch changes nothing
  });

  it.skipIf(!existsSync(iris))("tells two kinds of iris apart without an error (skipped without ../shared/data/tabular)", () => {
    const kinds = { "Iris-setosa": 1, "Iris-versicolor": 0 };
    const flowers = readFileSync(iris, "utf8").split("\n").map((line) => line.split(",")).filter((cells) => cells.at(-1)! in kinds);
    const x = f64(flowers.map((cells) => cells.slice(0, 4).map(Number)));
    const t = f64(flowers.map((cells) => kinds[cells.at(-1) as keyof typeof kinds]));
    expect(x.shape).toEqual([100, 4]);
    const unit = new Perceptron(4);
    const { converged, mistakes } = unit.fit(x, t, { shuffle: 1 });
    expect(converged).toBe(true);
    expect(unit.call(x).toArray()).toEqual(t.toArray()); // 0 errors
    expect(mistakes).toBeLessThanOrEqual(novikoffBound(x, t).bound);
  });

  it("shuffles by a seed: the same seed gives the same weights", () => {
    const weights = (shuffle?: number): number[] => {
      const unit = new Perceptron(2);
      unit.fit(corners, xor, { maxEpochs: 7, rate: 1, ...(shuffle === undefined ? {} : { shuffle }) });
      return [...unit.weight.dataSync(), ...unit.bias.dataSync()];
    };
    expect(weights(1)).toEqual(weights(1));
    expect(new Set([undefined, 1, 2, 3].map((seed) => weights(seed).join())).size).toBeGreaterThan(1);
    const unit = new Perceptron(2);
    expect(unit.fit(corners, and, { shuffle: 4 }).converged).toBe(true);
    expect(unit.call(corners).toArray()).toEqual([1, 0, 0, 0]);
  });

  it("explains what it cannot do", () => {
    expect(() => new Perceptron(2).fit(corners, f64([1, -1, 1, -1]))).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: Perceptron: target -1 of sample 1 is not 0 or 1
        hint: t.eq(k) makes targets for class k against the rest]
    `);
    expect(() => new Perceptron(3).fit(corners, and)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: Perceptron: inputs must be [N,3], got [4,2]]`);
  });
});

describe("a step neuron has no gradient", () => {
  it("gradient training is refused with the way out", () => {
    const net = sequential(new Linear(2, 1), new Step());
    const x = tensor([[1, 1]]);
    expect(() => net.call(x)).toThrow(GradError);
    expect(() => net.call(x)).toThrowErrorMatchingInlineSnapshot(`
      [GradError: step '1': has derivative 0 wherever it has one: no gradient gets through, nothing before it would learn
        hint: train a single step neuron by Rosenblatt's rule (Perceptron.fit), a linear unit by the delta rule (LinearUnit.fit), deeper networks with sigmoid or relu; to evaluate only, use noGrad(() => …)]
    `);
    expect(() => grad((v) => step(v).square().sum())(f64([1]))).toThrow(GradError);
    expect(noGrad(() => net.call(x)).size).toBe(1); // evaluating is fine
  });
  it("step(0) is 0", () => {
    expect(step(tensor([-1, -0, 0, 1e-30, 2])).toArray()).toEqual([0, 0, 0, 1, 1]);
    expect(step(tensor([3, -3], { dtype: "i32" })).dtype).toBe("f32");
  });
});

describe("LinearUnit", () => {
  const years = f64([[5], [3], [8], [1.4], [10.1]]);
  const pay = f64([5500, 2300, 7600, 1800, 11400]);

  it("years and pay: ten epochs, sample by sample, give the printed line", () => {
    const unit = new LinearUnit(1);
    const fit = unit.fit(years, pay, { rate: 0.01, epochs: 10 });
    close([unit.weight.item(), unit.bias.item()], [1124.0634970262, 85.4852888258], 9);
    close(unit.call(f64([[3.4], [15]])).dataSync(), [3907.301178715, 16946.4377442192], 9);
    expect(fit).toMatchObject({ stop: "epochs", updates: 50 });
    expect(fit.epochs.at(-1)!.loss).toBeLessThan(fit.epochs[0]!.loss);
  });

  it("all at once, for long enough, it reaches the least-squares line", () => {
    const unit = new LinearUnit(1);
    const fit = unit.fit(years, pay, { rate: 0.03, epochs: 20_000, batchSize: "all", gradTol: 1e-7 });
    expect(fit.stop).toBe("gradTol");
    close([unit.weight.item(), unit.bias.item()], [1095.42586751, -304.84227129], 6);
  });

  it("counts 1, N or ⌈N/B⌉ updates an epoch; B = N is batch descent bit for bit", () => {
    const train = (batchSize: number | "all", dropLast = false) => {
      const unit = new LinearUnit(1);
      const { updates } = unit.fit(years, pay, { epochs: 1, batchSize, dropLast });
      return { updates, weights: [unit.weight.item(), unit.bias.item()] };
    };
    expect([train("all"), train(1), train(2), train(2, true)].map((r) => r.updates)).toEqual([1, 5, 3, 2]);
    expect(train(5).weights).toEqual(train("all").weights);
  });

  it("in another order it takes another path to the same line", () => {
    const [given, shuffled] = [new LinearUnit(1), new LinearUnit(1)];
    given.fit(years, pay, { epochs: 3 });
    shuffled.fit(years, pay, { epochs: 3, shuffle: 1 });
    expect(shuffled.weight.item()).not.toBe(given.weight.item());
    shuffled.fit(years, pay, { epochs: 4000, rate: 0.002, shuffle: 1 });
    expect(Math.abs(shuffled.weight.item() - 1095.4)).toBeLessThan(15);
  });

  it("follows the gradient of halfMse that autograd finds", () => {
    const [byRule, byTape] = [new LinearUnit(3), new LinearUnit(3)];
    const [x, t] = [randn([7, 3], { dtype: "f64", seed: 1 }), randn([7], { dtype: "f64", seed: 2 })];
    byRule.fit(x, t, { rate: 0.1, epochs: 4, batchSize: "all" });
    const optimizer = new SGD(byTape.parameters(), { lr: 0.1 });
    for (let k = 0; k < 4; k++) {
      optimizer.zeroGrad();
      halfMse(byTape.call(x), t).backward();
      optimizer.step();
    }
    close(byRule.weight.dataSync(), [...byTape.weight.dataSync()], 12);
    close(byRule.bias.dataSync(), [...byTape.bias.dataSync()], 12);
  });

  it("reports divergence above the stable rate", () => {
    const loss = (w: Tensor): Tensor => halfMse(concat([years, years.mul(0).add(1)], 1).matmul(w), pay);
    const { bound } = stabilityBound(loss, f64([0, 0]));
    const stop = (rate: number) => new LinearUnit(1).fit(years, pay, { rate, epochs: 100_000, batchSize: "all", gradTol: 1e-6 }).stop;
    expect(stop(0.99 * bound)).toBe("gradTol");
    expect(stop(1.02 * bound)).toBe("diverged");
  });
});

describe("gradientDescent", () => {
  const square = (x: Tensor): Tensor => x.mul(x).sum();
  const from2 = (rate: number) => gradientDescent(square, f64([2]), { rate });

  it("x² from 2: 1.6, 1.28, 1.024, 0.8192, 0.65536 at rate 0.1", () => {
    const { stop, path, gradNorm, report } = from2(0.1);
    close(path.slice(0, 6).map((s) => s.x[0]!), [2, 1.6, 1.28, 1.024, 0.8192, 0.65536], 12);
    expect(stop).toBe("gradTol");
    expect(gradNorm).toBeLessThanOrEqual(1e-8);
    expect(report).toBeNull();
  });
  it("flips for ever at rate 1 and diverges at 1.1, with numbers and a reason", () => {
    const flips = from2(1);
    expect(flips.path.slice(0, 4).map((s) => s.x[0])).toEqual([2, -2, 2, -2]);
    expect(flips).toMatchObject({ stop: "maxIter", iterations: 1000, gradNorm: 4 });
    const out = from2(1.1);
    expect(out.stop).toBe("diverged");
    expect(Number.isFinite(out.x.item())).toBe(true);
    expect(out.report).toMatchInlineSnapshot(`"diverged: after 76 steps the gradient norm went from 4 to 4167000, ×1.2 a step; rate 1.1 is not below 2/λmax = 1 (λmax = 2 at the start): use a lower rate"`);
  });
  it("stops before values that are not finite", () => {
    const out = gradientDescent((x) => x.exp().sum(), f64([800]), {});
    expect(out.stop).toBe("diverged");
    expect(out.report).toMatch(/^diverged at once/);
    const cliff = gradientDescent((x) => x.log().neg().add(x).sum(), f64([3]), { rate: 5 }); // jumps below 0
    expect(cliff).toMatchObject({ stop: "diverged", iterations: 0 });
    expect(cliff.x.item()).toBe(3);
    expect(cliff.report).toContain("not finite after one more step");
  });
  it("finds the valley of Rosenbrock's function and least squares in closed form", () => {
    const rosenbrock = (p: Tensor): Tensor => p.at(0).neg().add(1).square().add(p.at(1).sub(p.at(0).square()).square().mul(100));
    const bottom = gradientDescent(rosenbrock, f64([0.5, 0.5]), { rate: 1e-3, maxIter: 40_000, gradTol: 1e-3 });
    close(bottom.x.dataSync(), [1, 1], 2);
    const [a, b] = [f64([[2, 0], [1, 1], [0, 3]]), f64([1, 2, 3])];
    const solved = gradientDescent((x) => a.matmul(x).sub(b).square().sum(), f64([0, 0]), { rate: 0.05, gradTol: 1e-10 });
    close(solved.x.dataSync(), [29 / 49, 51 / 49], 6); // normal equations [5 1; 1 10] x = [4; 11]
  }, 120_000);
  it("a vanishing gradient is no proof of a minimum: saddles stop it too", () => {
    const saddle = gradientDescent((p) => p.at(0).square().sub(p.at(1).square()), f64([1, 0]), { rate: 0.1 });
    expect(saddle.stop).toBe("gradTol");
    expect(saddle.x.dataSync()[1]).toBe(0);
  });
});

describe("curvature", () => {
  const scale = f64([-5, 2, 0.5]);
  const bowl = (x: Tensor): Tensor => x.square().mul(scale).sum();
  it("Hessian-vector products and 2/λmax, which is not of the eigenvalue of largest size", () => {
    const v = f64([1, 2, 3]);
    close(hessianVector(bowl)(f64([0.3, -1, 2]), v).dataSync(), [-10, 8, 3], 12);
    const { largest, bound } = stabilityBound(bowl, f64([1, 1, 1]));
    close([largest, bound], [4, 0.5], 9);
    expect(stabilityBound((x) => x.square().sum().neg(), f64([1, 2])).bound).toBe(Infinity);
    expect(stabilityBound((x) => x.mul(3).sum(), f64([1, 2])).bound).toBe(Infinity);
  });
});

describe("BackPropagation: the 3-4-2 network", () => {
  const hidden = [[0.1, -0.2, 0.3, 0.1], [0.4, 0.5, -0.6, -0.2], [-0.7, 0.8, 0.9, 0.3], [0.2, -0.4, 0.6, -0.1]];
  const output = [[0.3, -0.5, 0.2, 0.7, 0.1], [-0.4, 0.6, -0.1, 0.5, -0.3]];
  const [x, t] = [[0.5, -1, 1.5], [1, 0]];
  const fresh = (): BackPropagation => new BackPropagation([hidden, output]);

  it("shows every net, activation, δ and gradient with the printed digits", () => {
    const { layers, error, gradient } = fresh().pass(x, t);
    const [inputs, middle, last] = layers as [NodeTrace[], NodeTrace[], NodeTrace[]];
    expect(layers.flat().map((n) => n.node)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(inputs.map((n) => n.a)).toEqual(x);
    close(middle.map((n) => n.net!), [0.8, -1.4, 0.5, 1.3], 12);
    close(middle.map((n) => n.a), [0.6899744811, 0.1978161114, 0.6224593312, 0.785834983], 10);
    close(last.map((n) => n.a), [0.7073732681, 0.4683850918], 10);
    close(last.map((n) => n.delta!), [0.0605726589, -0.1166281209], 10);
    close(middle.map((n) => n.delta!), [0.0138662781, -0.0159102559, 0.0055877641, -0.0026781654], 10);
    expect(error).toBeCloseTo(0.15250749920988582, 15);
    close([gradient[1]![0]![0]!, gradient[0]![0]![0]!, gradient[1]![0]![4]!], [-0.04179358887594231, -0.006933139051699298, -0.0605726588723105], 15);
  });

  it("one step gives the printed weights, not those of the misprinted rule", () => {
    const net = fresh();
    net.learn(x, t, 0.5);
    close([net.weight(8, 4), net.weight(4, 1), net.weight(8, "b")], [0.3208967944, 0.1034665695, 0.1302863294], 10);
    expect(net.pass(x, t).error).toBeCloseTo(0.13069372397662818, 15);
    expect(Math.abs(net.weight(8, 4) - 0.3061149605)).toBeGreaterThan(0.01); // with (1−y) twice
    expect(() => net.weight(4, 8)).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: weight: no weight leads from node 8 to node 4
        hint: nodes 1 … 3 are inputs; each layer follows the one before]
    `);
    expect(() => new BackPropagation([hidden, hidden])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: BackPropagation: a row has 4 numbers where 4 inputs and a bias need 5]`);
  });

  it("agrees with autograd in every weight, for every activation", () => {
    const one = f64([1]);
    for (const [activation, act] of [["sigmoid", (v: Tensor) => v.sigmoid()], ["tanh", (v: Tensor) => v.tanh()], ["identity", (v: Tensor) => v]] as const) {
      const layer = (w: Tensor, v: Tensor): Tensor => act(w.matmul(concat([v, one])));
      const { value, grads } = valueAndGrad((w1: Tensor, w2: Tensor) => f64(t).sub(layer(w2, layer(w1, f64(x)))).square().sum().mul(0.5))(f64(hidden), f64(output));
      const { error, gradient } = new BackPropagation([hidden, output], { activation }).pass(x, t);
      expect(error).toBeCloseTo(value.item(), 14);
      gradient.forEach((rows, l) => close(rows.flat(), [...grads[l as 0 | 1].dataSync()], 14));
    }
  });

  it("every weight of the 8-3-8 encoder agrees with differences, and the encoder learns", () => {
    const net = BackPropagation.random([8, 3, 8], { seed: 5 });
    const one = (i: number): number[] => Array.from({ length: 8 }, (_, j) => (i === j ? 1 : 0));
    const { gradient } = net.pass(one(2), one(2));
    const h = 1e-5;
    net.layers.forEach((rows, l) =>
      rows.forEach((row, j) =>
        row.forEach((_, i) => {
          const at = (d: number): number => {
            const moved = net.layers;
            moved[l]![j]![i]! += d;
            return new BackPropagation(moved).pass(one(2), one(2)).error;
          };
          const [a, n] = [gradient[l]![j]![i]!, (at(h) - at(-h)) / (2 * h)];
          expect(Math.abs(a - n)).toBeLessThanOrEqual(1e-6 * Math.max(1e-4, Math.abs(a) + Math.abs(n)));
        }),
      ),
    );
    for (let epoch = 0; epoch < 3000; epoch++) for (let i = 0; i < 8; i++) net.learn(one(i), one(i), 0.5);
    for (let i = 0; i < 8; i++) expect(net.predict(one(i)).map((v) => (v > 0.5 ? 1 : 0))).toEqual(one(i));
  });
});
