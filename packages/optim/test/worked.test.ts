/** Numbers worked out by hand, and what tells the forms of a rule apart. */
import { tensor, variable, type Tensor, type Variable } from "@nn/tensor";
import "@nn/autograd";
import { Adadelta, Adagrad, Adam, HeavyBall, MomentumEMA, Nesterov, RMSprop, SGD, type Optimizer } from "@nn/optim";
import { describe, expect, it } from "vitest";

type Make = (w: Variable[]) => Optimizer<{ lr: number }>;
const start = (dtype: "f32" | "f64"): Variable => variable(tensor([1], { dtype })).requireGrad() as Variable;

/** w = 1 under gradients .5, −.3, .2; with a rate for each of them, if `rates` are given. */
function path(make: Make, dtype: "f32" | "f64", rates: number[] = []): number[] {
  const w = start(dtype);
  const optimizer = make([w]);
  return [0.5, -0.3, 0.2].map((g, i) => {
    optimizer.lr = rates[i] ?? optimizer.lr;
    w.grad = tensor([g], { dtype }).moveTo(null) as Tensor;
    optimizer.step();
    optimizer.zeroGrad();
    return w.dataSync()[0]!;
  });
}

const worked: [string, Make, number[]][] = [
  ["sgd", (w) => new SGD(w, { lr: 0.1 }), [0.95, 0.98, 0.96]],
  ["momentum", (w) => new SGD(w, { lr: 0.1, momentum: 0.9 }), [0.95, 0.935, 0.9015]],
  ["momentum (ema)", (w) => new MomentumEMA(w, { lr: 0.1 }), [0.995, 0.9935, 0.99015]],
  ["momentum, dampening .9", (w) => new SGD(w, { lr: 0.1, momentum: 0.9, dampening: 0.9 }), [0.95, 0.908, 0.8682]],
  ["nesterov", (w) => new SGD(w, { lr: 0.1, momentum: 0.9, nesterov: true }), [0.905, 0.9215, 0.87135]],
  ["rmsprop ρ.9", (w) => new RMSprop(w, { lr: 0.1 }), [0.683772254, 0.8528030954, 0.7416061572]],
  ["rmsprop ρ.99", (w) => new RMSprop(w, { lr: 0.1, alpha: 0.99 }), [0.0000002, 0.5163978906, 0.1894176118]],
  ["rmsprop of the notes", (w) => new RMSprop(w, { lr: 0.1, alpha: 0.999, epsUnderRoot: true }), [-2.1622144165, -0.534661451, -1.5614233458]],
  ["adagrad", (w) => new Adagrad(w, { lr: 0.1 }), [0.9, 0.9514495756, 0.9190052913]],
  ["adagrad of the notes", (w) => new Adagrad(w, { lr: 0.1, eps: 1e-8, epsUnderRoot: true }), [0.900000002, 0.9514495768, 0.919005293]],
  ["adadelta ρ.9", (w) => new Adadelta(w), [0.9968377856, 0.999228181, 0.9974801287]],
  ["adadelta ρ.95", (w) => new Adadelta(w, { rho: 0.95 }), [0.9955280429, 0.9988433492, 0.9964570375]],
  ["adam", (w) => new Adam(w, { lr: 0.1 }), [0.900000002, 0.8808501989, 0.8461074308]],
  ["adam β2=.9999", (w) => new Adam(w, { lr: 0.1, betas: [0.9, 0.9999] }), [0.900000002, 0.8808522278, 0.8461181051]],
  ["adam as printed", (w) => new Adam(w, { lr: 0.1, betas: [0.9, 0.9999], eps: 0, correctNumerator: false }), [0.99, 0.9863619228, 0.9769489753]],
];

const within = (got: number[], expected: number[], tolerance: number): void =>
  got.forEach((w, i) => expect(Math.abs(w - expected[i]!), `step ${i + 1}: ${w}, expected ${expected[i]}`).toBeLessThanOrEqual(tolerance));

describe("worked numbers", () => {
  it.each(worked)("%s in f64", (_, make, expected) => within(path(make, "f64"), expected, 1e-9));
  it.each(worked)("%s in the fused f32 pass", (_, make, expected) => within(path(make, "f32"), expected, 1e-6));
});

describe("a rate that drops after two steps", () => {
  const rates = [0.01, 0.01, 0.001], options = { momentum: 0.9, weightDecay: 5e-4 };
  const rules: [string, Make, number[]][] = [
    ["AlexNet's: what is in motion goes on", (w) => new HeavyBall(w, options), [0.994995, 0.993485525, 0.9919265008]],
    ["PyTorch's: the velocity is rescaled", (w) => new SGD(w, options), [0.994995, 0.993485525, 0.9931491755]],
  ];
  it.each(rules)("%s", (_, make, expected) => {
    within(path(make, "f64", rates), expected, 1e-9);
    within(path(make, "f32", rates), expected, 1e-6);
  });
});

describe("Nesterov on ½w²", () => {
  const options = { lr: 0.1, momentum: 0.9 };
  /** The weight after each step. */
  const walk = (dtype: "f32" | "f64", steps: number, step: (w: Variable) => () => void): number[] => {
    const w = start(dtype);
    const next = step(w);
    return Array.from({ length: steps }, () => (next(), w.dataSync()[0]!));
  };
  const gradient = (w: Variable, optimizer: { zeroGrad(): void }) => () => {
    optimizer.zeroGrad();
    w.square().sum().div(2).backward();
  };
  const lookAhead = (w: Variable) => {
    const optimizer = new Nesterov([w], options);
    return () => optimizer.step(gradient(w, optimizer));
  };
  const pytorch = (w: Variable) => {
    const optimizer = new SGD([w], { ...options, nesterov: true });
    const compute = gradient(w, optimizer);
    return () => (compute(), optimizer.step());
  };

  it.each([["f64", 1e-9], ["f32", 1e-6]] as const)("has two forms, %s", (dtype, tolerance) => {
    within(walk(dtype, 3, lookAhead), [0.9, 0.729, 0.51759], tolerance);
    within(walk(dtype, 3, pytorch), [0.81, 0.5751, 0.327321], tolerance);
  });

  it("has PyTorch's weights at its look-ahead points", () => {
    const ahead = walk("f64", 51, (w) => {
      const optimizer = new Nesterov([w], options);
      let first = true;
      return () => {
        if (!first) {
          gradient(w, optimizer)();
          optimizer.step();
        }
        first = false;
        optimizer.lookAhead();
      };
    });
    within(ahead.slice(1), walk("f64", 50, pytorch), 1e-14);
  });

  it("takes the closure and the two calls alike, adds the decay of the look-ahead point, and needs to look ahead", () => {
    const steps = (w: Variable) => {
      const optimizer = new Nesterov([w], options);
      const compute = gradient(w, optimizer);
      return () => (optimizer.lookAhead(), compute(), optimizer.step());
    };
    expect(walk("f32", 5, steps)).toEqual(walk("f32", 5, lookAhead));
    const decayOnly = (w: Variable) => {
      const optimizer = new Nesterov([w], { ...options, weightDecay: 1 }); // the gradient of ½w² once more
      return () => optimizer.step(() => (w.grad = tensor([0], { dtype: "f64" }).moveTo(null) as Tensor));
    };
    within(walk("f64", 5, decayOnly), walk("f64", 5, lookAhead), 1e-14);
    expect(() => new Nesterov([start("f32")]).step()).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: Nesterov: step() without lookAhead()
        hint: call lookAhead() before the forward pass, or pass a closure]
    `);
  });

  it("brings a parameter without gradient back", () => {
    const w = start("f64");
    const optimizer = new Nesterov([w], options);
    optimizer.step(gradient(w, optimizer));
    optimizer.step(() => optimizer.zeroGrad());
    expect(w.item()).toBeCloseTo(0.9, 15);
  });
});

describe("forms that are easily confused", () => {
  it("momentum as a mean is classical momentum at the rate lr(1−β); dampening is not", () => {
    const [ema, classical, damped] = [
      path((w) => new MomentumEMA(w, { lr: 0.1 }), "f64"),
      path((w) => new SGD(w, { lr: 0.1 * (1 - 0.9), momentum: 0.9 }), "f64"),
      path((w) => new SGD(w, { lr: 0.1, momentum: 0.9, dampening: 0.9 }), "f64"),
    ];
    within(ema, classical, 1e-15);
    expect(damped[0]! - 1).toBeCloseTo(10 * (ema[0]! - 1), 12);
  });

  it("Adam corrects both moments, unless told not to; its first step is then 1−β₁ as long", () => {
    const first = (correctNumerator: boolean) => 1 - path((w) => new Adam(w, { lr: 0.1, correctNumerator }), "f64")[0]!;
    expect(first(true)).toBeCloseTo(0.1, 8);
    expect(first(false)).toBeCloseTo(0.01, 9);
  });

  it.each(["f32", "f64"] as const)("Adam without ε leaves a weight that never had a gradient alone, %s", (dtype) => {
    const w = variable(tensor([1, 1], { dtype })).requireGrad() as Variable;
    w.grad = tensor([0, 0.5], { dtype }).moveTo(null) as Tensor;
    new Adam([w], { lr: 0.1, eps: 0 }).step();
    within([...w.dataSync()], [1, 0.9], 1e-7);
  });

  it("Adadelta has the root of past updates in its numerator: the first step is √ε/√((1−ρ)g²+ε)·g", () => {
    expect(1 - path((w) => new Adadelta(w), "f64")[0]!).toBeCloseTo((Math.sqrt(1e-6) / Math.sqrt(0.1 * 0.25 + 1e-6)) * 0.5, 15);
  });
});
