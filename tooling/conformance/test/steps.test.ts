/** 10,000 steps of every loop style, at the smallest sizes: pool bytes and resident memory stay flat, also when every 10th step throws. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { DataLoader, TensorDataset } from "@nn/data";
import { createEngine } from "@nn/kernels";
import { Conv2d, Dropout, Flatten, Linear, MaxPool2d, MultiheadAttention, ReLU, Sigmoid, TransformerEncoderLayer, bceWithLogits, crossEntropy, sequential, type Module } from "@nn/layers";
import { Adam, SGD, clipGradNorm } from "@nn/optim";
import { manualSeed, ops, randn, scope, setEngine, tensor, variable, zeros, type Tensor } from "@nn/tensor";
import { Trainer } from "@nn/train";
import { describe, expect, it } from "vitest";

const steps = 10_000;

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;
/** Bytes of JavaScript objects that something still holds. */
function collected(): number {
  gc();
  return process.memoryUsage().heapUsed;
}

const net = () => sequential(new Conv2d(1, 2, 3, { padding: 1 }), new ReLU(), new MaxPool2d(3, { stride: 2 }), new Flatten(), new Dropout(0.5), new Linear(8, 4), new Sigmoid(), new Linear(4, 2));
const images = () => randn([4, 1, 6, 6]);
const labels = () => tensor(Int32Array.of(0, 1, 1, 0));
const run = (m: Module, x: Tensor): Tensor => (m.call as unknown as (x: Tensor) => Tensor)(x);

/** A loop style: told how many steps to do, and whether to throw in a step. */
type Style = (count: number, trouble: (step: number) => void) => void | Promise<void>;

function plain(): Style {
  const model = net();
  const optimizer = new SGD(model.parameters(), { lr: 1e-3, momentum: 0.9 });
  const [x, y] = [images(), labels()];
  return (count, trouble) => {
    for (let i = 0; i < count; i++) {
      try {
        const loss = crossEntropy(run(model, x), y);
        trouble(i);
        loss.backward();
        clipGradNorm(model.parameters(), 1);
      } catch (error) {
        if (!/trouble/.test(String(error))) throw error;
      }
      optimizer.step();
      optimizer.zeroGrad();
    }
  };
}

function loader(): Style {
  const model = net();
  const optimizer = new Adam(model.parameters());
  const data = new TensorDataset(randn([40, 1, 6, 6]), tensor(Int32Array.from({ length: 40 }, (_, i) => i % 2)));
  const batches = new DataLoader(data, { batchSize: 4, shuffle: true });
  return async (count, trouble) => {
    for (let done = 0; done < count; ) {
      try {
        for await (const [x, y] of batches) {
          const loss = crossEntropy(run(model, x), y);
          trouble(done++);
          loss.backward();
          optimizer.step();
          optimizer.zeroGrad();
          if (done >= count) break;
        }
      } catch (error) {
        if (!/trouble/.test(String(error))) throw error;
      }
    }
  };
}

function trainer(): Style {
  const model = net();
  const data = new TensorDataset(randn([40, 1, 6, 6]), tensor(Int32Array.from({ length: 40 }, (_, i) => i % 2)));
  return async (count, trouble) => {
    let done = 0;
    while (done < count) {
      const fit = new Trainer({
        model,
        optimizer: new SGD(model.parameters(), { lr: 1e-3 }),
        loader: new DataLoader(data, { batchSize: 4, shuffle: true }),
        epochs: Math.max(1, Math.ceil((count - done) / 10)),
        loss: ([x, y]) => {
          const loss = crossEntropy(run(model, x!), y!);
          trouble(done++);
          return loss;
        },
        accumulate: 2,
      });
      try {
        await fit.fit();
      } catch (error) {
        if (!/trouble/.test(String(error))) throw error;
      }
    }
  };
}

/** Truncated back-propagation: a state carried over in a Variable. */
function carried(): Style {
  const cell = new Linear(6, 4);
  const optimizer = new SGD(cell.parameters(), { lr: 1e-3 });
  const state = variable(zeros([1, 4]));
  const x = randn([1, 2]);
  return (count, trouble) => {
    for (let i = 0; i < count; i++) {
      try {
        scope(() => {
          const joined = ops.concat({ xs: [x, state] }, { dim: 1 });
          const next = (cell.call as unknown as (t: Tensor) => Tensor)(joined).tanh();
          trouble(i);
          next.square().mean().backward();
          state.assign(next.detach());
        });
      } catch (error) {
        if (!/trouble/.test(String(error))) throw error;
      }
      optimizer.step();
      optimizer.zeroGrad();
    }
  };
}

/** Two players in turn, each with an optimizer; the fake is used by both. */
function alternating(): Style {
  const generator = sequential(new Linear(2, 3), new ReLU(), new Linear(3, 2));
  const critic = sequential(new Linear(2, 3), new ReLU(), new Linear(3, 1));
  const [forG, forD] = [new Adam(generator.parameters()), new Adam(critic.parameters())];
  const [real, yes, no] = [randn([4, 2]), zeros([4, 1]).add(1), zeros([4, 1])];
  return (count, trouble) => {
    for (let i = 0; i < count; i++) {
      try {
        scope(() => {
          const fake = run(generator, randn([4, 2]));
          bceWithLogits(run(critic, real), yes).add(bceWithLogits(run(critic, fake.detach()), no)).backward();
          forD.step();
          forD.zeroGrad();
          trouble(i);
          bceWithLogits(run(critic, fake), yes).backward();
          forG.step();
        });
      } catch (error) {
        if (!/trouble/.test(String(error))) throw error;
      }
      forG.zeroGrad();
      forD.zeroGrad();
    }
  };
}

/** Attention packed, across, with a mask and with dropped weights, in a plain loop. */
function attention(): Style {
  const encoder = new TransformerEncoderLayer(4, 2, { dimFeedforward: 4, dropout: 0, batchFirst: true });
  const cross = new MultiheadAttention(4, 2, { dropout: 0.5, batchFirst: true });
  const parameters = [...encoder.parameters(), ...cross.parameters()];
  const optimizer = new Adam(parameters);
  const x = randn([2, 3, 4]) as Tensor;
  const mask = tensor([[false, false, true], [false, false, false]], { dtype: "bool" }) as Tensor;
  return (count, trouble) => {
    for (let i = 0; i < count; i++) {
      try {
        const y = encoder.call(x, { keyPaddingMask: mask });
        const [z] = cross.call(y, x, x, { keyPaddingMask: mask });
        trouble(i);
        z.square().mean().backward();
      } catch (error) {
        if (!/trouble/.test(String(error))) throw error;
      }
      optimizer.step();
      optimizer.zeroGrad();
    }
  };
}

const styles = { attention, "plain for loop": plain, "loader loop": loader, "trainer with accumulation": trainer, "carried state": carried, "two players in turn": alternating };

for (const kind of ["native", "wasm"] as const) {
  describe(kind, () => {
    let engine: ReturnType<typeof createEngine>;
    try {
      engine = createEngine({ kind, threads: 1 });
    } catch (error) {
      it.skip(`skipped: ${(error as Error).message.split("\n")[0]}`, () => {});
      return;
    }
    for (const [name, make] of Object.entries(styles)) {
      it.each([["", false], [", every 10th step throws", true]] as const)(`${name}%s`, async (_, throwing) => {
        setEngine(engine);
        manualSeed(1);
        const style = make();
        const trouble = (step: number) => {
          if (throwing && step % 10 === 9) throw new Error("trouble");
        };
        await style(500, trouble);
        const [bytes, heap] = [engine.memory.inUse, collected()];
        await style(steps / 2, trouble);
        collected(); // how much garbage V8 keeps until it collects is its own affair
        const resident = process.memoryUsage.rss();
        await style(steps / 2, trouble);
        expect(engine.memory.inUse - bytes).toBeLessThanOrEqual(4096);
        expect(collected() - heap).toBeLessThan(4e6);
        expect(process.memoryUsage.rss() - resident).toBeLessThan(100e6);
      }, 120_000);
    }
  });
}
