/** Figure 1 of Krizhevsky 2012: how many epochs a four-layer network needs to 25 % training error on CIFAR-10, with ReLU and with tanh. */
import { cifar10Classes, ImageSums, TensorDataset, type LabelledImages } from "@nn/data";
import { activation, Conv2d, Flatten, init, Linear, MaxPool2d, Sequential, type Module } from "@nn/layers";
import { SGD } from "@nn/optim";
import { manualSeed } from "@nn/tensor";
import { confidence, defineExperiment, markdownTable, mean, meanAndInterval, type Block } from "@nn/train";
import { badInput } from "../errors.ts";
import { numbersIn } from "./choose.ts";
import { cifar10Mean, cifar10Std, loadCifarJpeg } from "./cifar-jpeg.ts";
import { fit, standardised, type Samples } from "./fit.ts";

/** Share of wrong training images at which the clock stops. */
const TARGET = 0.25;
const CHANCE = 0.9;

const activations = [{ name: "relu", title: "ReLU", key: "Relu" }, { name: "tanh", title: "tanh", key: "Tanh" }] as const;
type Name = (typeof activations)[number]["name"];

interface Regime {
  readonly key: "authors" | "modern";
  readonly title: string;
  /** Of the three convolutions and the dense layer. */
  weights(name: Name): readonly [init.Initializer, init.Initializer, init.Initializer, init.Initializer];
}

const regimes: readonly Regime[] = [
  {
    key: "authors",
    title: "the authors' start",
    weights: () => [init.normal(1e-4), init.normal(0.01), init.normal(0.01), init.normal(0.1)],
  },
  {
    key: "modern",
    title: "a modern start",
    weights(name) {
      const all = name === "relu" ? init.kaimingNormal() : init.xavierNormal();
      return [all, all, all, all];
    },
  },
];

/** Convolutions of 5×5 with 32, 32 and 64 maps, each followed by 3/2 max-pooling and the activation (to both of them the order is all the same), and a dense layer. [N, 3, 32, 32] → [N, 10] */
function network(name: Name, [w1, w2, w3, w4]: ReturnType<Regime["weights"]>): Module {
  const conv = (from: number, to: number, weights: init.Initializer) => [new Conv2d(from, to, 5, { padding: 2, init: weights, initBias: init.zero }), new MaxPool2d(3, { stride: 2, ceilMode: true }), activation(name)];
  return new Sequential(...conv(3, 32, w1), ...conv(32, 32, w2), ...conv(32, 64, w3), new Flatten(), new Linear(64 * 4 * 4, 10, { init: w4, initBias: init.zero }));
}

/** Epochs until the error was at `TARGET`, between two epochs on a straight line; null: it never was. */
export function epochsTo(target: number, errors: readonly number[]): number | null {
  const k = errors.findIndex((e) => e <= target);
  if (k < 0) return null;
  const before = k === 0 ? CHANCE : errors[k - 1]!;
  return k + (before - target) / (before - errors[k]!);
}

interface Curve {
  readonly regime: string;
  readonly name: Name;
  readonly title: string;
  readonly rates: readonly { readonly rate: number; readonly epochs: readonly (number | null)[]; readonly errors: readonly (readonly number[])[] }[];
}

/** The rate with the fewest epochs, among those that got there from every seed. */
export function fastest({ rates }: Pick<Curve, "rates">): { rate: number; epochs: number[]; errors: readonly (readonly number[])[] } | null {
  const arrived = rates.flatMap(({ rate, epochs, errors }) => (epochs.every((e) => e !== null) ? [{ rate, epochs: epochs as number[], errors }] : []));
  return arrived.sort((a, b) => mean(a.epochs) - mean(b.epochs))[0] ?? null;
}

/** Geometric mean of the ratios of pairs, with its 95 % interval. */
export function ratio(slow: readonly number[], fast: readonly number[]): string {
  const { mean: middle, halfWidth: half } = confidence(slow.map((s, i) => Math.log(s / fast[i]!)));
  const text = Math.exp(middle).toFixed(2);
  return slow.length < 2 ? text : `${text} (${Math.exp(middle - half).toFixed(2)} to ${Math.exp(middle + half).toFixed(2)})`;
}

export const alexnetFigure1 = defineExperiment({
  name: "alexnet-figure1",
  title: "ReLU against tanh: Figure 1 of Krizhevsky 2012",
  description: "Epochs that a four-layer network needs to 25 % training error on CIFAR-10, with the rate tuned for each curve, from the authors' weights and from modern ones.",
  settings: { images: 10000, epochs: 60, batch: 128, authorsRelu: "0.0005 0.001 0.002", authorsTanh: "0.004 0.008 0.016", modernRelu: "0.001 0.003 0.01", modernTanh: "0.01 0.03 0.1", seeds: 3 },

  async run({ settings, data, trial }) {
    const { images, epochs, batch, seeds } = settings;
    if (data === null) throw badInput("alexnet-figure1 needs CIFAR-10", "--data <folder with cifar10-jpg-train.tar.gz>");
    let loading: Promise<LabelledImages> | null = null;
    const samples = async (regime: Regime): Promise<Samples> => {
      const set = await (loading ??= loadCifarJpeg(data, "train", images));
      return regime.key === "modern" ? standardised(set, cifar10Mean, cifar10Std) : centred(set);
    };

    const curves: Curve[] = [];
    for (const regime of regimes) {
      let ready: Promise<Samples> | null = null;
      for (const { name, title, key } of activations) {
        const rates = numbersIn(settings[`${regime.key}${key}`]).map((rate) => ({ rate, epochs: [] as (number | null)[], errors: [] as number[][] }));
        for (const { rate, epochs: needed, errors } of rates) {
          for (let seed = 1; seed <= seeds; seed++) {
            const found = await trial(`${title}, ${regime.title}, rate ${rate}, seed ${seed}`, async () => {
              const train = await (ready ??= samples(regime));
              manualSeed(seed);
              const model = network(name, regime.weights(name));
              const { accuracies } = await fit(model, new SGD(model.parameters(), { lr: rate, momentum: 0.9 }), {
                train, test: train, classes: cifar10Classes.length, epochs, batch, seed,
                callbacks: [{ onEpoch: (info, trainer) => void (info["accuracy"]! >= 1 - TARGET && trainer.stop()) }],
              }); // prettier-ignore
              const errors = accuracies.map((a) => 1 - a);
              return { epochs: epochsTo(TARGET, errors), errors };
            });
            needed.push(found.epochs);
            errors.push(found.errors);
          }
        }
        curves.push({ regime: regime.title, name, title, rates });
      }
    }
    return page(curves, settings);
  },
});

/** Pixels 0 … 255 less their mean over the set, as the authors' code has them. */
function centred({ images, labels }: LabelledImages): Samples {
  const sums = new ImageSums();
  sums.add(images);
  const { data: mean } = sums.statistics().mean;
  return new TensorDataset({ shape: images.shape, data: Float32Array.from(images.data, (v, i) => v - mean[i % mean.length]!) }, labels);
}

function page(curves: readonly Curve[], { images, epochs, batch, seeds }: { images: number; epochs: number; batch: number; seeds: number }): Block[] {
  const rows = curves.flatMap((curve) => {
    const best = fastest(curve)?.rate;
    return curve.rates.map(({ rate, epochs: needed }) => [
      curve.regime, curve.title, `${rate}${rate === best ? " ←" : ""}`,
      needed.every((e) => e !== null) ? meanAndInterval(needed as number[], 1) : "not from every seed",
      needed.map((e) => (e === null ? "–" : e.toFixed(1))).join(", "),
    ]); // prettier-ignore
  });
  const ratios = [...new Set(curves.map((c) => c.regime))].map((regime) => {
    const [relu, tanh] = activations.map(({ name }) => fastest(curves.find((c) => c.regime === regime && c.name === name)!));
    const within = (curve: typeof relu) => (curve ? `${meanAndInterval(curve.epochs, 1)} at rate ${curve.rate}` : `not within ${epochs}`);
    return [regime, within(relu), within(tanh), relu && tanh ? ratio(tanh.epochs, relu.epochs) : "–"];
  });
  const edges = curves.flatMap((curve) => {
    const best = fastest(curve)?.rate, tried = curve.rates.map((r) => r.rate);
    return best !== undefined && tried.length > 2 && (best === Math.max(...tried) || best === Math.min(...tried)) ? [`${curve.title} from ${curve.regime}`] : [];
  });
  return [
    `The first ${images.toLocaleString("en")} of the 50,000 training images (${images / 10} of each class), in a copy of CIFAR-10 that was saved as JPEG of quality 75. The paper used all images as they are; fewer images make an epoch shorter, so compare the ratio of the epochs, not the epochs.`,
    markdownTable(["start", "ReLU, epochs", "tanh, epochs", "tanh / ReLU"], [...ratios, ["Krizhevsky 2012, Figure 1", "about 6", "about 36", "6"]]),
    `Epochs to 25 % errors on the training images themselves, looked at after each epoch and interpolated between two. Ratios are geometric means over ${seeds} seeds, paired by seed, for which initial weights and order of the images are the same; intervals are 95 % (Student's t). The rate of each curve is the one that gets there soonest.`,
    `The network: convolutions of 5×5 with 32, 32 and 64 maps, each with 3/2 max-pooling, and a dense layer; no regularisation; SGD in batches of ${batch} with momentum 0.9 and a constant rate. The authors' start: pixels 0 to 255 less their mean, weights N(0, 10⁻⁸) in the first layer, N(0, 10⁻⁴) in the other convolutions, N(0, 10⁻²) in the dense layer (their published configurations; those of Figure 1 are not known). The modern start: pixels of mean 0 and variance 1, weights by He 2015 for ReLU and Glorot 2010 for tanh.`,
    ...(edges.length > 0 ? [`The best rate was the largest or the smallest tried for ${edges.join(", ")}: a finer search may do better there.`] : []),
    "## Rates",
    markdownTable(["start", "activation", "rate", `epochs (at most ${epochs})`, `seeds 1 to ${seeds}`], rows),
    ...curves.flatMap((curve): Block[] => (curve.name === "relu" ? [plot(curve.regime, curves.filter((c) => c.regime === curve.regime))] : [])),
  ];
}

/** As the paper's figure: training error over epochs, of the first seed at the best rate, or at the rate that got furthest. */
function plot(regime: string, curves: readonly Curve[]): Block {
  const lowest = (errors: readonly (readonly number[])[]) => Math.min(1, ...errors.flat());
  const lines = curves.map((curve) => {
    const { rate, errors } = fastest(curve) ?? [...curve.rates].sort((a, b) => lowest(a.errors) - lowest(b.errors))[0]!;
    return { name: `${curve.title}, rate ${rate}`, points: [[0, CHANCE] as const, ...errors[0]!.map((e, i) => [i + 1, e] as const)] };
  });
  return { file: regime.replaceAll(/\W+/g, "-"), title: `From ${regime}`, x: "epoch", y: "training error", percent: true, lines };
}
