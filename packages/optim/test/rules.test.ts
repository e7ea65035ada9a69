/** What holds for every rule: one launch, f32 as f64, continuing with the same bits; and rules that PyTorch 1.13 lacks. */
import { Random, getEngine, tensor, trace, variable, zeros, type Tensor, type Variable } from "@nn/tensor";
import "@nn/autograd";
import { AMSGrad, Adam, Lion, NAdam, RAdam, RMSprop, type Optimizer } from "@nn/optim";
import { describe, expect, it } from "vitest";
import { rules, type Make } from "./rules.ts";

const parameters = (dtype: "f32" | "f64"): Variable[] => [[700], [3, 5]].map((shape) => variable(zeros(shape, { dtype }).add(0.5)).requireGrad() as Variable);
/** Gradients of step i: exact in f32, none near 0. */
const give = (params: Variable[], i: number): void =>
  params.forEach((p, k) => (p.grad = tensor(Float64Array.from({ length: p.size }, (_, j) => Math.fround(Math.sin(1 + i + 7 * k + 0.1 * j) * (j % 2 ? 1 : 0.25))), { shape: [...p.shape], dtype: p.dtype }).moveTo(null) as Tensor));

function train(Rule: Make, options: object, dtype: "f32" | "f64", { interrupt = -1, steps = 20 } = {}): number[] {
  const params = parameters(dtype);
  let optimizer = new Rule(params, { lr: 0.01, ...options });
  for (let i = 0; i < steps; i++) {
    if (i === interrupt) {
      const state = optimizer.stateDict();
      optimizer = new Rule(params, { lr: 99, ...options });
      optimizer.loadStateDict(state);
    }
    give(params, i);
    optimizer.step();
    optimizer.zeroGrad();
  }
  return params.flatMap((p) => [...p.dataSync()]);
}

describe.each(rules)("%s", (_, Rule, options) => {
  it("updates all parameters in one launch", () => {
    const params = parameters("f32");
    give(params, 0);
    const optimizer = new Rule(params, options);
    expect(trace(() => optimizer.step()).kernels.filter((k) => k.startsWith("map"))).toEqual([`mapList_${getEngine().isa}`]);
  });
  it("does in f32 what it does in f64", () => {
    const [f32, f64] = [train(Rule, options, "f32"), train(Rule, options, "f64")];
    f32.forEach((w, i) => expect(Math.abs(w - f64[i]!)).toBeLessThan(2e-6));
    expect(f64.some((w) => Math.abs(w - 0.5) > 1e-3)).toBe(true);
  });
  it.each(["f32", "f64"] as const)("continues from its state with the same bits, %s", (dtype) => {
    expect(train(Rule, options, dtype, { interrupt: 7 })).toEqual(train(Rule, options, dtype));
  });
  it("refuses a rate below 0", () => {
    expect(() => new Rule(parameters("f32"), { lr: -1 })).toThrow(/lr is -1, must be ≥ 0/);
  });
});

describe("Lion", () => {
  it("walks by signs of the mixed momentum, and decays the weight itself", () => {
    const w = variable(tensor([1], { dtype: "f64" })).requireGrad() as Variable;
    const optimizer = new Lion([w], { lr: 0.1, betas: [0.5, 0.75], weightDecay: 0.5 });
    const steps = [
      { g: 0.5, w: 1 * 0.95 - 0.1 }, //             ½m + ½g = .25,             m = ¾m + ¼g = .125
      { g: -0.0625, w: 0.85 * 0.95 - 0.1 }, //      .0625 − .03125 > 0,        m = .078125
      { g: -0.125, w: 0.7075 * 0.95 + 0.1 }, //     .0390625 − .0625 < 0,      m = .02734375
      { g: -0.02734375, w: 0.772125 * 0.95 }, //    0: only the decay
    ];
    for (const { g, w: expected } of steps) {
      w.grad = tensor([g], { dtype: "f64" }).moveTo(null) as Tensor;
      optimizer.step();
      expect(w.item()).toBeCloseTo(expected, 14);
    }
  });
});

describe("AMSGrad", () => {
  it("never lets a rate grow: after a large gradient, small ones move less than with Adam", () => {
    const moved = (Rule: typeof Adam | typeof AMSGrad): number => {
      const w = variable(tensor([1], { dtype: "f64" })).requireGrad() as Variable;
      const optimizer = new Rule([w], { lr: 0.1, betas: [0, 0.5] });
      let last = 0;
      for (let i = 0; i < 30; i++) {
        w.grad = tensor([i === 0 ? 10 : 0.1], { dtype: "f64" }).moveTo(null) as Tensor;
        const before = w.item();
        optimizer.step();
        last = before - w.item();
      }
      return last;
    };
    expect(moved(Adam)).toBeCloseTo(0.1, 3); // lr · g/√g²
    // lr · g/√V, where V = .5·10² stays the largest
    expect(moved(AMSGrad)).toBeCloseTo((0.1 * 0.1) / Math.sqrt(50), 8);
  });
});

describe("numbers over a long run", () => {
  /** `w` looks back on so many updates, all with a gradient of 0. */
  const age = (optimizer: Optimizer<{ lr: number }>, w: Variable, updates: number): void => {
    w.grad = zeros([1], { dtype: w.dtype }).moveTo(null) as Tensor;
    optimizer.step();
    optimizer.loadStateDict({ ...optimizer.stateDict(), step: updates, updates: [updates] });
  };

  it("RAdam starts as momentum with the plain rate, and ends as Adam", () => {
    const first = (beta2: number): number => {
      const w = variable(tensor([1], { dtype: "f64" })).requireGrad() as Variable;
      w.grad = tensor([0.5], { dtype: "f64" }).moveTo(null) as Tensor;
      new RAdam([w], { lr: 0.1, betas: [0.9, beta2] }).step();
      return w.item();
    };
    expect(first(0.999)).toBeCloseTo(1 - 0.1 * 0.5, 14);
    const [radam, adam] = ([RAdam, Adam] as unknown as Make[]).map((Rule) => {
      const w = variable(tensor([1], { dtype: "f64" })).requireGrad() as Variable;
      const optimizer = new Rule([w], { lr: 0.1, betas: [0.9, 0.99] } as object);
      age(optimizer, w, 9999);
      w.grad = tensor([0.5], { dtype: "f64" }).moveTo(null) as Tensor;
      optimizer.step();
      return 1 - w.item();
    });
    expect(radam! / adam!).toBeCloseTo(1, 5);
  });

  it("NAdam's product of momenta falls to 0 and stays there", () => {
    const w = variable(tensor([1], { dtype: "f64" })).requireGrad() as Variable;
    const optimizer = new NAdam([w], { betas: [0.5, 0.999] });
    for (const updates of [0, 500, 2000, 1_000_000]) {
      optimizer.loadStateDict({ ...optimizer.stateDict(), updates: [updates] });
      w.grad = tensor([0.5], { dtype: "f64" }).moveTo(null) as Tensor;
      optimizer.step();
      expect(w.item()).toBeLessThan(1);
    }
  });

  it("a constant gradient does not break centered RMSprop in f32", () => {
    const random = new Random(1);
    const w = variable(zeros([1000])).requireGrad() as Variable;
    const g = Float32Array.from({ length: 1000 }, (_, i) => 6 * random.uniform(i) - 3);
    const optimizer = new RMSprop([w], { centered: true, alpha: 0.5, eps: 1e-3 });
    for (let i = 0; i < 60; i++) {
      w.grad = tensor(g).moveTo(null) as Tensor;
      optimizer.step();
    }
    expect([...w.dataSync()].every(Number.isFinite)).toBe(true);
  });
});
