/** What PyTorch 1.13 lacks, for 50 steps against its formula in plain numbers: with groups, decay and rates that change. */
import { tensor, variable, type Tensor, type Variable } from "@nn/tensor";
import "@nn/autograd";
import { Adagrad, Adam, Lion, Nesterov, RMSprop, clipGradAdaptive, schedule, type Group, type Optimizer } from "@nn/optim";
import { describe, expect, it } from "vitest";

const steps = 50;
type Settings = { lr: number; weightDecay: number };
/** The next weight, from weight, gradient and update t = 1, 2, …; it keeps its state itself. */
type Formula = (settings: () => Settings) => (w: number, g: number, t: number) => number;

const [beta1, beta2] = [0.9, 0.99];
const formulas: [string, (groups: Group<Settings>[]) => Optimizer<Settings>, Formula][] = [
  ["Lion", (groups) => new Lion(groups as Group<never>[], { betas: [beta1, beta2] }), (at) => {
    let m = 0;
    return (w, g) => {
      const { lr, weightDecay } = at();
      const next = w - lr * (Math.sign(beta1 * m + (1 - beta1) * g) + weightDecay * w);
      m = beta2 * m + (1 - beta2) * g;
      return next;
    };
  }],
  ["RMSProp of the notes", (groups) => new RMSprop(groups as Group<never>[], { alpha: 0.999, epsUnderRoot: true }), (at) => {
    let s = 0;
    return (w, g) => {
      const { lr, weightDecay } = at();
      const pull = g + weightDecay * w;
      s = 0.999 * s + 0.001 * pull ** 2;
      return w - (lr * pull) / Math.sqrt(s + 1e-8);
    };
  }],
  ["RMSProp, centered with momentum, ε under the root", (groups) => new RMSprop(groups as Group<never>[], { alpha: 0.95, epsUnderRoot: true, centered: true, momentum: 0.9, eps: 1e-4 }), (at) => {
    let [s, mean, b] = [0, 0, 0];
    return (w, g) => {
      const { lr, weightDecay } = at();
      const pull = g + weightDecay * w;
      s = 0.95 * s + 0.05 * pull ** 2;
      mean = 0.95 * mean + 0.05 * pull;
      b = 0.9 * b + pull / Math.sqrt(s - mean ** 2 + 1e-4);
      return w - lr * b;
    };
  }],
  ["Adagrad of the notes", (groups) => new Adagrad(groups as Group<never>[], { eps: 1e-8, epsUnderRoot: true }), (at) => {
    let sum = 0;
    return (w, g) => {
      const { lr, weightDecay } = at();
      const pull = g + weightDecay * w;
      sum += pull ** 2;
      return w - (lr * pull) / Math.sqrt(sum + 1e-8);
    };
  }],
  ["Adam as printed in the notes", (groups) => new Adam(groups as Group<never>[], { betas: [0.9, 0.9999], eps: 0, correctNumerator: false }), (at) => {
    let [m, v] = [0, 0];
    return (w, g, t) => {
      const { lr, weightDecay } = at();
      const pull = g + weightDecay * w;
      m = 0.9 * m + 0.1 * pull;
      v = 0.9999 * v + 0.0001 * pull ** 2;
      return w - (lr * m) / Math.sqrt(v / (1 - 0.9999 ** t));
    };
  }],
  ["Nesterov's look-ahead", (groups) => new Nesterov(groups as Group<never>[], { momentum: 0.9 }), (at) => {
    let v = 0;
    return (w, g) => {
      const { lr, weightDecay } = at();
      v = 0.9 * v - lr * (g + weightDecay * (w + 0.9 * v));
      return w + v;
    };
  }],
];

describe.each(formulas)("%s", (_, make, formula) => {
  it.each([["f64", 1e-12], ["f32", 1e-5]] as const)("%s", (dtype, tolerance) => {
    const starts = [[1, -0.5, 0.25], [-2]];
    const params = starts.map((values) => variable(tensor(values, { dtype })).requireGrad() as Variable);
    const optimizer = make([{ params: [params[0]!], lr: 0.02, weightDecay: 0 }, { params: [params[1]!], lr: 0.01, weightDecay: 0.1 }]);
    const expected = starts.map((values, group) => values.map((w) => ({ w, next: formula(() => optimizer.groups[group]!.options) })));
    for (let t = 1; t <= steps; t++) {
      const gradients = starts.map((values, group) => values.map((__, i) => Math.fround(Math.cos(t + 3 * i + 5 * group) + 0.25)));
      const give = (): void => params.forEach((p, group) => (p.grad = tensor(gradients[group]!, { dtype }).moveTo(null) as Tensor));
      give();
      optimizer.step(() => (give(), 0));
      expected.forEach((list, group) => list.forEach((one, i) => {
        one.w = one.next(one.w, gradients[group]![i]!, t);
        expect(Math.abs(params[group]!.dataSync()[i]! - one.w), `step ${t}, group ${group}, weight ${i}`).toBeLessThan(tolerance * Math.max(1, Math.abs(one.w)));
      }));
      for (const { options } of optimizer.groups) options.lr *= 0.97;
    }
  });
});

it("adaptive clipping bounds every row of every step by λ‖W‖", () => {
  const w = variable(tensor([[3, 4], [0.3, -0.4]], { dtype: "f64" })).requireGrad() as Variable;
  for (let t = 0; t < steps; t++) {
    const rows = w.toArray() as number[][];
    const g = rows.map((row, r) => row.map((_, c) => Math.cos(t + 2 * r + c) * (r === 0 ? 0.2 : 0.002)));
    w.grad = tensor(g, { dtype: "f64" }).moveTo(null) as Tensor;
    clipGradAdaptive([w], { clipping: 0.02 });
    const clipped = w.grad!.toArray() as number[][];
    rows.forEach((row, r) => {
      const factor = Math.min(1, (0.02 * Math.max(Math.hypot(...row), 1e-3)) / Math.hypot(...g[r]!));
      row.forEach((__, c) => expect(clipped[r]![c]).toBeCloseTo(g[r]![c]! * factor, 14));
    });
    w.write(w.sub(w.grad!).dataSync());
  }
});

describe("schedules", () => {
  it("Noam's is d^−½ · min(t^−½, t·warmup^−1½)", () => {
    const f = schedule.noam(64, 12);
    for (let t = 1; t <= steps; t++) expect(f(t - 1)).toBeCloseTo(t <= 12 ? t / (8 * 12 ** 1.5) : 1 / (8 * Math.sqrt(t)), 15);
  });
  it("polynomial decay ends at `end`, whatever the power", () => {
    const f = schedule.polynomial(40, { power: 3, end: 0.2 });
    for (let t = 0; t < steps; t++) expect(f(t)).toBeCloseTo(t < 40 ? 0.2 + 0.8 * ((40 - t) / 40) ** 3 : 0.2, 15);
  });
  it("a warm-up hands over to the schedule after it", () => {
    const f = schedule.warmup(8, schedule.cosine(42, 0.1));
    for (let t = 0; t < steps; t++) expect(f(t)).toBeCloseTo(t < 8 ? (t + 1) / 8 : 0.1 + 0.45 * (1 + Math.cos((Math.PI * (t - 8)) / 42)), 15);
  });
});
