/** What each of AlexNet's parts is worth, on CIFAR-10: the same small network without it, beside what Krizhevsky 2012 says it is worth. */
import { cifar10Classes } from "@nn/data";
import { Conv2d, Dropout, Flatten, init, Linear, LocalResponseNorm, MaxPool2d, ReLU, Sequential, type Module } from "@nn/layers";
import { HeavyBall, schedule } from "@nn/optim";
import { manualSeed } from "@nn/tensor";
import { defineExperiment, markdownTable, mean, meanAndInterval, type Block } from "@nn/train";
import { badInput } from "../errors.ts";
import { choose, numbersIn } from "./choose.ts";
import { loadWindows, testErrors, type Augmentation, type Windows } from "./cifar-windows.ts";
import { fit } from "./fit.ts";

interface Parts extends Augmentation {
  readonly norm: boolean;
  readonly overlap: boolean;
  readonly dropout: boolean;
}
const whole: Parts = { norm: true, overlap: true, dropout: true, crops: true, colour: true };

interface Variant {
  readonly name: string;
  readonly parts: Parts;
  /** What the paper says that leaving the part out adds to the error, in points. */
  readonly published: string;
}

const variants: readonly Variant[] = [
  { name: "everything", parts: whole, published: "" },
  { name: "without response normalisation", parts: { ...whole, norm: false }, published: "+1.4 top-1, +1.2 top-5; CIFAR-10: +2 (11 → 13 %)" },
  { name: "without overlap of the pooling (2/2 for 3/2)", parts: { ...whole, overlap: false }, published: "+0.4 top-1, +0.3 top-5" },
  { name: "without dropout", parts: { ...whole, dropout: false }, published: "“substantial overfitting”" },
  { name: "without the colour shifts", parts: { ...whole, colour: false }, published: "over +1 top-1" },
  { name: "without augmentation at all", parts: { ...whole, crops: false, colour: false }, published: "“substantial overfitting”" },
];

/** Convolutions of 5×5, 5×5 and 3×3 with 32, 64 and 64 maps, each with ReLU and pooling, the first two with response normalisation; dense layers of 256 and 10 with dropout before each. [N, 3, 24, 24] → [N, 10] */
function network({ norm, overlap, dropout }: Parts): Module {
  const he = { init: init.kaimingNormal(), initBias: init.zero };
  const pool = () => (overlap ? new MaxPool2d(3, { stride: 2, ceilMode: true }) : new MaxPool2d(2)); // 24² → 12² → 6² → 3² both
  const normalised = () => (norm ? [new LocalResponseNorm(5, { k: 2, alpha: 1e-4, beta: 0.75, form: "paper" })] : []);
  const drop = () => (dropout ? [new Dropout(0.5)] : []);
  return new Sequential(
    new Conv2d(3, 32, 5, { padding: 2, ...he }), new ReLU(), ...normalised(), pool(),
    new Conv2d(32, 64, 5, { padding: 2, ...he }), new ReLU(), ...normalised(), pool(),
    new Conv2d(64, 64, 3, { padding: 1, ...he }), new ReLU(), pool(), new Flatten(),
    ...drop(), new Linear(64 * 3 * 3, 256, he), new ReLU(),
    ...drop(), new Linear(256, 10, { init: init.normal(0.01), initBias: init.zero }),
  ); // prettier-ignore
}

interface Result extends Variant {
  readonly rate: number;
  /** Of each seed. */
  readonly one: number[];
  readonly ten: number[];
  /** Test error from one window at `looks`, and training loss of every epoch, of each seed. */
  readonly curves: number[][];
  readonly losses: number[][];
}

export const alexnetAblations = defineExperiment({
  name: "alexnet-ablations",
  title: "What AlexNet's parts are worth",
  description: "A small AlexNet on CIFAR-10 without response normalisation, overlapping pooling, dropout or augmentation, judged by one window and by ten, beside what Krizhevsky 2012 found on ImageNet.",
  settings: { images: 10000, tests: 10000, epochs: 30, batch: 128, rates: "0.01 0.02", seeds: 3 },

  async run({ settings: { images, tests, epochs, batch, rates, seeds }, data, trial }) {
    if (data === null) throw badInput("alexnet-ablations needs CIFAR-10", "--data <folder with cifar10-jpg-train.tar.gz and cifar10-jpg-test.tar.gz>");
    let loading: ReturnType<typeof loadWindows> | null = null;
    const sets = () => (loading ??= loadWindows(data, { images, tests, scale: 1 / 64 }));
    const testEvery = Math.max(1, Math.round(epochs / 6));
    const train = async ({ parts }: Variant, lr: number, seed: number, { train, test }: Windows) => {
      manualSeed(seed);
      const model = network(parts);
      const updates = epochs * Math.ceil(train(parts).length / batch);
      const drops = schedule.multiStep([Math.round(0.6 * updates), Math.round(0.85 * updates)]);
      return { model, ...(await fit(model, new HeavyBall(model.parameters(), { lr, momentum: 0.9, weightDecay: 5e-4 }), { train: train(parts), test, classes: cifar10Classes.length, epochs, batch, seed, schedule: drops, testEvery })) };
    };

    const results: Result[] = [];
    for (const variant of variants) {
      const { rate } = await choose(trial, variant.name, numbersIn(rates), "last epoch", async (rate) => train(variant, rate, 1, (await sets()).part));
      results.push({ ...variant, rate, one: [], ten: [], curves: [], losses: [] });
    }
    for (let seed = 1; seed <= seeds; seed++) {
      for (const result of results) {
        const found = await trial(`${result.name}, rate ${result.rate}, seed ${seed}`, async () => {
          const { all } = await sets();
          const { model, losses, accuracies } = await train(result, result.rate, seed, all);
          return { ...(await testErrors(model, all)), curve: accuracies.map((a) => 1 - a), losses };
        });
        result.one.push(found.one);
        result.ten.push(found.ten);
        result.curves.push(found.curve);
        result.losses.push(found.losses);
      }
    }
    const looks = Array.from({ length: epochs }, (_, e) => e + 1).filter((epoch) => epoch % testEvery === 0 || epoch === epochs);
    return page(results, looks, { images, tests, epochs, batch, seeds, rates });
  },
});

function page(results: readonly Result[], looks: readonly number[], { images, tests, epochs, batch, seeds, rates }: { images: number; tests: number; epochs: number; batch: number; seeds: number; rates: string }): Block[] {
  const points = (values: readonly number[]) => meanAndInterval(values.map((v) => 100 * v), 2);
  const signed = (differences: readonly number[]) => `${mean(differences) < 0 ? "−" : "+"}${points(differences.map((d) => (mean(differences) < 0 ? -d : d)))}`;
  const [first] = results as [Result];
  const less = (a: readonly number[], b: readonly number[]) => a.map((v, i) => v - b[i]!);
  const rows = results.map((r) => [r.name, r.rate, `${points(r.one)} %`, `${points(r.ten)} %`, r === first ? "" : signed(less(r.one, first.one)), r === first ? "" : signed(less(r.ten, first.ten)), r.published]);
  const over = (of: (r: Result) => readonly number[][], epochs: readonly number[]) => results.map((r) => ({ name: r.name, points: epochs.map((epoch, i) => [epoch, mean(of(r).map((run) => run[i]!))] as const) }));
  return [
    `${images.toLocaleString("en")} training images (the first ${images / 10} of each class) and ${tests.toLocaleString("en")} test images of CIFAR-10, in a copy that was saved as JPEG of quality 75. The paper's sizes are points of error on ImageNet, except where said: compare the signs, and sizes only roughly.`,
    `The network: convolutions of 5×5, 5×5 and 3×3 with 32, 64 and 64 maps and dense layers of 256 and 10 units on windows of 24×24; ReLU, response normalisation with the paper's constants, overlapping 3/2 pooling, dropout of one half, random windows with mirror images, colour shifts by the printed formula. Weights by He 2015, the paper's rule (momentum 0.9, decay 0.0005), batches of ${batch}, ${epochs} epochs, the rate divided by ten after 60 and 85 % of them.`,
    `The rate (of ${rates.split(" ").join(", ")}) was chosen for each variant on a tenth of the training images held out. Errors and differences are means over ${seeds} seeds with 95 % intervals (Student's t); differences are paired by seed, and count where the interval leaves out 0.`,
    markdownTable(["variant", "rate", "error, one window", "error, ten windows", "against everything, one", "against everything, ten", "published"], rows),
    `Ten windows for one, everything in place: ${signed(less(first.ten, first.one))} points. Published: −1.5 top-1 (39.0 → 37.5 %), −1.3 top-5 (18.3 → 17.0 %).`,
    "“Substantial overfitting” is all that the paper says of nets without dropout or augmentation. Dropout “roughly doubles” the iterations it takes, so a short training shows less of its good than a long one.",
    { file: "test-error", title: "Test error, one window", x: "epoch", y: "test error", percent: true, lines: over((r) => r.curves, looks) },
    { file: "training-loss", title: "Training loss", x: "epoch", y: "loss", lines: over((r) => r.losses, Array.from({ length: epochs }, (_, e) => e + 1)) },
  ];
}
