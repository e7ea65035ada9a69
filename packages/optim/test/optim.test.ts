import { endStep, getEngine, tensor, trace, variable, zeros, type Tensor, type Variable } from "@nn/tensor";
import "@nn/autograd";
import { Adam, AdamW, SGD, clipGradNorm, schedule, type Optimizer } from "@nn/optim";
import { describe, expect, it } from "vitest";

/** w = 1 under gradients .5, −.3, .2 (reference.md section 8). */
function path(make: (w: Variable[]) => Optimizer<{ lr: number }>, dtype: "f32" | "f64"): number[] {
  const w = variable(tensor([1], { dtype })).requireGrad() as Variable;
  const optimizer = make([w]);
  return [0.5, -0.3, 0.2].map((g) => {
    w.grad = tensor([g], { dtype }).moveTo(null) as Tensor;
    optimizer.step();
    optimizer.zeroGrad();
    return w.dataSync()[0]!;
  });
}

const worked: [string, (w: Variable[]) => Optimizer<{ lr: number }>, number[]][] = [
  ["sgd", (w) => new SGD(w, { lr: 0.1 }), [0.95, 0.98, 0.96]],
  ["momentum", (w) => new SGD(w, { lr: 0.1, momentum: 0.9 }), [0.95, 0.935, 0.9015]],
  ["momentum, dampening .9", (w) => new SGD(w, { lr: 0.1, momentum: 0.9, dampening: 0.9 }), [0.95, 0.908, 0.8682]],
  ["nesterov", (w) => new SGD(w, { lr: 0.1, momentum: 0.9, nesterov: true }), [0.905, 0.9215, 0.87135]],
  ["adam", (w) => new Adam(w, { lr: 0.1 }), [0.900000002, 0.8808501989, 0.8461074308]],
  ["adam β2=.9999", (w) => new Adam(w, { lr: 0.1, betas: [0.9, 0.9999] }), [0.900000002, 0.8808522278, 0.8461181051]],
];

describe("worked numbers", () => {
  it.each(worked)("%s in f64", (_, make, expected) => path(make, "f64").forEach((w, i) => expect(Math.abs(w - expected[i]!)).toBeLessThan(1e-9)));
  it.each(worked)("%s in the fused f32 pass", (_, make, expected) => path(make, "f32").forEach((w, i) => expect(w).toBeCloseTo(expected[i]!, 6)));
});

describe("Optimizer", () => {
  const two = () => [variable(zeros([1000])).requireGrad() as Variable, variable(zeros([3, 3])).requireGrad() as Variable];
  const give = (params: Variable[], g = 1) => params.forEach((p) => (p.grad = zeros(p.shape).add(g).moveTo(null) as Tensor));

  it("updates all parameters in one launch", () => {
    const params = two();
    give(params);
    const optimizer = new SGD(params, { lr: 0.5, momentum: 0.9 });
    expect(trace(() => optimizer.step()).kernels.filter((k) => k.startsWith("map"))).toEqual([`mapList_${getEngine().isa}`]);
    expect([...params[1]!.dataSync()]).toEqual(new Array(9).fill(-0.5));
  });

  it("keeps groups apart and leaves parameters without gradient alone", () => {
    const [a, b] = two() as [Variable, Variable];
    const c = variable(zeros([2])).requireGrad() as Variable;
    const optimizer = new SGD([{ params: [a, c], lr: 1 }, { params: [b] }], { lr: 0.1 });
    give([a, b]);
    optimizer.step();
    expect([a.dataSync()[0], c.dataSync()[0]]).toEqual([-1, 0]);
    expect(b.dataSync()[0]).toBeCloseTo(-0.1, 6);
    optimizer.lr = 0.25;
    expect(optimizer.groups.map((g) => g.options.lr)).toEqual([0.25, 0.25]);
  });

  it("continues from its state with the same bits", () => {
    const run = (interrupt: boolean) => {
      const params = two();
      let optimizer = new AdamW(params, { lr: 0.01 });
      for (let i = 0; i < 10; i++) {
        if (interrupt && i === 5) {
          const state = optimizer.stateDict();
          optimizer = new AdamW(params, { lr: 99 });
          optimizer.loadStateDict(state);
        }
        give(params, Math.sin(i) + 0.1);
        optimizer.step();
        optimizer.zeroGrad();
      }
      return params.map((p) => [...p.dataSync()]);
    };
    expect(run(true)).toEqual(run(false));
  });

  it("refuses bad options, empty lists, doubled parameters and foreign state", () => {
    const [a, b] = two() as [Variable, Variable];
    expect(() => new SGD([a], { lr: -1 })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: SGD: lr is -1, must be ≥ 0]`);
    expect(() => new Adam([a], { betas: [0.9, 1] })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: Adam: betas[1] is 1, must be in [0, 1)]`);
    expect(() => new SGD([])).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: Optimizer: no parameters
        hint: pass model.parameters()]
    `);
    expect(() => new SGD([{ params: [a] }, { params: [a] }])).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: Optimizer: a parameter of shape [1000] is in two groups]`);
    const other = new Adam([b]);
    give([b]);
    other.step();
    expect(() => new Adam([a]).loadStateDict(other.stateDict())).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: Optimizer: state '0.m' has shape [3,3], which fits no parameter there]`);
  });

  it("ends the step before the last: results can be read after one step, not after two", () => {
    const w = variable(tensor([1])).requireGrad() as Variable;
    const optimizer = new SGD([w], { lr: 0.1 });
    const loss = w.square().sum();
    loss.backward();
    optimizer.step();
    expect(loss.item()).toBe(1);
    optimizer.step();
    expect(() => loss.item()).toThrowErrorMatchingInlineSnapshot(`
      [ReleasedError: sum: this f32[] was released by the next optimizer.step() and is used again
        hint: return it from the scope, keep(t) it, or assign it to a Variable if it must live longer]
    `);
    endStep();
  });
});

describe("clipping and schedules", () => {
  it("clips by the global norm and returns it (reference.md section 9)", () => {
    const [a, b] = [variable(zeros([1])).requireGrad() as Variable, variable(zeros([1])).requireGrad() as Variable];
    const grads = (...values: number[]) => [a, b].forEach((p, i) => (p.grad = tensor([values[i]!]).moveTo(null) as Tensor));
    grads(3, 4);
    expect(clipGradNorm([a, b], 1)).toBe(5);
    expect(a.grad!.item()).toBeCloseTo(0.59999988, 7);
    expect(b.grad!.item()).toBeCloseTo(0.79999984, 7);
    grads(NaN, 4);
    expect(() => clipGradNorm([a, b], 1)).toThrowErrorMatchingInlineSnapshot(`
      [GradError: clipGradNorm: the gradient norm is NaN
        hint: lower the learning rate, or find the op with detectAnomaly()]
    `);
    expect(b.grad!.item()).toBe(4);
  });
  it("schedules are plain functions", () => {
    expect([0, 9, 10, 20].map(schedule.stepDecay(10, 0.5))).toEqual([1, 1, 0.5, 0.25]);
    expect([0, 50, 100, 200].map((s) => Number(schedule.cosine(100)(s).toFixed(6)))).toEqual([1, 0.5, 0, 0]);
    expect([0, 1, 2, 3].map(schedule.warmup(2, schedule.cosine(2)))).toEqual([0.5, 1, 1, 0.5]);
  });
});
