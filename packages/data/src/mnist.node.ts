/** Fashion-MNIST, MNIST and their like from a folder of IDX files. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FormatError } from "@nn/tensor";
import type { NdArray } from "./array.ts";
import { fashionMnistClasses, type LabelledImages } from "./fashion-mnist.ts";
import { asImages, asLabels, checkCounts, readIdx } from "./idx.ts";

export interface ImageSet {
  train: LabelledImages;
  test: LabelledImages;
  classes: readonly string[];
}
export type Part = "train" | "test";

const prefix: Readonly<Record<Part, string>> = { train: "train", test: "t10k" };

/** Images of one part of a folder, from `train-images-idx3-ubyte` or `t10k-images-idx3-ubyte`, with or without `.gz`. */
export const loadIdxImages = (dir: string, part: Part): Promise<NdArray<Uint8Array>> => load(dir, `${prefix[part]}-images-idx3-ubyte`, asImages);

/** Labels of one part of a folder, from `train-labels-idx1-ubyte` or `t10k-labels-idx1-ubyte`, with or without `.gz`. */
export const loadIdxLabels = (dir: string, part: Part, classes = 256): Promise<NdArray<Int32Array>> =>
  load(dir, `${prefix[part]}-labels-idx1-ubyte`, (array) => asLabels(array, classes));

/**
 * Both parts of a folder of four IDX files.
 *
 * @throws FormatError naming the file if one is damaged or counts differ; an error with code ENOENT if one is missing.
 */
export async function loadIdxSet(dir: string, classes: readonly string[]): Promise<ImageSet> {
  const part = async (name: Part): Promise<LabelledImages> => {
    const [images, labels] = await Promise.all([loadIdxImages(dir, name), loadIdxLabels(dir, name, classes.length)]);
    naming(`${name} set in ${dir}`, () => checkCounts(images, labels));
    return { images, labels };
  };
  const [train, test] = await Promise.all([part("train"), part("test")]);
  return { train, test, classes };
}

/** Fashion-MNIST from a folder with its four files. @throws FormatError also if the images are not 28×28. */
export async function loadFashionMnist(dir: string): Promise<ImageSet> {
  const set = await loadIdxSet(dir, fashionMnistClasses);
  for (const { images } of [set.train, set.test]) {
    const [, , height, width] = images.shape;
    if (height !== 28 || width !== 28) throw new FormatError("idx", 8, `${dir}: images of ${height}×${width}, expected 28×28`);
  }
  return set;
}

/** The bundled part of Fashion-MNIST: 10,000 training and 2,000 test images, 1,000 and 200 per class. MIT, Zalando SE 2017. */
export const fashionMnistSubset = (): Promise<ImageSet> => loadFashionMnist(fashionMnistSubsetDir);

/** Its folder, in the original file format. */
export const fashionMnistSubsetDir: string = fileURLToPath(new URL("../assets/fashion-mnist-subset", import.meta.url));

async function load<T>(dir: string, name: string, convert: (array: NdArray) => T): Promise<T> {
  const { path, bytes } = await readEither(dir, name);
  try {
    return convert(await readIdx(bytes));
  } catch (error) {
    return naming(path, () => {
      throw error;
    });
  }
}

/** The file as it is, or else with `.gz`. */
export async function readEither(dir: string, name: string): Promise<{ path: string; bytes: Uint8Array }> {
  for (const path of [join(dir, name), join(dir, `${name}.gz`)]) {
    try {
      return { path, bytes: await readFile(path) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  throw Object.assign(new Error(`${dir}: no file ${name}.gz (nor ${name})`), { code: "ENOENT", path: join(dir, name) });
}

/** Runs `check`; a FormatError from it names the place. */
export function naming<T>(place: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(error.format, error.offset, `${place}: ${error.reason}`, { cause: error, ...(error.hint !== undefined && { hint: error.hint }) });
  }
}
