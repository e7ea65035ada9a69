/** Fashion-MNIST with a small AlexNet. Copy this file to start a recipe of your own: `nn train ./my-recipe.ts`. */
import { compose, fashionMnistClasses, fashionMnistMean, fashionMnistStd, mapDataset, normalize, randomCrop, randomHorizontalFlip, TensorDataset, toFloat } from "@nn/data";
import { fashionMnistSubsetDir, loadFashionMnist } from "@nn/data/node";
import { AdamW, schedule } from "@nn/optim";
import { defineRecipe } from "@nn/train";
import { AlexNetFashion } from "@nn/vision";

const standard = compose(toFloat(), normalize([fashionMnistMean], [fashionMnistStd]));
const augment = compose(randomHorizontalFlip(), randomCrop(1));

export const alexnetFashion = defineRecipe({
  name: "alexnet-fashion",
  description: "an AlexNet-style network on Fashion-MNIST (28×28 grey pictures of clothes, ten classes)",
  defaults: { epochs: 16, batch: 32, lr: 1e-3, seed: 1 },
  classes: fashionMnistClasses,
  image: { channels: 1, height: 28, width: 28 },
  published: [
    { what: "two convolutions and three dense layers, 1.8 million weights", accuracy: 0.932, source: "benchmark table of the data set's README" },
    { what: "ResNet18 with augmentation", accuracy: 0.949, source: "benchmark table of the data set's README" },
  ],

  /** Without a folder: the bundled subset, 1,000 training and 200 test pictures of each class. */
  async data(dir) {
    const { train, test } = await loadFashionMnist(dir ?? fashionMnistSubsetDir);
    return {
      train: mapDataset(new TensorDataset(train.images, train.labels), ([image, label], random) => [standard(augment(image, random), random), label]),
      test: mapDataset(new TensorDataset(test.images, test.labels), ([image, label], random) => [standard(image, random), label]),
      pictures: test,
    };
  },
  prepare: standard,

  model: () => new AlexNetFashion({ classes: fashionMnistClasses.length }),
  optimizer: (model, lr) => new AdamW(model.parameters(), { lr, weightDecay: 0.02 }),
  /** Up over the first 5 % of the updates, then down along half a cosine. */
  schedule: (updates) => schedule.warmup(Math.ceil(updates / 20), schedule.cosine(Math.floor((updates * 19) / 20))),
});
