/** Pictures of files to arrays: what the two ways (a page's own decoder, sharp in Node) share. */
import { ArgumentError, FormatError } from "@nn/tensor";
import type { NdArray } from "./array.ts";

export interface DecodeOptions {
  /**
   * Scales the picture until its shorter side has so many pixels and cuts the central square out (Krizhevsky 2012: 256).
   * Default: the picture as it is.
   */
  square?: number;
}

/** Bytes [H,W,from] → [3,H,W]; one channel becomes three equal ones, a fourth (alpha) is dropped. */
export function toPlanes(pixels: ArrayLike<number>, width: number, height: number, from: number): NdArray<Uint8Array> {
  const size = width * height, data = new Uint8Array(3 * size);
  const [green, blue] = from < 3 ? [0, 0] : [1, 2];
  for (let i = 0, at = 0; i < size; i++, at += from) {
    data[i] = pixels[at]!;
    data[size + i] = pixels[at + green]!;
    data[2 * size + i] = pixels[at + blue]!;
  }
  return { data, shape: [3, height, width] };
}

export function checkSquare(square: number | undefined): void {
  if (square !== undefined && (!Number.isInteger(square) || square < 1)) throw new ArgumentError("decodeImage", `square is ${square}, must be an integer from 1`);
}

/** @throws FormatError as every decoder's own error. */
export const undecodable = (cause: unknown): FormatError => new FormatError("image", 0, `cannot be decoded: ${(cause as Error).message.split("\n")[0]}`, { cause });

/**
 * Decodes a JPEG, PNG, WebP or whatever else the page's browser can show: bytes 0 … 255 [3, H, W], turned upright as its EXIF data say.
 * In Node: `decodeImage` of `@nn/data/node`.
 *
 * @throws FormatError if the browser cannot.
 */
export async function decodeImage(file: Blob | Uint8Array, { square }: DecodeOptions = {}): Promise<NdArray<Uint8Array>> {
  checkSquare(square);
  const bitmap = await createImageBitmap(file instanceof Blob ? file : new Blob([file as Uint8Array<ArrayBuffer>])).catch((error: unknown) => {
    throw undecodable(error);
  });
  try {
    const { width, height } = bitmap, shorter = Math.min(width, height);
    const [w, h] = square === undefined ? [width, height] : [square, square];
    const context = new OffscreenCanvas(w, h).getContext("2d", { willReadFrequently: true })!;
    context.imageSmoothingQuality = "high";
    if (square === undefined) context.drawImage(bitmap, 0, 0);
    else context.drawImage(bitmap, (width - shorter) / 2, (height - shorter) / 2, shorter, shorter, 0, 0, w, h);
    return toPlanes(context.getImageData(0, 0, w, h).data, w, h, 4);
  } finally {
    bitmap.close();
  }
}
