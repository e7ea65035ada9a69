/** Files of `@nn/text` in Node. */
import { closeSync, createReadStream, fstatSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import { FormatError } from "@nn/tensor";
import { FastText } from "./fasttext/fasttext.ts";
import type { Corpus } from "./fasttext/training.ts";

/** Most bytes of one read or write of the system. */
const PIECE = 2 ** 30;

/** A model from a `.bin` or `.ftz` file. @throws FormatError naming the file; the system's error if it cannot be read */
export async function loadFastText(path: string): Promise<FastText> {
  const file = await open(path);
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array((await file.stat()).size);
    for (let at = 0; at < bytes.length;) {
      const { bytesRead } = await file.read(bytes, at, Math.min(PIECE, bytes.length - at), at);
      if (bytesRead === 0) throw new FormatError(path, at, `the file ends at byte ${at} of ${bytes.length}`);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
  try {
    return FastText.fromBytes(bytes, { owned: true });
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(path, error.offset, error.reason, { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) });
    throw error;
  }
}

/** Writes pieces, such as `model.encode()` or `model.encodeVectors()`, one behind the other. The file is complete or it is an error. */
export async function writePieces(path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const file = await open(path, "w");
  try {
    for (const piece of pieces)
      for (let at = 0; at < piece.length;) at += (await file.write(piece, at, Math.min(PIECE, piece.length - at))).bytesWritten;
  } finally {
    await file.close();
  }
}

/** The model as a file that the original loads: `.bin`, or `.ftz` if it is quantised. */
export async function saveFastText(path: string, model: FastText): Promise<void> { await writePieces(path, model.encode()); }

/** A text file in pieces. */
export function readText(path: string): AsyncIterable<Uint8Array> { return createReadStream(path, { highWaterMark: 1 << 20 }); }

/** A text file to train on, read piece by piece. Close it afterwards. @throws the system's error if it cannot be read */
export function openCorpus(path: string): Corpus & { close(): void } {
  const file = openSync(path, "r");
  return { bytes: fstatSync(file).size, read: (into, at) => readSync(file, into, 0, into.length, at), close: () => closeSync(file) };
}
