import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Flatten, Linear, Sequential } from "@nn/layers";
import { HeavyBall } from "@nn/optim";
import { startRun } from "@nn/train";
import { centerCrop, imageStatistics, subtractImage, type NdArray } from "@nn/data";
import { ImageFiles, listImages } from "@nn/data/node";
import { Random, noGrad, tensor } from "@nn/tensor";
import type { MeanImage } from "@nn/vision";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { picturesIn, readImage } from "../src/images.ts";
import { alexnetImagenet, alexnetTiny } from "../src/recipes/alexnet-imagenet.ts";
import { imageFolderRecipe } from "../src/recipes/image-folder.ts";
import { dataset } from "../src/recipes/pictures.ts";

const dir = mkdtempSync(join(tmpdir(), "nn-folder-"));
afterAll(() => rmSync(dir, { recursive: true }));
beforeEach(() => void vi.stubEnv("XDG_CACHE_HOME", join(dir, "cache")));

/** Pictures of two classes: dark and bright noise. */
async function picture(path: string, seed: number, bright: boolean): Promise<void> {
  const random = new Random(seed);
  const pixels = Uint8Array.from({ length: 3 * 20 * 16 }, (_, i) => random.int(i, 100) + (bright ? 100 : 0));
  mkdirSync(join(path, ".."), { recursive: true });
  await sharp(pixels, { raw: { width: 20, height: 16, channels: 3 } }).png().toFile(path);
}

beforeAll(async () => {
  for (const [part, count] of [["train", 12], ["val", 6]] as const) {
    for (const [k, name] of ["n01", "n02"].entries()) for (let i = 0; i < count; i++) await picture(join(dir, "set", part, name, `${i}.png`), 100 * k + i + (part === "val" ? 50 : 0), k === 1);
  }
  writeFileSync(join(dir, "set", "words.txt"), "n02\tbright, or light\nn01\tdark\nn03\tunused\n");
  writeFileSync(join(dir, "set", "train", "n01", "bad.jpg"), "no picture");
  // The same as Tiny ImageNet lays it out.
  for (const name of ["n01", "n02"]) cpSync(join(dir, "set", "train", name), join(dir, "tiny", "train", name, "images"), { recursive: true });
  for (let i = 0; i < 4; i++) await picture(join(dir, "tiny", "val", "images", `val_${i}.png`), i, i % 2 === 1);
  writeFileSync(join(dir, "tiny", "val", "val_annotations.txt"), Array.from({ length: 4 }, (_, i) => `val_${i}.png\tn0${1 + (i % 2)}\t0\t0\t1\t1\n`).join(""));
});

const recipe = (classes = ["a", "b"]) =>
  imageFolderRecipe({
    name: "noise", description: "noise", classes, square: 12, crop: 8, colour: "deviation", scale: 1 / 64,
    defaults: { epochs: 3, batch: 8, lr: 0.01, seed: 1 },
    network: () => new Sequential(new Flatten(), new Linear(192, 2)),
    optimizer: (model, lr) => new HeavyBall(model.parameters(), { lr }),
  });

describe("a recipe for a folder of pictures", () => {
  it("trains, names the classes, leaves damaged pictures out, and keeps the statistics", async () => {
    const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const r = recipe();
    const data = await r.data(join(dir, "set"));
    expect([r.classes, data.train.length, data.test.length, data.pictures.images.shape]).toEqual([["dark", "bright"], 25, 12, [12, 3, 8, 8]]);
    const run = startRun(r, data, r.defaults);
    await run.trainer.fit();
    expect((await run.evaluate()).accuracy).toBe(1);
    const lines = said.mock.calls.map(([line]) => String(line));
    expect(lines.filter((line) => /left out: .*n01\/bad\.jpg: cannot be decoded/.test(line))).toHaveLength(2); // by the statistics and by the training set, once each
    await recipe().data(join(dir, "set"));
    expect(said.mock.calls.filter(([line]) => String(line).startsWith("mean picture"))).toHaveLength(1);
    said.mockRestore();
  });

  it("shows the network what the paper says: the picture less its mean, cropped, moved in colour", async () => {
    const { files } = await listImages(join(dir, "set", "val"));
    const whole = new ImageFiles(files, { square: 12 }), statistics = await imageStatistics(whole);
    const flat = { ...statistics, eigenvalues: [0, 0, 0] }; // no change of colour
    const samples = dataset({ files, square: 12, crop: 8, statistics: flat, augment: true, colour: "deviation" });
    const mean = (centerCrop([8, 8])(statistics.mean, new Random(0)) as NdArray<Float32Array>).data;
    const windows = new Set<string>();
    for (let epoch = 0; epoch < 40; epoch++) {
      const [x] = await samples.get(3, { seed: 1, epoch });
      const seen = Array.from(x.data, (v, i) => v - mean[i]!);
      // It is one of the 25 windows of the centred picture or a mirror image.
      const [image] = await whole.get(3);
      const centred = subtractImage(statistics.mean)(image, new Random(0)).data;
      const places = Array.from({ length: 50 }, (_, k) => ({ top: Math.floor(k / 2 / 5), left: Math.floor(k / 2) % 5, mirrored: k % 2 === 1 }));
      const match = places.find(({ top, left, mirrored }) =>
        seen.every((v, i) => {
          const [c, y, at] = [Math.floor(i / 64), Math.floor(i / 8) % 8, i % 8];
          return Math.abs(v - centred[c * 144 + (top + y) * 12 + left + (mirrored ? 7 - at : at)]!) < 1e-3;
        }),
      );
      expect(match).toBeDefined();
      windows.add(JSON.stringify(match));
    }
    expect(windows.size).toBeGreaterThan(15);
  });

  it("reads Tiny ImageNet's list of validation pictures", async () => {
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const { test } = await recipe().data(join(dir, "tiny"));
    const labels = await Promise.all([0, 1, 2, 3].map(async (i) => (await test.get(i, { seed: 0, epoch: 0 }))[1].data[0]));
    expect(labels).toEqual([0, 1, 0, 1]);
    writeFileSync(join(dir, "tiny", "val", "val_annotations.txt"), "../../x.png\tn01\n");
    await expect(recipe().data(join(dir, "tiny"))).rejects.toThrow(/val_annotations\.txt:1: expected a file and one of 2 classes, got '\.\.\/\.\.\/x\.png/);
    vi.restoreAllMocks();
  });

  it("says what is missing", async () => {
    await expect(recipe().data(null)).rejects.toThrow("noise needs a folder of pictures");
    await expect(recipe(["a", "b", "c"]).data(join(dir, "set"))).rejects.toThrow(/train has 2 classes, noise is made for 3/);
    await expect(recipe().data(join(dir, "cache"))).rejects.toThrow("ENOENT");
  });
});

describe("photographs for nn predict", () => {
  it("of any size and format are scaled and cut as in evaluation; a folder stands for its pictures", async () => {
    const photos = join(dir, "photos");
    mkdirSync(photos);
    const photo = () => sharp({ create: { width: 90, height: 60, channels: 3, background: { r: 200, g: 100, b: 50 } } });
    await photo().jpeg().toFile(join(photos, "b.JPG"));
    await photo().webp({ lossless: true }).toFile(join(photos, "a.webp"));
    writeFileSync(join(photos, "notes.txt"), "");
    const paths = await picturesIn(photos);
    expect(paths).toEqual([join(photos, "a.webp"), join(photos, "b.JPG")]);
    const image = await readImage(paths[0]!, recipe().image);
    expect([image.shape, image.data[0], image.data[64], image.data[128]]).toEqual([[3, 8, 8], 200, 100, 50]);
    await expect(readImage(join(photos, "notes.txt"), recipe().image)).rejects.toThrow(/notes\.txt: cannot be decoded/);
  });
});

describe("alexnet-imagenet", () => {
  it("is the paper's network under the paper's rule and schedule", () => {
    const model = alexnetImagenet.model() as MeanImage<never>;
    expect(model.parameterCount()).toBe(60_965_224);
    expect(model.mean.shape).toEqual([3, 224, 224]);
    const { options } = alexnetImagenet.optimizer(model, 0.01).groups[0]!;
    expect(options).toEqual({ lr: 0.01, momentum: 0.9, weightDecay: 5e-4 });
    const factor = alexnetImagenet.schedule!(1000);
    expect([0, 349, 350, 650, 900, 999].map(factor).map((f) => Math.round(Math.log10(f)))).toEqual([0, 0, -1, -2, -3, -3]);
    model.dispose();
  });

  it("its small cousin reads 56×56 windows", () => {
    const model = alexnetTiny.model() as MeanImage<never>;
    const x = alexnetTiny.prepare({ data: new Uint8Array(3 * 56 * 56).fill(9), shape: [3, 56, 56] }, new Random(0));
    expect(noGrad(() => model.call(tensor(x.data, { shape: [1, ...x.shape] }) as never) as ReturnType<typeof tensor>).shape).toEqual([1, 10]);
  });
});
