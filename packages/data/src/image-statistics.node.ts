/** Statistics of a set of images, kept in a file: a pass over ImageNet takes an hour. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { ImageStatistics } from "./image-statistics.ts";

const VERSION = 1;

/**
 * The statistics kept in `path` under the same `key`, or else those that `compute` returns, which are then kept there. A file that is damaged,
 * of another key or of another version is computed anew.
 *
 * @param key whatever the statistics depend on: the list of files, the size of the pictures
 */
export async function cachedStatistics(path: string, key: string, compute: () => Promise<ImageStatistics>): Promise<ImageStatistics> {
  const kept = await read(path, key);
  if (kept) return kept;
  const { mean, ...rest } = await compute();
  const bytes = Buffer.from(mean.data.buffer, mean.data.byteOffset, mean.data.byteLength).toString("base64");
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.part`; // a run that is killed, or another one beside it, leaves no half of a file
  await writeFile(temporary, JSON.stringify({ version: VERSION, key, ...rest, mean: { shape: mean.shape, bytes } }));
  await rename(temporary, path);
  return { ...rest, mean };
}

async function read(path: string, key: string): Promise<ImageStatistics | null> {
  try {
    const { version, key: of, mean, ...rest } = JSON.parse(await readFile(path, "utf8")) as Omit<ImageStatistics, "mean"> & { version: number; key: string; mean: { shape: number[]; bytes: string } };
    const data = new Float32Array(new Uint8Array(Buffer.from(mean.bytes, "base64")).buffer);
    const fits = version === VERSION && of === key && data.length === mean.shape.reduce((a, b) => a * b, 1);
    return fits ? { ...rest, mean: { data, shape: mean.shape } } : null;
  } catch {
    return null; // not there, or not readable
  }
}
