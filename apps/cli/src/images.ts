/** Pictures for `nn predict`: PNG and PNM (PGM, PPM) files as bytes [C,H,W]. */
import { readFile } from "node:fs/promises";
import { FormatError } from "@nn/tensor";
import type { NdArray } from "@nn/data";
import { decode } from "fast-png";
import { about, badInput } from "./errors.ts";

const largest = 16_384; // pixels along a side; refused before anything is decoded

interface Wanted {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Reads a picture and checks that it has the size the model wants; colour becomes grey where one channel is wanted. */
export async function readImage(path: string, wanted: Wanted): Promise<NdArray<Uint8Array>> {
  const file = await about(path, () => readFile(path));
  const picture = file[0] === 0x50 && (file[1] === 0x35 || file[1] === 0x36) ? readPnm(path, file) : readPng(path, file);
  if (picture.width !== wanted.width || picture.height !== wanted.height) {
    throw badInput(`${path} is ${picture.width}×${picture.height}, the model wants ${wanted.width}×${wanted.height}`, "resize it first");
  }
  return { data: toPlanes(picture, wanted.channels), shape: [wanted.channels, wanted.height, wanted.width] };
}

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** [H,W,C], 0 … 255 */
  readonly data: ArrayLike<number>;
}

function readPng(path: string, file: Uint8Array): Picture {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 33 || view.getUint32(0) !== 0x89504e47) throw new FormatError("image", 0, `${path} is neither PNG nor PGM/PPM`);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (width > largest || height > largest) throw new FormatError("png", 16, `${path}: ${width}×${height} is too large`);
  try {
    const png = decode(file, { checkCrc: true });
    const scale = png.depth === 16 ? 257 : png.depth < 8 ? (2 ** png.depth - 1) / 255 : 1;
    if (png.palette) {
      const { palette, data } = png;
      return { width, height, channels: 3, data: Uint8Array.from({ length: width * height * 3 }, (_, i) => palette[data[Math.floor(i / 3)]!]![i % 3]!) };
    }
    return { width, height, channels: png.channels, data: Array.from(png.data, (v) => v / scale) };
  } catch (error) {
    throw new FormatError("png", 8, `${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Binary PGM (P5) and PPM (P6) of one byte per value. */
function readPnm(path: string, file: Uint8Array): Picture {
  const header = /^P([56])\s(?:\s*#.*\n)*\s*(\d+)\s+(\d+)\s+(\d+)\s/.exec(Buffer.from(file.subarray(0, 1024)).toString("latin1"));
  const [whole, kind, width, height, max] = header ? [header[0], header[1], ...header.slice(2).map(Number)] : [];
  if (whole === undefined || max !== 255) throw new FormatError("pnm", 0, `${path}: no header of a binary PGM or PPM with 255 levels`);
  const channels = kind === "5" ? 1 : 3;
  const size = Number(width) * Number(height) * channels;
  if (file.length - whole.length !== size) throw new FormatError("pnm", whole.length, `${path}: ${file.length - whole.length} bytes of pixels, ${size} expected`);
  return { width: Number(width), height: Number(height), channels, data: file.subarray(whole.length) };
}

/** [H,W,C] of 1 (grey), 2 (grey, alpha), 3 or 4 channels → [channels,H,W]; alpha is dropped, grey by the luma of Rec. 601. */
function toPlanes({ width, height, channels, data }: Picture, wanted: number): Uint8Array {
  const size = width * height;
  const colour = channels >= 3;
  const at = (i: number, c: number): number => data[i * channels + (colour ? c : 0)]!;
  const out = new Uint8Array(wanted * size);
  for (let i = 0; i < size; i++) {
    if (wanted === 1) out[i] = colour ? Math.round(0.299 * at(i, 0) + 0.587 * at(i, 1) + 0.114 * at(i, 2)) : Math.round(at(i, 0));
    else for (let c = 0; c < wanted; c++) out[c * size + i] = Math.round(at(i, Math.min(c, 2)));
  }
  return out;
}
