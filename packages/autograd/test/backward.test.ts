import { arange, ones, randn, scope, tensor, trace, variable, zeros, type Tensor, type Variable } from "@nn/tensor";
import { backward, checkpoint, gradients, noGrad } from "@nn/autograd";
import { describe, expect, it } from "vitest";

const watched = (values: number[]) => tensor(values).requireGrad();

describe("backward", () => {
  it("leaves ∂loss/∂x in grad and adds up over calls", () => {
    const x = watched([1, 2, 3]);
    x.square().sum().backward();
    expect(x.grad!.toArray()).toEqual([2, 4, 6]);
    x.sum().backward();
    expect(x.grad!.toArray()).toEqual([3, 5, 7]);
  });

  it("adds the gradients of every use", () => {
    const x = watched([2]);
    const y = x.mul(x).add(x.mul(3)); // x² + 3x
    y.sum().backward();
    expect(x.grad!.item()).toBe(7);
  });

  it("sums over broadcast dimensions", () => {
    const b = watched([1, 1, 1]);
    zeros([4, 3]).add(b).sum().backward();
    expect(b.grad!.toArray()).toEqual([4, 4, 4]);
  });

  it("takes an explicit gradient for results that are no scalar", () => {
    const x = watched([1, 2]);
    x.square().backward({ gradient: tensor([1, 10]) });
    expect(x.grad!.toArray()).toEqual([2, 40]);
  });

  it("refuses a result that is no scalar", () => {
    expect(() => watched([1, 2]).square().backward()).toThrowErrorMatchingInlineSnapshot(`
      [GradError: backward: needs a scalar or an explicit gradient, got shape [2]
        hint: reduce first, e.g. loss.mean().backward(), or pass { gradient }]
    `);
  });

  it("says so when nothing requires a gradient", () => {
    expect(() => backward(ones([1]).mul(2))).toThrowErrorMatchingInlineSnapshot(`
      [GradError: backward: this f32[1] (made by mul) does not depend on anything that requires a gradient
        hint: call requireGrad() on an input, or use a parameter]
    `);
  });

  it("refuses a second backward through a consumed graph, unless retained", () => {
    const x = watched([3]);
    const y = x.square().sum();
    y.backward({ retainGraph: true });
    y.backward();
    expect(x.grad!.item()).toBe(12);
    expect(() => y.backward()).toThrowErrorMatchingInlineSnapshot(`
      [GradError: backward: the graph of sum was already consumed by an earlier backward
        hint: call backward({ retainGraph: true }) the first time, or compute the loss again]
    `);
  });

  it("refuses a saved value that was overwritten in place", () => {
    const w = variable(tensor([1, 2])).requireGrad() as Variable;
    const y = w.square().sum();
    w.write([5, 6], "my update");
    expect(() => y.backward()).toThrowErrorMatchingInlineSnapshot(`
      [GradError: backward: mul saved 'a', which was overwritten in place since (by my update)
        hint: finish backward before optimizer.step() or assign()]
    `);
  });

  it("does not record inside noGrad", () => {
    const x = watched([1]);
    const y = noGrad(() => x.mul(2));
    expect(y.requiresGrad).toBe(false);
  });

  it("gradients() gives each of a chain its whole gradient", () => {
    const x = tensor([3], { dtype: "f64" }).requireGrad();
    const y = x.square();
    const z = y.square();
    const [gz, gy, gx] = gradients(z.sum(), [z, y, x]);
    expect([gz!.item(), gy!.item(), gx!.item()]).toEqual([1, 18, 108]);
  });

  it("gradients() computes only what leads to what is asked for", () => {
    const [x, w] = [randn([4, 8], { seed: 1 }).requireGrad(), randn([8, 8], { seed: 2 }).requireGrad()];
    const backwards = (of: Tensor[]): number => {
      const y = x.matmul(w).sum();
      return trace(() => gradients(y, of)).kernels.filter((k) => k.startsWith("gemm")).length;
    };
    expect([backwards([x]), backwards([w]), backwards([x, w])]).toEqual([1, 1, 2]);
  });

  it("gradients() reaches what checkpoints captured, and adds up what several of them give", () => {
    const x = tensor([2], { dtype: "f64" }).requireGrad();
    const w = tensor([5], { dtype: "f64" }).requireGrad();
    const times = (t: Tensor): Tensor => checkpoint((u: Tensor) => u.mul(w), t);
    const [gw] = gradients(times(times(x)).sum(), [w]); // w²x
    expect(gw!.item()).toBe(20);
  });

  it("gives null to inputs the result does not depend on", () => {
    const [x, unused] = [watched([1]), watched([1])];
    const [gx, gu] = gradients(x.mul(5).sum(), [x, unused]);
    expect(gx!.item()).toBe(5);
    expect(gu).toBeNull();
    expect(x.grad).toBeNull();
  });

  it("walks chains of 20,000 ops without recursion", () => {
    const x = watched([1]);
    const y = scope(() => {
      let t = x.mul(1);
      for (let i = 0; i < 20_000; i++) t = t.add(1e-4);
      return t.sum();
    });
    y.backward();
    expect(x.grad!.item()).toBe(1);
  });

  it("follows lists: concat gives each part its piece", () => {
    const [a, b] = [watched([1, 2]), watched([3])];
    const weights = arange(3);
    const joined = a.pad([[0, 1]]).add(b.pad([[2, 0]]));
    joined.mul(weights).sum().backward();
    expect(a.grad!.toArray()).toEqual([0, 1]);
    expect(b.grad!.toArray()).toEqual([2]);
  });
});
