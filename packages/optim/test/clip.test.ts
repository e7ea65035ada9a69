import { tensor, variable, zeros, type Tensor, type Variable } from "@nn/tensor";
import "@nn/autograd";
import { SGD, clipGradAdaptive, clipGradNorm, clipGradNormPerLayer, clipGradValue } from "@nn/optim";
import { describe, expect, it } from "vitest";

const of = (values: number[], shape = [values.length]): Variable => variable(tensor(values, { shape })).requireGrad() as Variable;
const give = (p: Variable, values: number[]): void => void (p.grad = tensor(values, { shape: [...p.shape] }).moveTo(null) as Tensor);
const gradOf = (p: Variable): number[] => [...p.grad!.dataSync()];
const close = (got: number[], expected: number[], digits = 7): void => expected.forEach((e, i) => expect(got[i]).toBeCloseTo(e, digits));

/** Two scalars with gradients `a`, `b`. */
function two(a: number, b: number): [Variable, Variable] {
  const list: [Variable, Variable] = [of([0]), of([0])];
  give(list[0], [a]);
  give(list[1], [b]);
  return list;
}

describe("clipGradNorm", () => {
  it("clips by the global norm and returns it (reference numbers)", () => {
    const [a, b] = two(3, 4);
    expect(clipGradNorm([a, b], 1)).toBe(5);
    close([...gradOf(a), ...gradOf(b)], [0.59999988, 0.79999984]);
    expect(clipGradNorm([a, b], 2)).toBeCloseTo(1, 6); // short enough: not a bit changes
    close([...gradOf(a), ...gradOf(b)], [0.59999988, 0.79999984]);
  });
  it("clips what overflows when squared", () => {
    const [a, b] = two(3e25, 4e25);
    expect(clipGradNorm([a, b], 1) / 5e25).toBeCloseTo(1, 6);
    close([...gradOf(a), ...gradOf(b)], [0.6, 0.8], 6);
  });
  it("passes over parameters without a gradient", () => {
    const [a] = two(3, 4);
    expect(clipGradNorm([of([1]), a], 10)).toBe(3);
    expect(clipGradNorm([of([1])], 10)).toBe(0);
  });
});

describe("clipGradNormPerLayer", () => {
  it("clips each parameter, or each list of parameters, by its own norm", () => {
    const [a, b] = two(3, 4);
    const c = of([0, 0]);
    give(c, [0.3, 0.4]);
    expect(clipGradNormPerLayer([a, b, c], 1)).toEqual([3, 4, expect.closeTo(0.5, 7)]);
    close([...gradOf(a), ...gradOf(b), ...gradOf(c)], [1, 1, 0.3, 0.4], 6);
    const [d, e] = two(3, 4);
    expect(clipGradNormPerLayer([[d, e], [c]], 1)).toEqual([5, expect.closeTo(0.5, 7)]);
    close([...gradOf(d), ...gradOf(e), ...gradOf(c)], [0.6, 0.8, 0.3, 0.4], 6);
  });
});

describe("clipGradValue", () => {
  it("clamps each element", () => {
    const p = of([0, 0, 0, 0]);
    give(p, [-3, -0.5, 0.25, 7]);
    clipGradValue([p], 1);
    expect(gradOf(p)).toEqual([-1, -0.5, 0.25, 1]);
  });
});

describe("clipGradAdaptive", () => {
  it("bounds each row by its weights, vectors as a whole, zeros by ε", () => {
    const [matrix, kernel, bias, fresh, scale] = [of([3, 4, 3, 4], [2, 2]), of([1, 0, 0, 0, 0, 2, 0, 0], [2, 1, 2, 2]), of([6, 8]), of([0, 0]), of([2], [])];
    give(matrix, [6, 8, 0.03, 0.04]); // ‖G‖ = 10 and .05 beside ‖W‖ = 5: allowed .5
    give(kernel, [0, 1, 0, 0, 0, 0, 0.1, 0]); // allowed .1 and .2
    give(bias, [30, 40]); // 50 beside 10: allowed 1
    give(fresh, [3, 4]); // weights count as 1e-3
    give(scale, [-1]); // allowed .2
    clipGradAdaptive([matrix, kernel, bias, fresh, scale], { clipping: 0.1 });
    close(gradOf(matrix), [0.3, 0.4, 0.03, 0.04]);
    close(gradOf(kernel), [0, 0.1, 0, 0, 0, 0, 0.1, 0]);
    close(gradOf(bias), [0.6, 0.8]);
    close(gradOf(fresh), [0.6e-4, 0.8e-4], 9);
    close(gradOf(scale), [-0.2]);
  });
  it("has the paper's λ = 0.01, and leaves gradients of 0 at 0", () => {
    const p = of([3, 4]);
    give(p, [3, 4]);
    clipGradAdaptive([p]);
    close(gradOf(p), [0.03, 0.04]);
    give(p, [0, 0]);
    clipGradAdaptive([p]);
    expect(gradOf(p)).toEqual([0, 0]);
    const fresh = of([0, 0]);
    give(fresh, [0, 0]);
    clipGradAdaptive([fresh], { eps: 0 });
    expect(gradOf(fresh)).toEqual([0, 0]);
  });
});

describe.each([
  ["clipGradNorm", (list: Variable[], o: object) => clipGradNorm(list, 1, o)],
  ["clipGradNormPerLayer", (list: Variable[], o: object) => clipGradNormPerLayer(list, 1, o)],
  ["clipGradValue", (list: Variable[], o: object) => clipGradValue(list, 1, o)],
  ["clipGradAdaptive", (list: Variable[], o: object) => clipGradAdaptive(list, o)],
] as const)("%s and gradients that are not finite", (name, clip) => {
  it.each([NaN, Infinity, -Infinity])("raises by default and changes nothing: %d", (bad) => {
    const [a, b] = two(bad, 4);
    expect(() => clip([a, b], {})).toThrow(new RegExp(`${name}: the gradient norm is (NaN|Infinity)`));
    expect([...gradOf(a), ...gradOf(b)]).toEqual([bad, 4]);
  });
  it.each([NaN, Infinity])("skips the step by policy: %d", (bad) => {
    const [a, b] = two(bad, 4);
    const optimizer = new SGD([a, b], { lr: 1, momentum: 0.9 });
    clip([a, b], { nonFinite: "skip" });
    expect([a.grad, b.grad]).toEqual([null, null]);
    optimizer.step();
    expect([a.item(), b.item()]).toEqual([0, 0]);
    expect(optimizer.stateDict().updates).toEqual([0, 0]); // the step did not count
  });
});

it("returns the norm it skipped at, and says what to do when it raises", () => {
  const p = variable(zeros([2])).requireGrad() as Variable;
  give(p, [NaN, 1]);
  expect(() => clipGradNorm([p], 1)).toThrowErrorMatchingInlineSnapshot(`
    [GradError: clipGradNorm: the gradient norm is NaN
      hint: lower the learning rate, or find the op with detectAnomaly()]
  `);
  expect(clipGradNorm([p], 1, { nonFinite: "skip" })).toBeNaN();
});

it("refuses limits that would turn gradients around", () => {
  const [a] = two(3, 4);
  expect(() => clipGradNorm([a], -1)).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: clipGradNorm: maxNorm is -1, must be ≥ 0]`);
  expect(() => clipGradNormPerLayer([a], NaN)).toThrow("maxNorm is NaN");
  expect(() => clipGradValue([a], -1)).toThrow("limit is -1");
  expect(() => clipGradAdaptive([a], { clipping: -1 })).toThrow("clipping is -1");
  expect(gradOf(a)).toEqual([3]);
});
