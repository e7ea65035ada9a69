/** What a training set looks like on average: the mean image, and how colours vary. Computed in one pass, in any order with the same bits. */
import { ArgumentError, ShapeError } from "@nn/tensor";
import type { NdArray } from "./array.ts";
import { gather, type Dataset } from "./dataset.ts";
import { eigenSymmetric } from "./eigen.ts";

export interface ImageStatistics {
  /** Images seen. */
  readonly count: number;
  /** Mean of every pixel, in units of the pixels: f32 [C,H,W]. */
  readonly mean: NdArray<Float32Array>;
  /** Mean over all pixels of each channel. */
  readonly channelMean: readonly number[];
  /** Covariance of the channels over all pixels of all images: C×C, row-major. */
  readonly covariance: readonly number[];
  /** Of the covariance, largest first. */
  readonly eigenvalues: readonly number[];
  /** `eigenvectors[k]` belongs to `eigenvalues[k]`: unit length, largest component positive. */
  readonly eigenvectors: readonly (readonly number[])[];
}

/**
 * Sums over byte images. Sums of bytes and of their products are exact in f64 up to 10¹¹ pixels, so neither the order of the images nor how
 * they are batched changes the result.
 */
export class ImageSums {
  count = 0;
  #shape: readonly number[] | null = null;
  #pixels = new Float64Array(0);
  #products = new Float64Array(0); // Σ x[a]·x[b]

  /** Adds a batch: bytes [N,C,H,W]. */
  add({ data, shape }: NdArray): void {
    const [n, channels, height, width] = shape as [number, number, number, number];
    if (shape.length !== 4 || !(data instanceof Uint8Array)) throw new ShapeError("ImageSums", `expected bytes [N,C,H,W], got [${shape}]`);
    this.#shape ??= this.#begin([channels, height, width]);
    if (this.#shape.join() !== shape.slice(1).join()) throw new ShapeError("ImageSums", `images of [${this.#shape}] and [${shape.slice(1)}]`, { hint: "decode them to squares of one size" });
    const plane = height * width;
    for (let i = 0; i < n; i++) {
      const image = data.subarray(i * channels * plane, (i + 1) * channels * plane);
      for (let k = 0; k < image.length; k++) this.#pixels[k]! += image[k]!;
      for (let a = 0; a < channels; a++) for (let b = a; b < channels; b++) this.#products[a * channels + b]! += dot(image, a * plane, b * plane, plane);
    }
    this.count += n;
  }

  #begin(shape: readonly [number, number, number]): readonly number[] {
    this.#pixels = new Float64Array(shape[0] * shape[1] * shape[2]);
    this.#products = new Float64Array(shape[0] ** 2);
    return shape;
  }

  /** @throws ArgumentError if nothing was added. */
  statistics(): ImageStatistics {
    if (this.#shape === null || this.count === 0) throw new ArgumentError("ImageSums", "there are no images");
    const [channels, height, width] = this.#shape as [number, number, number];
    const plane = height * width, all = this.count * plane;
    const channelMean = Array.from({ length: channels }, (_, c) => this.#pixels.subarray(c * plane, (c + 1) * plane).reduce((a, b) => a + b, 0) / all);
    const covariance = Array.from({ length: channels ** 2 }, (_, k) => {
      const [a, b] = [Math.floor(k / channels), k % channels].sort((x, y) => x - y) as [number, number];
      return this.#products[a * channels + b]! / all - channelMean[a]! * channelMean[b]!;
    });
    const mean = { data: Float32Array.from(this.#pixels, (sum) => sum / this.count), shape: this.#shape };
    return { count: this.count, mean, channelMean, covariance, ...eigenSymmetric(covariance) };
  }
}

/** Σ x[a+i]·x[b+i] over bytes: whole numbers, exact. */
function dot(x: Uint8Array, a: number, b: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += x[a + i]! * x[b + i]!;
  return sum;
}

/** Over the first field of every sample: bytes [C,H,W]. Reads `batchSize` at a time, `ahead` batches at once. */
export async function imageStatistics(images: Dataset<readonly [NdArray, ...NdArray[]]>, { batchSize = 64, ahead = 4 }: { batchSize?: number; ahead?: number } = {}): Promise<ImageStatistics> {
  const sums = new ImageSums(), pass = { seed: 0, epoch: 0 };
  const batches = Math.ceil(images.length / batchSize);
  const read = async (k: number) => gather(images, Array.from({ length: Math.min(batchSize, images.length - k * batchSize) }, (_, i) => k * batchSize + i), pass);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < batches) sums.add((await read(next++))[0]);
  };
  await Promise.all(Array.from({ length: ahead }, worker));
  return sums.statistics();
}
