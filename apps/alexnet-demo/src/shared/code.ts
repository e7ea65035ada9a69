/** The network on screen as a program: layers written out, optimizer and one epoch of training. */
import type { NetworkSettings, OptimizerName, Settings } from "./settings.ts";

const classOf: Record<NetworkSettings["activation"], string> = { relu: "ReLU", tanh: "Tanh", sigmoid: "Sigmoid", leakyRelu: "LeakyReLU", elu: "ELU", gelu: "GELU" };

const optimizerCode: Record<OptimizerName, (lr: number) => [className: string, options: string]> = {
  adamw: (lr) => ["AdamW", `lr: ${lr}, weightDecay: 0.02`],
  sgd: (lr) => ["SGD", `lr: ${lr}, momentum: 0.9, weightDecay: 5e-4`],
  nesterov: (lr) => ["SGD", `lr: ${lr}, momentum: 0.9, nesterov: true, weightDecay: 5e-4`],
  rmsprop: (lr) => ["RMSprop", `lr: ${lr}`],
  adagrad: (lr) => ["Adagrad", `lr: ${lr}`],
  lion: (lr) => ["Lion", `lr: ${lr}, weightDecay: 0.02`],
};

/** TypeScript that runs in Node, and makes the same layers as the page. With the bundled pictures it trains for an epoch; your own are not known to it. */
export function networkCode({ network, training }: Settings, { classes = 10, bundled = true } = {}): string {
  const { width: w, kernel, activation, lrn, overlapping, dropout } = network;
  const act = classOf[activation];
  const [optimizer, options] = optimizerCode[training.optimizer](training.lr);
  const init = activation === "tanh" || activation === "sigmoid" ? "xavierNormal" : "kaimingNormal";
  const norm = lrn ? [`new LocalResponseNorm(5, { k: 2, form: "paper" })`] : [];
  const pool = (last = false): string => (overlapping ? `new MaxPool2d(3, { stride: 2${last ? ", padding: 1" : ""} })` : "new MaxPool2d(2)");
  const conv = (from: number, to: number, size = 3): string => `new Conv2d(${from}, ${to}, ${size}, { padding: ${(size - 1) / 2}, ...start })`;
  const linear = (from: number, to: number): string => `new Linear(${from}, ${to}, start)`;
  const line = (...layers: string[]): string => `    ${layers.join(", ")},`;
  const drop = (p: number): string[] => (dropout ? [`new Dropout(${p})`] : []);
  const layers = ["Conv2d", ...(dropout ? ["Dropout"] : []), "Flatten", "Linear", ...(lrn ? ["LocalResponseNorm"] : []), "MaxPool2d", "Module", "Sequential", act, ...(bundled ? ["crossEntropy"] : []), "init"];

  return `${bundled ? dataImports : ""}import { ${layers.join(", ")} } from "@nn/layers";
import { ${optimizer} } from "@nn/optim";
import type { Tensor } from "@nn/tensor";

const start = { init: init.${init}(), initBias: init.zero };

class Network extends Module {
  readonly features = new Sequential(
${line(conv(1, w, kernel), `new ${act}()`, ...norm, pool())}
${line(conv(w, 2 * w), `new ${act}()`, ...norm, pool())}
${line(conv(2 * w, 4 * w), `new ${act}()`)}
${line(conv(4 * w, 4 * w), `new ${act}()`)}
${line(conv(4 * w, 4 * w), `new ${act}()`, pool(true))}
    new Flatten(),
  );
  readonly classifier = new Sequential(
${line(...drop(0.4), linear(36 * w, 16 * w), `new ${act}()`)}
${line(...drop(0.3), linear(16 * w, 8 * w), `new ${act}()`)}
    new Linear(${8 * w}, ${classes}, { init: init.normal(0.01), initBias: init.zero }),
  );

  /** [N, 1, 28, 28] → logits [N, ${classes}] */
  forward(x: Tensor): Tensor {
    return this.classifier.call(this.features.call(x));
  }
}

export const model = new Network();
export const optimizer = new ${optimizer}(model.parameters(), { ${options} });
${bundled ? epoch(training.batch) : ""}`;
}

const dataImports = `import { compose, DataLoader, fashionMnistMean, fashionMnistStd, mapDataset, normalize, TensorDataset, toFloat } from "@nn/data";
import { fashionMnistSubset } from "@nn/data/node";
`;

const epoch = (batch: number): string => `
const { train } = await fashionMnistSubset();
const prepare = compose(toFloat(), normalize([fashionMnistMean], [fashionMnistStd]));
const pictures = mapDataset(new TensorDataset(train.images, train.labels), ([image, label], random) => [prepare(image, random), label]);
for await (const [x, y] of new DataLoader(pictures, { batchSize: ${batch}, shuffle: true })) {
  const loss = crossEntropy(model.call(x), y);
  loss.backward();
  optimizer.step();
  optimizer.zeroGrad();
}
`;
