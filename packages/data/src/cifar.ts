/** The binary form of CIFAR-10 and CIFAR-100 (Krizhevsky 2009): records of the label bytes and 32×32 pixels, first all red, then green, then blue. */
import { FormatError } from "@nn/tensor";
import type { LabelledImages } from "./fashion-mnist.ts";
import { gunzip, isGzip } from "./gzip.ts";

export const cifar10Classes = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"] as const;

const PIXELS = 3 * 32 * 32;

/**
 * Images [n, 3, 32, 32] and labels [n] of a CIFAR-10 file; with `classes: 100` of a CIFAR-100 file, whose records begin with one of 20 coarse
 * labels (left out) before the fine one.
 *
 * @throws FormatError if the file is no whole number of records, or a label is out of range.
 */
export function parseCifar(bytes: Uint8Array, { classes = 10 }: { classes?: 10 | 100 } = {}): LabelledImages {
  const labelBytes = classes === 100 ? 2 : 1, record = labelBytes + PIXELS;
  if (isGzip(bytes) && bytes.length % record !== 0) throw new FormatError("cifar", 0, "the data are gzip-compressed", { hint: "use readCifar, or gunzip first" });
  const n = Math.floor(bytes.length / record);
  if (n === 0 || n * record !== bytes.length) {
    throw new FormatError("cifar", n * record, `${bytes.length} bytes are no whole number of records of ${record}`, { hint: `is it truncated, or a file of CIFAR-${classes === 10 ? 100 : 10}?` });
  }
  const images = new Uint8Array(n * PIXELS), labels = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const start = i * record + labelBytes, label = bytes[start - 1]!;
    if (label >= classes) throw new FormatError("cifar", start - 1, `label ${label} of record ${i} is not one of ${classes} classes`);
    labels[i] = label;
    images.set(bytes.subarray(start, start + PIXELS), i * PIXELS);
  }
  return { images: { data: images, shape: [n, 3, 32, 32] }, labels: { data: labels, shape: [n] } };
}

/** The same from a file that may be gzip-compressed. @throws FormatError */
export async function readCifar(bytes: Uint8Array, options: { classes?: 10 | 100 } = {}): Promise<LabelledImages> {
  return parseCifar(isGzip(bytes) ? await gunzip(bytes) : bytes, options);
}
