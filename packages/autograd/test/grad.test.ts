import { tensor } from "@nn/tensor";
import { checkpoint, detectAnomaly, grad, gradcheck, gradgradcheck, gradients, hessianVector, valueAndGrad } from "@nn/autograd";
import { describe, expect, it } from "vitest";

describe("grad", () => {
  it("differentiates to any order", () => {
    const f = (x: Parameters<Parameters<typeof grad>[0]>[0]) => x.pow(4).sum();
    const x = tensor([2]);
    expect(grad(f)(x).item()).toBeCloseTo(32, 4);
    expect(grad((y) => grad(f)(y).sum())(x).item()).toBeCloseTo(48, 4);
    expect(grad((z) => grad((y) => grad(f)(y).sum())(z).sum())(x).item()).toBeCloseTo(48, 3);
  });

  it("gives value and one gradient per argument", () => {
    const { value, grads } = valueAndGrad((a, b) => a.mul(b).sum())(tensor([1, 2]), tensor([3, 4]));
    expect(value.item()).toBe(11);
    expect(grads.map((g) => g.toArray())).toEqual([[3, 4], [1, 2]]);
  });

  it("differentiates through a gradient step (the outer sees the inner)", () => {
    // w' = w − 0.1·d/dw (w·x)² ; d(w')/dx at w=1, x=2: −0.1·4·w·x = −0.8
    const x = tensor([2]).requireGrad();
    const w = tensor([1]);
    const inner = grad((v) => v.mul(x).square().sum())(w);
    const [g] = gradients(w.sub(inner.mul(0.1)).sum(), [x]);
    expect(g!.item()).toBeCloseTo(-0.8, 5);
  });

  it("refuses async functions and integer inputs", () => {
    expect(() => grad((async (x: unknown) => x) as never)(tensor([1]))).toThrowErrorMatchingInlineSnapshot(`
      [ScopeError: grad takes a synchronous function, got an async one
        hint: await outside: compute the loss inside, then \`await loss.item()\` after it returned]
    `);
    expect(() => grad((x) => x.sum())(tensor(Int32Array.of(1)))).toThrowErrorMatchingInlineSnapshot(`
      [GradError: grad: i32 inputs have no gradient
        hint: x.cast("f32")]
    `);
  });
});

describe("checkpoint", () => {
  it("gives the same gradients as the plain function, for inputs and for what it closes over", () => {
    const run = (wrap: boolean) => {
      const x = tensor([0.5, -1]).requireGrad();
      const w = tensor([2, 3]).requireGrad();
      const f = (t: typeof x) => t.mul(w).tanh().mul(t);
      const y = wrap ? checkpoint(f, x) : f(x);
      y.mul(tensor([1, 2])).sum().backward();
      return [x.grad!.toArray(), w.grad!.toArray()];
    };
    expect(run(true)).toEqual(run(false));
  });
});

describe("detectAnomaly", () => {
  it("names the op and the line of the first value that is not finite", () => {
    const x = tensor([-1]).requireGrad();
    expect(() => detectAnomaly(() => x.log().sum())).toThrow(/anomaly: log made NaN at element 0, called at .*grad\.test\.ts/);
    const zero = tensor([0]).requireGrad();
    expect(() => detectAnomaly(() => zero.sqrt().sum().backward())).toThrow(/the gradient of sqrt with respect to 'x' is Infinity/);
  });
});

describe("async functions", () => {
  it("are refused by detectAnomaly too: it would be off again before they end", () => {
    expect(() => detectAnomaly(async () => 1)).toThrow(/detectAnomaly takes a synchronous function/);
  });
});

describe("gradcheck", () => {
  const x = tensor(Float64Array.of(0.3, -0.7, 1.1));
  it("accepts right rules to second order", () => {
    gradcheck((t) => t.tanh().mul(t), [x]);
    gradgradcheck((t) => t.tanh().mul(t), [x]);
  });
  it("refuses a gradient that is cut off", () => {
    expect(() => gradcheck((t) => t.mul(t.detach()), [x])).toThrow(/differences give/);
  });
  it("asks for f64", () => {
    expect(() => gradcheck((t) => t.exp(), [tensor([1])])).toThrowErrorMatchingInlineSnapshot(`
      [GradError: gradcheck: inputs are f32: differences need f64
        hint: x.cast("f64")]
    `);
  });
});

describe("hessianVector", () => {
  it("of a quadratic is A·v at any x; of a cubic it changes with x", () => {
    const a = tensor([[2, 1], [1, -3]], { dtype: "f64" });
    const quadratic = hessianVector((x) => x.matmul(a).mul(x).sum().mul(0.5));
    const v = tensor([1, 2], { dtype: "f64" });
    for (const x of [[0, 0], [5, -7]]) expect(quadratic(tensor(x, { dtype: "f64" }), v).toArray()).toEqual([4, -5]);
    expect(hessianVector((x) => x.pow(3).sum())(tensor([2, 3], { dtype: "f64" }), v).toArray()).toEqual([12, 36]);
  });
});
