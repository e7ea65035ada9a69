/** The classifiers that came first, on Fashion-MNIST: perceptrons, one linear layer, one hidden layer of sigmoids, LeNet-5. */
import { fashionMnistClasses, fashionMnistMean, fashionMnistStd } from "@nn/data";
import { fashionMnistSubsetDir, loadFashionMnist } from "@nn/data/node";
import { manualSeed } from "@nn/tensor";
import { confidence, defineExperiment, markdownTable, meanAndInterval, type Published, type Recipe } from "@nn/train";
import { percent } from "../text.ts";
import { lenet5Fashion, mlpFashion, softmaxFashion } from "../recipes/classics-fashion.ts";
import { choose, holdOutTenth, type Choice, type Curves } from "./choose.ts";
import { fit, standardised, type FitOptions } from "./fit.ts";
import { fitPerceptrons } from "./perceptrons.ts";

type TrainOptions = Required<Pick<FitOptions, "train" | "test" | "classes" | "epochs" | "seed" | "testEvery">> & { readonly rate: number };

interface Classifier {
  readonly name: string;
  readonly rates: readonly number[];
  readonly judged: "best epoch" | "last epoch";
  /** Test accuracy expected of the whole set. */
  readonly goal: number;
  readonly published: readonly Published[];
  readonly train: (options: TrainOptions) => Promise<Curves>;
}

const perceptrons = (name: string, averaged: boolean, goal: number): Classifier => ({ name, goal, rates: [1], judged: "best epoch", published: softmaxFashion.published!, train: (options) => fitPerceptrons({ ...options, averaged }) });

const byRecipe = (name: string, recipe: Recipe, rates: readonly number[], goal: number): Classifier => ({
  name,
  goal,
  rates,
  judged: "last epoch",
  published: recipe.published!,
  train: ({ rate, ...options }) => {
    manualSeed(options.seed);
    const model = recipe.model();
    const { batch } = recipe.defaults;
    const schedule = recipe.schedule?.(options.epochs * Math.ceil(options.train.length / batch));
    return fit(model, recipe.optimizer(model, rate), { ...options, batch, ...(recipe.loss && { loss: recipe.loss }), ...(schedule && { schedule }) });
  },
});

const classifiers = [
  perceptrons("ten perceptrons, last weights", false, 0.76),
  perceptrons("ten perceptrons, averaged weights", true, 0.83),
  byRecipe("linear, softmax", softmaxFashion, [0.01, 0.03], 0.835),
  byRecipe("784-300-10 sigmoid", mlpFashion, [0.1, 0.3, 1], 0.875),
  byRecipe("LeNet-5, ReLU, Adam", lenet5Fashion, [0.001, 0.002], 0.895),
];

interface Result extends Classifier {
  readonly choice: Choice;
  /** Test accuracy of each seed. */
  readonly accuracies: number[];
  readonly times: number[];
}

export const fashionClassics = defineExperiment({
  name: "fashion-classics",
  title: "Perceptrons, one layer, two layers, LeNet-5 on Fashion-MNIST",
  description: "The classifiers that came first, each at the rate that suits it best on held-out training images, beside published figures.",
  settings: { epochs: 6, seeds: 3 },

  async run({ settings: { epochs, seeds }, data, trial }) {
    const { train, test } = await loadFashionMnist(data ?? fashionMnistSubsetDir);
    const [training, testing] = [train, test].map((images) => standardised(images, fashionMnistMean, fashionMnistStd));
    const [part, heldOut] = holdOutTenth(training!, train.labels.data);
    const classes = fashionMnistClasses.length;
    const choices: Choice[] = [];
    for (const { name, rates, judged, train } of classifiers) {
      choices.push(await choose(trial, name, rates, judged, (rate) => train({ rate, seed: 1, epochs, classes, train: part, test: heldOut, testEvery: 1 })));
    }
    const results: Result[] = classifiers.map((classifier, i) => ({ ...classifier, choice: choices[i]!, accuracies: [], times: [] }));
    for (let seed = 1; seed <= seeds; seed++) {
      for (const { name, train, choice, accuracies, times } of results) {
        const options = { rate: choice.rate, epochs: choice.epochs, seed, classes, train: training!, test: testing!, testEvery: choice.epochs };
        const { accuracy, seconds } = await trial(`${name}, rate ${choice.rate}, ${choice.epochs} epochs, seed ${seed}`, async () => ({ accuracy: (await train(options)).accuracies[0] ?? 0 }));
        accuracies.push(accuracy);
        times.push(seconds);
      }
    }
    return page(results, train.labels.data.length, test.labels.data.length, epochs, seeds);
  },
});

function page(results: readonly Result[], training: number, testing: number, epochs: number, seeds: number) {
  const rows = results.map(({ name, rates, choice, accuracies, goal, published, times }) => [
    name, rates.length === 1 ? "any" : choice.rate, choice.epochs, percent(choice.accuracy),
    `${meanAndInterval(accuracies.map((a) => 100 * a), 2)} %`, accuracies.map((a) => (100 * a).toFixed(2)).join(", "), percent(goal),
    published.map((p) => `${percent(p.accuracy)} ${p.what}`).join("; "), confidence(times).mean.toFixed(1),
  ]); // prettier-ignore
  const sources = [...new Set(results.flatMap(({ published }) => published.map((p) => p.source)))];
  return [
    `${training.toLocaleString("en")} training and ${testing.toLocaleString("en")} test images, pixels standardised, no augmentation; goals and published figures are for 60,000 and 10,000.`,
    `Rates were chosen by training on nine tenths of the training images, seed 1, and asking the tenth that was held out, each class in equal share; the perceptrons' number of epochs (1 to ${epochs}) likewise. Rates tried: ${results.filter(({ rates }) => rates.length > 1).map(({ name, rates }) => `${name}: ${rates.join(", ")}`).join("; ")}; over the epochs they fall linearly to 0. Then each was trained on all training images from ${seeds} seeds, and the test images looked at once per run. Intervals are 95 % over seeds (Student's t); seeds set the first weights and the order of the samples.`,
    markdownTable(["classifier", "rate", "epochs", "held out", "test accuracy", `seeds 1 to ${seeds}`, "goal", "published", "seconds a run"], rows),
    `Published: ${sources.join("; ")}.`,
    "Perceptrons learn by Rosenblatt's rule, one against the rest, the largest score naming the class; no plane separates these classes, so the last weights swing and their mean does better (Freund & Schapire 1999). The linear layer: SGD, batch 100. 784-300-10: targets 0.9 and 0.1, half squared error, SGD, batch 10. LeNet-5: max-pooling, Adam, batch 64.",
    { file: "held-out", title: "Held-out accuracy at the chosen rate", x: "epoch", y: "accuracy", percent: true, lines: results.map(({ name, choice }) => ({ name, points: choice.curve })) },
  ];
}
