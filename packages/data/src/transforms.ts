/**
 * Image transforms on arrays in [channel, height, width] order. A random one takes its numbers from the `random` it is given,
 * which `mapDataset` keys by (seed, epoch, sample index).
 */
import { ArgumentError, ShapeError, type Random, type TypedArray } from "@nn/tensor";
import { emptyLike, type NdArray } from "./array.ts";

export type Transform = (image: NdArray, random: Random) => NdArray;

/** One after the other; each has random numbers of its own, so adding one changes nothing for those before it. */
export function compose(...transforms: Transform[]): Transform {
  return (image, random) => transforms.reduce((current, transform, k) => transform(current, random.fork(k)), image);
}

/** Bytes 0 … 255 → f32 0 … 1; arrays that are f32 already are only scaled. */
export function toFloat(scale = 1 / 255): Transform {
  return ({ data, shape }) => {
    const out = new Float32Array(data); // a loop over it is ten times as fast as Float32Array.from with a function
    for (let i = 0; i < out.length; i++) out[i]! *= scale;
    return { data: out, shape };
  };
}

/** `(x − mean[c]) / std[c]` per channel, f32. */
export function normalize(mean: readonly number[], std: readonly number[]): Transform {
  if (mean.length !== std.length || std.some((s) => !(s > 0))) throw new ArgumentError("normalize", `mean [${mean}] and std [${std}] must be as many, std above 0`);
  return (image) => {
    const [channels, height, width] = chw("normalize", image);
    if (channels !== mean.length) throw new ShapeError("normalize", `${mean.length} means for an image of ${channels} channels`);
    const data = new Float32Array(image.data), plane = height * width;
    for (let c = 0; c < channels; c++) {
      const m = mean[c]!, s = std[c]!;
      for (let i = c * plane; i < (c + 1) * plane; i++) data[i] = (data[i]! - m) / s;
    }
    return { data, shape: image.shape };
  };
}

/** Subtracts a picture, such as the mean over a training set, pixel by pixel; f32. */
export function subtractImage(mean: NdArray): Transform {
  return ({ data, shape }) => {
    if (shape.join() !== mean.shape.join()) throw new ShapeError("subtractImage", `a mean image of [${mean.shape}] for an image of [${shape}]`, { hint: "subtract it before cropping" });
    const out = new Float32Array(data);
    for (let i = 0; i < out.length; i++) out[i]! -= mean.data[i]!;
    return { data: out, shape };
  };
}

export interface CropOptions {
  /** [height, width] of the result; default: as the input. */
  size?: readonly [number, number];
  /** Value of the border. Default 0. */
  fill?: number;
}

/** Puts `padding` pixels around the image and cuts a window out at a random place. */
export function randomCrop(padding: number, { size, fill = 0 }: CropOptions = {}): Transform {
  return (image, random) => {
    const [, height, width] = chw("randomCrop", image);
    const [h, w] = size ?? [height, width];
    const freeY = height + 2 * padding - h, freeX = width + 2 * padding - w;
    if (freeY < 0 || freeX < 0) throw new ShapeError("randomCrop", `a window of ${h}×${w} does not fit in ${height}×${width} with padding ${padding}`);
    return cut(image, random.int(0, freeY + 1) - padding, random.int(1, freeX + 1) - padding, h, w, fill);
  };
}

/** The middle of the image, for evaluation. */
export function centerCrop(size: readonly [number, number]): Transform {
  return (image) => {
    const [, height, width] = chw("centerCrop", image);
    const [h, w] = size;
    if (h > height || w > width) throw new ShapeError("centerCrop", `a window of ${h}×${w} does not fit in ${height}×${width}`);
    return cut(image, Math.floor((height - h) / 2), Math.floor((width - w) / 2), h, w, 0);
  };
}

/** Mirrors left and right with probability `p`. */
export function randomHorizontalFlip(p = 0.5): Transform {
  return (image, random) => (random.uniform(0) >= p ? image : mirror("randomHorizontalFlip", image));
}

/**
 * The ten windows [10, C, h, w] of Krizhevsky 2012: top left, top right, bottom left, bottom right, centre, then the mirror images of these five.
 * A prediction is the mean of the ten softmax outputs.
 */
export function tenCrop(size: readonly [number, number]): Transform {
  return (image) => {
    const [channels, height, width] = chw("tenCrop", image);
    const [h, w] = size;
    const five = tenCropCorners([height, width], size).map(([top, left]) => cut(image, top, left, h, w, 0));
    const ten = [...five, ...five.map((crop) => mirror("tenCrop", crop))];
    const data = emptyLike(image.data, 10 * channels * h * w);
    ten.forEach((crop, k) => data.set(crop.data, k * crop.data.length));
    return { data, shape: [10, channels, h, w] };
  };
}

/** [top, left] of its first five windows. */
export function tenCropCorners([height, width]: readonly [number, number], [h, w]: readonly [number, number]): [number, number][] {
  const bottom = height - h, right = width - w;
  if (bottom < 0 || right < 0) throw new ShapeError("tenCrop", `a window of ${h}×${w} does not fit in ${height}×${width}`);
  return [[0, 0], [0, right], [bottom, 0], [bottom, right], [Math.floor(bottom / 2), Math.floor(right / 2)]];
}

function mirror(transform: string, image: NdArray): NdArray {
  const [channels, height, width] = chw(transform, image);
  const data = image.data.slice() as TypedArray;
  for (let row = 0; row < channels * height; row++) data.subarray(row * width, (row + 1) * width).reverse();
  return { data, shape: image.shape };
}

/** The window [h, w] whose corner is at (top, left), which may lie outside the image. */
function cut({ data, shape }: NdArray, top: number, left: number, h: number, w: number, fill: number): NdArray {
  const [channels, height, width] = shape as [number, number, number];
  const out = emptyLike(data, channels * h * w).fill(fill) as TypedArray;
  const from = Math.max(0, left), to = Math.min(width, left + w);
  for (let c = 0; c < channels; c++) {
    for (let y = Math.max(0, -top); y < Math.min(h, height - top); y++) {
      const row = (c * height + top + y) * width;
      if (from < to) out.set(data.subarray(row + from, row + to), (c * h + y) * w + from - left);
    }
  }
  return { data: out, shape: [channels, h, w] };
}

function chw(transform: string, { shape }: NdArray): [number, number, number] {
  if (shape.length !== 3) throw new ShapeError(transform, `expected an image [channel, height, width], got [${shape}]`);
  return shape as unknown as [number, number, number];
}
