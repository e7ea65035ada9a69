import { afterEach, describe, expect, test } from "vitest";
import { rand, randn } from "../src/index.ts";
import { manualSeed, nextStream, philox4x32, Random, randomState, setRandomState, type Block } from "../src/random.ts";

afterEach(() => manualSeed(0));
const hex = (words: number[]) => words.map((w) => w.toString(16).padStart(8, "0")).join(" ");

// Known answers of Random123, the authors' own implementation (kat_vectors, philox4x32 with 10 rounds).
test.each<[Block, [number, number], string]>([
  [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
  [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], "408f276d 41c83b0e a20bc7c6 6d5451fd"],
  [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], "d16cfe09 94fdcceb 5001e420 24126ea1"],
])("philox4x32 %j key %j", (counter, key, answer) => {
  expect(hex(philox4x32(counter, key))).toBe(answer);
});

describe("Random", () => {
  test("an element depends on (seed, stream, index) only", () => {
    const forward = new Random(7, 3), backward = new Random(7, 3);
    const a = Array.from({ length: 40 }, (_, i) => forward.uniform(i));
    const b = Array.from({ length: 40 }, (_, i) => backward.uniform(39 - i)).reverse();
    expect(a).toEqual(b);
    expect(new Random(7, 4).uniform(0)).not.toBe(a[0]);
    expect(new Random(8, 3).uniform(0)).not.toBe(a[0]);
    expect(new Random(7 + 2 ** 32, 3).uniform(0)).not.toBe(a[0]); // the high word of the seed counts
    expect(new Random(7, 3).bits(2 ** 34 + 1)).not.toBe(new Random(7, 3).bits(1)); // and that of the index
  });

  test("element i is lane i mod 4 of block i div 4", () => {
    const random = new Random(0);
    expect(hex([0, 1, 2, 3].map((i) => random.bits(i)))).toBe("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
    expect(random.uniform(0)).toBe(0x6627e8 / 2 ** 24);
  });

  test("uniform: mean 1/2, variance 1/12, in [0, 1), exact in f32", () => {
    const random = new Random(1), n = 100_000;
    let sum = 0, squares = 0;
    for (let i = 0; i < n; i++) {
      const u = random.uniform(i);
      if (u < 0 || u >= 1 || Math.fround(u) !== u) throw new Error(`uniform(${i}) = ${u}`);
      sum += u;
      squares += u * u;
    }
    const mean = sum / n;
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 / Math.sqrt(12 * n)); // 4 standard errors
    expect(Math.abs(squares / n - mean * mean - 1 / 12)).toBeLessThan(0.001);
  });

  test("normal: first four moments", () => {
    const random = new Random(2), n = 100_000, moments = [0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      const z = random.normal(i);
      for (let k = 0; k < 4; k++) moments[k]! += z ** (k + 1) / n;
    }
    expect(moments[0]).toBeCloseTo(0, 1);
    expect(Math.abs(moments[0]!)).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(moments[1]! - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
    expect(Math.abs(moments[2]!)).toBeLessThan(4 * Math.sqrt(15 / n));
    expect(Math.abs(moments[3]! - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
  });

  test("the random kernel makes the same numbers", () => {
    const random = new Random(2 ** 40 + 7, 3), n = 5000;
    const options = { seed: random.seed, stream: random.stream };
    expect(rand([n], options).dataSync()).toEqual(Float32Array.from({ length: n }, (_, i) => random.uniform(i)));
    const normal = randn([n], options).dataSync();
    for (let i = 0; i < n; i++) expect(Math.abs(normal[i]! - random.normal(i))).toBeLessThan(2e-6 * Math.max(1, Math.abs(random.normal(i))));
  });

  test("int is uniform over its range (chi-square)", () => {
    const random = new Random(3), counts = new Array<number>(6).fill(0), n = 60_000;
    for (let i = 0; i < n; i++) counts[random.int(i, 6)]!++;
    const chi2 = counts.reduce((s, c) => s + (c - n / 6) ** 2 / (n / 6), 0);
    expect(chi2).toBeLessThan(20.5); // 5 degrees of freedom, p = 0.001
  });

  test("permutation holds every number once, differs by seed, and is fair in each place", () => {
    expect([...new Random(1).permutation(1000)].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(new Random(1).permutation(50)).toEqual(new Random(1).permutation(50));
    expect(new Random(1).permutation(50)).not.toEqual(new Random(2).permutation(50));
    expect(new Random(1).permutation(0)).toHaveLength(0);
    const seen = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed++) {
      const order = new Random(seed).permutation(3).join("");
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test("keyed and fork give independent, repeatable children", () => {
    const child = (seed: number, ...key: [number, number?, number?]) => Random.keyed(seed, ...key).bits(0);
    expect(child(1, 2, 3)).toBe(child(1, 2, 3));
    const all = new Set([child(1, 2, 3), child(1, 3, 2), child(2, 2, 3), child(1, 2), new Random(1).fork(2).bits(0), new Random(1).fork(3).bits(0), new Random(1, 1).fork(2).bits(0), new Random(1).bits(0)]);
    expect(all.size).toBe(8);
  });

  test("refuses seeds it cannot represent", () => {
    expect(() => new Random(-1)).toThrowErrorMatchingInlineSnapshot(`[RangeError: seed: expected an integer from 0 to 2^53 - 1, got -1]`);
    expect(() => new Random(0.5)).toThrow(RangeError);
    expect(() => new Random(2 ** 53)).toThrow(RangeError);
    expect(() => new Random(1, 2 ** 32)).toThrow(RangeError);
  });
});

describe("global streams", () => {
  test("manualSeed starts over; a saved state continues", () => {
    manualSeed(5);
    const first = [nextStream(), nextStream()];
    expect(first).toEqual([{ seed: 5, stream: 0 }, { seed: 5, stream: 1 }]);
    const saved = randomState();
    const next = nextStream();
    manualSeed(9);
    setRandomState(saved);
    expect(nextStream()).toEqual(next);
    expect(() => setRandomState({ seed: NaN, stream: 0 })).toThrow(RangeError);
  });

  test("streams never repeat, even after 2³² of them", () => {
    setRandomState({ seed: 5, stream: 2 ** 32 - 1 });
    nextStream();
    const after = nextStream();
    expect(after.stream).toBe(0);
    expect(after.seed).not.toBe(5);
  });
});
