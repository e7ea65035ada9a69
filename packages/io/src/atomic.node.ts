/** Files that are there whole or not at all. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

let count = 0;
/** A name in the same directory (rename must not cross file systems) that no other writer uses. */
const temporaryName = (path: string): string => join(dirname(path), `.${basename(path)}.${process.pid}-${count++}.tmp`);

/**
 * Writes a file so that at any moment, also after `kill -9` or a power cut, `path` holds the old contents or the new, never a mixture:
 * a temporary file beside it, fsync, rename, fsync of the directory. The temporary file is removed if anything fails.
 *
 * @throws the system's error (ENOENT, EACCES, ENOSPC …); `path` is then untouched.
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = temporaryName(path);
  let file: FileHandle | undefined;
  try {
    file = await open(temporary, "wx");
    await file.writeFile(bytes);
    await file.sync();
    await file.close();
    file = undefined;
    await rename(temporary, path);
  } catch (error) {
    await file?.close().catch(() => {});
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Makes a rename in `directory` survive a power cut, where the system can (Windows cannot open directories). */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory).catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

/** As `writeFileAtomic`, without returning to the event loop: for signal handlers and the end of a process. */
export function writeFileAtomicSync(path: string, bytes: Uint8Array | string): void {
  const data = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  const temporary = temporaryName(path);
  let file: number | undefined;
  try {
    file = openSync(temporary, "wx");
    for (let at = 0; at < data.length;) at += writeSync(file, data, at);
    fsyncSync(file);
    closeSync(file);
    file = undefined;
    renameSync(temporary, path);
  } catch (error) {
    if (file !== undefined) closeSync(file);
    rmSync(temporary, { force: true });
    throw error;
  }
  try {
    const directory = openSync(dirname(path), "r");
    fsyncSync(directory);
    closeSync(directory);
  } catch {
    // Windows: directories cannot be opened; the rename itself is done.
  }
}
