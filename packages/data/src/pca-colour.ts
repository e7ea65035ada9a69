/** Colour augmentation of Krizhevsky 2012, section 4.1. */
import { ArgumentError, ShapeError } from "@nn/tensor";
import type { ImageStatistics } from "./image-statistics.ts";
import type { Transform } from "./transforms.ts";

export interface PcaColourOptions {
  /** Standard deviation of α. Default 0.1. */
  sigma?: number;
  /**
   * What α is multiplied with: "variance" (default), the eigenvalue λ as in the paper, or "deviation", √λ, as in the authors' later code.
   * λ changes with the square of the unit, so the paper's form needs pixels on a scale of 0 to 1; see `range`.
   */
  by?: "variance" | "deviation";
  /** What the pixels, here and in the statistics, have for full brightness: 255 (default) or 1. */
  range?: number;
}

/**
 * Adds `Σₖ pₖ·αₖ·λₖ` to every pixel of an image [C,H,W]: pₖ and λₖ are eigenvectors and eigenvalues of the colours' covariance, αₖ ~ N(0, sigma²)
 * is drawn anew each time an image is used. Objects keep their identity under such changes of the light.
 */
export function pcaColour(statistics: Pick<ImageStatistics, "eigenvalues" | "eigenvectors">, { sigma = 0.1, by = "variance", range = 255 }: PcaColourOptions = {}): Transform {
  if (!(sigma >= 0) || !(range > 0)) throw new ArgumentError("pcaColour", `sigma ${sigma} and range ${range} must not be negative`);
  return (image, random) => {
    const alphas = statistics.eigenvalues.map((_, k) => sigma * random.normal(k));
    const shift = colourShift(statistics, alphas, { by, range });
    const [channels, ...rest] = image.shape;
    if (channels !== shift.length) throw new ShapeError("pcaColour", `statistics of ${shift.length} channels for an image of [${image.shape}]`);
    const plane = rest.reduce((a, b) => a * b, 1);
    const data = new Float32Array(image.data);
    shift.forEach((amount, c) => {
      for (let i = c * plane; i < (c + 1) * plane; i++) data[i]! += amount;
    });
    return { data, shape: image.shape };
  };
}

/** What is added to each channel for given α. */
export function colourShift({ eigenvalues, eigenvectors }: Pick<ImageStatistics, "eigenvalues" | "eigenvectors">, alphas: readonly number[], { by, range }: Required<Pick<PcaColourOptions, "by" | "range">>): number[] {
  const amounts = eigenvalues.map((lambda, k) => alphas[k]! * (by === "variance" ? lambda / range : Math.sqrt(Math.max(0, lambda))));
  return eigenvalues.map((_, c) => amounts.reduce((sum, amount, k) => sum + amount * eigenvectors[k]![c]!, 0));
}
