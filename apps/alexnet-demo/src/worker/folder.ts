/** A folder of pictures as a data set: the folder that a picture lies in is its class. */
import { ndarray, type LabelledImages } from "@nn/data";
import { ArgumentError } from "@nn/tensor";
import { readPicture } from "../shared/picture.ts";
import type { PictureFile, Pixels } from "../shared/protocol.ts";
import { PIXELS, SIDE } from "../shared/settings.ts";
import type { Data } from "./data.ts";

export const MOST = { train: 20_000, test: 2000, classes: 20 };
const AT_ONCE = 16;
const isPicture = /\.(jpe?g|png|webp|gif|bmp|avif)$/i;
const testFolder = /^(test|val|valid|validation)$/i;
const partFolder = /^(train|training|test|val|valid|validation|images)$/i;

interface Entry {
  file: Blob;
  label: number;
}

/** Which class and part every picture of a folder belongs to. Without folders `train` and `test`, every fifth picture of a class is for testing. */
export function sortFolder(files: readonly PictureFile[]): { classes: string[]; train: Entry[]; test: Entry[] } {
  const pictures = files
    .filter(({ path }) => isPicture.test(path))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, file }) => {
      const folders = path.split("/").slice(0, -1);
      return { file, name: folders.filter((folder) => !partFolder.test(folder)).at(-1) ?? "", test: folders.some((folder) => testFolder.test(folder)) };
    });
  const classes = [...new Set(pictures.map(({ name }) => name))].sort();
  if (classes.length < 2 || classes.length > MOST.classes) {
    throw new ArgumentError("folder", `${pictures.length} pictures in ${classes.length} folders of their own`, { hint: `put the pictures of each class into one folder, and 2 to ${MOST.classes} such folders into one` });
  }
  const divided = pictures.some(({ test }) => test);
  const seen = new Map<string, number>();
  const parts = { train: [] as Entry[], test: [] as Entry[] };
  for (const { file, name, test } of pictures) {
    const nth = seen.get(name) ?? 0;
    seen.set(name, nth + 1);
    parts[(divided ? test : nth % 5 === 4) ? "test" : "train"].push({ file, label: classes.indexOf(name) });
  }
  if (parts.train.length === 0 || parts.test.length === 0) throw new ArgumentError("folder", `${parts.train.length} pictures to train on and ${parts.test.length} to test`, { hint: "five pictures of a class are the least" });
  return { classes, train: thin(parts.train, MOST.train), test: thin(parts.test, MOST.test) };
}

/** Some of a list, evenly spread. */
export const thin = <T>(entries: T[], most: number): T[] => (entries.length <= most ? entries : Array.from({ length: most }, (_, i) => entries[Math.floor((i * entries.length) / most)]!));

/** Reads and shrinks all pictures; those that cannot be read are counted and left out. @throws ArgumentError if the folder is no data set */
export async function readFolder(files: readonly PictureFile[], progress: (done: number, total: number) => void): Promise<Data> {
  const { classes, train, test } = sortFolder(files);
  const total = train.length + test.length;
  let done = 0, unreadable = 0;
  const read = async (entries: readonly Entry[]): Promise<LabelledImages> => {
    const found: { pixels: Pixels; label: number }[] = [];
    for (let at = 0; at < entries.length; at += AT_ONCE) {
      const some = entries.slice(at, at + AT_ONCE);
      const pictures = await Promise.all(some.map(({ file }) => readPicture(file, { clothes: false }).catch(() => null)));
      pictures.forEach((pixels, i) => (pixels ? found.push({ pixels, label: some[i]!.label }) : unreadable++));
      progress((done += some.length), total);
    }
    if (found.length === 0) throw new ArgumentError("folder", `none of ${entries.length} pictures can be read`);
    const bytes = new Uint8Array(found.length * PIXELS);
    found.forEach(({ pixels }, i) => bytes.set(pixels, i * PIXELS));
    return { images: ndarray(bytes, [found.length, 1, SIDE, SIDE]), labels: ndarray(Int32Array.from(found, ({ label }) => label)) };
  };
  return { bundled: false, classes, train: await read(train), test: await read(test), unreadable };
}
