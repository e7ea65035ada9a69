import { gzipSync } from "node:zlib";
import { FormatError } from "@nn/tensor";
import { readIdx } from "../src/index.ts";

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

const plain = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, ...Array.from({ length: 24 }, (_, i) => i));
const packed = new Uint8Array(gzipSync(plain));

/** One damaged file: flips (most in the first bytes), cuts, additions, a changed element type. */
function mutant(seed: number): Uint8Array {
  const random = generator(seed);
  let bytes = Uint8Array.from(random(3) === 0 ? packed : plain);
  for (let edits = 1 + random(3); edits > 0 && bytes.length > 0; edits--) {
    const at = random(random(2) === 0 ? Math.min(16, bytes.length) : bytes.length);
    switch (random(4)) {
      case 0: bytes[at]! ^= 1 << random(8); break;
      case 1: bytes[at] = random(256); break;
      case 2: bytes = bytes.slice(0, at); break;
      case 3: bytes = Uint8Array.from([...bytes, ...bytes.subarray(0, random(20))]); break;
    }
  }
  return bytes;
}

/** Reads the mutants [0, count): each must be refused with a FormatError or be an array as large as it says. */
export async function checkMutants(count: number): Promise<{ read: number; refused: number; slowest: number }> {
  const result = { read: 0, refused: 0, slowest: 0 };
  for (let seed = 0; seed < count; seed++) {
    const start = performance.now();
    try {
      const { data, shape } = await readIdx(mutant(seed));
      if (data.length !== shape.reduce((a, b) => a * b, 1)) throw new Error(`${data.length} elements for [${shape}]`);
      result.read++;
    } catch (error) {
      if (!(error instanceof FormatError)) throw new Error(`mutant ${seed}: ${String(error)}`, { cause: error });
      result.refused++;
    }
    result.slowest = Math.max(result.slowest, performance.now() - start);
  }
  return result;
}
