/** Memory could not be had. Sizes are in bytes. */
export class OutOfMemoryError extends Error {
  override readonly name = "OutOfMemoryError";
  readonly bytes: number;
  readonly inUse: number;
  readonly limit: number;

  constructor(bytes: number, inUse: number, pooled: number, limit: number) {
    super(`cannot allocate ${size(bytes)}: ${size(inUse)} in use, ${size(pooled)} kept for reuse, limit ${size(limit)}\n`
      + `  hint: smaller batches, or release results that are no longer needed`);
    this.bytes = bytes;
    this.inUse = inUse;
    this.limit = limit;
  }
}

/** An engine that was asked for by name cannot run here. */
export class EngineError extends Error {
  override readonly name = "EngineError";
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const unit = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** unit).toFixed(1)} ${["B", "KiB", "MiB", "GiB", "TiB"][unit]}`;
}
