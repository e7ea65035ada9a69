/** CIFAR-10 as the authors of AlexNet fed it to their networks: windows of 24×24 from the bytes less their mean picture. */
import { centerCrop, cifar10Classes, compose, DataLoader, ImageSums, mapDataset, pcaColour, randomCrop, randomHorizontalFlip, subtractImage, tenCrop, TensorDataset, toFloat, type ImageStatistics, type Transform } from "@nn/data";
import { crossEntropy, type Module } from "@nn/layers";
import { evaluate } from "@nn/train";
import { averageCrops } from "@nn/vision";
import { holdOutTenth } from "./choose.ts";
import { loadCifarJpeg } from "./cifar-jpeg.ts";
import { score, type Samples } from "./fit.ts";

const window = [24, 24] as const;

export interface Augmentation {
  /** Windows at random places, half of them mirrored; else the central window. */
  readonly crops: boolean;
  /** The paper's change of the light along the principal components of the colours. */
  readonly colour: boolean;
}

/** Images to train on, and others to be judged by. */
export interface Windows {
  train(augmentation: Augmentation): Samples;
  /** Central windows of the others [3,24,24]. */
  readonly test: Samples;
  /** Ten windows of each of the others [10,3,24,24]. */
  readonly tenfold: Samples;
}

/**
 * All training images and the test images; and `part`, nine tenths of the training images and the last tenth to choose by.
 *
 * @param scale of the bytes less their mean
 */
export async function loadWindows(data: string, { images, tests, scale }: { images: number; tests: number; scale: number }): Promise<{ all: Windows; part: Windows }> {
  const [train, test] = await Promise.all([loadCifarJpeg(data, "train", images), loadCifarJpeg(data, "test", tests)]);
  const sums = new ImageSums();
  sums.add(train.images);
  const [samples, statistics] = [new TensorDataset(train.images, train.labels), sums.statistics()];
  return {
    all: windows(samples, new TensorDataset(test.images, test.labels), statistics, scale),
    part: windows(...holdOutTenth(samples, train.labels.data), statistics, scale),
  };
}

function windows(train: Samples, test: Samples, statistics: ImageStatistics, scale: number): Windows {
  const [centred, scaled] = [subtractImage(statistics.mean), toFloat(scale)];
  const through = (samples: Samples, ...steps: Transform[]): Samples => {
    const transform = compose(centred, ...steps, scaled);
    return mapDataset(samples, ([image, label], random) => [transform(image, random), label]);
  };
  return {
    train: ({ crops, colour }) => through(train, ...(crops ? [randomCrop(0, { size: window }), randomHorizontalFlip()] : [centerCrop(window)]), ...(colour ? [pcaColour(statistics)] : [])),
    test: through(test, centerCrop(window)),
    tenfold: through(test, tenCrop(window)),
  };
}

/** Share of wrong answers from the central window, and from the mean of the softmax outputs of ten windows. */
export async function testErrors(model: Module, { test, tenfold }: Windows): Promise<{ one: number; ten: number }> {
  const classes = cifar10Classes.length;
  const one = await score(model, test, classes);
  const ten = await evaluate(model, new DataLoader(tenfold, { batchSize: 50, seed: 0, name: "test set" }), {
    classes,
    predict([x, labels]) {
      const logits = averageCrops(model, x);
      return { logits, labels, loss: crossEntropy(logits, labels) };
    },
  });
  return { one: 1 - one.accuracy, ten: 1 - ten.accuracy };
}
