import { expect, test } from "vitest";
import { hashBytes, NgramHash } from "../src/fasttext/hash.ts";
import { introsort } from "../src/fasttext/introsort.ts";

const hash = (word: string) => hashBytes(new TextEncoder().encode(word));

test("hash values of words (reference.md 13.1)", () => {
  expect({ a: hash("a"), the: hash("the"), hello: hash("hello"), "</s>": hash("</s>"), 中: hash("中") })
    .toEqual({ a: 3826002220, the: 3020861980, hello: 1335831723, "</s>": 3617362777, 中: 3930512628 });
});

test("hash of an n-gram: 64 bits, words sign-extended", () => {
  const h = new NgramHash();
  h.start(hash("the"));
  h.add(hash("cat"));
  expect(String(h)).toBe("18298884953308284411");
  expect(h.modulo(2_000_000)).toBe(284411);
  const words = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 3020861980];
  for (const a of words) for (const b of words) for (const c of words) {
    h.start(a);
    h.add(b);
    h.add(c);
    const want = BigInt.asUintN(64, (BigInt(a | 0) * 116049371n + BigInt(b | 0)) * 116049371n + BigInt(c | 0));
    expect(String(h)).toBe(String(want));
    expect(h.modulo(10_000_000)).toBe(Number(want % 10_000_000n));
  }
});

test("introsort sorts, also what makes quicksort quadratic", () => {
  const killer = Int32Array.from({ length: 4096 }, (_, i) => (i % 2 === 0 ? i : 4096 - i));
  for (const keys of [Int32Array.from({ length: 1000 }, (_, i) => (i * 7919) % 1009), new Int32Array(500), killer, Int32Array.of(3), new Int32Array(0)]) {
    const order = Int32Array.from(keys, (_, i) => i);
    introsort(order, (a, b) => keys[a]! > keys[b]!);
    expect(Array.from(order, (i) => keys[i])).toEqual(Array.from(keys).sort((a, b) => b - a));
    expect(new Set(order).size).toBe(keys.length);
  }
});
