/** Files of `@nn/io` in Node. */
import { open, type FileHandle } from "node:fs/promises";
import { FormatError, type Tensor } from "@nn/tensor";
import { writeFileAtomic } from "./atomic.node.ts";
import { decodeNpy, encodeNpy } from "./npy.ts";
import { decodeNpz, encodeNpz } from "./npz.ts";
import { headerLength, readSafetensorsHeader, type SafetensorsHeader } from "./safetensors.ts";
import type { ByteSource, ReadOptions } from "./source.ts";
import { decodeTensors, encodeTensors, type EncodeOptions, type LoadedTensors, type NamedTensors } from "./tensors.ts";
import { decodeTorch, type LoadedTorch, type TorchOptions } from "./torch.ts";

export { syncDirectory, writeFileAtomic, writeFileAtomicSync } from "./atomic.node.ts";

/** Writes tensors as they are at the call, atomically: a crash leaves the old file or the new one. */
export async function saveSafetensors(path: string, tensors: NamedTensors, options: EncodeOptions = {}): Promise<void> {
  await writeFileAtomic(path, encodeTensors(tensors, options));
}

/**
 * Tensors of a file, all or none.
 *
 * @throws FormatError naming the file if it is not a valid safetensors file; the system's error if it cannot be read.
 */
export async function loadSafetensors(path: string): Promise<LoadedTensors> {
  const bytes = await readBytes(path);
  return named(path, () => decodeTensors(bytes));
}

/** The header of a file: names, types, shapes and metadata, without reading the data. */
export async function inspectSafetensors(path: string): Promise<SafetensorsHeader & { fileSize: number }> {
  const file = await open(path);
  try {
    const fileSize = (await file.stat()).size;
    const first = new Uint8Array(Math.min(8, fileSize));
    await fill(file, first, 0);
    const start = new Uint8Array(8 + named(path, () => headerLength(first, fileSize)));
    await fill(file, start, 0);
    return { ...named(path, () => readSafetensorsHeader(start, fileSize)), fileSize };
  } finally {
    await file.close();
  }
}

/** The array of a `.npy` file. @throws FormatError naming the file */
export async function loadNpy(path: string): Promise<Tensor> {
  const bytes = await readBytes(path);
  return named(path, () => decodeNpy(bytes));
}

/** Writes a tensor as a `.npy` file, atomically. */
export const saveNpy = (path: string, t: Tensor): Promise<void> => writeFileAtomic(path, encodeNpy(t));

/** All arrays of an `.npz` file by name, all or none. @throws FormatError naming the file */
export const loadNpz = (path: string, options: ReadOptions = {}): Promise<Map<string, Tensor>> => fromFile(path, (source) => decodeNpz(source, options));

/** Writes tensors as an `.npz` file, atomically. */
export const saveNpz = (path: string, tensors: NamedTensors): Promise<void> => writeFileAtomic(path, encodeNpz(tensors));

/**
 * Tensors of a PyTorch checkpoint (`.pt`, `.pth`), all or none: `model.loadStateDict((await loadTorch("alexnet.pth")).tensors)`.
 * Storages are read one after the other; the file is never in memory as a whole.
 *
 * @throws FormatError naming the file
 */
export const loadTorch = (path: string, options: TorchOptions = {}): Promise<LoadedTorch> => fromFile(path, (source) => decodeTorch(source, options));

/** Opens a file for `read`; its FormatErrors name the file. */
async function fromFile<T>(path: string, read: (source: ByteSource) => Promise<T>): Promise<T> {
  const file = await open(path);
  try {
    const source: ByteSource = {
      size: (await file.stat()).size,
      read: async (begin, end) => {
        const bytes = new Uint8Array(end - begin);
        return bytes.subarray(0, await fill(file, bytes, begin));
      },
    };
    return await read(source).catch((error: unknown) => named(path, () => { throw error; }));
  } finally {
    await file.close();
  }
}

/** A whole file, also one above 2 GiB, which `fs.readFile` refuses. */
export async function readBytes(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const bytes = new Uint8Array((await file.stat()).size);
    return bytes.subarray(0, await fill(file, bytes, 0));
  } finally {
    await file.close();
  }
}

/** Reads from `position` until `bytes` are full or the file ends; returns how many were read. */
async function fill(file: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await file.read(bytes, done, Math.min(bytes.length - done, 2 ** 30), position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** Runs `read`; a FormatError from it names the file. */
function named<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(error.format, error.offset, `${path}: ${error.reason}`, { cause: error, ...(error.hint !== undefined && { hint: error.hint }) });
  }
}
