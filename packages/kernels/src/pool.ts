import { OutOfMemoryError } from "./errors.ts";

/** A byte address: an offset in WASM memory, or a native address. */
export type Pointer = number;

/** Where a pool gets address ranges from. */
export interface ArenaSource {
  /** At least `bytes` more, or undefined. A range that begins where the last one ended continues it. */
  grow(bytes: number): { start: Pointer; bytes: number } | undefined;
  /** Most bytes that all ranges together may reach. */
  readonly limit: number;
  /** Most bytes of one allocation. */
  readonly largest: number;
}

interface Span { at: Pointer; end: Pointer }

/**
 * Caching allocator in size classes (eight per power of two). A freed block waits for the next request of its class:
 * fresh pages cost about 800 µs per MB on a virtual machine, reused ones 10-40. Before asking for another arena it
 * joins neighbouring free blocks, so changing sizes do not pile up memory.
 */
export class Pool {
  readonly #source: ArenaSource;
  readonly #live = new Map<Pointer, number>();
  readonly #free = new Map<number, Pointer[]>();
  #spans: Span[] = [];              // ranges not cut into blocks; the last one is the newest
  #inUse = 0;
  #pooled = 0;                      // bytes in #free
  #peak = 0;
  #total = 0;
  #arenas = 0;

  constructor(source: ArenaSource) { this.#source = source; }

  /** Bytes: handed out, waiting for reuse, the most ever handed out; and the number of arenas. */
  get memory(): { inUse: number; pooled: number; peak: number; arenas: number } {
    return { inUse: this.#inUse, pooled: this.#pooled, peak: this.#peak, arenas: this.#arenas };
  }

  /** A 64-byte aligned block with undefined contents. @throws OutOfMemoryError */
  alloc(bytes: number): Pointer {
    if (!(bytes >= 0)) throw new RangeError(`cannot allocate ${bytes} bytes`);
    const size = sizeClass(bytes);
    const waiting = this.#free.get(size);
    let p: Pointer;
    if (waiting !== undefined && waiting.length > 0) {
      p = waiting.pop()!;
      this.#pooled -= size;
    } else {
      p = this.#cut(size) ?? this.#cutElsewhere(size, bytes);
    }
    this.#live.set(p, size);
    this.#inUse += size;
    if (this.#inUse > this.#peak) this.#peak = this.#inUse;
    return p;
  }

  /** Back to the pool. @throws RangeError for an address that is not in use (freed twice, or not from this pool) */
  free(p: Pointer): void {
    const size = this.#live.get(p);
    if (size === undefined) throw new RangeError(`free(${p}): not an allocated block (freed twice?)`);
    this.#live.delete(p);
    const waiting = this.#free.get(size);
    if (waiting === undefined) this.#free.set(size, [p]);
    else waiting.push(p);
    this.#inUse -= size;
    this.#pooled += size;
  }

  /** From the smallest range that fits: what remains of the newest one, not touched yet, comes last. */
  #cut(size: number): Pointer | undefined {
    let best: Span | undefined;
    for (const span of this.#spans) {
      const room = span.end - span.at;
      if (room >= size && (best === undefined || room < best.end - best.at)) best = span;
    }
    if (best === undefined) return undefined;
    const p = best.at;
    best.at += size;
    return p;
  }

  #cutElsewhere(size: number, asked: number): Pointer {
    const fail = () => new OutOfMemoryError(asked, this.#inUse, this.#pooled, this.#source.limit);
    if (size > this.#source.largest) throw fail();
    // Linear in the number of free blocks, yet cheap beside the pages of another arena: AlexNet's training step holds 10 % less.
    if (this.#pooled >= size) {
      this.#join();
      const p = this.#cut(size);
      if (p !== undefined) return p;
    }
    const arena = this.#total + size <= this.#source.limit ? this.#source.grow(size) : undefined;
    if (arena === undefined) {
      this.#join();
      const p = this.#cut(size);
      if (p === undefined) throw fail();
      return p;
    }
    this.#total += arena.bytes;
    const last = this.#spans.at(-1), start = Math.ceil(arena.start / 64) * 64, end = arena.start + arena.bytes;
    if (last !== undefined && last.end === arena.start) {
      last.end = end;
    } else {
      this.#spans.push({ at: start, end });
      this.#arenas++;
    }
    return this.#cut(size) ?? this.#cutElsewhere(size, asked);  // alignment may have cost the last bytes
  }

  /** Turns all free blocks back into the fewest, largest ranges. */
  #join(): void {
    const ranges = this.#spans.filter((s) => s.end > s.at);
    for (const [size, list] of this.#free) for (const at of list) ranges.push({ at, end: at + size });
    this.#free.clear();
    this.#pooled = 0;
    ranges.sort((a, b) => a.at - b.at);
    this.#spans = [];
    for (const range of ranges) {
      const last = this.#spans.at(-1);
      if (last !== undefined && last.end === range.at) last.end = range.end;
      else this.#spans.push(range);
    }
  }
}

/** `bytes` rounded up so that reuse is likely: multiples of 64 to 1 KB, then 1/8 of the power of two below, at most 4 MB. */
export function sizeClass(bytes: number): number {
  if (bytes <= 1024) return Math.max(64, Math.ceil(bytes / 64) * 64);
  const step = Math.min(2 ** (Math.floor(Math.log2(bytes)) - 3), 4 * 2 ** 20);
  return Math.ceil(bytes / step) * step;
}
