/** CIFAR-10 from its binary files, as this page's pictures: grey, and the middle 28×28 of 32×32. */
import { cifar10Classes, ndarray, readCifar, type LabelledImages } from "@nn/data";
import type { PictureFile } from "../shared/protocol.ts";
import { PIXELS, SIDE } from "../shared/settings.ts";
import type { Data } from "./data.ts";
import { MOST, thin } from "./folder.ts";

const FULL = 32, BORDER = (FULL - SIDE) / 2, PLANE = FULL * FULL;
const batchFile = /(^|\/)(data|test)_batch[^/]*\.bin(\.gz)?$/;

/** The batches among some files. */
export const cifarFiles = (files: readonly PictureFile[]): PictureFile[] => files.filter(({ path }) => batchFile.test(path));

/** Without a test batch every fifth record is for testing. @throws FormatError if a file is damaged */
export async function readCifarFiles(files: readonly PictureFile[]): Promise<Data> {
  const parts = { train: [] as Entry[], test: [] as Entry[] };
  const divided = files.some(({ path }) => /test_batch/.test(path));
  for (const { path, file } of files) {
    const { images, labels } = await readCifar(new Uint8Array(await file.arrayBuffer()));
    labels.data.forEach((label, i) => parts[(divided ? /test_batch/.test(path) : i % 5 === 4) ? "test" : "train"].push({ rgb: images.data.subarray(i * 3 * PLANE, (i + 1) * 3 * PLANE), label }));
  }
  return { bundled: false, classes: cifar10Classes, train: grey(thin(parts.train, MOST.train)), test: grey(thin(parts.test, MOST.test)), unreadable: 0 };
}

interface Entry {
  rgb: Uint8Array;
  label: number;
}

function grey(entries: readonly Entry[]): LabelledImages {
  const bytes = new Uint8Array(entries.length * PIXELS);
  entries.forEach(({ rgb }, n) => {
    for (let i = 0; i < PIXELS; i++) {
      const at = (BORDER + Math.floor(i / SIDE)) * FULL + BORDER + (i % SIDE);
      bytes[n * PIXELS + i] = 0.299 * rgb[at]! + 0.587 * rgb[PLANE + at]! + 0.114 * rgb[2 * PLANE + at]!;
    }
  });
  return { images: ndarray(bytes, [entries.length, 1, SIDE, SIDE]), labels: ndarray(Int32Array.from(entries, ({ label }) => label)) };
}
