/** The experiments of Krizhevsky 2012, on a handful of images. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TensorDataset } from "@nn/data";
import { Dropout, Flatten, Linear, Sequential } from "@nn/layers";
import { SGD } from "@nn/optim";
import { manualSeed, randn } from "@nn/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import { epochsTo, fastest, ratio } from "../src/experiments/alexnet-figure1.ts";
import { loadWindows, testErrors } from "../src/experiments/cifar-windows.ts";
import { fit } from "../src/experiments/fit.ts";
import { nn, temporary } from "./command.ts";
import { smallCifar } from "./cifar-archive.ts";

let data = "";
beforeAll(async () => {
  data = await smallCifar(10, 4);
});

const run = (name: string, out: string, ...settings: string[]) => nn("experiment", name, "--data", data, "--out", out, ...settings.flatMap((s) => ["--set", s]));

describe("alexnet-figure1", () => {
  it("interpolates the epoch at which a target was reached, from chance on", () => {
    expect(epochsTo(0.25, [0.6, 0.3, 0.2, 0.4])).toBeCloseTo(2.5);
    expect(epochsTo(0.25, [0.1])).toBeCloseTo(0.8125); // from 90 %
    expect(epochsTo(0.25, [0.25])).toBe(1);
    expect(epochsTo(0.25, [0.6, 0.26])).toBeNull();
    expect(epochsTo(0.25, [])).toBeNull(); // diverged
  });

  it("takes the fastest rate that arrived from every seed, and the geometric mean of ratios", () => {
    const at = (rate: number, ...epochs: (number | null)[]) => ({ rate, epochs, errors: [] });
    expect(fastest({ rates: [at(1, 9, 11), at(2, 6, 8), at(3, 2, null)] })).toMatchObject({ rate: 2, epochs: [6, 8] });
    expect(fastest({ rates: [at(1, null, null)] })).toBeNull();
    expect(ratio([4, 5], [2, 2])).toBe("2.24 (0.54 to 9.23)");
    expect(ratio([6], [2])).toBe("3.00");
  });

  it("tells the ratio for both starts beside the published one", async () => {
    const out = temporary();
    const { code, stdout } = await run("alexnet-figure1", out, "images=100", "epochs=25", "batch=10", "seeds=2", "authorsRelu=0.00005", "authorsTanh=0.001 0.002", "modernRelu=0.002", "modernTanh=0.005");
    expect(code).toBe(0);
    for (const start of ["the authors' start", "a modern start"]) {
      const cells = stdout.split("\n").find((line) => line.startsWith(`| ${start} `))!.split("|").map((c) => c.trim());
      for (const cell of cells.slice(2, 4)) expect(cell).toMatch(/^\d+\.\d ± \d+\.\d at rate 0\.\d+$/);
      expect(cells[4]).toMatch(/^\d+\.\d\d \(\d+\.\d\d to \d+\.\d\d\)$/);
    }
    expect(stdout).toContain("| Krizhevsky 2012, Figure 1 | about 6 | about 36 | 6 |");
    expect(readdirSync(out).filter((f) => f.endsWith(".svg"))).toEqual(["alexnet-figure1-a-modern-start.svg", "alexnet-figure1-the-authors-start.svg"]);
    expect(readFileSync(join(out, "alexnet-figure1-the-authors-start.svg"), "utf8")).toMatch(/>ReLU, rate [^]*>tanh, rate /);
  }, 90_000);
});

describe("alexnet-ablations", () => {
  it("leaves out one part after the other and compares with everything", async () => {
    const out = temporary();
    const { code, stdout } = await run("alexnet-ablations", out, "images=100", "tests=40", "epochs=3", "batch=20", "rates=0.01", "seeds=2");
    expect(code).toBe(0);
    const rows = stdout.match(/^\| (everything|without .*) \| 0\.01 \|.*$/gm)!;
    expect(rows).toHaveLength(6);
    for (const row of rows.slice(1)) expect(row).toMatch(/\| [+−]\d+\.\d\d ± \d+\.\d\d \| [+−]\d+\.\d\d ± \d+\.\d\d \| (\+|over|“)/);
    expect(stdout).toMatch(/Ten windows for one, everything in place: [+−]\d+\.\d\d ± \d+\.\d\d points\. Published: −1\.5/);
    expect(readFileSync(join(out, "alexnet-ablations-test-error.svg"), "utf8")).toContain("without dropout");
  }, 90_000);

  it("judges by the central window and by ten", async () => {
    const { all, part } = await loadWindows(data, { images: 100, tests: 40, scale: 1 / 64 });
    expect([all.train({ crops: true, colour: true }).length, part.train({ crops: false, colour: false }).length, part.test.length, all.test.length]).toEqual([100, 90, 10, 40]);
    const pass = { seed: 1, epoch: 0 };
    const [[centre], [ten]] = [await all.test.get(3, pass), await all.tenfold.get(3, pass)];
    expect([centre.shape, ten.shape]).toEqual([[3, 24, 24], [10, 3, 24, 24]]);
    expect(ten.data.slice(4 * 1728, 5 * 1728)).toEqual(centre.data); // the fifth is the central one
    const [[plain], [once], [again]] = [await all.train({ crops: false, colour: false }).get(3, pass), await all.train({ crops: true, colour: true }).get(3, pass), await all.train({ crops: true, colour: true }).get(3, { seed: 1, epoch: 1 })];
    expect(once.data).not.toEqual(plain.data);
    expect(again.data).not.toEqual(once.data);
    manualSeed(1);
    const model = new Sequential(new Flatten(), new Linear(1728, 10));
    const untrained = await testErrors(model, all);
    await fit(model, new SGD(model.parameters(), { lr: 1e-3, momentum: 0.9 }), { train: all.train({ crops: true, colour: false }), test: all.test, classes: 10, epochs: 20, batch: 10, seed: 1 });
    const { one, ten: tenfold } = await testErrors(model, all);
    expect(one).toBeLessThan(untrained.one / 2);
    expect(tenfold).toBeLessThan(untrained.ten / 2);
  }, 60_000);
});

describe("cifar-krizhevsky", () => {
  it("chooses a rate, trains and stands beside the published error", async () => {
    const out = temporary();
    const { code, stdout } = await run("cifar-krizhevsky", out, "images=100", "tests=40", "epochs=2", "batch=50", "rates=0.0005 0.001", "choosing=1");
    expect(code).toBe(0);
    expect(stdout).toMatch(/Test error \d+\.\d % from the central window, \*\*\d+\.\d % from ten windows\*\*, after 2 epochs and \d+\.\d s of training/);
    expect(stdout).toContain("| cuda-convnet, the same layers, many windows | 50,000 | 11 % |");
    expect(readdirSync(join(out, "unfinished"))).toEqual([]);
  }, 90_000);
});

it("a training that was cut short goes on from its checkpoint, to the same weights", async () => {
  const samples = new TensorDataset(randn([40, 6]), Int32Array.from({ length: 40 }, (_, i) => i % 3));
  const checkpoint = join(temporary(), "new", "net");
  const train = async (cut: boolean, path?: string) => {
    manualSeed(5);
    const model = new Sequential(new Linear(6, 16), new Dropout(0.5), new Linear(16, 3));
    const stopping = cut ? [{ onStep: (info: { epoch: number; batch: number }) => { if (info.epoch === 2 && info.batch === 3) throw new Error("killed"); } }] : [];
    const found = await fit(model, new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 }), { train: samples, test: samples, classes: 3, epochs: 4, batch: 8, seed: 1, callbacks: stopping, ...(path !== undefined && { checkpoint: path }) });
    return { losses: found.losses, seconds: found.seconds, weights: [...model.stateDict().values()].map((t) => t.toArray()) };
  };
  const whole = await train(false);
  await expect(train(true, checkpoint)).rejects.toThrow("killed");
  expect(existsSync(checkpoint)).toBe(true);
  const resumed = await train(false, checkpoint);
  expect(resumed.losses).toEqual(whole.losses);
  expect(resumed.weights).toEqual(whole.weights);
  expect(resumed.seconds).toBeGreaterThan(0);
  expect(existsSync(checkpoint)).toBe(false);
});

it("each says that it needs data", async () => {
  for (const name of ["alexnet-figure1", "alexnet-ablations", "cifar-krizhevsky"]) {
    expect(await nn("experiment", name, "--out", temporary())).toMatchObject({ code: 3, stderr: expect.stringMatching(/needs CIFAR-10\n\s*hint: --data/) as string });
  }
}, 60_000);
