/** The four problems of the optimizer race: convex and sparse, dense, convolutional, recurrent. */
import { join } from "node:path";
import { fashionMnistClasses, fashionMnistMean, fashionMnistStd, takeRows, type LabelledImages } from "@nn/data";
import { fashionMnistSubsetDir, loadFashionMnist } from "@nn/data/node";
import { Conv2d, Embedding, EmbeddingBag, Flatten, init, Linear, LSTM, MaxPool2d, MLP, Module, param, ReLU, Sequential } from "@nn/layers";
import { zeros, type Tensor } from "@nn/tensor";
import { usage } from "../errors.ts";
import { standardised, type Samples } from "./fit.ts";
import { readTexts } from "./texts.ts";

export interface Problem {
  readonly name: string;
  readonly title: string;
  /** There is one minimum. */
  readonly convex?: boolean;
  readonly clipNorm?: number;
  /** From a folder of data sets; with null from data that come with the library. */
  load(dir: string | null, samples: number): Promise<ProblemData>;
}

export interface ProblemData {
  readonly train: Samples;
  /** For the choice of the rate. */
  readonly held: Samples;
  readonly test: Samples;
  readonly classes: number;
  readonly model: () => Module;
}

/** Logistic regression on the words of a text: the sum of a row of weights per word. */
class BagOfWords extends Module {
  readonly weights: EmbeddingBag;
  readonly bias;

  constructor(words: number, classes: number) {
    super();
    this.weights = new EmbeddingBag(words, classes, { mode: "sum", paddingIdx: 0, init: init.zero });
    this.bias = param(zeros([classes]));
  }

  /** ids [N, T] → [N, classes] */
  forward(ids: Tensor): Tensor {
    return this.weights.call(ids).add(this.bias);
  }
}

/** Reads a word character by character and classifies by the last state. */
class Reader extends Module {
  readonly letters: Embedding;
  readonly lstm = new LSTM(32, 64, { batchFirst: true });
  readonly head: Linear;

  constructor(letters: number, classes: number) {
    super();
    this.letters = new Embedding(letters, 32, { paddingIdx: 0 });
    this.head = new Linear(64, classes);
  }

  /** ids [N, T] → [N, classes] */
  forward(ids: Tensor): Tensor {
    const [n, steps] = ids.shape as readonly [number, number];
    const values = ids.dataSync();
    const lengths = Array.from({ length: n }, (_, i) => values.subarray(i * steps, (i + 1) * steps).filter((id) => id !== 0).length);
    const { h } = this.lstm.call(this.letters.call(ids.slice(1, 0, Math.max(1, ...lengths))) as Tensor<[number, number, 32]>, { lengths });
    return this.head.call(h.squeeze(0));
  }
}

async function fashion(dir: string | null, samples: number, model: () => Module): Promise<ProblemData> {
  const { train, test } = await loadFashionMnist(dir === null ? fashionMnistSubsetDir : join(dir, "fashion-mnist"));
  const rows = (set: LabelledImages, from: number, count: number): Samples => {
    const places = Array.from({ length: count }, (_, i) => from + i);
    return standardised({ images: takeRows(set.images, places), labels: takeRows(set.labels, places) }, fashionMnistMean, fashionMnistStd);
  };
  const held = Math.min(2000, Math.ceil(samples / 2));
  const most = Math.min(samples, train.labels.data.length - held);
  return { train: rows(train, 0, most), held: rows(train, most, held), test: rows(test, 0, test.labels.data.length), classes: fashionMnistClasses.length, model };
}

const folder = (dir: string | null, name: string): string => {
  if (dir === null) throw usage(`no data for '${name}'`, "--data <folder with the data sets fashion-mnist, mr and names>, or --set problems=mlp,cnn");
  return join(dir, name);
};

export const problems: readonly Problem[] = [
  {
    name: "logistic",
    title: "Logistic regression on the words of film reviews (MR)",
    convex: true,
    async load(dir, samples) {
      const at = folder(dir, "mr");
      const { vocabulary, ...sets } = await readTexts([join(at, "rt-polarity.neg"), join(at, "rt-polarity.pos")], { encoding: "latin1", tokens: (line) => line.trim().split(/\s+/), share: 0.15, samples, seed: 1 });
      return { ...sets, classes: 2, model: () => new BagOfWords(vocabulary, 2) };
    },
  },
  {
    name: "mlp",
    title: "MLP 784-100-10 with ReLU on Fashion-MNIST",
    load: (dir, samples) => fashion(dir, samples, () => new MLP([784, 100, 10])),
  },
  {
    name: "cnn",
    title: "Two convolutions (8 and 16 filters of 3×3, each with ReLU and 2×2 max pooling) and a linear layer on Fashion-MNIST",
    load: (dir, samples) =>
      fashion(dir, samples, () => new Sequential(
        new Conv2d(1, 8, 3), new ReLU(), new MaxPool2d(2), //  26² → 13²
        new Conv2d(8, 16, 3), new ReLU(), new MaxPool2d(2), // 11² → 5²
        new Flatten(), new Linear(16 * 5 * 5, 10),
      )), // prettier-ignore
  },
  {
    name: "lstm",
    title: "LSTM of 64 units over the letters of surnames in 18 languages",
    clipNorm: 5,
    async load(dir, samples) {
      const at = folder(dir, "names");
      const languages = ["Arabic", "Chinese", "Czech", "Dutch", "English", "French", "German", "Greek", "Irish", "Italian", "Japanese", "Korean", "Polish", "Portuguese", "Russian", "Scottish", "Spanish", "Vietnamese"];
      const { vocabulary, ...sets } = await readTexts(languages.map((l) => join(at, `${l}.txt`)), { tokens: (line) => [...line.trim().normalize("NFC")], share: 0.15, samples, seed: 1 });
      return { ...sets, classes: languages.length, model: () => new Reader(vocabulary, languages.length) };
    },
  },
];
