/** Damaged files of every format that is read, and what must become of them: a FormatError, soon, or tensors that are whole. */
import { readFileSync } from "node:fs";
import { FormatError, type Tensor } from "@nn/tensor";
import { expect } from "vitest";
import { decodeNpy, decodeNpz, decodeTensors, decodeTorch, fileDTypes, readSafetensors, writeSafetensors, type FileTensor } from "../src/index.ts";
import { bytesOf } from "../src/dtypes.ts";
import { openZip, writeZip } from "../src/zip.ts";

const golden = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`goldens/${name}`, import.meta.url)));

interface Format {
  /** Sound files. */
  readonly originals: readonly Uint8Array[];
  /** Pieces that mean something in the format. */
  readonly fragments: readonly string[];
  /** Wraps damaged contents, so that an archive's checksums are right again. */
  readonly wrap?: (bytes: Uint8Array) => Uint8Array;
  readonly read: (bytes: Uint8Array) => Promise<Iterable<Tensor>>;
}

const safetensors = writeSafetensors([
  ["features.0.weight", { dtype: "F32", shape: [2, 3], data: bytesOf(Float32Array.from({ length: 6 }, (_, i) => i)) } satisfies FileTensor],
  ["features.0.bias", { dtype: "F32", shape: [2], data: new Uint8Array(8) }],
  ["steps", { dtype: "I64", shape: [], data: new Uint8Array(8) }],
  ["mask", { dtype: "BOOL", shape: [5], data: new Uint8Array(5) }],
  ["half", { dtype: "F16", shape: [0, 3], data: new Uint8Array(0) }],
], [["format", "nn"], ["version", "1"]]);

const entries = async (file: string, wanted: RegExp): Promise<[string, Uint8Array][]> => {
  const zip = await openZip(golden(file), "zip");
  return Promise.all(zip.names.filter((name) => wanted.test(name)).map(async (name) => [name, await zip.read(name)]));
};
const torchStorages = await entries("state-dict.pt", /\/data\/\d+$/);
const pickles = await entries("state-dict.pt", /data\.pkl$/);
const arrays = await entries("arrays.npz", /./);

const python = ["'descr'", "'<f8'", "'|O'", "(", ")", ",", "True", "-1", "9007199254740993", "{", "}", "1e9", " ".repeat(64), "99999999999,".repeat(20)];
const zips = ["PK\x01\x02", "PK\x03\x04", "PK\x05\x06", "PK\x06\x06", "../", "/etc/passwd", "__proto__", "\xff\xff\xff\xff", "\0", "\x08\x00"];
const opcodes = ["(", ")", "t", "]", "}", "R", "b", "q\x00", "h\x00", "0", "a", "u", "Q", "N", "\x85", "\x8a\x08", "cos\nsystem\n", "c__builtin__\neval\n", "\x93", "i", "o", "\x81", "X\xff\xff\xff\x7f", "U\x09__proto__", "(".repeat(64), "]".repeat(64)];

export const formats: Readonly<Record<string, Format>> = {
  safetensors: {
    originals: [safetensors],
    fragments: ["{", "}", "[", "]", ",", ":", '"', "\\", "-1", "1e308", "9007199254740993", "0", "null", "__proto__", "dtype", "F64", "\\u0000", "\xf0\x9f\x98\x80", " ".repeat(64)],
    async read(bytes) {
      const { tensors } = readSafetensors(bytes);
      for (const { dtype, shape, data } of tensors.values()) expect(data.length).toBe(shape.reduce((a, b) => a * b, fileDTypes[dtype] as number));
      // A file that is accepted says everything about itself: written again it reads the same.
      expect(readSafetensors(writeSafetensors(tensors)).tensors).toEqual(tensors);
      return decodeTensors(bytes).tensors.values();
    },
  },
  npy: { originals: arrays.map(([, bytes]) => bytes), fragments: python, read: async (bytes) => [decodeNpy(bytes)] },
  npz: { originals: [golden("arrays.npz"), golden("compressed.npz")], fragments: zips, read: async (bytes) => (await decodeNpz(bytes)).values() },
  "npz, sound outside": { originals: arrays.map(([, bytes]) => bytes), fragments: python, wrap: (bytes) => writeZip([["a.npy", bytes]]), read: async (bytes) => (await decodeNpz(bytes)).values() },
  torch: { originals: ["state-dict.pt", "views.pt", "protocol-5.pt"].map(golden), fragments: zips, read: async (bytes) => (await decodeTorch(bytes)).tensors.values() },
  "torch, sound outside": {
    originals: pickles.map(([, bytes]) => bytes),
    fragments: opcodes,
    wrap: (bytes) => writeZip([["state-dict/data.pkl", bytes], ...torchStorages]),
    read: async (bytes) => (await decodeTorch(bytes)).tensors.values(),
  },
};

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

/** One damaged file: flips, cuts, insertions, copied pieces, changed sizes, alone or together. */
function mutant({ originals, fragments, wrap }: Format, seed: number): Uint8Array {
  const random = generator(wrap ? seed + 2 ** 20 : seed); // the same contents are damaged elsewhere

  let bytes = Uint8Array.from(originals[random(originals.length)]!);
  for (let edits = 1 + random(4); edits > 0; edits--) {
    const at = random(bytes.length + 1);
    const splice = (remove: number, insert: Uint8Array) => {
      bytes = Uint8Array.from([...bytes.subarray(0, at), ...insert, ...bytes.subarray(at + remove)]);
    };
    switch (random(7)) {
      case 0: if (at < bytes.length) bytes[at]! ^= 1 << random(8); break;
      case 1: if (at < bytes.length) bytes[at] = random(256); break;
      case 2: bytes = bytes.slice(0, at); break;
      case 3: splice(random(16), Uint8Array.from(fragments[random(fragments.length)]!, (char) => char.charCodeAt(0))); break;
      case 4: splice(random(40), bytes.slice(random(bytes.length + 1)).subarray(0, random(40))); break;
      case 5: if (bytes.length >= 8) bytes[random(8)] = random(4) === 0 ? random(256) : random(3); break;
      case 6: if (bytes.length >= at + 4) new DataView(bytes.buffer).setUint32(at, [0, 1, 0x7fffffff, 0xffffffff][random(4)]!, true); break;
    }
  }
  return wrap?.(bytes) ?? bytes;
}

/** Reads the mutants [0, count) of a format. `slowest`: ms; `memory`: bytes that the process grew by. */
export async function checkMutants(format: Format, count: number): Promise<{ read: number; refused: number; slowest: number; memory: number }> {
  const result = { read: 0, refused: 0, slowest: 0, memory: 0 };
  const before = process.memoryUsage().rss;
  for (let seed = 0; seed < count; seed++) {
    const bytes = mutant(format, seed), start = process.cpuUsage();
    try {
      for (const t of await format.read(bytes)) {
        expect(t.dataSync()).toHaveLength(t.size);
        t.dispose();
      }
      result.read++;
    } catch (error) {
      if (!(error instanceof FormatError)) throw new Error(`mutant ${seed}: ${String(error)}`, { cause: error });
      result.refused++;
    }
    result.slowest = Math.max(result.slowest, process.cpuUsage(start).user / 1000); // other programs may hold the machine
    result.memory = Math.max(result.memory, process.memoryUsage().rss - before);
  }
  return result;
}
