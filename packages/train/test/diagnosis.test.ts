import { DataLoader, TensorDataset } from "@nn/data";
import { Dropout, Embedding, init, Linear, Module, mseLoss, ReLU, RNN, Sequential, Sigmoid, Tanh } from "@nn/layers";
import { Adam, clipGradNorm, SGD } from "@nn/optim";
import { getEngine, manualSeed, rand, randint, randn, scope, type Tensor } from "@nn/tensor";
import { diagnose, Diagnosis, GradientWatch, Trainer, type LayerReport } from "@nn/train";
import { beforeEach, describe, expect, it } from "vitest";

beforeEach(() => manualSeed(7));

const mlp = (depth: number, activation: () => Module, weights: init.Initializer): Sequential =>
  new Sequential(...Array.from({ length: depth }, () => [new Linear(32, 32, { init: weights, initBias: init.zero }), activation()]).flat(), new Linear(32, 1));

/** h ← W h + x over `steps` steps: a linear recurrent net. */
class Recurrence extends Module {
  readonly cell = new Linear(4, 4, { bias: false });
  readonly steps: number;
  constructor(factor: number, steps: number) {
    super();
    this.steps = steps;
    this.cell.weight.write(Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? factor : 0)));
  }
  forward(x: Tensor): Tensor {
    let h = x;
    for (let t = 0; t < this.steps; t++) h = this.cell.call(h as Tensor<[number, 4]>);
    return h;
  }
}

describe("the verdict", () => {
  const x = randn([64, 32], { seed: 1 });
  const y = randn([64, 1], { seed: 2 });
  const of = (model: Sequential) => diagnose(model, () => mseLoss(model.call(x), y));

  it("calls a 20-layer sigmoid net vanishing, and names cures", () => {
    const found = of(mlp(20, () => new Sigmoid(), init.xavierUniform()));
    expect(found.verdict).toBe("vanishing");
    expect(found.findings[0]!.text).toMatch(/along depth the gradient falls to .*e-\d+: .* at 40, .* at 0/);
    expect(found.findings[0]!.cures.join()).toMatch(/ReLU.*He.*residual/);
    // The slope of a sigmoid is at most ¼: each layer loses at least a factor of about four here.
    expect(found.findings[0]!.value).toBeLessThan(0.25 ** 15);
  });

  it("calls the same net healthy with ReLU and He's initialisation", () => {
    const found = of(mlp(20, () => new ReLU(), init.kaimingNormal()));
    expect(found.verdict).toBe("healthy");
    expect(found.layers).toHaveLength(41);
    expect(found.layers.map((l) => l.kind).slice(0, 2)).toEqual(["Linear", "ReLU"]);
  });

  it("calls a recurrence with w = 1.1·I exploding over 100 steps, 0.9·I vanishing, 1·I healthy", () => {
    const start = randn([8, 4], { seed: 3 });
    const of = (factor: number) => {
      const model = new Recurrence(factor, 100);
      return diagnose(model, () => model.call(start).sum());
    };
    const exploding = of(1.1);
    expect(exploding.verdict).toBe("exploding");
    const { overTime } = exploding.layers[0]!;
    expect(overTime).toHaveLength(100);
    expect(overTime![0]! / overTime!.at(-1)!).toBeCloseTo(1.1 ** 99, -1);
    expect(exploding.findings[0]!.cures.join()).toMatch(/clip/);
    expect(of(0.85).verdict).toBe("vanishing");
    expect(of(1).verdict).toBe("healthy");
  });

  it("sees through whole-sequence layers along the time of their input", () => {
    const of = (factor: number) => {
      const layer = new RNN(4, 4, { nonlinearity: "relu", bias: false, batchFirst: true });
      const identity = Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0));
      const [, recurrent] = layer.parameters(); // weight_ih_l0, weight_hh_l0
      layer.parameters()[0]!.write(identity);
      recurrent!.write(identity.map((v) => v * factor));
      const ids = randint(0, 10, [3, 100], { seed: 1 });
      const table = new Embedding(10, 4);
      table.parameters()[0]!.write(Array.from({ length: 40 }, (_, i) => 0.1 + (i % 7) / 10));
      const model = Object.assign(new Sequential(layer as unknown as Module), { table });
      return diagnose(model, () => layer.call(table.call(ids as Tensor)).h.sum());
    };
    const exploding = of(1.1);
    expect(exploding.verdict).toBe("exploding");
    expect(exploding.layers.find((l) => l.kind === "RNN")!.overTime).toHaveLength(100);
    expect(of(0.85).findings.map((f) => f.where)).toContain("time in model");
    expect(of(1).findings.filter((f) => f.where.startsWith("time"))).toEqual([]);
  });

  it("follows time through a layer that reads data, which needs no gradient", () => {
    const layer = new RNN(4, 4, { nonlinearity: "relu", bias: false });
    for (const p of layer.parameters()) p.write(Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1.3 : 0)));
    const x = rand([50, 3, 4], { seed: 1 });
    const { layers, verdict } = diagnose(layer as unknown as Module, () => layer.call(x).h.sum());
    expect(verdict).toBe("exploding");
    expect(layers[0]!.overTime![0]! / layers[0]!.overTime!.at(-1)!).toBeCloseTo(1.3 ** 49, -3);
    expect(x.requiresGrad).toBe(false);
  });

  it("is right about the cure: the exploding recurrence trains once its gradient is clipped", () => {
    const train = (clip: boolean): number => {
      const model = new Recurrence(1.1, 100);
      const optimizer = new SGD(model.parameters(), { lr: 0.01 });
      const x = randn([8, 4], { seed: 3 });
      let last = NaN;
      for (let step = 0; step < 60; step++) {
        last = scope(() => {
          const loss = mseLoss(model.call(x), x);
          loss.backward();
          return loss.item();
        });
        if (!Number.isFinite(last)) return last;
        if (clip) clipGradNorm(model.parameters(), 1);
        optimizer.step();
        optimizer.zeroGrad();
      }
      return last;
    };
    expect(train(false)).toBeNaN();
    expect(train(true)).toBeLessThan(1);
  });

  it("a loss that is not a number is exploding", () => {
    const model = mlp(1, () => new Tanh(), init.normal(1e30));
    const found = diagnose(model, () => mseLoss(model.call(x.mul(1e30)), y.mul(Infinity)));
    expect(found.verdict).toBe("exploding");
    expect(found.findings.some((f) => f.kind === "non-finite")).toBe(true);
  });

  it("counts saturated and dead units", () => {
    const saturated = of(mlp(1, () => new Tanh(), init.normal(5)));
    expect(saturated.layers[1]!.saturated).toBeGreaterThan(0.8);
    expect(saturated.findings.map((f) => f.kind)).toContain("saturated");
    const model = mlp(1, () => new ReLU(), init.kaimingNormal());
    (model[0] as Linear).bias!.write(Array.from({ length: 32 }, (_, i) => (i < 24 ? -100 : 0)));
    const dead = of(model);
    expect(dead.layers[1]!.dead).toBe(0.75);
    expect(dead.findings.map((f) => f.kind)).toContain("dead");
  });

  it("takes other thresholds", () => {
    const layer = (gradNorm: number): LayerReport => ({ path: "a", kind: "Linear", gradNorm, weightNorm: 1, updateRatio: null, saturated: null, dead: null, nonFinite: 0, overTime: null });
    expect(new Diagnosis(1, [layer(0.01), layer(1)]).verdict).toBe("healthy");
    expect(new Diagnosis(1, [layer(0.01), layer(1)], { vanishing: 0.1 }).verdict).toBe("vanishing");
  });

  it("prints as a table", () => {
    expect(String(of(mlp(1, () => new ReLU(), init.kaimingNormal())))).toMatch(/^healthy \(loss .*\)\nlayer {2}kind .*\n0 {6}Linear/);
  });
});

it("a diagnosis leaves gradients, random streams and memory alone", () => {
  const model = new Sequential(new Linear(32, 8), new Dropout(0.5), new ReLU(), new Linear(8, 1));
  const x = randn([16, 32], { seed: 1 });
  const loss = (): Tensor => model.call(x).square().mean();
  const reference = (): number[] => {
    manualSeed(3);
    return [loss().item(), loss().item()];
  };
  const before = reference();
  manualSeed(3);
  const first = loss().item();
  const used = getEngine().memory.inUse;
  diagnose(model, loss);
  expect(getEngine().memory.inUse).toBe(used);
  expect([first, loss().item()]).toEqual(before);
  expect(model.parameters().every((p) => p.grad === null)).toBe(true);
});

describe("GradientWatch", () => {
  function run(callbacks: GradientWatch[], accumulate = 1) {
    manualSeed(5);
    const model = new Sequential(new Linear(3, 16), new Tanh(), new Dropout(0.2), new Linear(16, 1));
    const x = randn([40, 3], { seed: 1 });
    const loader = new DataLoader(new TensorDataset(x, x.sum(1, { keepdim: true })), { batchSize: 8 });
    const trainer = new Trainer({ model, optimizer: new Adam(model.parameters()), loader, epochs: 2, accumulate, loss: ([a, b]) => mseLoss(model.call(a as Tensor), b), callbacks });
    return { model, trainer };
  }

  it("looks at the first batch of every epoch and changes no bit of the training", async () => {
    const plain = run([]);
    await plain.trainer.fit();
    const watch = new GradientWatch();
    const watched = run([watch]);
    await watched.trainer.fit();
    expect(watch.looks.map(({ epoch, batch }) => [epoch, batch])).toEqual([[1, 1], [2, 1]]);
    expect(watch.looks[0]!.diagnosis.verdict).toBe("healthy");
    expect(watch.looks[0]!.diagnosis.layers[0]!.updateRatio).toBeGreaterThan(1e-4);
    for (const [name, p] of plain.model.namedParameters()) expect(watched.model.stateDict().get(name)!.dataSync()).toEqual(p.dataSync());
  });

  it("waits for the update when gradients are accumulated, and can look more often", async () => {
    const watch = new GradientWatch({ every: 2 });
    await run([watch], 4).trainer.fit();
    expect(watch.looks.map(({ epoch, batch }) => [epoch, batch])).toEqual([[1, 4], [1, 5], [2, 4], [2, 5]]);
  });
});
