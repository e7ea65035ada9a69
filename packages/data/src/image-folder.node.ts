/** Pictures in one folder per class. */
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { ArgumentError, FormatError } from "@nn/tensor";
import type { NdArray } from "./array.ts";
import type { Dataset } from "./dataset.ts";
import { decodeImage } from "./decode-image.node.ts";
import type { DecodeOptions } from "./decode-image.ts";

const extensions = new Set([".jpg", ".jpeg", ".png", ".webp"]);

/** A picture and the number of its class. */
export interface ImageFile {
  readonly path: string;
  readonly label: number;
}

export interface ImageListing {
  /** Names of the folders, sorted; a label is a position here. */
  readonly classes: readonly string[];
  readonly files: readonly ImageFile[];
}

/**
 * Lists `dir/<class>/…/<picture>` (JPEG, PNG, WebP, by extension), sorted by path: the same order on every machine.
 *
 * @param options.classes the folders and their order, where a part of a set may lack some
 * @throws ArgumentError if there is no picture, or a folder that is none of `classes`
 */
export async function listImages(dir: string, { classes }: { classes?: readonly string[] } = {}): Promise<ImageListing> {
  const folders = (await readdir(dir, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();
  const names = classes ?? folders;
  const unknown = folders.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new ArgumentError("listImages", `${join(dir, unknown)} is none of ${names.length} classes`);
  const files: ImageFile[] = [];
  for (const [label, name] of names.entries()) {
    if (!folders.includes(name)) continue;
    const paths = (await readdir(join(dir, name), { recursive: true })).filter((path) => extensions.has(extname(path).toLowerCase()));
    files.push(...paths.sort().map((path) => ({ path: join(dir, name, path), label })));
  }
  if (files.length === 0) throw new ArgumentError("listImages", `${dir} has no pictures`, { hint: "expected <class>/<picture>.jpg, .png or .webp" });
  return { classes: names, files };
}

/**
 * Samples `[bytes [3,H,W], label i32 []]` of picture files, decoded when asked for.
 *
 *     const { files, classes } = await listImages("imagenet/train");
 *     new ImageFiles(files, { square: 256 });
 */
export class ImageFiles implements Dataset<[NdArray<Uint8Array>, NdArray<Int32Array>]> {
  readonly length: number;
  readonly files: readonly ImageFile[];
  readonly #options: DecodeOptions;

  constructor(files: readonly ImageFile[], options: DecodeOptions = {}) {
    this.files = files;
    this.length = files.length;
    this.#options = options;
  }

  /** @throws FormatError naming the file if it cannot be decoded. */
  async get(index: number): Promise<[NdArray<Uint8Array>, NdArray<Int32Array>]> {
    const file = this.files[index];
    if (!file) throw new ArgumentError("ImageFiles", `sample ${index} of ${this.length}`);
    const image = await decodeImage(await readFile(file.path), this.#options).catch((error: unknown) => {
      if (!(error instanceof FormatError)) throw error;
      throw new FormatError(error.format, error.offset, `${file.path}: ${error.reason}`, { cause: error });
    });
    return [image, { data: Int32Array.of(file.label), shape: [] }];
  }
}
