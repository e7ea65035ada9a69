/** gzip by the platform's own streams (Node and browsers). */
import { FormatError } from "@nn/tensor";

export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** One gibibyte: a few kilobytes of gzip can claim any size. */
export const MAX_UNPACKED = 2 ** 30;

/**
 * Unpacks gzip data.
 *
 * @throws FormatError if they are damaged, truncated, or larger than `maxBytes`.
 */
export async function gunzip(bytes: Uint8Array, { maxBytes = MAX_UNPACKED }: { maxBytes?: number } = {}): Promise<Uint8Array> {
  const reader = through(bytes, new DecompressionStream("gzip")).getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    let step: ReadableStreamReadResult<Uint8Array>;
    try {
      step = await reader.read();
    } catch (cause) {
      throw new FormatError("gzip", bytes.length, `damaged or truncated after ${size} unpacked bytes`, { cause });
    }
    if (step.done) return join(chunks, size);
    chunks.push(step.value);
    size += step.value.length;
    if (size > maxBytes) {
      await reader.cancel().catch(() => {});
      throw new FormatError("gzip", 0, `unpacks to more than ${maxBytes} bytes`);
    }
  }
}

/** zlib-wrapped deflate (the compression of PNG). */
export async function deflate(bytes: Uint8Array): Promise<Uint8Array> {
  const reader = through(bytes, new CompressionStream("deflate")).getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    chunks.push(step.value);
    size += step.value.length;
  }
  return join(chunks, size);
}

function through(bytes: Uint8Array, stream: GenericTransformStream): ReadableStream<Uint8Array> {
  return new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(stream as ReadableWritablePair<Uint8Array, Uint8Array>);
}

function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
