/** CIFAR-10 as it is found with every picture saved as a JPEG: `cifar10-jpg-train.tar.gz` and `cifar10-jpg-test.tar.gz`, members `train/<class>/<number>.jpg`. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { cifar10Classes, type LabelledImages } from "@nn/data";
import { decodeImage } from "@nn/data/node";
import { FormatError } from "@nn/tensor";
import { parseTarGzip } from "nanotar";
import { about, badInput } from "../errors.ts";

/** Mean and standard deviation of all training values, on a scale of 0 to 1. */
export const cifar10Mean = 0.473;
export const cifar10Std = 0.251;

/**
 * The first `count` images of one archive, a tenth of them from each class: bytes [count, 3, 32, 32].
 *
 * @throws FormatError if the archive is damaged; CliError if it holds too few; NnError if sharp is not installed.
 */
export async function loadCifarJpeg(dir: string, part: "train" | "test", count: number): Promise<LabelledImages> {
  const path = join(dir, `cifar10-jpg-${part}.tar.gz`);
  const archive = await readFile(path);
  const members = await parseTarGzip(archive, { filter: ({ name }) => name.endsWith(".jpg") }).catch((cause: unknown) => {
    throw new FormatError("tar.gz", 0, `${path} cannot be unpacked: ${(cause as Error).message}`, { cause });
  });
  const files = cifar10Classes.flatMap((name, label) => {
    const own = members.filter((member) => member.name.split("/").at(-2) === name).sort((a, b) => (a.name < b.name ? -1 : 1));
    return own.slice(0, count / 10).map(({ name, data }) => ({ name, data: data!, label }));
  });
  if (files.length !== count) throw badInput(`${path}: ${files.length} images found, ${count} wanted`, "as many of each class, so a multiple of ten");

  const images = new Uint8Array(count * 3 * 32 * 32);
  for (const [i, { name, data }] of files.entries()) {
    const picture = await about(`${path}: ${name}`, () => decodeImage(data));
    if (picture.shape.join() !== "3,32,32") throw badInput(`${path}: ${name} is [${picture.shape.join(",")}], expected [3,32,32]`);
    images.set(picture.data, i * 3 * 32 * 32);
  }
  return { images: { data: images, shape: [count, 3, 32, 32] }, labels: { data: Int32Array.from(files, ({ label }) => label), shape: [count] } };
}
