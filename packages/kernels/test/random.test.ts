import { randomKinds } from "@nn/kernels";
import { expect, test } from "vitest";
import { expectClose, onEveryEngine, out } from "./harness.ts";

/** Philox4x32-10 of one block (Salmon et al. 2011), written for reading. */
function philox(counter: readonly number[], key: readonly number[]): number[] {
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint], [k0, k1] = key.map(BigInt) as [bigint, bigint];
  const low = (v: bigint) => v & 0xffffffffn;
  for (let round = 0; round < 10; round++) {
    const p = 0xd2511f53n * c0, q = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(q >> 32n) ^ c1 ^ k0, low(q), (p >> 32n) ^ c3 ^ k1, low(p)];
    k0 = low(k0 + 0x9e3779b9n);
    k1 = low(k1 + 0xbb67ae85n);
  }
  return [c0, c1, c2, c3].map(Number);
}
type Stream = { seedLo: number; seedHi: number; stream: number; offset: number };
/** The words that elements offset … offset + n are made of, and their neighbours in the block. */
function blocks({ seedLo, seedHi, stream, offset }: Stream, n: number) {
  let last = -1, words: number[] = [];
  return Array.from({ length: n }, (_, i) => {
    const e = offset + i, block = Math.floor(e / 4);
    if (block !== last) words = philox([block % 2 ** 32, Math.floor(block / 2 ** 32), stream % 2 ** 32, Math.floor(stream / 2 ** 32)], [seedLo, seedHi]);
    last = block;
    return { words, word: e % 4 };
  });
}
const unit = (word: number) => (word >>> 8) / 2 ** 24;
const streams: Stream[] = [
  { seedLo: 0, seedHi: 0, stream: 0, offset: 0 },
  { seedLo: 0x12345678, seedHi: 0xfedcba98, stream: 5, offset: 3 },
  { seedLo: 0xffffffff, seedHi: 1, stream: 2 ** 40 + 7, offset: 2 ** 34 - 5 },
  { seedLo: 1, seedHi: 0xffffffff, stream: 1, offset: 2 ** 52 + 1 },
];

test("Philox known answers of Random123", () => {
  const ones = 0xffffffff;
  expect(philox([0, 0, 0, 0], [0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  expect(philox([ones, ones, ones, ones], [ones, ones])).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
});

onEveryEngine((k) => {
  test("uniform numbers are the same bits on every engine", () => {
    for (const stream of streams)
      for (const n of [0, 1, 3, 4, 7, 8, 9, 255, 256, 257, 513, 17_000]) {
        const got = k.run("random", { kind: randomKinds.uniform, n, ...stream, out: out.f32(n) }).out;
        expectClose(got, blocks(stream, n).map(({ words, word }) => unit(words[word]!)), 0, `uniform ${n} ${JSON.stringify(stream)}`);
      }
  });

  test("normal numbers follow Box–Muller", () => {
    for (const stream of streams) {
      const n = 20_001, got = k.run("random", { kind: randomKinds.normal, n, ...stream, out: out.f32(n) }).out;
      const want = blocks(stream, n).map(({ words, word }) => {
        const pair = word & 2, radius = Math.sqrt(-2 * Math.log(1 - unit(words[pair]!))), angle = 2 * Math.PI * unit(words[pair + 1]!);
        return radius * (word & 1 ? Math.sin(angle) : Math.cos(angle));
      });
      expectClose(got, want, 1e-6, `normal ${JSON.stringify(stream)}`);
    }
  });

  test("a stream does not depend on how it is cut", () => {
    const s = streams[1]!;
    for (const kind of [0, 1]) {
      const whole = k.run("random", { kind, n: 1000, ...s, out: out.f32(1000) }).out;
      const part = k.run("random", { kind, n: 300, ...s, offset: s.offset + 401, out: out.f32(300) }).out;
      expect([...part]).toEqual([...whole.subarray(401, 701)]);
    }
  });

  test("moments", () => {
    const n = 1 << 20, s = streams[2]!;
    const moment = (x: Float32Array, p: number) => x.reduce((a, v) => a + v ** p, 0) / n;
    const u = k.run("random", { kind: 0, n, ...s, out: out.f32(n) }).out, z = k.run("random", { kind: 1, n, ...s, out: out.f32(n) }).out;
    // Five standard errors of each mean.
    const within = (value: number, want: number, variance: number) => expect(Math.abs(value - want)).toBeLessThan(5 * Math.sqrt(variance / n));
    within(moment(u, 1), 1 / 2, 1 / 12);
    within(moment(u, 2), 1 / 3, 4 / 45);
    within(moment(z, 1), 0, 1);
    within(moment(z, 2), 1, 2);
    within(moment(z, 4), 3, 96);
    expect(u.every((v) => v >= 0 && v < 1)).toBe(true);
  });
});
