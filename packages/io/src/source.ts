/** Where bytes come from: memory, a Blob (a file that was dropped onto a page), or, in Node, an open file. Only the parts asked for are read. */

export interface ByteSource {
  /** Bytes in all. */
  readonly size: number;
  /** Bytes [begin, end); fewer only if the source shrank. */
  read(begin: number, end: number): Promise<Uint8Array>;
}

/** What readers of archives take. */
export type Bytes = Uint8Array | ArrayBuffer | Blob | ByteSource;

export function sourceOf(bytes: Bytes): ByteSource {
  if (bytes instanceof Uint8Array) return { size: bytes.length, read: async (begin, end) => bytes.subarray(begin, end) };
  if (bytes instanceof ArrayBuffer) return sourceOf(new Uint8Array(bytes));
  if (bytes instanceof Blob) return { size: bytes.size, read: async (begin, end) => new Uint8Array(await bytes.slice(begin, end).arrayBuffer()) };
  return bytes;
}

export interface ReadOptions {
  /** Most bytes that the file's contents may take when unpacked; default `defaultLimit`. */
  maxBytes?: number;
}

/** A file may unpack to this much: small files claim any size, and nobody's weights shrink 64 times. */
export const defaultLimit = (fileSize: number): number => 2 ** 26 + 64 * fileSize;
