import { describe, expect, it } from "vitest";
import { OutOfMemoryError } from "../src/errors.ts";
import { Pool, sizeClass, type ArenaSource } from "../src/pool.ts";

/** Arenas of 1 MB at 16 MB distances (`apart`) or end to end. */
function source(limit: number, apart = true): ArenaSource & { grown: number } {
  let next = 4096 + 8;  // not aligned to 64
  const self = {
    grown: 0, limit, largest: limit,
    grow(bytes: number) {
      const size = Math.max(2 ** 20, bytes + 64), start = next;
      next += apart ? 2 ** 24 : size;
      self.grown++;
      return { start, bytes: size };
    },
  };
  return self;
}

describe("size classes", () => {
  it("waste at most an eighth, are multiples of 64 and do not change when rounded again", () => {
    for (const bytes of [0, 1, 63, 64, 65, 1000, 1025, 4096, 5000, 1e6, 12_345_678, 3e9]) {
      const size = sizeClass(bytes);
      expect(size).toBeGreaterThanOrEqual(Math.max(1, bytes));
      expect(size % 64).toBe(0);
      expect(sizeClass(size)).toBe(size);
      if (bytes > 1024) expect(size / bytes).toBeLessThanOrEqual(1.126);
    }
  });
});

describe("Pool", () => {
  it("gives a freed block to the next request of its class", () => {
    const pool = new Pool(source(2 ** 24));
    const p = pool.alloc(10_000);
    pool.free(p);
    expect(pool.memory).toEqual({ inUse: 0, pooled: 10_240, peak: 10_240, arenas: 1 });
    expect(pool.alloc(10_200)).toBe(p);
    expect(pool.memory.pooled).toBe(0);
  });

  it("aligns to 64 bytes and never hands out overlapping blocks", () => {
    const pool = new Pool(source(2 ** 26));
    const live = new Map<number, number>();
    let seed = 1;
    const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
    for (let i = 0; i < 5000; i++) {
      if (random() < 0.55) {
        const bytes = Math.floor(2 ** (random() * 17));
        const p = pool.alloc(bytes);
        expect(p % 64).toBe(0);
        for (const [q, size] of live) if (p < q + size && q < p + bytes) throw new Error(`${p}+${bytes} overlaps ${q}+${size}`);
        live.set(p, bytes);
      } else if (live.size > 0) {
        const p = [...live.keys()][Math.floor(random() * live.size)]!;
        pool.free(p);
        live.delete(p);
      }
    }
    for (const p of live.keys()) pool.free(p);
    expect(pool.memory.inUse).toBe(0);
  });

  it("joins free blocks of other sizes before it asks for an arena", () => {
    const arenas = source(2 ** 24);
    const pool = new Pool(arenas);
    const small = Array.from({ length: 200 }, () => pool.alloc(4096));
    for (const p of small) pool.free(p);
    pool.alloc(700_000);
    expect(arenas.grown).toBe(1);
  });

  it("treats arenas that continue each other as one", () => {
    const pool = new Pool(source(2 ** 24, false));
    for (let i = 0; i < 30; i++) pool.alloc(100_000);
    expect(pool.memory.arenas).toBe(1);
  });

  it("throws OutOfMemoryError with the figures, and works on", () => {
    const pool = new Pool(source(4 * 2 ** 20));
    const held = pool.alloc(2 ** 20);
    expect(() => pool.alloc(2 ** 23)).toThrowErrorMatchingInlineSnapshot(`
      [OutOfMemoryError: cannot allocate 8.0 MiB: 1.0 MiB in use, 0 B kept for reuse, limit 4.0 MiB
        hint: smaller batches, or release results that are no longer needed]
    `);
    try {
      for (;;) pool.alloc(300_000);
    } catch (error) {
      expect(error).toBeInstanceOf(OutOfMemoryError);
      expect((error as OutOfMemoryError).bytes).toBe(300_000);
      expect((error as OutOfMemoryError).limit).toBe(4 * 2 ** 20);
    }
    pool.free(held);
    expect(pool.alloc(2 ** 20)).toBe(held);
  });

  it("refuses addresses that are not in use and sizes that are not sizes", () => {
    const pool = new Pool(source(2 ** 24));
    const p = pool.alloc(100);
    pool.free(p);
    expect(() => pool.free(p)).toThrow(/freed twice/);
    expect(() => pool.alloc(-1)).toThrow(RangeError);
    expect(() => pool.alloc(NaN)).toThrow(RangeError);
  });
});
