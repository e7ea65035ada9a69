import { describe, expect, it } from "vitest";
import type { Engine } from "../src/index.node.ts";
import { engineOf, kinds } from "./helpers.ts";

interface Case { name: string; shape: number[]; src: number[]; dst: number[]; offset?: number }
const dense = (shape: number[]) => shape.map((_, d) => shape.slice(d + 1).reduce((a, b) => a * b, 1));

const cases: Case[] = [
  { name: "nothing", shape: [3, 0, 2], src: [0, 0, 0], dst: [0, 2, 1] },
  { name: "one element", shape: [], src: [], dst: [] },
  { name: "contiguous", shape: [5, 7], src: [7, 1], dst: [7, 1] },
  { name: "long contiguous", shape: [100_001], src: [1], dst: [1] },
  { name: "rows of a wider matrix", shape: [19, 37], src: [50, 1], dst: [37, 1] },
  { name: "into a wider matrix", shape: [19, 37], src: [37, 1], dst: [41, 1] },
  { name: "transpose", shape: [67, 35], src: [1, 67], dst: [35, 1] },
  { name: "NCHW to NHWC", shape: [2, 13, 9, 5], src: [13 * 9 * 5, 9 * 5, 5, 1], dst: [13 * 9 * 5, 1, 5 * 13, 13] },
  { name: "NHWC to NCHW", shape: [3, 33, 7, 6], src: [33 * 42, 1, 6 * 33, 33], dst: dense([3, 33, 7, 6]) },
  { name: "planes to RGB", shape: [3, 3, 61], src: [183, 61, 1], dst: [183, 1, 3] },
  { name: "RGB to planes", shape: [3, 3, 61], src: [183, 1, 3], dst: [183, 61, 1] },
  { name: "planes to RGB of a wider image", shape: [3, 11, 7], src: [99, 9, 1], dst: [1, 21, 3] },
  { name: "RGB of a wider image to planes", shape: [2, 3, 11, 7], src: [400, 1, 30, 3], dst: [300, 90, 7, 1] },
  { name: "large planes to RGB", shape: [5, 3, 9001], src: [27003, 9001, 1], dst: [27003, 1, 3] },
  { name: "large RGB to planes", shape: [5, 3, 9001], src: [27003, 1, 3], dst: [27003, 9001, 1] },
  { name: "broadcast", shape: [11, 4, 6], src: [0, 1, 0], dst: [24, 6, 1] },
  { name: "all from one element", shape: [300], src: [0], dst: [1] },
  { name: "reversed", shape: [6, 10], src: [-10, -1], dst: [10, 1], offset: 59 },
  { name: "every third", shape: [40], src: [3], dst: [1] },
  { name: "scattered", shape: [8, 5], src: [5, 1], dst: [2, 30] },
  { name: "small permute", shape: [3, 2, 3], src: [1, 9, 3], dst: [6, 3, 1] },
];

function check(engine: Engine, elemSize: 1 | 4 | 8, { shape, src, dst, offset = 0 }: Case): void {
  const positions: [from: number, to: number][] = [];
  const walk = (d: number, from: number, to: number): void => {
    if (d === shape.length) { positions.push([from, to]); return; }
    for (let i = 0; i < shape[d]!; i++) walk(d + 1, from + i * src[d]!, to + i * dst[d]!);
  };
  walk(0, offset, 0);
  const reach = positions.reduce(([a, b], [from, to]) => [Math.max(a, from + 1), Math.max(b, to + 1)], [1, 1]) as [number, number];
  const x = engine.alloc(reach[0] * elemSize), y = engine.alloc(reach[1] * elemSize + 64);
  const bytes = engine.u8(x, reach[0] * elemSize).map((_, i) => (i * 31 + (i >> 8)) & 255);
  engine.u8(x, bytes.length).set(bytes);
  const expected = new Uint8Array(reach[1] * elemSize + 64).fill(0xcd);
  for (const [from, to] of positions) for (let b = 0; b < elemSize; b++) expected[to * elemSize + b] = bytes[from * elemSize + b]!;
  engine.u8(y, expected.length).fill(0xcd);
  engine.run("copy", { elemSize, nd: shape.length, shape, src: x + offset * elemSize, srcStride: src, dst: y, dstStride: dst });
  expect(Buffer.compare(engine.u8(y, expected.length), expected)).toBe(0);
  engine.free(x);
  engine.free(y);
}

describe.each(kinds)("copy on %s", (kind) => {
  const engine = engineOf(kind);
  it.each(cases)("$name", (c) => {
    for (const elemSize of [1, 4, 8] as const) check(engine, elemSize, c);
  });
});
