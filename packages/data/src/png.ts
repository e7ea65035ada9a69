/** PNG files for reports: 8 bits per channel, no filters. */
import { ArgumentError } from "@nn/tensor";
import { deflate } from "./gzip.ts";

/** PNG colour type by number of channels: grey, grey + alpha, RGB, RGBA. */
const colorTypes = [0, 4, 2, 6];

/**
 * A PNG file of `width × height` pixels, row by row from the top; the number of channels (1 grey, 2 grey + alpha, 3 RGB, 4 RGBA) follows from the length.
 *
 *     const url = "data:image/png;base64," + btoa(String.fromCharCode(...await encodePng(pixels, 28, 28)));
 */
export async function encodePng(pixels: Uint8Array | Uint8ClampedArray, width: number, height: number): Promise<Uint8Array> {
  const channels = pixels.length / (width * height);
  const colorType = colorTypes[channels - 1];
  if (!(width > 0 && height > 0) || colorType === undefined) {
    throw new ArgumentError("encodePng", `${pixels.length} values are not ${width}×${height} pixels of 1 to 4 channels`);
  }
  const row = width * channels;
  const lines = new Uint8Array(height * (row + 1)); // each line starts with its filter: 0, none
  for (let y = 0; y < height; y++) lines.set(pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);

  const head = new Uint8Array(13), view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head.set([8, colorType], 8); // 8 bits; compression, filter method and interlace are 0
  const parts = [Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), chunk("IHDR", head), chunk("IDAT", await deflate(lines)), chunk("IEND", new Uint8Array(0))];
  const png = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  parts.reduce((at, part) => (png.set(part, at), at + part.length), 0);
  return png;
}

/** length | type | data | CRC-32 of type and data */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length), view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
