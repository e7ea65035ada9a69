/** A small classification problem with everything that draws random numbers: shuffling, augmentation, dropout. */
import { ArrayDataset, mapDataset, ndarray, type Dataset, type NdArray } from "@nn/data";
import { Dropout, Flatten, Linear, ReLU, Sequential } from "@nn/layers";
import { AdamW, schedule } from "@nn/optim";
import { Random } from "@nn/tensor";
import { defineRecipe } from "@nn/train";

const random = new Random(5);
/** Bright left half: class 0; bright right half: class 1. */
const picture = (i: number): Uint8Array => Uint8Array.from({ length: 16 }, (_, p) => 40 * random.uniform(20 * i + p) + ((p % 4 < 2) === (i % 2 === 0) ? 180 : 0));

const set = (from: number, count: number): Dataset<[NdArray, NdArray]> =>
  new ArrayDataset(Array.from({ length: count }, (_, i) => [ndarray(Float32Array.from(picture(from + i), (v) => v / 255), [1, 4, 4]), (from + i) % 2] as const)) as unknown as Dataset<[NdArray, NdArray]>;

export const tiny = defineRecipe({
  name: "tiny",
  description: "bright left or bright right",
  defaults: { epochs: 3, batch: 8, lr: 0.02, seed: 1 },
  classes: ["left", "right"],
  image: { channels: 1, height: 4, width: 4 },
  async data() {
    const count = 20;
    return {
      train: mapDataset(set(0, 60), ([image, label], r) => [{ data: Float32Array.from(image.data, (v, i) => v + 0.1 * r.normal(i)), shape: image.shape }, label]),
      test: set(60, count),
      pictures: { images: ndarray(Uint8Array.from(Array.from({ length: count }, (_, i) => [...picture(60 + i)]).flat()), [count, 1, 4, 4]), labels: ndarray(Int32Array.from({ length: count }, (_, i) => i % 2)) },
    };
  },
  prepare: ({ data, shape }) => ({ data: Float32Array.from(data, (v) => v / 255), shape }),
  model: () => new Sequential(new Flatten(), new Linear(16, 8), new ReLU(), new Dropout(0.2), new Linear(8, 2)),
  optimizer: (model, lr) => new AdamW(model.parameters(), { lr }),
  schedule: (updates) => schedule.cosine(updates),
});
