/** Krizhevsky's network for CIFAR-10 of 11 % test error, trained for about an hour. */
import { join } from "node:path";
import { cifar10Classes } from "@nn/data";
import type { Parameter } from "@nn/layers";
import { HeavyBall, schedule } from "@nn/optim";
import { manualSeed } from "@nn/tensor";
import { defineExperiment, markdownTable } from "@nn/train";
import { KrizhevskyCifar } from "@nn/vision";
import { badInput } from "../errors.ts";
import { duration } from "../provenance.ts";
import { percent } from "../text.ts";
import { choose, numbersIn } from "./choose.ts";
import { loadWindows, testErrors, type Windows } from "./cifar-windows.ts";
import { fit } from "./fit.ts";

const augmentation = { crops: true, colour: false };

/** The authors' rule: biases learn at twice the rate; only the local layers and the dense one decay. */
function authorsRule(model: KrizhevskyCifar, lr: number): HeavyBall {
  const decays = { features: 0, local: 0.004, classifier: 0.01 };
  const groups = new Map<string, { params: Parameter[]; lr: number; weightDecay: number }>();
  for (const [name, p] of model.namedParameters()) {
    const part = name.split(".")[0] as keyof typeof decays;
    const bias = name.endsWith("bias");
    const key = bias ? "bias" : part;
    const group = groups.get(key) ?? { params: [], lr: bias ? 2 * lr : lr, weightDecay: bias ? 0 : decays[part] };
    group.params.push(p);
    groups.set(key, group);
  }
  return new HeavyBall([...groups.values()], { lr, momentum: 0.9 });
}

export const cifarKrizhevsky = defineExperiment({
  name: "cifar-krizhevsky",
  title: "Krizhevsky's CIFAR-10 network",
  description: "Two convolutions, two local layers and a dense one (cuda-convnet's layers-conv-local-11pct) on windows of 24×24, to the test error that an hour on two cores gives.",
  settings: { images: 50000, tests: 10000, epochs: 70, batch: 128, rates: "0.0005 0.001 0.002", choosing: 5, seed: 1 },

  async run({ settings: { images, tests, epochs, batch, rates, choosing, seed }, data, unfinished, trial }) {
    if (data === null) throw badInput("cifar-krizhevsky needs CIFAR-10", "--data <folder with cifar10-jpg-train.tar.gz and cifar10-jpg-test.tar.gz>");
    let loading: ReturnType<typeof loadWindows> | null = null;
    const sets = () => (loading ??= loadWindows(data, { images, tests, scale: 1 }));
    const train = async (lr: number, epochs: number, { train, test }: Windows, name: string) => {
      manualSeed(seed);
      const model = new KrizhevskyCifar();
      const samples = train(augmentation);
      const updates = epochs * Math.ceil(samples.length / batch);
      const drops = schedule.multiStep([Math.round(0.75 * updates), Math.round(0.9 * updates)]);
      const found = await fit(model, authorsRule(model, lr), { train: samples, test, classes: cifar10Classes.length, epochs, batch, seed, schedule: drops, ...(unfinished !== null && { checkpoint: join(unfinished, name) }) });
      return { model, ...found };
    };
    const { rate } = await choose(trial, "short", numbersIn(rates), "last epoch", async (rate) => train(rate, choosing, (await sets()).part, `short-${rate}`));
    const found = await trial(`rate ${rate}, ${epochs} epochs`, async () => {
      const { all } = await sets();
      const { model, seconds: training, losses, accuracies } = await train(rate, epochs, all, "long");
      return { ...(await testErrors(model, all)), training, losses, errors: accuracies.map((a) => 1 - a) };
    });

    const points = (values: readonly number[]) => values.map((v, i) => [i + 1, v] as const);
    return [
      `Test error ${percent(found.one)} from the central window, **${percent(found.ten)} from ten windows**, after ${epochs} epochs and ${duration(found.training)} of training.`,
      markdownTable(["", "training images", "test error"], [
        ["here, ten windows", images.toLocaleString("en"), percent(found.ten)],
        ["here, one window", images.toLocaleString("en"), percent(found.one)],
        ["cuda-convnet, the same layers, many windows", "50,000", "11 %"],
        ["cuda-convnet, the same without response normalisation (Krizhevsky 2012, section 3.3)", "50,000", "13 %"],
      ]),
      `Trained on ${images.toLocaleString("en")} and tested on ${tests.toLocaleString("en")} images of a copy of CIFAR-10 that was saved as JPEG of quality 75; the published figures are those of the original pixels, after a training that went on until the held-out error stalled at each of three rates.`,
      `Bytes less their mean picture; random windows of 24×24 and mirror images; batches of ${batch}, momentum 0.9, biases at twice the rate, decay 0.004 in the local layers and 0.01 in the dense one. The rate (of ${rates.split(" ").join(", ")}) was chosen on a tenth of the training images held out, after ${choosing} epochs of the same schedule; it is divided by ten after 75 and 90 % of the epochs. The test images chose nothing; the curve was drawn for the eye.`,
      { file: "errors", title: "Test error, central window", x: "epoch", y: "test error", percent: true, lines: [{ name: `rate ${rate}`, points: points(found.errors) }] },
      { file: "loss", title: "Training loss", x: "epoch", y: "loss", lines: [{ name: `rate ${rate}`, points: points(found.losses) }] },
    ];
  },
});
