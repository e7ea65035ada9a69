/** One small network, thirteen activations, on CIFAR-10: which makes the fewest errors, and does the published order return? */
import { cifar10Classes } from "@nn/data";
import { activation, Conv2d, Flatten, init, Linear, MaxPool2d, Module, Sequential } from "@nn/layers";
import { Adam } from "@nn/optim";
import { manualSeed, maxout, type Tensor } from "@nn/tensor";
import { confidence, defineExperiment, markdownTable, meanAndInterval } from "@nn/train";
import { badInput } from "../errors.ts";
import { percent } from "../text.ts";
import { choose, holdOutTenth, numbersIn, type Choice } from "./choose.ts";
import { cifar10Mean, cifar10Std, loadCifarJpeg } from "./cifar-jpeg.ts";
import { fit, standardised, type Samples } from "./fit.ts";

/** The larger of the first and the second half of the channels: with layers of twice the width, maxout of two pieces (Goodfellow 2013). */
class LargerHalf extends Module {
  /** [N, 2C, ...] → [N, C, ...] */
  forward(x: Tensor): Tensor {
    const [n, channels, ...rest] = x.shape as [number, number, ...number[]];
    return maxout(x.reshape([n, 2, channels / 2, ...rest]), 1);
  }
}

interface Contender {
  readonly name: string;
  readonly make: () => Module;
  readonly weights: init.Initializer;
  /** Units to one output of the activation; default 1. */
  readonly pieces?: number;
  /** Test error of a Network in Network on all of CIFAR-10 (Xu 2015, table 1). */
  readonly published?: number;
}

const he = init.kaimingNormal(), glorot = init.xavierUniform(), lecun = init.lecunNormal();
const contenders: readonly Contender[] = [
  { name: "ReLU", make: () => activation("relu"), weights: he, published: 0.1245 },
  { name: "leaky ReLU 1/100", make: () => activation("leakyRelu"), weights: he, published: 0.1266 },
  { name: "leaky ReLU 1/5.5", make: () => activation("leakyRelu", { negativeSlope: 1 / 5.5 }), weights: he, published: 0.112 },
  { name: "PReLU", make: () => activation("prelu"), weights: he, published: 0.1179 },
  { name: "RReLU 1/8…1/3", make: () => activation("rrelu", { reciprocal: true }), weights: he, published: 0.1119 },
  { name: "ELU", make: () => activation("elu"), weights: he },
  { name: "SELU", make: () => activation("selu"), weights: lecun },
  { name: "GELU", make: () => activation("gelu"), weights: he },
  { name: "SiLU", make: () => activation("silu"), weights: he },
  { name: "softplus", make: () => activation("softplus"), weights: he },
  { name: "tanh", make: () => activation("tanh"), weights: glorot },
  { name: "sigmoid", make: () => activation("sigmoid"), weights: glorot },
  { name: "maxout of 2", make: () => new LargerHalf(), weights: he, pieces: 2 },
];

/** Three convolutions of 3×3, each halved by pooling before the activation (to most of them the order is all the same, and this is a quarter of the work), and two dense layers. [N, 3, 32, 32] → [N, 10] */
function network({ make, weights, pieces = 1 }: Contender): Module {
  const conv = (from: number, to: number) => [new Conv2d(from, to * pieces, 3, { padding: 1, init: weights }), new MaxPool2d(2), make()];
  return new Sequential(...conv(3, 8), ...conv(8, 16), ...conv(16, 32), new Flatten(), new Linear(512, 64 * pieces, { init: weights }), make(), new Linear(64, 10, { init: weights }));
}

interface Result extends Contender {
  readonly choice: Choice;
  /** Test error of each seed. */
  readonly errors: number[];
  readonly times: number[];
}

export const activationRace = defineExperiment({
  name: "activation-race",
  title: "Activations on CIFAR-10",
  description: "The same small convolutional network with thirteen activations, each at the rate and number of epochs that suit it best on held-out training images.",
  settings: { images: 10000, tests: 10000, epochs: 6, batch: 50, rates: "0.001 0.004", seeds: 3 },

  async run({ settings: { images, tests, epochs, batch, rates, seeds }, data, trial }) {
    if (data === null) throw badInput("activation-race needs CIFAR-10", "--data <folder with cifar10-jpg-train.tar.gz and cifar10-jpg-test.tar.gz>");
    let loading: Promise<Record<"train" | "test" | "part" | "heldOut", Samples>> | null = null;
    const load = async () => {
      const [train, test] = await Promise.all([loadCifarJpeg(data, "train", images), loadCifarJpeg(data, "test", tests)]);
      const samples = standardised(train, cifar10Mean, cifar10Std);
      const [part, heldOut] = holdOutTenth(samples, train.labels.data);
      return { train: samples, test: standardised(test, cifar10Mean, cifar10Std), part, heldOut };
    };
    const sets = () => (loading ??= load());
    const train = (contender: Contender, lr: number, seed: number, epochs: number, train: Samples, test: Samples, testEvery: number) => {
      manualSeed(seed);
      const model = network(contender);
      return fit(model, new Adam(model.parameters(), { lr }), { train, test, classes: cifar10Classes.length, epochs, batch, seed, testEvery });
    };

    const choices: Choice[] = [];
    for (const contender of contenders) {
      choices.push(await choose(trial, contender.name, numbersIn(rates), "best epoch", async (rate) => {
        const { part, heldOut } = await sets();
        return train(contender, rate, 1, epochs, part, heldOut, 1);
      })); // prettier-ignore
    }
    const results: Result[] = contenders.map((contender, i) => ({ ...contender, choice: choices[i]!, errors: [], times: [] }));
    for (let seed = 1; seed <= seeds; seed++) {
      for (const result of results) {
        const { rate, epochs } = result.choice;
        const { error, seconds } = await trial(`${result.name}, rate ${rate}, ${epochs} epochs, seed ${seed}`, async () => {
          const { train: all, test } = await sets();
          const { losses, accuracies } = await train(result, rate, seed, epochs, all, test, epochs);
          return { losses, error: 1 - (accuracies[0] ?? 0) };
        });
        result.errors.push(error);
        result.times.push(seconds);
      }
    }
    return page(results, { images, tests, epochs, seeds, rates });
  },
});

function page(results: readonly Result[], { images, tests, epochs, seeds, rates }: { images: number; tests: number; epochs: number; seeds: number; rates: string }) {
  const ranked = [...results].sort((a, b) => confidence(a.errors).mean - confidence(b.errors).mean);
  const rows = ranked.map(({ name, choice, errors, published, times }) => [
    name, choice.rate, choice.epochs, percent(1 - choice.accuracy), `${meanAndInterval(errors.map((e) => 100 * e), 2)} %`, errors.map((e) => (100 * e).toFixed(2)).join(", "),
    confidence(times).mean.toFixed(1), published === undefined ? "" : `${(100 * published).toFixed(2)} %`,
  ]); // prettier-ignore
  const known = results.filter((r) => r.published !== undefined).sort((a, b) => a.published! - b.published!);
  const pairs = known.flatMap((better, i) =>
    known.slice(i + 1).map((worse) => {
      const differences = worse.errors.map((e, s) => 100 * (e - better.errors[s]!));
      return { better, worse, differences, ...confidence(differences) };
    }),
  );
  const asPublished = pairs.filter(({ mean }) => mean > 0);
  const clear = pairs.filter(({ mean, halfWidth }) => Math.abs(mean) > halfWidth);
  return [
    `${images.toLocaleString("en")} training images (the first ${images / 10} of each class) and ${tests.toLocaleString("en")} test images of CIFAR-10 in a copy that was saved as JPEG of quality 75, so neither the data nor the amount are those of published figures: compare the order, not the level.`,
    `The network: convolutions of 3×3 with 8, 16 and 32 maps, each followed by 2×2 max-pooling and the activation, then 64 units and 10 logits; no normalisation, dropout or augmentation. Adam, constant rate. Weights start as He 2015 for the rectifiers, GELU, SiLU, softplus and maxout, LeCun 1998 for SELU, Glorot 2010 for tanh and sigmoid. Maxout takes the larger of two units, so its layers have twice the weights.`,
    `Rate (of ${rates.split(" ").join(", ")}) and epochs (1 to ${epochs}) were chosen for each on a tenth of the training images held out, seed 1. Then each was trained on all of them from ${seeds} seeds, and the test images looked at once per run. Intervals are 95 % over seeds (Student's t).`,
    markdownTable(["activation", "rate", "epochs", "held-out error", "test error", `seeds 1 to ${seeds}`, "seconds a run", "published¹"], rows),
    "¹ Test error of a Network in Network on all 50,000 original images: Xu 2015, \"Empirical Evaluation of Rectified Activations in Convolutional Network\". Other published errors, each of another network: ELU 6.55 % (Clevert 2015), maxout with dropout 11.68 % (Goodfellow 2013).",
    `## The published order`,
    `Measured, from the fewest errors: ${ranked.map((r) => r.name).join(", ")}. Published: ${known.map((r) => r.name).join(", ")}. Of the ${pairs.length} pairs of these, ${asPublished.length} come out the same way round. Differences are paired by seed; the interval leaves out 0 for ${clear.length} pairs, ${clear.filter((p) => asPublished.includes(p)).length} of them as published. A few epochs show how fast an activation learns rather than where it would end.`,
    markdownTable(["fewer errors, as published", "than", "published difference", "measured difference"], pairs.map(({ better, worse, differences }) => [better.name, worse.name, `${(100 * (worse.published! - better.published!)).toFixed(2)} points`, `${meanAndInterval(differences, 2)} points`])),
    { file: "held-out", title: "Held-out accuracy at the chosen rate", x: "epoch", y: "accuracy", percent: true, lines: ranked.map(({ name, choice }) => ({ name, points: choice.curve })) },
  ];
}
