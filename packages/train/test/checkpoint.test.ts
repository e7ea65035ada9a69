import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeTensors, encodeTensors } from "@nn/io";
import { FormatError, zeros, type DType, type Tensor } from "@nn/tensor";
import { decodeCheckpoint, decodeModel, encodeCheckpoint, encodeModel, startRun, type Callback } from "@nn/train";
import { CheckpointFile } from "@nn/train/node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tiny } from "./tiny.ts";

const extra = { recipe: "tiny", options: { ...tiny.defaults } };
const start = async (callbacks: Callback[] = []) => startRun(tiny, await tiny.data(null), tiny.defaults, { callbacks });

/** A run stopped after its first batch, and its file with another state or more tensors. */
async function stopped() {
  const run = await start([{ onStep: (_, trainer) => trainer.stop() }]);
  await run.trainer.fit();
  const file = encodeCheckpoint(run.trainer.state(), extra);
  const { tensors, metadata } = decodeTensors(file);
  const state = JSON.parse(metadata.get("state")!) as Record<string, Record<string, unknown>>;
  const altered = (parts: object, more: [string, Tensor][] = []) => encodeTensors(new Map([...tensors, ...more]), { metadata: { ...Object.fromEntries(metadata), state: JSON.stringify({ ...state, ...parts }) } });
  return { run, file, state, altered };
}

describe("checkpoints", () => {
  it("refuse a state that no run could go on from", async () => {
    const { state, altered } = await stopped();
    expect(decodeCheckpoint(altered({})).state.loader).toMatchObject({ epoch: 0, batch: 1 });
    for (const parts of [
      { loader: { ...state["loader"], seed: "x" } },
      { loader: { ...state["loader"], seed: 2 ** 60 } },
      { random: { seed: 1, stream: 2 ** 32 } },
      { optimizer: { ...state["optimizer"], options: [null] } },
      { optimizer: { ...state["optimizer"], updates: [-1, 1, 1, 1] } },
      { baseRates: ["fast"] },
    ]) {
      expect(() => decodeCheckpoint(altered(parts)), JSON.stringify(parts)).toThrow(FormatError);
    }
  });

  it("of another model or optimizer are not loaded", async () => {
    const { altered } = await stopped();
    const resume = async (bytes: Uint8Array) => startRun(tiny, await tiny.data(null), tiny.defaults, { resume: decodeCheckpoint(bytes).state });
    const grad = (name: string, shape: number[], dtype: DType): [string, Tensor][] => [[`grad.${name}`, zeros(shape, { dtype })]];
    await expect(resume(altered({}, grad("1.weight", [8, 16], "f32")))).resolves.toBeDefined();
    await expect(resume(altered({}, grad("1.weight", [1], "f32")))).rejects.toThrow("gradient '1.weight' is f32[1], which fits no parameter");
    await expect(resume(altered({}, grad("1.weight", [8, 16], "i32")))).rejects.toThrow("gradient '1.weight' is i32[8,16]");
    await expect(resume(altered({}, grad("nowhere", [1], "f32")))).rejects.toThrow("gradient 'nowhere'");
    await expect(resume(altered({ baseRates: [] }))).rejects.toThrow("state has 0 learning rates, the optimizer 1 groups");
  });

  it("and model files with bytes changed or cut off are read whole or refused", async () => {
    const { run, file } = await stopped();
    for (const [bytes, decode] of [[file, decodeCheckpoint], [encodeModel(run.model, tiny, tiny.defaults), decodeModel]] as const) {
      let seed = 1;
      const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
      let refused = 0;
      for (let i = 0; i < 500; i++) {
        const mutant = bytes.slice(0, i % 4 === 0 ? 1 + random(bytes.length - 1) : bytes.length);
        for (let k = 0; k < 1 + (i % 3); k++) mutant[random(Math.min(mutant.length, 1200))] = random(256);
        try {
          decode(mutant);
        } catch (error) {
          expect(error, `mutant ${i}`).toBeInstanceOf(FormatError);
          refused++;
        }
      }
      expect(refused).toBeGreaterThan(250);
    }
  });

  it("name what is missing in a model file", async () => {
    const { run } = await stopped();
    const { tensors, metadata } = decodeTensors(encodeModel(run.model, tiny, tiny.defaults));
    for (const options of ["null", "5", "[]", '{"epochs":1}']) {
      expect(() => decodeModel(encodeTensors(tensors, { metadata: { ...Object.fromEntries(metadata), options } }))).toThrow("its options are incomplete");
    }
  });
});

describe("CheckpointFile", () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "nn-checkpoint-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("writes after each epoch, and between them when its time has come", async () => {
    const written = async (everySeconds: number) => {
      const path = join(folder, `every-${everySeconds}`);
      const at: [number, number][] = [];
      const look: Callback = {
        onStep() {
          if (!existsSync(path)) return;
          const { epoch, batch } = decodeCheckpoint(readFileSync(path)).state.loader;
          if (at.at(-1)?.join() !== `${epoch},${batch}`) at.push([epoch, batch]);
        },
      };
      const run = await start([new CheckpointFile(path, extra, everySeconds), look]);
      await run.trainer.fit();
      expect(decodeCheckpoint(readFileSync(path)).state.history).toEqual(run.trainer.history);
      return at;
    };
    expect(await written(3600)).toEqual([[1, 0], [2, 0]]);
    expect((await written(0)).slice(0, 3)).toEqual([[0, 1], [0, 2], [0, 3]]);
    expect(readdirSync(folder).sort()).toEqual(["every-0", "every-3600"]); // no temporary files stay
  });

  it("keeps the bits of the run: resumed from the file it ends in the same model", async () => {
    const path = join(folder, "checkpoint");
    const whole = await start();
    await whole.trainer.fit();
    let seen = 0;
    const file = new CheckpointFile(path, extra);
    const cut = await start([{ onStep: (_, t) => (++seen === 11 ? t.stop() : undefined) }, file]);
    await cut.trainer.fit();
    file.save(cut.trainer);
    const resumed = startRun(tiny, await tiny.data(null), tiny.defaults, { resume: decodeCheckpoint(readFileSync(path)).state });
    await resumed.trainer.fit();
    expect(encodeModel(resumed.model, tiny, tiny.defaults)).toEqual(encodeModel(whole.model, tiny, tiny.defaults));
  });

  it("passes on that the folder cannot be written", async () => {
    const run = await start([new CheckpointFile(join(folder, "gone", "checkpoint"), extra)]);
    await expect(run.trainer.fit()).rejects.toThrow("ENOENT");
  });
});
