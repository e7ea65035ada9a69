/** Ops with several differentiable outputs, and fused ops whose second derivatives go through their decomposition. */
import { defineOp, getEngine, noGradient, randn, scope, tensor, type Tensor } from "@nn/tensor";
import { gradcheck, gradgradcheck, gradients } from "@nn/autograd";
import { describe, expect, it } from "vitest";

const ran: string[] = [];

/** `s = sin(a·x)`, `c = cos(a·x)`; its gradient is one fused op that has none itself. */
const sinCosGrad = defineOp({
  name: "testSinCosGrad",
  inputs: ["x", "s", "c", "ds?", "dc?"],
  saves: [],
  infer: ({ x }) => x,
  reference({ x, s, c, ds, dc }, { a }: { a: number }, y) {
    ran.push(`${ds ? "ds" : ""}${dc ? "dc" : ""}`);
    for (let i = 0; i < x.data.length; i++) y.data[i] = a * (c.data[i]! * (ds?.data[i] ?? 0) - s.data[i]! * (dc?.data[i] ?? 0));
  },
  vjp: { x: noGradient("decomposed"), s: noGradient("decomposed"), c: noGradient("decomposed"), ds: noGradient("decomposed"), dc: noGradient("decomposed") },
  samples: [],
});
const sinCos = defineOp({
  name: "testSinCos",
  inputs: ["x"],
  outputs: ["s", "c"],
  differentiable: ["s", "c"],
  saves: ["x", "s", "c"],
  infer: ({ x }, _: { a: number }) => ({ s: x, c: x }),
  reference({ x }, { a }, { s, c }) {
    for (let i = 0; i < x.data.length; i++) [s.data[i], c.data[i]] = [Math.sin(a * x.data[i]!), Math.cos(a * x.data[i]!)];
  },
  vjp: { x: ({ x, s, c, dys, attrs }): Tensor => sinCosGrad({ x, s, c, ...(dys.s && { ds: dys.s }), ...(dys.c && { dc: dys.c }) }, attrs) },
  decompose: ({ x }, { a }) => ({ s: x.mul(a).sin(), c: x.mul(a).cos() }),
  samples: [],
});
const both = (x: Tensor) => sinCos({ x }, { a: 2 });
const values = [0.3, -1.2, 0];
const watched = () => tensor(values, { dtype: "f64" }).requireGrad();
const close = (t: Tensor | null, expected: number[]) => t!.dataSync().forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, 12));
const inUse = () => getEngine().memory.inUse;

describe("several differentiable outputs", () => {
  it("add up where both are used", () => {
    const x = watched();
    const { s, c } = both(x);
    s.add(c.mul(3)).sum().backward();
    close(x.grad, values.map((v) => 2 * Math.cos(2 * v) - 6 * Math.sin(2 * v)));
    expect(ran.splice(0)).toEqual(["dsdc"]);
  });

  it.each(["s", "c"] as const)("leave the other out where only %s is used", (name) => {
    const x = watched();
    both(x)[name].sum().backward();
    close(x.grad, values.map((v) => (name === "s" ? 2 * Math.cos(2 * v) : -2 * Math.sin(2 * v))));
    expect(ran.splice(0)).toEqual([`d${name}`]);
  });

  it("give dy as zeros to rules that read only the first", () => {
    const twice = defineOp({
      name: "testTwice", inputs: ["x"], outputs: ["a", "b"], differentiable: ["a", "b"], saves: [],
      infer: ({ x }) => ({ a: x, b: x }),
      reference: ({ x }, _, { a, b }) => (a.data.set(x.data), b.data.set(x.data)),
      vjp: { x: ({ dy, dys, wanted }): Tensor => (expect([...wanted]).toEqual(["x"]), dys.b ? dy.add(dys.b) : dy) },
      samples: [],
    });
    const x = watched();
    twice({ x }).b.mul(5).sum().backward();
    close(x.grad, [5, 5, 5]);
  });

  it("retainGraph allows one backward per output, and both in one", () => {
    const x = watched();
    const { s, c } = both(x);
    s.sum().backward({ retainGraph: true });
    c.sum().backward();
    close(x.grad, values.map((v) => 2 * Math.cos(2 * v) - 2 * Math.sin(2 * v)));
    expect(() => s.sum().backward()).toThrow("already consumed");
  });

  it("give an output that is asked for its gradient, and go on through both", () => {
    const x = watched();
    const { s, c } = both(x);
    const [gs, gx] = gradients(s.mul(4).add(c).sum(), [s, x]);
    close(gs!, [4, 4, 4]);
    close(gx!, values.map((v) => 8 * Math.cos(2 * v) - 2 * Math.sin(2 * v)));
  });

  it("record the gradient by the decomposition, to any order", () => {
    const x = watched();
    const { s, c } = both(x);
    const [g] = gradients(s.add(c).sum(), [x], { createGraph: true });
    ran.splice(0);
    const [second] = gradients(g!.sum(), [x], { createGraph: true });
    close(second!, values.map((v) => -4 * Math.sin(2 * v) - 4 * Math.cos(2 * v)));
    close(gradients(second!.sum(), [x])[0]!, values.map((v) => -8 * Math.cos(2 * v) + 8 * Math.sin(2 * v)));
    expect(ran).toEqual([]);
    const f = (v: Tensor) => both(v).s.mul(both(v).c.add(1));
    gradcheck(f, [x.detach()]);
    gradgradcheck(f, [x.detach()]);
  });
});

describe("memory of nodes with several outputs", () => {
  const x = randn([1000]).requireGrad();
  const cases: Record<string, () => void> = {
    "nothing used": () => scope(() => void both(x)),
    "one output outlives the other": () => {
      const { s, c } = both(x);
      c.dispose();
      const loss = s.sum();
      s.dispose();
      loss.backward();
      loss.dispose();
    },
    "only the second used": () => scope(() => both(x).c.sum().backward()),
    "both used, twice": () =>
      scope(() => {
        const { s, c } = both(x);
        const loss = s.mul(c).sum();
        loss.backward({ retainGraph: true });
        loss.backward();
      }),
    "recorded backward": () =>
      scope(() => {
        const { s } = both(x);
        gradients(gradients(s.sum(), [x], { createGraph: true })[0]!.sum(), [x]);
      }),
    "dropped without backward, outputs one after the other": () => {
      const { s, c } = both(x);
      s.dispose();
      expect(c.sum().item()).toBeLessThan(1000);
      c.dispose();
    },
  };
  it.each(Object.entries(cases))("%s", (_, run) => {
    const once = () => {
      scope(run);
      x.grad?.dispose();
      x.grad = null;
    };
    once();
    const before = inUse();
    once();
    expect(inUse()).toBe(before);
  });
});
