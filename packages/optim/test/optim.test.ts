import { endStep, getEngine, tensor, trace, variable, zeros, type Tensor, type Variable } from "@nn/tensor";
import "@nn/autograd";
import { Adam, AdamW, SGD } from "@nn/optim";
import { describe, expect, it } from "vitest";

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

  it("goes back to a state before the first update, and refuses one that lacks moments", () => {
    const [a] = two() as [Variable, Variable];
    const optimizer = new AdamW([a], { lr: 0.1, weightDecay: 0 });
    const start = optimizer.stateDict();
    give([a]);
    optimizer.step();
    const later = optimizer.stateDict();
    a.write(new Float32Array(1000));
    optimizer.loadStateDict(start);
    optimizer.step();
    expect(a.dataSync()[0]).toBeCloseTo(-0.1, 6);
    expect(() => optimizer.loadStateDict({ ...later, tensors: new Map([...later.tensors].filter(([name]) => !name.endsWith("v"))) })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: Optimizer: state of parameter 0 lacks 'v' after 1 updates]`);
  });

  it("refuses bad options, empty lists, doubled parameters and foreign state", () => {
    const [a, b] = two() as [Variable, Variable];
    expect(() => new SGD([a], { lr: -1 })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: SGD: lr is -1, must be ≥ 0]`);
    expect(() => new Adam([a], { betas: [0.9, 1] })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: Adam: betas[1] is 1, must be in [0, 1)]`);
    expect(() => new SGD([{}] as never)).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: Optimizer: expected parameters, got Object
        hint: pass model.parameters()]
    `);
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
