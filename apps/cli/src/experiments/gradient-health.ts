/** Networks whose gradients vanish or explode, judged by the diagnosis, and the same networks after the cure it names. */
import { fashionMnistClasses, fashionMnistMean, fashionMnistStd, toTensors } from "@nn/data";
import { fashionMnistSubsetDir, loadFashionMnist } from "@nn/data/node";
import { crossEntropy, init, Linear, LSTM, MLP, Module, RNN } from "@nn/layers";
import { SGD } from "@nn/optim";
import { manualSeed, type Tensor } from "@nn/tensor";
import { defineExperiment, diagnose, logitsOf, markdownTable } from "@nn/train";
import { fit, standardised } from "./fit.ts";

const deep = (activation: "sigmoid" | "relu" | "tanh", weights: init.Initializer): Module => new MLP([784, ...Array<number>(20).fill(64), 10], { activation, init: weights, initBias: init.zero });

/** Reads an image pixel row by pixel row and classifies by the last state. */
class Rows extends Module {
  readonly cell: RNN | LSTM;
  readonly head = new Linear(64, 10);

  constructor(cell: RNN | LSTM) {
    super();
    this.cell = cell;
  }

  /** [N, 1, 28, 28] → [N, 10] */
  forward(x: Tensor): Tensor {
    const { h } = (this.cell as RNN).call(x.squeeze(1));
    return this.head.call(h.squeeze(0) as Tensor<[number, 64]>);
  }
}

/** A ReLU recurrence that multiplies its state by `factor` at every step. */
function scaledRecurrence(factor: number): Module {
  const cell = new RNN(28, 64, { nonlinearity: "relu", batchFirst: true });
  for (const [name, p] of cell.namedParameters()) if (name.startsWith("weight_hh")) p.write(Array.from({ length: 64 * 64 }, (_, i) => (i % 65 === 0 ? factor : 0)));
  return new Rows(cell);
}

/** What is wrong with it, what it is called, and whether that is what the diagnosis must say. */
const networks: readonly { readonly name: string; readonly expected: "vanishing" | "exploding" | "healthy"; readonly make: () => Module; readonly clipNorm?: number }[] = [
  { name: "20 layers, sigmoid, Glorot", expected: "vanishing", make: () => deep("sigmoid", init.xavierUniform()) },
  { name: "cured: the same with ReLU and He's weights", expected: "healthy", make: () => deep("relu", init.kaimingNormal()) },
  { name: "20 layers, tanh, weights N(0, 1)", expected: "exploding", make: () => deep("tanh", init.normal(1)) },
  { name: "cured: the same with Glorot's weights", expected: "healthy", make: () => deep("tanh", init.xavierUniform()) },
  { name: "RNN over 28 rows, W_hh = 1.5·I", expected: "exploding", make: () => scaledRecurrence(1.5) },
  { name: "trained with the gradient norm clipped at 1", expected: "exploding", make: () => scaledRecurrence(1.5), clipNorm: 1 },
  { name: "cured: W_hh = 1·I, clipped too", expected: "healthy", make: () => scaledRecurrence(1), clipNorm: 1 },
  { name: "RNN over 28 rows, W_hh = 0.5·I", expected: "vanishing", make: () => scaledRecurrence(0.5) },
  { name: "cured: LSTM", expected: "healthy", make: () => new Rows(new LSTM(28, 64, { batchFirst: true, forgetBias: 1 })) },
];

export const gradientHealth = defineExperiment({
  name: "gradient-health",
  title: "Vanishing and exploding gradients, before and after the cure",
  description: "What `diagnose` says of networks on Fashion-MNIST before their first step, and what training then makes of them. Verdicts come from the gradient norms alone, never from the accuracy.",
  settings: { epochs: 3, batch: 50, lr: 0.005, seed: 1 },

  async run({ settings: { epochs, batch, lr, seed }, data, trial }) {
    const { train, test } = await loadFashionMnist(data ?? fashionMnistSubsetDir);
    const [training, held] = [standardised(train, fashionMnistMean, fashionMnistStd), standardised(test, fashionMnistMean, fashionMnistStd)];
    const first200 = Array.from({ length: 200 }, (_, k) => k);
    const rows: (string | number)[][] = [];
    let right = 0;
    for (const [i, { name, expected, make, clipNorm }] of networks.entries()) {
      const found = await trial(`${i + 1}. ${name}`, async () => {
        manualSeed(seed);
        const model = make();
        const [x, y] = toTensors(training.gather(first200));
        const { verdict, findings } = diagnose(model, () => crossEntropy(logitsOf(model, x), y));
        const { accuracies, diverged } = await fit(model, new SGD(model.parameters(), { lr, momentum: 0.9 }), { train: training, test: held, classes: fashionMnistClasses.length, epochs, batch, seed, ...(clipNorm !== undefined && { clipNorm }) });
        return { verdict, why: findings[0]?.text ?? "", accuracy: diverged ? null : accuracies.at(-1)!, diverged };
      });
      if (found.verdict === expected) right++;
      rows.push([name, found.verdict + (found.verdict === expected ? "" : ` (expected: ${expected})`), found.why, found.accuracy === null ? "diverged" : `${(100 * found.accuracy).toFixed(1)} %`]);
    }
    return [
      `${right} of ${networks.length} verdicts are the expected ones. Accuracy is that on ${held.length.toLocaleString("en")} test images after ${epochs} epochs of SGD with momentum 0.9; chance is 10 %.`,
      markdownTable(["network", "verdict", "finding", "accuracy"], rows),
      "The third pair is the classical one of Pascanu 2013: clipping leaves the gradient as steep as it was, so the verdict stays, but the step is bounded and training works.",
    ];
  },
});
