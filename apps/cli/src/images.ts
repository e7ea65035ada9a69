/** Pictures for `nn predict`: PNG and PNM (PGM, PPM) files of the very size as bytes [C,H,W]; photographs of any size where the recipe takes them. */
import { readFile, readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { FormatError, Random } from "@nn/tensor";
import { centerCrop, type NdArray } from "@nn/data";
import { decodeImage } from "@nn/data/node";
import { decode, type DecodedPng } from "fast-png";
import { about, badInput } from "./errors.ts";

interface Size {
  readonly height: number;
  readonly width: number;
}
interface Wanted extends Size {
  readonly channels: number;
  readonly square?: number;
}
interface Picture extends Size {
  readonly channels: number;
  /** [H,W,C], 0 … 255 */
  readonly data: ArrayLike<number>;
}

const photographs = new Set([".jpg", ".jpeg", ".png", ".webp"]);

/** The files of `path`: itself, or the pictures in a folder, sorted. */
export async function picturesIn(path: string): Promise<string[]> {
  if (!(await about(path, () => stat(path))).isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => photographs.has(extname(name).toLowerCase())).sort();
  if (names.length === 0) throw badInput(`${path} has no pictures`, "JPEG, PNG or WebP, by their extension");
  return names.map((name) => join(path, name));
}

/** Reads a picture that has the size the model wants; colour becomes grey where one channel is wanted. With `square`: see `Recipe.image`. */
export async function readImage(path: string, wanted: Wanted): Promise<NdArray<Uint8Array>> {
  const file = await about(path, () => readFile(path));
  if (wanted.square !== undefined) {
    const image = await about(path, () => decodeImage(file, { square: wanted.square! }));
    return centerCrop([wanted.height, wanted.width])(image, new Random(0)) as NdArray<Uint8Array>;
  }
  const read = file[0] === 0x50 && (file[1] === 0x35 || file[1] === 0x36) ? readPnm : readPng;
  return { data: toPlanes(read(path, file, wanted), wanted.channels), shape: [wanted.channels, wanted.height, wanted.width] };
}

/** Called with the sizes of a header, before anything is decoded. */
function checkSize(path: string, { width, height }: Size, wanted: Size): void {
  if (width !== wanted.width || height !== wanted.height) throw badInput(`${path} is ${width}×${height}, the model wants ${wanted.width}×${wanted.height}`, "resize it first");
}

function readPng(path: string, file: Uint8Array, wanted: Size): Picture {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 33 || view.getUint32(0) !== 0x89504e47) throw new FormatError("image", 0, `${path} is neither PNG nor PGM/PPM`);
  const size = { width: view.getUint32(16), height: view.getUint32(20) };
  checkSize(path, size, wanted);
  // A few bytes can inflate to a thousand times as many: room for text and colour profiles beside the pixels, and no more.
  const most = 2 ** 20 + 16 * size.width * size.height;
  if (file.length > most) throw new FormatError("png", most, `${path}: ${file.length} bytes are too many for ${size.width}×${size.height} pixels`);
  const [bits, colour, interlaced] = [file[24]!, file[25]!, file[28] !== 0];
  if (interlaced && bits < 8) throw new FormatError("png", 28, `${path}: interlaced with ${bits} bits, which is not supported`, { hint: "save it without interlacing" });
  try {
    const png = decode(file, { checkCrc: true });
    if (png.width !== size.width || png.height !== size.height) throw new Error("two headers");
    const data = samples(png);
    // Files of true colour may hold a palette too, as a suggestion to screens of few colours.
    if (colour === 3) return { ...size, channels: 3, data: Array.from(data).flatMap((index) => colourOf(png, index)) };
    return { ...size, channels: png.channels, data: Array.from(data, (v) => (v * 255) / (2 ** png.depth - 1)) };
  } catch (error) {
    throw new FormatError("png", 8, `${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** [H,W,C], one value per element. The decoder leaves values of less than 8 bits packed, each line beginning a new byte. */
function samples({ data, depth, width, height, channels }: DecodedPng): ArrayLike<number> {
  if (depth >= 8) return data;
  const perLine = width * channels;
  const lineBytes = Math.ceil((perLine * depth) / 8);
  return Uint8Array.from({ length: height * perLine }, (_, i) => {
    const bit = (i % perLine) * depth;
    const byte = data[Math.floor(i / perLine) * lineBytes + (bit >> 3)]!;
    return (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
  });
}

function colourOf({ palette }: DecodedPng, index: number): number[] {
  const rgb = palette?.[index];
  if (!rgb) throw new Error(`colour ${index} is not in its palette of ${palette?.length ?? 0}`);
  return rgb.slice(0, 3);
}

/** Binary PGM (P5) and PPM (P6) of one byte per value. */
function readPnm(path: string, file: Uint8Array, wanted: Size): Picture {
  const gap = String.raw`(?:\s|#[^\n]*\n)+`;
  const header = new RegExp(String.raw`^P([56])${gap}(\d+)${gap}(\d+)${gap}(\d+)\s`).exec(Buffer.from(file.subarray(0, 1024)).toString("latin1"));
  if (!header || header[4] !== "255") throw new FormatError("pnm", 0, `${path}: no header of a binary PGM or PPM with 255 levels`);
  const size = { width: Number(header[2]), height: Number(header[3]) };
  checkSize(path, size, wanted);
  const channels = header[1] === "5" ? 1 : 3;
  const data = file.subarray(header[0].length);
  const expected = size.width * size.height * channels;
  if (data.length !== expected) throw new FormatError("pnm", header[0].length, `${path}: ${data.length} bytes of pixels, ${expected} expected`);
  return { ...size, channels, data };
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
