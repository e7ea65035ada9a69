import { ReleasedError, ScopeError, type Tensor, closeScope, getEngine, keep, noGrad, openScope, randn, scope, tensor, variable } from "@nn/tensor";
import { valueAndGrad } from "@nn/autograd";
import { describe, expect, it } from "vitest";

const inUse = () => getEngine().memory.inUse;

/** Expects `f` to leave nothing behind; constants and programs are uploaded in a first run. */
function expectNoGrowth(f: () => void): void {
  f();
  const before = inUse();
  f();
  expect(inUse()).toBe(before);
}

describe("scopes", () => {
  it("end what is made inside, except what is returned or kept", () => {
    expectNoGrowth(() => {
      const [kept, returned] = scope(() => {
        const a = randn([100]);
        const b = a.add(1);
        scope(() => keep(a.mul(2)));
        return [keep(b), a.sub(1)];
      });
      expect(kept!.released || returned!.released).toBe(false);
      kept!.dispose();
      returned!.dispose();
    });
  });

  it("explain the use of a released tensor", () => {
    let lost: Tensor = tensor([1]);
    scope(() => void (lost = tensor([1, 2]).exp()));
    expect(() => lost.add(1)).toThrowErrorMatchingInlineSnapshot(`
      [ReleasedError: exp: this f32[2] was released by scope() and is used again
        hint: return it from the scope, keep(t) it, or assign it to a Variable if it must live longer]
    `);
    expect(() => lost.add(1)).toThrow(ReleasedError);
  });

  it("close also when the body throws", () => {
    const before = inUse();
    expect(() =>
      scope(() => {
        randn([1000]);
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(inUse()).toBe(before);
  });

  it("refuse promises and wrong nesting", () => {
    expect(() => scope(async () => 1)).toThrow(ScopeError);
    const outer = openScope("outer loop");
    const inner = openScope("inner loop");
    expect(() => closeScope(outer)).toThrowErrorMatchingInlineSnapshot(`
      [ScopeError: outer loop is not the innermost open scope: inner loop is
        hint: two interleaved loops? give one of them { scope: false } and end its tensors with \`using\` or dispose()]
    `);
    closeScope(inner);
    closeScope(outer);
  });

  it("using ends a tensor with its block", () => {
    const before = inUse();
    {
      using t = randn([1000]);
      expect(t.size).toBe(1000);
    }
    expect(inUse()).toBe(before);
  });
});

describe("the tape", () => {
  it("keeps what it saved after handles ended, and lets go when the loss is dropped", () => {
    const x = tensor([1, 2]).requireGrad();
    expectNoGrowth(() => {
      const loss = scope(() => x.exp().mul(x.exp()).sum());
      loss.backward();
      expect(x.grad!.size).toBe(2);
      x.grad!.dispose();
      x.grad = null;
      loss.dispose();
    });
    expectNoGrowth(() => scope(() => void x.exp().mul(x.exp()).sum())); // no backward at all
  });

  it("frees what a function transform made", () => {
    const x = tensor([1, 2, 3]);
    const f = valueAndGrad((t) => t.tanh().square().sum());
    expectNoGrowth(() => {
      const { value, grads } = f(x);
      value.dispose();
      grads[0].dispose();
    });
  });
});

describe("Variable", () => {
  it("takes over the storage of a tensor and returns its own", () => {
    const v = variable(randn([1000]));
    expectNoGrowth(() => {
      for (let i = 0; i < 25; i++) noGrad(() => v.assign(v.mul(0.5).add(1)));
    });
    expect(v.dataSync()[0]).toBeCloseTo(2, 3);
  });
  it("refuses another shape", () => {
    expect(() => variable(tensor([1, 2])).assign(tensor([1]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: assign: a Variable of f32[2] cannot take f32[1]]`);
  });
});
