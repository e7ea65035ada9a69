/** Downloads of datasets: checked, resumable, all or nothing per file. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { NnError } from "@nn/tensor";

/** A file of a dataset, as its authors published it. */
export interface RemoteFile {
  name: string;
  bytes: number;
  sha256: string;
}
export interface RemoteDataset {
  baseUrl: string;
  licence: string;
  files: readonly RemoteFile[];
}

/** What `fetchDataset` knows. */
export const remoteDatasets = {
  "fashion-mnist": {
    // A commit, not a branch: what is behind it cannot change.
    baseUrl: "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/",
    licence: "MIT, Zalando SE 2017",
    files: [
      { name: "train-images-idx3-ubyte.gz", bytes: 26_421_880, sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84" },
      { name: "train-labels-idx1-ubyte.gz", bytes: 29_515, sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845" },
      { name: "t10k-images-idx3-ubyte.gz", bytes: 4_422_102, sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073" },
      { name: "t10k-labels-idx1-ubyte.gz", bytes: 5_148, sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5" },
    ],
  },
} as const satisfies Record<string, RemoteDataset>;
export type DatasetName = keyof typeof remoteDatasets;

/** A download that did not succeed. What had arrived stays in a `.part` file for the next try, unless it was wrong. */
export class DownloadError extends NnError {}

export interface FetchOptions {
  /** Folder for the files; made if missing. */
  dir: string;
  /** Where to fetch from instead of the authors' place. */
  baseUrl?: string;
  /** Files instead of the ones known by name. */
  files?: readonly RemoteFile[];
  onProgress?(progress: FetchProgress): void;
  /** Tries per file when the connection breaks. Default 3. */
  attempts?: number;
  /** Milliseconds without a byte after which a connection counts as broken. Default 30,000. */
  idleTimeout?: number;
  signal?: AbortSignal;
}
export interface FetchProgress {
  file: string;
  /** Bytes of this file that are here. */
  received: number;
  bytes: number;
}

/**
 * Downloads the files of a dataset that are not in `dir` yet, and returns their paths.
 * Every file is checked by length and SHA-256 and appears under its name only when it is right. A partial download is continued.
 *
 * @throws DownloadError
 */
export async function fetchDataset(name: DatasetName, options: FetchOptions): Promise<string[]> {
  const known: RemoteDataset = remoteDatasets[name];
  if (!Object.hasOwn(remoteDatasets, name)) throw new DownloadError(`unknown dataset '${name}'`, { hint: `known are ${Object.keys(remoteDatasets).join(", ")}` });
  const baseUrl = options.baseUrl ?? known.baseUrl;
  await mkdir(options.dir, { recursive: true });
  const paths: string[] = [];
  for (const file of options.files ?? known.files) {
    paths.push(await fetchFile(file, new URL(file.name, baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`).href, options));
  }
  return paths;
}

async function fetchFile(file: RemoteFile, url: string, options: FetchOptions): Promise<string> {
  const path = join(options.dir, file.name), part = `${path}.part`;
  const progress = (received: number) => options.onProgress?.({ file: file.name, received, bytes: file.bytes });
  if ((await sizeOf(path)) === file.bytes && (await sha256(path)) === file.sha256) {
    progress(file.bytes);
    return path;
  }

  const { attempts = 3 } = options;
  for (let attempt = 1; (await sizeOf(part)) !== file.bytes; attempt++) {
    try {
      await download(url, part, file.bytes, options, progress);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof DownloadError) throw error;
      if (attempt < attempts) continue;
      const here = await sizeOf(part);
      throw new DownloadError(`${url}: ${reasonOf(error)}, after ${here} of ${file.bytes} bytes`, { cause: error, hint: "run it again: it goes on from there" });
    }
  }

  if ((await sha256(part)) !== file.sha256) {
    await rm(part, { force: true });
    throw new DownloadError(`${url}: SHA-256 does not match, the download was deleted`, { hint: "the source may have changed, or something on the way alters files" });
  }
  await rename(part, path);
  await syncFolder(options.dir);
  return path;
}

/** Fetches what `part` lacks and appends it. Throws if the connection ends early; what arrived stays. */
async function download(url: string, part: string, bytes: number, options: FetchOptions, progress: (received: number) => void): Promise<void> {
  let received = await sizeOf(part);
  if (received > bytes) {
    await rm(part);
    received = 0;
  }
  const idle = new AbortController();
  const { idleTimeout = 30_000 } = options;
  const late = () => idle.abort(new Error(`no data for ${idleTimeout} ms`));
  let timer = setTimeout(late, idleTimeout);
  const signal = options.signal ? AbortSignal.any([idle.signal, options.signal]) : idle.signal;
  try {
    // identity: a server that compressed the transfer would change the bytes that are checked.
    const headers: Record<string, string> = { "accept-encoding": "identity", ...(received > 0 && { range: `bytes=${received}-` }) };
    const response = await fetch(url, { headers, signal });
    const refuse = async (error: Error): Promise<never> => {
      await response.body?.cancel();
      throw error;
    };
    if (response.status === 416) {
      await rm(part, { force: true });
      return await refuse(new Error("the server refused to continue, starting over"));
    }
    if (!response.ok) {
      const error = `${url}: the server answered ${response.status} ${response.statusText}`.trimEnd();
      return await refuse(response.status >= 500 ? new Error(`the server answered ${response.status}`) : new DownloadError(error));
    }
    // Without ranges (200), or with another range than asked for, everything comes again.
    const continues = response.status === 206 && response.headers.get("content-range")?.startsWith(`bytes ${received}-`) === true;
    if (response.status === 206 && !continues) {
      await rm(part, { force: true });
      return await refuse(new Error("the server sent another range than asked for, starting over"));
    }
    if (!continues) received = 0;

    const file = await open(part, continues ? "a" : "w");
    try {
      for await (const chunk of response.body ?? []) {
        clearTimeout(timer);
        timer = setTimeout(late, idleTimeout);
        if (received + chunk.length > bytes) {
          await file.truncate(0);
          throw new DownloadError(`${url}: more than the expected ${bytes} bytes, the download was deleted`);
        }
        await file.writeFile(chunk);
        received += chunk.length;
        progress(received);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (received < bytes) throw new Error("the connection ended early");
  } catch (error) {
    throw idle.signal.aborted ? idle.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0;

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

/** Makes a rename survive a power cut, where folders can be opened. */
async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir).catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

/** The innermost reason: `fetch` hides "connection refused" behind "fetch failed". */
function reasonOf(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  const { message, code } = inner as { message?: string; code?: string };
  return (message || code) ?? String(inner);
}
