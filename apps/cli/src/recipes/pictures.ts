/** What a worker thread makes: pictures of a folder as Krizhevsky 2012 prepares and augments them. */
import { centerCrop, compose, mapDataset, pcaColour, randomCrop, randomHorizontalFlip, subtractImage, toFloat, type Dataset, type ImageStatistics, type NdArray, type PcaColourOptions, type Transform } from "@nn/data";
import { ImageFiles, type ImageFile } from "@nn/data/node";
import { Random } from "@nn/tensor";

export interface Pictures {
  readonly files: readonly ImageFile[];
  /** The shorter side becomes so many pixels, the middle is kept. */
  readonly square: number;
  /** Side of the window that the model sees. */
  readonly crop: number;
  /** Of the training pictures; null: the bytes [3, square, square] as they are. */
  readonly statistics: ImageStatistics | null;
  /** Random window, mirror image and colour, or the central window. */
  readonly augment: boolean;
  readonly colour: PcaColourOptions["by"];
}

/** Samples `[image, class]`: f32 [3, crop, crop] in the unit of bytes, without `statistics` bytes [3, square, square]. */
export function dataset({ files, square, crop, statistics, augment, colour }: Pictures): Dataset<[NdArray, NdArray]> {
  const pictures = new ImageFiles(files, { square });
  if (statistics === null) return pictures;
  const prepare = augment ? training(statistics, crop, colour) : evaluation(crop);
  return mapDataset(pictures, ([image, label], random) => [prepare(image, random), label]);
}

/** The central window. The model subtracts the mean itself, see `MeanImage`. */
export const evaluation = (crop: number): Transform => compose(toFloat(1), centerCrop([crop, crop]));

/**
 * The mean is that of the window's own place, but the model subtracts the mean of the central window from all. So what it will subtract is
 * added at the end, and the network sees what the paper's saw.
 */
function training(statistics: ImageStatistics, crop: number, by: PcaColourOptions["by"]): Transform {
  const centre = meanWindow(statistics, crop);
  const negative = { ...centre, data: centre.data.map((v) => -v) };
  return compose(
    subtractImage(statistics.mean),
    randomCrop(0, { size: [crop, crop] }),
    randomHorizontalFlip(),
    pcaColour(statistics, { ...(by && { by }) }),
    subtractImage(negative),
  );
}

/** The central window of the mean picture. */
export const meanWindow = ({ mean }: ImageStatistics, crop: number): NdArray<Float32Array> => centerCrop([crop, crop])(mean, new Random(0)) as NdArray<Float32Array>;
