/** Pixels to canvases. */
import type { Pixels } from "../shared/protocol.ts";
import { PIXELS, SIDE } from "../shared/settings.ts";
import { h } from "./dom.ts";

/** One test picture. */
export const pictureAt = (pictures: Pixels, index: number): Pixels => pictures.subarray(index * PIXELS, (index + 1) * PIXELS);

/** Writes grey values of a square into an RGBA image at (left, top). */
function putGrey(image: ImageData, values: Uint8Array, side: number, left = 0, top = 0): void {
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const v = values[y * side + x]!;
      image.data.set([v, v, v, 255], 4 * ((top + y) * image.width + left + x));
    }
  }
}

export function drawPicture(canvas: HTMLCanvasElement, pixels: Pixels): void {
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(SIDE, SIDE);
  putGrey(image, pixels, SIDE);
  context.putImageData(image, 0, 0);
}

export function thumbnail(pixels: Pixels, label: string): HTMLCanvasElement {
  const canvas = h("canvas", { class: "thumb", role: "img", "aria-label": label });
  drawPicture(canvas, pixels);
  return canvas;
}

/** Squares side by side, `columns` to a row, one transparent pixel apart. */
export function drawTiles(canvas: HTMLCanvasElement, count: number, side: number, columns: number, paint: (image: ImageData, tile: number, left: number, top: number) => void): void {
  const rows = Math.ceil(count / columns);
  const width = columns * (side + 1) - 1, height = rows * (side + 1) - 1;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(width, height);
  for (let i = 0; i < count; i++) paint(image, i, (i % columns) * (side + 1), Math.floor(i / columns) * (side + 1));
  context.putImageData(image, 0, 0);
}

/** Maps of one stage, black to white. */
export const mapTile = (maps: Pixels, side: number) => (image: ImageData, tile: number, left: number, top: number): void =>
  putGrey(image, maps.subarray(tile * side * side, (tile + 1) * side * side), side, left, top);

/** Weights: blue below zero, white at zero, orange above, each filter to its own largest. */
export const filterTile = (values: Float32Array, side: number) => (image: ImageData, tile: number, left: number, top: number): void => {
  const own = values.subarray(tile * side * side, (tile + 1) * side * side);
  const most = own.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-12);
  own.forEach((v, i) => {
    const share = Math.abs(v) / most, [r, g, b] = v < 0 ? [36, 99, 196] : [226, 104, 20];
    const mix = (end: number): number => 248 + (end - 248) * share;
    image.data.set([mix(r!), mix(g!), mix(b!), 255], 4 * ((top + Math.floor(i / side)) * image.width + left + (i % side)));
  });
};
