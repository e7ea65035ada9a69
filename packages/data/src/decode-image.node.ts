/** Pictures of files to arrays in Node: by sharp, an optional peer. */
import type sharpLibrary from "sharp";
import { NnError } from "@nn/tensor";
import type { NdArray } from "./array.ts";
import { checkSquare, toPlanes, undecodable, type DecodeOptions } from "./decode-image.ts";

type Sharp = typeof sharpLibrary;
let loaded: Promise<Sharp> | null = null;

/** Loaded with the first picture. One thread to a picture: pictures are what runs side by side. */
const sharp = (): Promise<Sharp> =>
  (loaded ??= import("sharp").then(
    ({ default: library }) => {
      library.concurrency(1);
      library.cache(false);
      return library;
    },
    (cause: unknown) => {
      throw new NnError("reading JPEG, PNG and WebP needs the package sharp", { hint: "npm install sharp", cause });
    },
  ));

/**
 * Decodes a JPEG, PNG, WebP, GIF or TIFF: bytes 0 … 255 [3, H, W], sRGB, turned upright as its EXIF data say.
 *
 * @throws FormatError if the file is damaged or truncated; NnError if sharp is not installed.
 */
export async function decodeImage(file: Uint8Array, { square }: DecodeOptions = {}): Promise<NdArray<Uint8Array>> {
  checkSquare(square);
  const library = await sharp();
  try {
    let picture = library(file, { failOn: "error" }).rotate();
    if (square !== undefined) picture = picture.resize(square, square, { fit: "cover", position: "centre" });
    const { data, info } = await picture.toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
    return toPlanes(data, info.width, info.height, info.channels);
  } catch (error) {
    throw undecodable(error);
  }
}
