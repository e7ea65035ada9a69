/** Fashion-MNIST with the networks that came first: one layer, one hidden layer of sigmoids, LeNet-5. */
import { compose, fashionMnistClasses, fashionMnistMean, fashionMnistStd, mapDataset, normalize, TensorDataset, toFloat } from "@nn/data";
import { fashionMnistSubsetDir, loadFashionMnist } from "@nn/data/node";
import { Flatten, halfSse, Linear, MLP, Sequential } from "@nn/layers";
import { Adam, schedule, SGD } from "@nn/optim";
import type { Tensor } from "@nn/tensor";
import { defineRecipe, type RecipeData } from "@nn/train";
import { LeNet5 } from "@nn/vision";

const xiao = "Xiao 2017, Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms";
const upstream = "benchmark table of the data set's README";

/** The rate falls linearly to 0. */
const common = { classes: fashionMnistClasses, image: { channels: 1, height: 28, width: 28 }, prepare: compose(toFloat(), normalize([fashionMnistMean], [fashionMnistStd])), schedule: (updates: number) => schedule.polynomial(updates) };

/** Without a folder: the bundled subset, 1,000 training and 200 test pictures of each class. */
async function data(dir: string | null): Promise<RecipeData> {
  const { train, test } = await loadFashionMnist(dir ?? fashionMnistSubsetDir);
  const prepared = ({ images, labels }: typeof train) => mapDataset(new TensorDataset(images, labels), ([image, label], random) => [common.prepare(image, random), label]);
  return { train: prepared(train), test: prepared(test), pictures: test };
}

export const softmaxFashion = defineRecipe({
  ...common,
  data,
  name: "softmax-fashion",
  description: "one linear layer with softmax on Fashion-MNIST",
  defaults: { epochs: 6, batch: 100, lr: 0.03, seed: 1 },
  published: [{ what: "logistic regression", accuracy: 0.842, source: xiao }],
  model: () => new Sequential(new Flatten(), new Linear(784, 10)),
  optimizer: (model, lr) => new SGD(model.parameters(), { lr }),
});

/** ½ Σ (t − σ(logit))² of a sample, mean over the batch: targets are 0.9 for the class and 0.1 elsewhere, for a sigmoid reaches neither 1 nor 0. */
export function sigmoidSquares(logits: Tensor, labels: Tensor): Tensor {
  const targets = labels.oneHot(logits.shape[1]!).cast("f32").mul(0.8).add(0.1);
  return halfSse(logits.sigmoid(), targets).div(labels.size);
}

export const mlpFashion = defineRecipe({
  ...common,
  data,
  name: "mlp-fashion",
  description: "784-300-10 sigmoid units and squared error, as back-propagation was first used, on Fashion-MNIST",
  defaults: { epochs: 6, batch: 10, lr: 1, seed: 1 },
  published: [
    { what: "100 hidden units", accuracy: 0.871, source: xiao },
    { what: "256-128-100 hidden units", accuracy: 0.8833, source: upstream },
  ],
  /** Without the last sigmoid, which is part of the loss and changes no answer: what it returns are logits as everywhere. */
  model: () => new MLP([784, 300, 10], { activation: "sigmoid" }),
  loss: sigmoidSquares,
  optimizer: (model, lr) => new SGD(model.parameters(), { lr }),
});

export const lenet5Fashion = defineRecipe({
  ...common,
  data,
  name: "lenet5-fashion",
  description: "LeNet-5 with ReLU and max-pooling on Fashion-MNIST",
  defaults: { epochs: 6, batch: 64, lr: 2e-3, seed: 1 },
  published: [
    { what: "two convolutions with pooling, worst", accuracy: 0.876, source: upstream },
    { what: "two convolutions with pooling, best", accuracy: 0.916, source: upstream },
  ],
  model: () => new LeNet5({ activation: "relu", pool: "max" }),
  optimizer: (model, lr) => new Adam(model.parameters(), { lr }),
});
