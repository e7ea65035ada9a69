import { FormatError } from "@nn/tensor";
import { expect } from "vitest";
import { fileDTypes, readSafetensors, writeSafetensors, type FileTensor } from "../src/index.ts";
import { bytesOf } from "../src/dtypes.ts";

const original = writeSafetensors([
  ["features.0.weight", { dtype: "F32", shape: [2, 3], data: bytesOf(Float32Array.from({ length: 6 }, (_, i) => i)) } satisfies FileTensor],
  ["features.0.bias", { dtype: "F32", shape: [2], data: new Uint8Array(8) }],
  ["steps", { dtype: "I64", shape: [], data: new Uint8Array(8) }],
  ["mask", { dtype: "BOOL", shape: [5], data: new Uint8Array(5) }],
  ["half", { dtype: "F16", shape: [0, 3], data: new Uint8Array(0) }],
], [["format", "nn"], ["version", "1"]]);

/** A small generator of its own (mulberry32), so that mutants stay the same whatever the library's random numbers do. */
function generator(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  };
}

const fragments = ["{", "}", "[", "]", ",", ":", '"', "\\", "-1", "1e308", "9007199254740993", "0", "null", "__proto__", "dtype", "F64", "\\u0000", "\ud83d\ude00", " ".repeat(64)];

/** One damaged file: flips, cuts, insertions, copied pieces, a changed length, alone or together. */
export function mutant(seed: number): Uint8Array {
  const random = generator(seed);
  let bytes = Uint8Array.from(original);
  for (let edits = 1 + random(4); edits > 0; edits--) {
    const at = random(bytes.length + 1);
    const splice = (remove: number, insert: Uint8Array) => {
      bytes = Uint8Array.from([...bytes.subarray(0, at), ...insert, ...bytes.subarray(at + remove)]);
    };
    switch (random(6)) {
      case 0: if (at < bytes.length) bytes[at]! ^= 1 << random(8); break;
      case 1: if (at < bytes.length) bytes[at] = random(256); break;
      case 2: bytes = bytes.slice(0, at); break;
      case 3: splice(random(16), new TextEncoder().encode(fragments[random(fragments.length)])); break;
      case 4: splice(random(40), bytes.slice(random(bytes.length + 1)).subarray(0, random(40))); break;
      case 5: if (bytes.length >= 8) bytes[random(8)] = random(4) === 0 ? random(256) : random(3); break;
    }
  }
  return bytes;
}

/** Reads the mutants [0, count): each must be refused with a FormatError or be a file whose every tensor is whole. */
export function checkMutants(count: number): { read: number; refused: number; slowest: number } {
  const result = { read: 0, refused: 0, slowest: 0 };
  for (let seed = 0; seed < count; seed++) {
    const bytes = mutant(seed), start = performance.now();
    try {
      const { tensors } = readSafetensors(bytes);
      for (const { dtype, shape, data } of tensors.values()) expect(data.length).toBe(shape.reduce((a, b) => a * b, fileDTypes[dtype] as number));
      // A file that is accepted says everything about itself: written again it reads the same.
      expect(readSafetensors(writeSafetensors(tensors)).tensors).toEqual(tensors);
      result.read++;
    } catch (error) {
      if (!(error instanceof FormatError)) throw new Error(`mutant ${seed}: ${String(error)}`, { cause: error });
      result.refused++;
    }
    result.slowest = Math.max(result.slowest, performance.now() - start);
  }
  return result;
}
