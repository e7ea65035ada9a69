/** A data set in the form of the CIFAR-10 that was saved as JPEG. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cifar10Classes } from "@nn/data";
import { createTarGzip } from "nanotar";
import sharp from "sharp";
import { temporary } from "./command.ts";

/** A folder with `train` and `test` images of each class: one colour for each class, and a stripe that differs from image to image. */
export async function smallCifar(train: number, test: number): Promise<string> {
  const dir = temporary();
  for (const [part, count] of [["train", train], ["test", test]] as const) {
    const picture = (k: number, i: number) => {
      const background = { r: 25 * k, g: (90 * k) % 256, b: (170 * k) % 256 };
      const stripe = sharp({ create: { width: 32, height: 3, channels: 3, background: { r: 0, g: 0, b: 0 } } }).png().toBuffer();
      return stripe.then((input) => sharp({ create: { width: 32, height: 32, channels: 3, background } }).composite([{ input, top: (7 * i) % 28, left: 0 }]).jpeg().toBuffer());
    };
    const files = cifar10Classes.flatMap((name, k) => Array.from({ length: count }, async (_, i) => ({ name: `${part}/${name}/${String(i).padStart(4, "0")}.jpg`, data: await picture(k, i) })));
    writeFileSync(join(dir, `cifar10-jpg-${part}.tar.gz`), await createTarGzip(await Promise.all(files)));
  }
  return dir;
}
