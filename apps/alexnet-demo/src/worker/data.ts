/** What is learnt from. The bundled part of Fashion-MNIST is fetched and unpacked here, in the worker. */
import { asImages, asLabels, checkCounts, compose, fashionMnistClasses, mapDataset, randomCrop, randomHorizontalFlip, readIdx, TensorDataset, type Dataset, type LabelledImages, type NdArray } from "@nn/data";
import testImages from "../../../../packages/data/assets/fashion-mnist-subset/t10k-images-idx3-ubyte.gz?url";
import testLabels from "../../../../packages/data/assets/fashion-mnist-subset/t10k-labels-idx1-ubyte.gz?url";
import trainImages from "../../../../packages/data/assets/fashion-mnist-subset/train-images-idx3-ubyte.gz?url";
import trainLabels from "../../../../packages/data/assets/fashion-mnist-subset/train-labels-idx1-ubyte.gz?url";
import { prepare } from "./prepare.ts";

const augment = compose(randomHorizontalFlip(), randomCrop(2));

export type Samples = Dataset<[NdArray, NdArray]>;

/** Prepared samples, as a network reads them. */
export const samples = ({ images, labels }: LabelledImages, augmented = false): Samples =>
  mapDataset(new TensorDataset(images, labels), ([image, label], random) => [prepare(augmented ? augment(image, random) : image), label]);

export interface Data {
  bundled: boolean;
  classes: readonly string[];
  train: LabelledImages;
  test: LabelledImages;
  unreadable: number;
}

export async function loadBundled(): Promise<Data> {
  const [train, test] = await Promise.all([part(trainImages, trainLabels), part(testImages, testLabels)]);
  return { bundled: true, classes: fashionMnistClasses, train, test, unreadable: 0 };
}

async function part(imagesUrl: string, labelsUrl: string): Promise<LabelledImages> {
  const [images, labels] = await Promise.all([idx(imagesUrl).then(asImages), idx(labelsUrl).then((array) => asLabels(array, fashionMnistClasses.length))]);
  checkCounts(images, labels);
  return { images, labels };
}

async function idx(url: string): Promise<NdArray> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return readIdx(new Uint8Array(await response.arrayBuffer()));
}
