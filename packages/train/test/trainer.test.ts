import { ArrayDataset, DataLoader, TensorDataset } from "@nn/data";
import { Linear, mseLoss } from "@nn/layers";
import { SGD } from "@nn/optim";
import { decodeTensors, encodeTensors } from "@nn/io";
import { FormatError, getEngine, tensor, type Tensor } from "@nn/tensor";
import { Trainer, decodeCheckpoint, decodeModel, encodeCheckpoint, encodeModel, evaluate, startRun, type Callback, type StepInfo, type TrainerOptions } from "@nn/train";
import { describe, expect, it } from "vitest";
import { tiny } from "./tiny.ts";

/** y = 2x + 1 on four points; a model that starts at 0. */
function line(options: Partial<Omit<TrainerOptions<never>, "loss">> & { loss?: (batch: Tensor[]) => Tensor } = {}) {
  const x = tensor([[0], [1], [2], [3]]);
  const model = new Linear(1, 1);
  model.weight.write([0]);
  model.bias!.write([0]);
  const loader = new DataLoader(new TensorDataset(x, x.mul(2).add(1)), { batchSize: 2 });
  const trainer = new Trainer({ model, optimizer: new SGD(model.parameters(), { lr: 0.1 }), loader, epochs: 2, loss: ([a, b]) => mseLoss(model.call(a as Tensor<[number, 1]>), b), ...(options as object) });
  return { model, trainer };
}

describe("Trainer", () => {
  it("reports every step and epoch", async () => {
    const steps: StepInfo[] = [];
    const { trainer } = line({ callbacks: [{ onStep: (s) => void steps.push(s) }] });
    expect(await trainer.fit()).toBe(true);
    expect(steps.map(({ epoch, batch, batches, samples }) => [epoch, batch, batches, samples])).toEqual([[1, 1, 2, 2], [1, 2, 2, 2], [2, 1, 2, 2], [2, 2, 2, 2]]);
    expect(steps[0]!.loss).toBe(5); // (1² + 3²)/2
    expect(trainer.history.map((h) => h.epoch)).toEqual([1, 2]);
    expect(trainer.history[0]!.loss).toBeCloseTo((steps[0]!.loss + steps[1]!.loss) / 2, 5);
  });

  it("accumulates gradients over batches: two halves are one whole", async () => {
    const { model, trainer } = line({ accumulate: 2, epochs: 1 });
    await trainer.fit();
    // One step with the mean gradient of all four points: dw = −2·mean(x·y) = −17, db = −2·mean(y) = −8.
    expect(model.weight.item()).toBeCloseTo(1.7, 5);
    expect(model.bias!.item()).toBeCloseTo(0.8, 5);
  });

  it("raises or skips where a gradient is not finite though the loss is", async () => {
    const root = ([a, b]: Tensor[]): Tensor => model().weight.sum().sqrt().add(mseLoss(model().call(a as Tensor<[number, 1]>), b!)); // infinitely steep at weight 0
    let current: ReturnType<typeof line>;
    const model = () => current.model;
    current = line({ loss: root, clipNorm: 1, epochs: 1 });
    await expect(current.trainer.fit()).rejects.toThrow("the gradient norm is Infinity");
    current = line({ loss: root, clipNorm: 1, epochs: 1, nonFinite: "skip" });
    expect(await current.trainer.fit()).toBe(true);
    expect([current.model.weight.item(), current.model.bias!.item()]).toEqual([0, 0]);
  });

  it("takes the mean of the batches that a short last update has", async () => {
    const { model, trainer } = line({ accumulate: 3, epochs: 1 }); // of two batches: as the whole above
    await trainer.fit();
    expect(model.weight.item()).toBeCloseTo(1.7, 5);
    expect(model.bias!.item()).toBeCloseTo(0.8, 5);
  });

  it.each([1, 2, 3, 5])("continues after batch %i, also between the batches of one update", async (at) => {
    const accumulating = (callbacks: Callback[] = []) => line({ accumulate: 2, epochs: 3, callbacks });
    const whole = accumulating();
    await whole.trainer.fit();

    let seen = 0;
    const stopped = accumulating([{ onStep: (_, t) => (++seen === at ? t.stop() : undefined) }]);
    expect(await stopped.trainer.fit()).toBe(false);
    const file = encodeCheckpoint(stopped.trainer.state(), { recipe: "line", options: {} });
    expect(decodeTensors(file).tensors.has("grad.weight")).toBe(at % 2 === 1);

    const resumed = accumulating();
    resumed.trainer.load(decodeCheckpoint(file).state);
    await resumed.trainer.fit();
    await stopped.trainer.fit(); // the same trainer goes on as well
    for (const { model, trainer } of [resumed, stopped]) {
      expect(model.weight.item()).toBe(whole.model.weight.item());
      expect(model.bias!.item()).toBe(whole.model.bias!.item());
      expect(trainer.history).toEqual(whole.trainer.history);
    }
  });

  it("refuses to train or evaluate on nothing", async () => {
    const loader = new DataLoader(new ArrayDataset<[number[], number]>([]), { name: "an empty set" });
    const model = new Linear(1, 1);
    const options = { model, optimizer: new SGD(model.parameters(), { lr: 0.1 }), loader, epochs: 1, loss: () => tensor(0) };
    await expect(new Trainer(options as never).fit()).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: Trainer: DataLoader 'an empty set' has no batches]`);
    await expect(evaluate(model, loader as never, { classes: 2, predict: () => ({}) as never })).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: evaluate: DataLoader 'an empty set' has no batches]`);
  });

  it("follows the schedule and clips", async () => {
    const rates: number[] = [];
    const { model, trainer } = line({ schedule: (step: number) => 1 / (step + 1), clipNorm: 1e-3, callbacks: [{ onStep: (s) => void rates.push(s.lr) }] });
    await trainer.fit();
    expect(rates.map((r) => Number(r.toFixed(4)))).toEqual([0.1, 0.05, 0.0333, 0.025]);
    expect(Math.abs(model.weight.item())).toBeLessThan(1e-3);
  });

  it("stops when asked, between batches", async () => {
    const stopper: Callback = { onStep: (s, t) => (s.batch === 1 && s.epoch === 2 ? t.stop() : undefined) };
    const { trainer } = line({ callbacks: [stopper] });
    expect(await trainer.fit()).toBe(false);
    expect(trainer.state().loader).toMatchObject({ epoch: 1, batch: 1 });
  });

  it("says where the loss stopped being a number", async () => {
    const { trainer } = line({ loss: ([a]) => a!.sub(10).log().sum().mul(1) });
    await expect(trainer.fit()).rejects.toThrowErrorMatchingInlineSnapshot(`
      [DivergedError: the loss is NaN in epoch 1, batch 1
        hint: lower the learning rate (now 0.1), clip gradients, or look for the op with detectAnomaly()]
    `);
  });
});

describe("runs", () => {
  it("learn", async () => {
    const run = startRun(tiny, await tiny.data(null), { ...tiny.defaults, epochs: 6 });
    await run.trainer.fit();
    expect((await run.evaluate()).accuracy).toBe(1);
  });

  it("give the same bytes for the same seed, and others for another", async () => {
    const bytes = async (seed: number) => {
      const options = { ...tiny.defaults, seed };
      const run = startRun(tiny, await tiny.data(null), options);
      await run.trainer.fit();
      return Buffer.from(encodeModel(run.model, tiny, tiny.defaults)).toString("base64");
    };
    const first = await bytes(1);
    expect(await bytes(1)).toBe(first);
    expect(await bytes(2)).not.toBe(first);
  });

  it.each([1, 7, 8, 11, 16, 23])("continue after step %i with the bits of a run that was never stopped", async (at) => {
    const data = await tiny.data(null);
    const whole = startRun(tiny, data, tiny.defaults);
    await whole.trainer.fit();

    let seen = 0;
    const stopped = startRun(tiny, data, tiny.defaults, { callbacks: [{ onStep: (_, t) => (++seen === at ? t.stop() : undefined) }] });
    expect(await stopped.trainer.fit()).toBe(false);
    const file = encodeCheckpoint(stopped.trainer.state(), { recipe: "tiny", options: { ...tiny.defaults } });
    await stopped.evaluate(); // leaves no trace

    const resumed = startRun(tiny, data, tiny.defaults, { resume: decodeCheckpoint(file).state });
    expect(await resumed.trainer.fit()).toBe(true);
    expect(encodeModel(resumed.model, tiny, tiny.defaults)).toEqual(encodeModel(whole.model, tiny, tiny.defaults));
    expect(resumed.trainer.history).toEqual(whole.trainer.history);
  });

  it("leave no memory behind", async () => {
    const data = await tiny.data(null);
    const once = async () => {
      const run = startRun(tiny, data, tiny.defaults);
      await run.trainer.fit();
      await run.evaluate();
      run.model.dispose();
    };
    await once();
    const before = getEngine().memory.inUse;
    for (let i = 0; i < 3; i++) await once();
    expect(getEngine().memory.inUse - before).toBeLessThan(40_000); // optimizer state goes with the garbage collector
  });
});

describe("files", () => {
  it("refuse what is not theirs", async () => {
    const run = startRun(tiny, await tiny.data(null), tiny.defaults);
    const model = encodeModel(run.model, tiny, tiny.defaults);
    const checkpoint = encodeCheckpoint(run.trainer.state(), { recipe: "tiny", options: {} });
    expect(() => decodeCheckpoint(model)).toThrowErrorMatchingInlineSnapshot(`
      [FormatError: checkpoint: this safetensors file is not a checkpoint (at byte 8)
        hint: model.safetensors holds the model alone; resume from the file named \`checkpoint\`]
    `);
    expect(() => decodeModel(checkpoint)).toThrowErrorMatchingInlineSnapshot(`
      [FormatError: model: this safetensors file does not say which model it belongs to (at byte 8)
        hint: it is a checkpoint; the model is in model.safetensors beside it]
    `);
    expect(() => decodeCheckpoint(checkpoint.subarray(0, 100))).toThrow(FormatError);
    expect(decodeModel(model).classes).toEqual(["left", "right"]);

    const { tensors, metadata } = decodeTensors(checkpoint);
    const altered = (key: string, value: unknown) => encodeTensors(tensors, { metadata: { ...Object.fromEntries(metadata), [key]: typeof value === "string" ? value : JSON.stringify(value) } });
    const state = JSON.parse(metadata.get("state")!) as object;
    for (const [key, value] of [
      ["version", "2"],
      ["state", "{"],
      ["state", null],
      ["state", { ...state, mean: {} }],
      ["state", { ...state, history: [null] }],
      ["state", { ...state, loader: { epoch: -1, batch: 0 } }],
      ["extra", { recipe: "tiny" }],
    ] as const) {
      expect(() => decodeCheckpoint(altered(key, value)), `${key} ${JSON.stringify(value)}`).toThrow(FormatError);
    }
    expect(decodeCheckpoint(altered("engine", "wasm/simd128")).engine).toBe("wasm/simd128");
  });
});
