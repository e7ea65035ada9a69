import { memory, tensor, variable, type Variable } from "@nn/tensor";
import "@nn/autograd";
import { LBFGS, type LBFGSOptions } from "@nn/optim/lbfgs";
import { describe, expect, it } from "vitest";
import { strongWolfe } from "../src/wolfe.ts";

const at = (values: number[], dtype: "f32" | "f64" = "f64"): Variable => variable(tensor(values, { dtype })).requireGrad() as Variable;

/** `(1−x)² + 100(y−x²)²`, least at (1, 1) at the end of a bent valley (Rosenbrock 1960). */
function rosenbrock(w: Variable, optimizer: LBFGS) {
  return () => {
    optimizer.zeroGrad();
    const [x, y] = [w.at(0), w.at(1)];
    const loss = x.neg().add(1).square().add(y.sub(x.square()).square().mul(100));
    loss.backward();
    return loss;
  };
}

describe("LBFGS", () => {
  it.each(["f64", "f32"] as const)("finds the end of Rosenbrock's valley, %s", (dtype) => {
    const w = at([-1.2, 1], dtype);
    const optimizer = new LBFGS([w], { maxIter: 60, toleranceChange: 1e-15, lineSearch: "strongWolfe" });
    expect(optimizer.step(rosenbrock(w, optimizer))).toBeCloseTo(24.2, 4);
    for (const v of w.dataSync()) expect(v).toBeCloseTo(1, dtype === "f64" ? 7 : 3);
    expect(optimizer.iterations).toBeLessThan(50);
    expect(optimizer.evaluations).toBeLessThan(75);
  });

  it("solves a quadratic over several parameters to the last digits", () => {
    const [a, b] = [at([3, -2]), at([1, 1, 1])];
    const optimizer = new LBFGS([a, b], { maxIter: 40, lineSearch: "strongWolfe", toleranceGrad: 1e-12, toleranceChange: 0 });
    const closure = () => {
      optimizer.zeroGrad();
      const loss = a.mul(tensor([1, 5], { dtype: "f64" })).mul(a).sum().add(b.sub(2).square().mul(tensor([0.5, 3, 20], { dtype: "f64" })).sum());
      loss.backward();
      return loss.item(); // a number will do
    };
    optimizer.step(closure);
    [...a.dataSync(), ...b.dataSync()].forEach((v, i) => expect(v).toBeCloseTo(i < 2 ? 0 : 2, 9));
    expect(optimizer.iterations).toBeLessThan(30);
  });

  it.each(["none", "strongWolfe"] as const)("continues from its state with the same bits, line search %s", (lineSearch) => {
    const run = (interrupt: boolean): number[] => {
      const w = at([-1.2, 1]);
      const options: Partial<LBFGSOptions> = { lr: lineSearch === "none" ? 1e-3 : 1, maxIter: 3, historySize: 4, lineSearch };
      let optimizer = new LBFGS([w], options);
      for (let i = 0; i < 6; i++) {
        if (interrupt && i === 3) {
          const state = optimizer.stateDict();
          optimizer = new LBFGS([w], options);
          optimizer.loadStateDict(state);
        }
        optimizer.step(rosenbrock(w, optimizer));
      }
      return [...w.dataSync(), optimizer.iterations, optimizer.evaluations];
    };
    expect(run(true)).toEqual(run(false));
  });

  it("steps back from where the loss is not a number", () => {
    const w = at([0.1]);
    const optimizer = new LBFGS([w], { lr: 100, lineSearch: "strongWolfe" });
    optimizer.step(() => {
      optimizer.zeroGrad();
      const loss = w.sub(w.log()).sum(); // least at 1; NaN below 0
      loss.backward();
      return loss;
    });
    expect(w.item()).toBeCloseTo(1, 4);
  });

  it("leaves a parameter without a gradient alone, and stops at once where the gradient is 0", () => {
    const [w, other] = [at([0]), at([7])];
    const optimizer = new LBFGS([w, other]);
    optimizer.step(() => {
      optimizer.zeroGrad();
      const loss = w.square().sum();
      loss.backward();
      return loss;
    });
    expect([w.item(), other.item(), optimizer.iterations, optimizer.evaluations]).toEqual([0, 7, 0, 1]);
  });

  it("stops where the weights hardly change, though the loss still does", () => {
    const w = at([1]);
    const optimizer = new LBFGS([w], { lr: 1e-4, toleranceChange: 1e-3 });
    optimizer.step(() => {
      optimizer.zeroGrad();
      const loss = w.square().sum().mul(1e4);
      loss.backward();
      return loss;
    });
    expect(w.item()).toBeCloseTo(1 - 1e-4, 12); // the first step is lr long
    expect(optimizer.iterations).toBe(1);
  });

  it("keeps no tensors from step to step", () => {
    const w = at([-1.2, 1]);
    const optimizer = new LBFGS([w], { maxIter: 4, lineSearch: "strongWolfe" });
    const held: number[] = [];
    for (let i = 0; i < 4; i++) {
      optimizer.step(rosenbrock(w, optimizer));
      held.push(memory.report().reduce((sum, o) => sum + o.tensors, 0));
    }
    expect(held[3]).toBe(held[1]);
  });

  it("refuses what it cannot do", () => {
    const w = at([1]);
    expect(() => new LBFGS([])).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: Optimizer: no parameters
        hint: pass model.parameters()]
    `);
    expect(() => new LBFGS([w], { maxIter: 0 })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: LBFGS: maxIter is 0, must be ≥ 1]`);
    const optimizer = new LBFGS([w]);
    expect(() => optimizer.step(() => NaN)).toThrowErrorMatchingInlineSnapshot(`
      [GradError: LBFGS: the loss is NaN, its squared gradient norm 0
        hint: start elsewhere, or use lineSearch: "strongWolfe"]
    `);
    const closure = () => {
      optimizer.zeroGrad();
      const loss = w.square().sum();
      loss.backward();
      return loss;
    };
    optimizer.step(closure);
    expect(() => new LBFGS([at([1, 2])]).loadStateDict(optimizer.stateDict())).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: LBFGS: the state is of 1 weights, the optimizer has 2]`);
  });
});

describe("strongWolfe", () => {
  const functions: [string, (t: number) => number, (t: number) => number][] = [
    ["a parabola", (t) => (t - 3) ** 2, (t) => 2 * (t - 3)],
    ["a long slope (Moré & Thuente 1994, function 1)", (t) => -t / (t * t + 2), (t) => (t * t - 2) / (t * t + 2) ** 2],
    ["a flat start (function 2)", (t) => (t + 0.004) ** 5 - 2 * (t + 0.004) ** 4, (t) => 5 * (t + 0.004) ** 4 - 8 * (t + 0.004) ** 3],
    ["waves", (t) => 0.1 * t - Math.sin(t), (t) => 0.1 - Math.cos(t)],
    ["a wall", (t) => (t < 2 ? -Math.log(2 - t) - 3 * t : Infinity), (t) => (t < 2 ? 1 / (2 - t) - 3 : NaN)],
  ];
  const firsts = [1e-3, 0.1, 1, 10, 1000];
  it.each(functions.flatMap(([name, f, slope]) => firsts.map((first) => [name, first, f, slope] as const)))("%s from a first step of %d meets both conditions", (_, first, f, slope) => {
    let evaluations = 0;
    const point = (t: number) => (evaluations++, { t, f: f(t), g: new Float64Array([slope(t)]), slope: slope(t) });
    const start = point(0);
    const { t } = strongWolfe(point, start, first, 1);
    expect(f(t)).toBeLessThanOrEqual(start.f + 1e-4 * t * start.slope);
    expect(Math.abs(slope(t))).toBeLessThanOrEqual(0.9 * Math.abs(start.slope));
    expect(evaluations).toBeLessThanOrEqual(27);
  });
  it("gives up at the best point that decreases enough", () => {
    const f = (t: number) => ({ t, f: -t / (t * t + 2), g: new Float64Array(1), slope: (t * t - 2) / (t * t + 2) ** 2 });
    // 1000 and the next point are lower than the start, but not by enough.
    expect(strongWolfe(f, f(0), 1000, 1, { maxSearch: 1 }).t).toBe(0);
  });
});
