/** Picture files as the network reads them: 28×28, grey. In the page and in the worker. */
import type { Pixels } from "./protocol.ts";
import { PIXELS, SIDE } from "./settings.ts";

/**
 * The whole picture, shrunk until it fits and centred on black. `clothes`: as in Fashion-MNIST, bright on dark (inverted if its
 * edge is bright) with a margin of one pixel.
 *
 * @throws DOMException if the browser cannot decode the file
 */
export async function readPicture(file: Blob, { clothes }: { clothes: boolean }): Promise<Pixels> {
  const bitmap = await createImageBitmap(file);
  const scale = (clothes ? SIDE - 2 : SIDE) / Math.max(bitmap.width, bitmap.height);
  const width = Math.max(1, Math.round(bitmap.width * scale)), height = Math.max(1, Math.round(bitmap.height * scale));
  const small = await createImageBitmap(bitmap, { resizeWidth: width, resizeHeight: height, resizeQuality: "high" });
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = "#fff"; // behind what is transparent
  context.fillRect(0, 0, width, height);
  context.drawImage(small, 0, 0);
  bitmap.close();
  small.close();
  const { data } = context.getImageData(0, 0, width, height);
  const grey = Uint8Array.from({ length: width * height }, (_, i) => 0.299 * data[4 * i]! + 0.587 * data[4 * i + 1]! + 0.114 * data[4 * i + 2]!);
  const invert = clothes && edgeMean(grey, width, height) > 127;
  const pixels = new Uint8Array(PIXELS);
  const left = Math.floor((SIDE - width) / 2), top = Math.floor((SIDE - height) / 2);
  grey.forEach((v, i) => (pixels[(top + Math.floor(i / width)) * SIDE + left + (i % width)] = invert ? 255 - v : v));
  return pixels;
}

function edgeMean(grey: Uint8Array, width: number, height: number): number {
  const edge = grey.filter((_, i) => i < width || i >= width * (height - 1) || i % width === 0 || i % width === width - 1);
  return edge.reduce((sum, v) => sum + v, 0) / edge.length;
}
