/** Fashion-MNIST (Xiao, Rasul, Vollgraf 2017): 28×28 grey images of clothes in ten classes. */

import type { NdArray } from "./array.ts";

export const fashionMnistClasses = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"] as const;

/** Mean and standard deviation of the training pixels, on a scale of 0 to 1. */
export const fashionMnistMean = 0.286;
export const fashionMnistStd = 0.353;

/** One part of a set of labelled images. */
export interface LabelledImages {
  /** [n, 1, height, width] bytes, 0 … 255. */
  images: NdArray<Uint8Array>;
  /** [n] */
  labels: NdArray<Int32Array>;
}
