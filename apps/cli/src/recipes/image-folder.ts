/** Recipes that train on folders of pictures, in the way of Krizhevsky 2012; decoded and augmented in worker threads. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { centerCrop, collate, imageStatistics, rowAt, skipCorrupt, type ImageStatistics, type NdArray, type PcaColourOptions } from "@nn/data";
import { ImageFiles, WorkerDataset, cachedStatistics, listImages, type ImageFile, type ImageListing } from "@nn/data/node";
import type { Module } from "@nn/layers";
import { Random } from "@nn/tensor";
import { defineRecipe, type Recipe, type RecipeData } from "@nn/train";
import { MeanImage } from "@nn/vision";
import { badInput } from "../errors.ts";
import { evaluation, meanWindow, type Pictures } from "./pictures.ts";

export interface ImageFolderOptions extends Pick<Recipe, "name" | "description" | "defaults" | "optimizer" | "schedule"> {
  /** Names to go by until a folder gives its own; as many as the folder must have. */
  classes: readonly string[];
  /** The shorter side of a picture becomes so many pixels, and the middle is kept. */
  square: number;
  /** Side of the window that the network sees: a random one in training, else the central one. */
  crop: number;
  colour?: PcaColourOptions["by"];
  network(): Module;
  /** On pixels 0 … 255 less their mean. Default 1. */
  scale?: number;
}

type Fields = [NdArray, NdArray];
const PREVIEWS = 40;

/**
 * A recipe for a folder with `train/<class>/…` and `val/<class>/…`, or Tiny ImageNet's `val/images` with `val_annotations.txt`. If there is a
 * `words.txt` (`<class> TAB <name>`), classes are called by their names there. Pictures that cannot be decoded are left out and named on stderr.
 */
export function imageFolderRecipe({ classes, square, crop, colour, network, scale = 1, ...rest }: ImageFolderOptions): Recipe {
  const names = [...classes]; // the folder's, once it is known
  let statistics: ImageStatistics | null = null;
  const common = { square, crop, colour };

  async function data(dir: string | null): Promise<RecipeData> {
    if (dir === null) throw badInput(`${rest.name} needs a folder of pictures`, `nn train ${rest.name} --data <folder with train/ and val/>`);
    const train = await listImages(join(dir, "train"));
    if (train.classes.length !== names.length) throw badInput(`${join(dir, "train")} has ${train.classes.length} classes, ${rest.name} is made for ${names.length}`);
    const test = await validation(dir, train);
    names.splice(0, names.length, ...(await words(dir, train.classes)));
    statistics = await statisticsOf(dir, train.files, { ...common, files: train.files, statistics: null, augment: false });
    const pictures = (files: readonly ImageFile[], augment: boolean) => open({ ...common, files, statistics, augment });
    return { train: await pictures(train.files, true), test: await pictures(test, false), pictures: await previews(test, common) };
  }

  return defineRecipe({
    ...rest,
    classes: names,
    image: { channels: 3, height: crop, width: crop, square },
    data,
    prepare: evaluation(crop),
    model() {
      return new MeanImage(network(), [3, crop, crop], { scale, ...(statistics && { mean: meanWindow(statistics, crop).data }) });
    },
  });
}

const open = (argument: Pictures): Promise<WorkerDataset<Fields>> =>
  WorkerDataset.open<Fields>(new URL("./pictures.ts", import.meta.url), { argument, workers: 2, corrupt: "skip", onCorrupt: ({ reason }) => process.stderr.write(`\nleft out: ${reason}\n`) });

/** Kept beside the user's other caches, for the folder itself may not be writable. */
async function statisticsOf(dir: string, files: readonly ImageFile[], argument: Pictures): Promise<ImageStatistics> {
  const hash = createHash("sha256").update(String(argument.square));
  for (const { path } of files) hash.update(`\0${resolve(path)}`);
  const key = hash.digest("hex");
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "nn", `${basename(resolve(dir))}-${key.slice(0, 16)}.json`);
  return cachedStatistics(cache, key, async () => {
    process.stderr.write(`mean picture and colours of ${files.length} pictures, once …\n`);
    const pictures = await open(argument);
    try {
      return await imageStatistics(pictures);
    } finally {
      pictures.close();
    }
  });
}

/** `val/<class>/…`, or Tiny ImageNet's list: `<file> TAB <class> TAB …` a line. */
async function validation(dir: string, { classes }: ImageListing): Promise<readonly ImageFile[]> {
  const list = join(dir, "val", "val_annotations.txt");
  if (!existsSync(list)) return (await listImages(join(dir, "val"), { classes })).files;
  const lines = (await readFile(list, "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line, i) => {
    const [file = "", name = ""] = line.split("\t");
    const label = classes.indexOf(name);
    if (label < 0 || file !== basename(file)) throw badInput(`${list}:${i + 1}: expected a file and one of ${classes.length} classes, got '${line.slice(0, 60)}'`);
    return { path: join(dir, "val", "images", file), label };
  });
}

async function words(dir: string, classes: readonly string[]): Promise<readonly string[]> {
  const file = join(dir, "words.txt");
  if (!existsSync(file)) return classes;
  const known = new Map((await readFile(file, "utf8")).split("\n").map((line) => line.split("\t")).map(([name, all = ""]) => [name, all] as const));
  return classes.map((name) => known.get(name)?.split(",")[0]?.trim() || name);
}

/** The first test pictures as the network sees them, in bytes; without damaged ones, as in a batch of them. */
async function previews(files: readonly ImageFile[], { square, crop }: { square: number; crop: number }): Promise<RecipeData["pictures"]> {
  const first = skipCorrupt(new ImageFiles(files.slice(0, PREVIEWS), { square }));
  const [images, labels] = await first.gather(Array.from({ length: first.length }, (_, i) => i), { seed: 0, epoch: 0 });
  const window = centerCrop([crop, crop]);
  const [cut] = collate(Array.from({ length: images.shape[0]! }, (_, i): [NdArray] => [window(rowAt(images, i), new Random(0))]));
  return { images: cut as NdArray<Uint8Array>, labels };
}
