/** CIFAR-10 from the folder that its binary archive unpacks to. */
import { cifar10Classes, readCifar } from "./cifar.ts";
import { ndarray } from "./array.ts";
import type { LabelledImages } from "./fashion-mnist.ts";
import { naming, readEither, type ImageSet } from "./mnist.node.ts";

const train = [1, 2, 3, 4, 5].map((k) => `data_batch_${k}.bin`);

/**
 * Both parts of `cifar-10-batches-bin`: `data_batch_1.bin` … `data_batch_5.bin` and `test_batch.bin`, with or without `.gz`.
 *
 * @throws FormatError naming the file if one is damaged; an error with code ENOENT if one is missing.
 */
export async function loadCifar10(dir: string): Promise<ImageSet> {
  const [test, ...batches] = await Promise.all(["test_batch.bin", ...train].map((name) => load(dir, name)));
  return { train: concat(batches), test: test!, classes: cifar10Classes };
}

async function load(dir: string, name: string): Promise<LabelledImages> {
  const { path, bytes } = await readEither(dir, name);
  return readCifar(bytes).catch((error: unknown) =>
    naming(path, () => {
      throw error;
    }),
  );
}

function concat(parts: readonly LabelledImages[]): LabelledImages {
  const n = parts.reduce((sum, { labels }) => sum + labels.data.length, 0);
  const images = new Uint8Array(n * 3072), labels = new Int32Array(n);
  let at = 0;
  for (const part of parts) {
    images.set(part.images.data, at * 3072);
    labels.set(part.labels.data, at);
    at += part.labels.data.length;
  }
  return { images: ndarray(images, [n, 3, 32, 32]), labels: ndarray(labels) };
}
