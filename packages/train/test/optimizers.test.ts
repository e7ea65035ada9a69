/** Optimizers that ask more of the Trainer than one gradient per step: closures, and gradients of rows. */
import { DataLoader, TensorDataset } from "@nn/data";
import { Dropout, Embedding, Linear, Module, Sequential, Tanh, mseLoss } from "@nn/layers";
import { Adam, Nesterov, SGD, type Optimizer } from "@nn/optim";
import { LBFGS, type LBFGSOptions } from "@nn/optim/lbfgs";
import { RowGradient, manualSeed, tensor, type Tensor } from "@nn/tensor";
import { Trainer, decodeCheckpoint, encodeCheckpoint, type Callback, type StepInfo, type TrainerOptions } from "@nn/train";
import { describe, expect, it } from "vitest";

type Options = Partial<Omit<TrainerOptions<never>, "optimizer" | "loss" | "model">>;

/** `y = sin x` at twelve points, by a network of one hidden layer. */
function sine(optimizer: (model: Module) => Optimizer<{ lr: number }>, { batchSize = 12, drop = 0, ...options }: Options & { batchSize?: number; drop?: number } = {}) {
  manualSeed(4);
  const x = tensor(Array.from({ length: 12 }, (_, i) => [i / 2 - 3]));
  const model = new Sequential(new Linear(1, 6), new Tanh(), new Dropout(drop), new Linear(6, 1));
  const steps: StepInfo[] = [];
  const trainer = new Trainer({
    model,
    optimizer: optimizer(model),
    loader: new DataLoader(new TensorDataset(x, x.sin()), { batchSize }),
    epochs: 8,
    loss: ([a, b]: Tensor[]) => mseLoss(model.call(a!), b!),
    ...options,
    callbacks: [{ onStep: (s: StepInfo) => void steps.push(s) }, ...(options.callbacks ?? [])],
  } as unknown as TrainerOptions<[]>);
  return { model, trainer, steps, weights: () => model.parameters().flatMap((p) => [...p.dataSync()]) };
}
const lbfgs = (options: Partial<LBFGSOptions> = {}) => (model: Module) => new LBFGS(model.parameters(), { maxIter: 5, lineSearch: "strongWolfe", ...options });

describe("L-BFGS in the Trainer", () => {
  it("evaluates the batch as often as it needs, and reports the loss it began with", async () => {
    let optimizer!: LBFGS;
    const run = sine((model) => (optimizer = lbfgs()(model)));
    await run.trainer.fit();
    expect(run.steps).toHaveLength(8);
    expect(optimizer.stepCount).toBe(8);
    expect(optimizer.iterations).toBeGreaterThan(30); // of 40: some steps have had their evaluations before
    expect(optimizer.evaluations).toBeGreaterThan(optimizer.iterations);
    const losses = run.steps.map((s) => s.loss);
    losses.slice(1).forEach((loss, i) => expect(loss).toBeLessThan(losses[i]!));
    expect(losses[7]).toBeLessThan(0.01);
  });

  it("follows the schedule", async () => {
    const rates: number[] = [];
    const run = sine(lbfgs({ lr: 0.5, lineSearch: "none" }), { schedule: (t: number) => 1 / (1 + t), epochs: 3, callbacks: [{ onStep: (s) => void rates.push(s.lr) }] });
    await run.trainer.fit();
    expect(rates).toEqual([0.5, 0.25, 0.5 / 3]);
  });

  it.each([0, 0.3])("continues from a checkpoint with the same bits, dropout %d", async (drop) => {
    const options = { batchSize: 4, drop, clipNorm: 5 };
    const whole = sine(lbfgs(), options);
    await whole.trainer.fit();
    let seen = 0;
    const stopped = sine(lbfgs(), { ...options, callbacks: [{ onStep: (_, t) => (++seen === 7 ? t.stop() : undefined) }] });
    expect(await stopped.trainer.fit()).toBe(false);
    const file = encodeCheckpoint(stopped.trainer.state(), { recipe: "sine", options: {} });
    const resumed = sine(lbfgs({ maxIter: 99 }), options);
    resumed.trainer.load(decodeCheckpoint(file).state);
    await resumed.trainer.fit();
    expect(resumed.weights()).toEqual(whole.weights());
    expect(resumed.trainer.history).toEqual(whole.trainer.history);
  });

  it("sees one function: dropout is the same in all evaluations of a batch, and another in the next", async () => {
    const losses: number[][] = [];
    /** Evaluates twice and stays where it is. */
    class Twice extends LBFGS {
      override step(closure: () => number): number {
        losses.push([closure(), closure()]);
        this.stepCount++;
        return losses.at(-1)![0]!;
      }
    }
    await sine((model) => new Twice(model.parameters()), { drop: 0.5, epochs: 2 }).trainer.fit();
    expect(losses[0]![0]).toBe(losses[0]![1]);
    expect(losses[1]![0]).toBe(losses[1]![1]);
    expect(losses[1]![0]).not.toBe(losses[0]![0]);
  });

  it("refuses what has no meaning: an update over several batches, a loss that is not a number from the start", async () => {
    expect(() => sine(lbfgs(), { accumulate: 2 })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: Trainer: accumulate is 2, but LBFGS evaluates the loss of a batch again
        hint: larger batches]
    `);
    const run = sine(lbfgs());
    run.model.parameters()[0]!.write(new Array(6).fill(NaN));
    await expect(run.trainer.fit()).rejects.toThrow(/the loss is NaN in epoch 1, batch 1/);
  });

  it("refuses groups, as PyTorch does, and a step without a closure", () => {
    const { model } = sine(lbfgs());
    const [a, ...rest] = model.parameters();
    expect(() => new LBFGS([{ params: [a!] }, { params: rest, lr: 0.1 }])).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: LBFGS: 2 groups
        hint: it has one step length for all weights: pass them as one list]
    `);
    expect(() => new LBFGS(rest).step()).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: LBFGS: step() without a closure
        hint: pass a function that clears the gradients, computes them and returns the loss]
    `);
    const adam: Optimizer<{ lr: number }> = new Adam([a!]);
    expect(() => new LBFGS([a!]).loadStateDict(adam.stateDict())).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: LBFGS: the state has no 'numbers'
        hint: it is of another optimizer]
    `);
  });
});

it("Nesterov's look-ahead works in the Trainer: the gradient is taken ahead, the weights between steps are its own", async () => {
  const nesterov = sine((model) => new Nesterov(model.parameters(), { lr: 0.05 }), { epochs: 30 });
  await nesterov.trainer.fit();
  const byHand = sine((model) => new Nesterov(model.parameters(), { lr: 0.05 }));
  const optimizer = new Nesterov(byHand.model.parameters(), { lr: 0.05 });
  const x = tensor(Array.from({ length: 12 }, (_, i) => [i / 2 - 3]));
  for (let i = 0; i < 30; i++) {
    optimizer.step(() => {
      optimizer.zeroGrad();
      mseLoss(byHand.model.call(x as never), x.sin()).backward();
    });
  }
  expect(nesterov.weights()).toEqual(byHand.weights());
});

/** Sums of two of 40 words; most are not met in a batch. */
class Words extends Module {
  readonly embedding = new Embedding(40, 5, { sparse: true });
  readonly out = new Linear(5, 1);
  forward(ids: Tensor): Tensor {
    return this.out.call(this.embedding.call(ids).sum(1) as Tensor<[number, 5]>);
  }
}

function words(callbacks: Callback[] = []) {
  manualSeed(2);
  const model = new Words();
  const ids = tensor(Int32Array.from({ length: 48 }, (_, i) => (i * 7) % 30), { shape: [24, 2] });
  const loader = new DataLoader(new TensorDataset(ids, tensor(Array.from({ length: 24 }, (_, i) => [Math.sin(i % 15)]))), { batchSize: 3 });
  const trainer = new Trainer({ model, optimizer: new Adam(model.parameters(), { lr: 0.05 }), loader, epochs: 20, accumulate: 3, clipNorm: 0.5, callbacks, loss: ([at, y]) => mseLoss(model.call(at), y) });
  return { model, trainer };
}

describe("sparse embeddings in the Trainer", () => {
  it("learn, and leave the rows of words that are not met alone", async () => {
    const { model, trainer } = words();
    const before = model.embedding.weight.dataSync();
    await trainer.fit();
    expect(trainer.history.at(-1)!.loss).toBeLessThan(trainer.history[0]!.loss / 4);
    const after = model.embedding.weight.dataSync();
    expect([...after.subarray(30 * 5)]).toEqual([...before.subarray(30 * 5)]);
    expect([...after.subarray(0, 5)]).not.toEqual([...before.subarray(0, 5)]);
  });

  it.each([3, 4, 5, 8])("continue after batch %i with the same bits, also between the batches of one update", async (at) => {
    const whole = words();
    await whole.trainer.fit();
    let seen = 0;
    const stopped = words([{ onStep: (_, t) => (++seen === at ? t.stop() : undefined) }]);
    await stopped.trainer.fit();
    expect(stopped.model.embedding.weight.grad instanceof RowGradient).toBe(at % 3 !== 0 && at !== 8);
    const file = encodeCheckpoint(stopped.trainer.state(), { recipe: "words", options: {} });
    const resumed = words();
    resumed.trainer.load(decodeCheckpoint(file).state);
    await resumed.trainer.fit();
    expect([...resumed.model.embedding.weight.dataSync()]).toEqual([...whole.model.embedding.weight.dataSync()]);
    expect(resumed.trainer.history).toEqual(whole.trainer.history);
  });
});

describe("BGD, SGD and MBGD are batch sizes", () => {
  const run = async (batchSize: number, dropLast = false) => {
    manualSeed(6);
    const model = new Linear(2, 1);
    const x = tensor(Array.from({ length: 10 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]));
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const loader = new DataLoader(new TensorDataset(x, x.sum(1, { keepdim: true })), { batchSize, dropLast });
    await new Trainer({ model, optimizer, loader, epochs: 3, loss: ([a, b]) => mseLoss(model.call(a as Tensor<[number, 2]>), b) }).fit();
    return { updates: optimizer.stepCount / 3, weights: [...model.weight.dataSync(), ...model.bias!.dataSync()], x, model };
  };

  it.each([[10, 1], [1, 10], [4, 3], [3, 4], [16, 1]])("batches of %i of 10 samples: %i updates an epoch", async (batchSize, updates) => {
    expect((await run(batchSize)).updates).toBe(updates);
  });
  it("the short last batch counts, unless it is dropped", async () => {
    expect((await run(4, true)).updates).toBe(2);
  });
  it("a batch of all samples is the loop of full-batch descent, bit for bit", async () => {
    const { weights, x } = await run(10);
    manualSeed(6);
    const model = new Linear(2, 1);
    for (let epoch = 0; epoch < 3; epoch++) {
      const loss = mseLoss(model.call(x as Tensor<[number, 2]>), x.sum(1, { keepdim: true }));
      model.zeroGrad();
      loss.backward();
      for (const p of model.parameters()) p.write(p.sub(p.grad!.mul(0.1)).dataSync());
    }
    expect([...model.weight.dataSync(), ...model.bias!.dataSync()]).toEqual(weights);
    expect((await run(16)).weights).toEqual(weights);
    expect((await run(1)).weights).not.toEqual(weights);
  });
});
