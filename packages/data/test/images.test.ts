import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ImageFiles, decodeImage, listImages } from "@nn/data/node";
import { DataLoader, skipCorrupt, type NdArray } from "@nn/data";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const pass = { seed: 0, epoch: 0 };
/** A picture whose pixel (y, x) is [x, y, 7]. */
const ramp = (width: number, height: number) =>
  sharp(Uint8Array.from({ length: 3 * width * height }, (_, i) => [Math.floor(i / 3) % width, Math.floor(i / 3 / width), 7][i % 3]!), { raw: { width, height, channels: 3 } });
const pixel = ({ data, shape: [, h, w] }: NdArray, y: number, x: number) => [0, 1, 2].map((c) => data[(c * h! + y) * w! + x]!);

let dir = "";
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "nn-images-"))));
afterAll(() => rm(dir, { recursive: true }));
async function put(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(join(dir, path)), { recursive: true });
  await writeFile(join(dir, path), bytes);
}

describe("decodeImage", () => {
  test("lossless formats give the very pixels, in planes", async () => {
    for (const file of [await ramp(20, 10).png().toBuffer(), await ramp(20, 10).webp({ lossless: true }).toBuffer()]) {
      const image = await decodeImage(file);
      expect(image.shape).toEqual([3, 10, 20]);
      expect([pixel(image, 0, 0), pixel(image, 3, 15), pixel(image, 9, 19)]).toEqual([[0, 0, 7], [15, 3, 7], [19, 9, 7]]);
    }
  });

  test("JPEG comes within its loss; grey becomes three equal channels, alpha is dropped, EXIF turns it upright", async () => {
    const jpeg = await decodeImage(await ramp(64, 32).jpeg({ quality: 100, chromaSubsampling: "4:4:4" }).toBuffer());
    pixel(jpeg, 20, 40).forEach((v, c) => expect(Math.abs(v - [40, 20, 7][c]!)).toBeLessThanOrEqual(2));
    const grey = await decodeImage(await ramp(8, 8).greyscale().jpeg().toBuffer());
    expect(grey.shape).toEqual([3, 8, 8]);
    expect(new Set(pixel(grey, 4, 4)).size).toBe(1);
    expect((await decodeImage(await ramp(8, 8).ensureAlpha(0.5).png().toBuffer())).shape).toEqual([3, 8, 8]);
    const turned = await decodeImage(await ramp(20, 10).withMetadata({ orientation: 6 }).png().toBuffer());
    expect(turned.shape).toEqual([3, 20, 10]);
    expect(pixel(turned, 0, 9)).toEqual([0, 0, 7]); // top left went to the top right
  });

  test("square: shorter side to that size, then the middle", async () => {
    const image = await decodeImage(await ramp(200, 100).png().toBuffer(), { square: 50 });
    expect(image.shape).toEqual([3, 50, 50]);
    // Output pixel i covers source pixels 50 + 2i and 51 + 2i of a row.
    for (const x of [10, 25, 40]) expect(Math.abs(pixel(image, 25, x)[0]! - (50.5 + 2 * x))).toBeLessThanOrEqual(1);
  });

  test("damaged and truncated files are FormatErrors", async () => {
    const jpeg = await ramp(64, 64).jpeg().toBuffer();
    await expect(decodeImage(Uint8Array.of(1, 2, 3))).rejects.toThrow(/image: cannot be decoded: Input buffer contains unsupported image format/);
    await expect(decodeImage(jpeg.subarray(0, jpeg.length / 2))).rejects.toThrow("image: cannot be decoded");
    await expect(decodeImage(jpeg, { square: 0 })).rejects.toThrow("square is 0");
  });
});

describe("a folder of pictures", () => {
  beforeAll(async () => {
    for (const [path, size] of [["set/cat/b.png", 12], ["set/cat/a.JPEG", 16], ["set/ant/images/c.webp", 20], ["part/cat/d.png", 8]] as const) {
      const picture = ramp(size, size);
      await put(path, await (path.endsWith("G") ? picture.jpeg() : path.endsWith("p") ? picture.webp() : picture.png()).toBuffer());
    }
    await put("set/ant/boxes.txt", Uint8Array.of(1));
  });

  test("is listed by class and path; text files are left out", async () => {
    const { classes, files } = await listImages(join(dir, "set"));
    expect(classes).toEqual(["ant", "cat"]);
    expect(files.map(({ path, label }) => [path.slice(dir.length + 1), label])).toEqual([["set/ant/images/c.webp", 0], ["set/cat/a.JPEG", 1], ["set/cat/b.png", 1]]);
    expect((await listImages(join(dir, "part"), { classes })).files.map(({ label }) => label)).toEqual([1]);
    await expect(listImages(join(dir, "set"), { classes: ["cat"] })).rejects.toThrow(/ant is none of 1 classes/);
    await expect(listImages(join(dir, "set", "cat"))).rejects.toThrow("has no pictures");
  });

  test("gives bytes and labels", async () => {
    const { files } = await listImages(join(dir, "set"));
    const samples = new ImageFiles(files, { square: 8 });
    for await (const [x, y] of new DataLoader(samples, { batchSize: 3 })) {
      expect([x.dtype, x.shape, y.toArray()]).toEqual(["u8", [3, 3, 8, 8], [0, 1, 1]]);
    }
    await expect(samples.get(3)).rejects.toThrow("sample 3 of 3");
  });
});

describe("pictures that cannot be decoded", () => {
  const folder = async () => new ImageFiles((await listImages(join(dir, "bad"))).files, { square: 8 });
  beforeAll(async () => {
    for (let i = 0; i < 6; i++) await put(`bad/x/${i}.png`, i === 2 || i === 5 ? Uint8Array.of(137, 80) : await ramp(8, 8).png().toBuffer());
  });

  test("end the loop with an error naming the file", async () => {
    const loop = async () => {
      for await (const [x] of new DataLoader(await folder(), { batchSize: 2 })) expect(x.shape[0]).toBe(2);
    };
    await expect(loop()).rejects.toThrow(/bad\/x\/2\.png: cannot be decoded/);
  });

  test("or are left out, told of once, counted and named", async () => {
    const told: number[] = [];
    const samples = skipCorrupt(await folder(), { onCorrupt: ({ index }) => told.push(index) });
    for (let epoch = 0; epoch < 2; epoch++) {
      const sizes: number[] = [];
      for await (const [x] of new DataLoader(samples, { batchSize: 3 })) sizes.push(x.shape[0]!);
      expect(sizes).toEqual([2, 2]);
    }
    expect(told.sort()).toEqual([2, 5]); // batches are read side by side
    expect([...samples.skipped].sort(([a], [b]) => a - b).map(([index, reason]) => [index, /x\/\d\.png: cannot be decoded/.test(reason)])).toEqual([[2, true], [5, true]]);
    await expect(async () => samples.gather([5, 2], pass)).rejects.toThrow(/none of the 2 samples of a batch can be read; the first: .*2\.png/);
  });

  test("a file that is gone is not a damaged picture", async () => {
    const samples = skipCorrupt(new ImageFiles([{ path: join(dir, "gone.png"), label: 0 }]));
    await expect(async () => samples.gather([0], pass)).rejects.toThrow("ENOENT");
  });
});
