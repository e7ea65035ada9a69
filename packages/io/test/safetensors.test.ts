import { FormatError } from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { readSafetensors, readSafetensorsHeader, writeSafetensors, type FileTensor } from "../src/index.ts";
import { bytesOf } from "../src/dtypes.ts";

const utf8 = new TextEncoder();

/** A file with this header text (as it is) and data. */
function file(header: string, data: number[] = []): Uint8Array {
  const text = utf8.encode(header), bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}
const f32 = (shape: number[], ...values: number[]): FileTensor => ({ dtype: "F32", shape, data: bytesOf(Float32Array.from(values)) });
const entry = (dtype: string, shape: string, offsets: string) => `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;

function refusal(bytes: Uint8Array): string {
  try {
    readSafetensors(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
    const { format, offset } = error as FormatError;
    expect(format).toBe("safetensors");
    expect(offset).toBeGreaterThanOrEqual(0);
    return (error as FormatError).message.split("\n")[0]!;
  }
  throw new Error("was read");
}

describe("write and read", () => {
  const tensors: [string, FileTensor][] = [
    ["b", { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 3) }],
    ["b.weight", f32([2, 1], 1.5, -2)],
    ["a.weight", f32([], 7)],
    ["wide", { dtype: "F64", shape: [1], data: bytesOf(Float64Array.of(Math.PI)) }],
    ["empty", f32([0, 4])],
    ["half", { dtype: "BF16", shape: [1], data: Uint8Array.of(0x80, 0x3f) }],
    ["ключ \"1\"", { dtype: "BOOL", shape: [1], data: Uint8Array.of(1) }],
  ];

  test("round trip", () => {
    const bytes = writeSafetensors(tensors, [["format", "pt"], ["note", "ü\n\"quoted\""]]);
    const read = readSafetensors(bytes);
    expect(new Map([...read.tensors].map(([name, t]) => [name, { ...t, data: new Uint8Array(t.data) }]))).toEqual(new Map(tensors));
    expect(read.metadata).toEqual(new Map([["format", "pt"], ["note", "ü\n\"quoted\""]]));
  });

  test("the same content gives the same bytes, whatever the order of insertion", () => {
    const meta: [string, string][] = [["10", "x"], ["2", "y"], ["b", "z"]];
    expect(writeSafetensors(tensors, meta)).toEqual(writeSafetensors([...tensors].reverse(), [...meta].reverse()));
  });

  test("data are aligned: header to 8 bytes, wide elements first", () => {
    const bytes = writeSafetensors(tensors);
    const { tensors: infos, dataStart } = readSafetensorsHeader(bytes, bytes.length);
    expect(dataStart % 8).toBe(0);
    const sizes: Record<string, number> = { F64: 8, F32: 4, BF16: 2 };
    for (const { dtype, begin } of infos.values()) expect((dataStart + begin) % (sizes[dtype] ?? 1)).toBe(0);
  });

  test("bytes equal those of the reference implementation", () => {
    // safetensors 0.8.0 for Python: safetensors.numpy.save({"b": np.array([1, 2, 3], np.uint8), "a": np.array([[1.5], [-2]], np.float32),
    //   "c": np.array(3, np.int64), "ab": np.zeros((0, 2), np.float32)}, {"format": "pt"}).hex()
    const golden = "00010000000000007b225f5f6d657461646174615f5f223a7b22666f726d6174223a227074227d2c2263223a7b226474797065223a22493634222c227368617065223a5b5d2c22646174615f6f666673657473223a5b302c385d7d2c2261223a7b226474797065223a22463332222c227368617065223a5b322c315d2c22646174615f6f666673657473223a5b382c31365d7d2c226162223a7b226474797065223a22463332222c227368617065223a5b302c325d2c22646174615f6f666673657473223a5b31362c31365d7d2c2262223a7b226474797065223a225538222c227368617065223a5b335d2c22646174615f6f666673657473223a5b31362c31395d7d7d2020202003000000000000000000c03f000000c0010203";
    const ours = writeSafetensors([
      ["b", { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 3) }],
      ["a", f32([2, 1], 1.5, -2)],
      ["c", { dtype: "I64", shape: [], data: bytesOf(BigInt64Array.of(3n)) }],
      ["ab", f32([0, 2])],
    ], [["format", "pt"]]);
    expect(Buffer.from(ours).toString("hex")).toBe(golden);
    expect(readSafetensors(Buffer.from(golden, "hex")).tensors.get("b")!.data).toEqual(Buffer.from([1, 2, 3]));
  });

  test("no tensors at all", () => {
    const bytes = writeSafetensors([]);
    expect(readSafetensors(bytes)).toEqual({ tensors: new Map(), metadata: new Map() });
    expect(readSafetensors(file("{}"))).toEqual({ tensors: new Map(), metadata: new Map() });
  });

  test("names are keys of Maps, never of objects", () => {
    const read = readSafetensors(writeSafetensors([["__proto__", f32([1], 1)], ["constructor", f32([1], 2)]], [["__proto__", "polluted"]]));
    expect([...read.tensors.keys()]).toEqual(["__proto__", "constructor"]);
    expect(read.metadata.get("__proto__")).toBe("polluted");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("reads from a view at an odd address", () => {
    const bytes = writeSafetensors(tensors), shifted = new Uint8Array(bytes.length + 1).subarray(1);
    shifted.set(bytes);
    expect(readSafetensors(shifted).tensors.get("b.weight")!.data).toEqual(bytesOf(Float32Array.of(1.5, -2)));
  });

  test("refuses to write what could not be read back", () => {
    const error = (entries: [string, FileTensor][], meta: [string, string][] = []) => () => writeSafetensors(entries, meta);
    expect(error([["a", f32([2], 1)]])).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: writeSafetensors: "a": 4 bytes of data do not fit F32[2]]`);
    expect(error([["a", f32([1], 1)], ["a", f32([1], 2)]])).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: writeSafetensors: "a" appears twice]`);
    expect(error([["__metadata__", f32([1], 1)]])).toThrow("the format keeps that name");
    expect(error([["\ud800", f32([1], 1)]])).toThrow("not well-formed");
    expect(error([], [["k", "\udc00"]])).toThrow("not well-formed");
    expect(error([["\\ud800", f32([1], 1)]])).not.toThrow();
    expect(error([], [["k", "1"], ["k", "2"]])).toThrow("appears twice");
    expect(error([["a", { dtype: "F8" as "U8", shape: [1], data: new Uint8Array(1) }]])).toThrow("do not fit");
  });
});

describe("refuses", () => {
  const good = entry("F32", "[2]", "[0,8]");
  const eight = new Array<number>(8).fill(0);
  test.each<[string, Uint8Array, string]>([
    ["an empty file", new Uint8Array(0), "safetensors: 0 bytes are too few for a header length (at byte 0)"],
    ["a short file", new Uint8Array(7), "safetensors: 7 bytes are too few for a header length (at byte 0)"],
    ["a huge header", Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255), "safetensors: header length 18446744073709552000 is above the limit of 100000000 (at byte 0)"],
    ["a header beyond the end", Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 123, 125), "safetensors: header of 9 bytes does not fit in a file of 10 bytes: truncated? (at byte 0)"],
    ["an empty header", file(""), "safetensors: header does not start with '{' (at byte 8)"],
    ["a foreign file", file("PK\u0003\u0004"), "safetensors: header does not start with '{' (at byte 8)"],
    ["leading space", file(" {}"), "safetensors: header does not start with '{' (at byte 8)"],
    ["bad UTF-8", Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0x7d), "safetensors: header is not UTF-8 (at byte 8)"],
    ["bad JSON", file(`{"ü":}`), "safetensors: header is not valid JSON: unexpected character \"}\" (at byte 14)"],
    ["two values", file("{}{}"), "safetensors: header is not valid JSON: text after the end of the JSON value (at byte 10)"],
    ["NUL padding", file("{}\0"), "safetensors: header is not valid JSON: text after the end of the JSON value (at byte 10)"],
    ["a cut header", file(`{"a":`), "safetensors: header is not valid JSON: text ends too early (at byte 13)"],
    ["deep nesting", file(`{"a":${"[".repeat(10000)}`), "safetensors: header is not valid JSON: nested deeper than 3 levels (at byte 15)"],
    ["a name twice", file(`{"a":${good},"a":${good}}`, eight), `safetensors: header is not valid JSON: key "a" appears twice (at byte 62)`],
    ["a name twice in disguise", file(`{"a":${good},"\\u0061":${good}}`, eight), `safetensors: header is not valid JSON: key "a" appears twice (at byte 62)`],
    ["half a surrogate pair", file(`{"\\ud800":${good}}`, eight), "safetensors: header is not valid JSON: half of a surrogate pair in a string (at byte 9)"],
    ["metadata that are not strings", file(`{"__metadata__":{"a":1}}`), `safetensors: metadata "a" is not a string (at byte 8)`],
    ["metadata that are no object", file(`{"__metadata__":[]}`), "safetensors: __metadata__ is not an object (at byte 8)"],
    ["a tensor that is no object", file(`{"a":3}`), `safetensors: tensor "a" is not an object (at byte 8)`],
    ["an unknown field", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}`, eight), `safetensors: tensor "a" has an unknown field "x" (at byte 8)`],
    ["an unknown dtype", file(`{"a":${entry("F8_E4M3", "[8]", "[0,8]")}}`, eight), `safetensors: tensor "a" has dtype "F8_E4M3"; known are BOOL U8 I8 I16 U16 F16 BF16 I32 U32 F32 F64 I64 U64 (at byte 8)`],
    ["a dtype from Object", file(`{"a":${entry("toString", "[8]", "[0,8]")}}`, eight), `safetensors: tensor "a" has dtype "toString"; known are BOOL U8 I8 I16 U16 F16 BF16 I32 U32 F32 F64 I64 U64 (at byte 8)`],
    ["a negative size", file(`{"a":${entry("F32", "[-2]", "[0,8]")}}`, eight), `safetensors: tensor "a": shape is not a list of sizes (at byte 8)`],
    ["a fractional size", file(`{"a":${entry("F32", "[2.5]", "[0,8]")}}`, eight), `safetensors: tensor "a": shape is not a list of sizes (at byte 8)`],
    ["a size above 2⁵³", file(`{"a":${entry("F32", "[1e300]", "[0,8]")}}`, eight), `safetensors: tensor "a": shape is not a list of sizes (at byte 8)`],
    ["a product above 2⁵³", file(`{"a":${entry("F32", "[4294967296,4294967296,0]", "[0,0]")}}`), `safetensors: tensor "a": shape [4294967296,4294967296,0] is too large (at byte 8)`],
    ["one offset", file(`{"a":${entry("F32", "[2]", "[0]")}}`, eight), `safetensors: tensor "a": data_offsets are not two offsets (at byte 8)`],
    ["crossed offsets", file(`{"a":${entry("F32", "[2]", "[8,0]")}}`, eight), `safetensors: tensor "a": data_offsets [8, 0] are outside the 8 bytes of data (at byte 8)`],
    ["truncated data", file(`{"a":${good}}`, eight.slice(1)), `safetensors: tensor "a": data_offsets [0, 8] are outside the 7 bytes of data (at byte 8)`],
    ["a size that is not the shape's", file(`{"a":${entry("F32", "[3]", "[0,8]")}}`, eight), `safetensors: tensor "a": F32[3] takes 12 bytes, data_offsets give 8 (at byte 8)`],
    ["bytes at the end", file(`{"a":${good}}`, [...eight, 0]), "safetensors: 1 bytes after the last tensor (at byte 70)"],
    ["a hole", file(`{"a":${entry("U8", "[2]", "[0,2]")},"b":${entry("U8", "[5]", "[3,8]")}}`, eight), `safetensors: tensor "b" leaves a hole before it (at byte 115)`],
    ["a hole at the start", file(`{"b":${entry("U8", "[5]", "[3,8]")}}`, eight), `safetensors: tensor "b" leaves a hole before it (at byte 61)`],
    ["an overlap", file(`{"a":${entry("U8", "[5]", "[0,5]")},"b":${entry("U8", "[4]", "[4,8]")}}`, eight), `safetensors: tensor "b" overlaps the one before it (at byte 117)`],
    ["the same bytes twice", file(`{"a":${good},"b":${good}}`, eight), `safetensors: tensor "b" overlaps the one before it (at byte 115)`],
  ])("%s", (_, bytes, message) => {
    expect(refusal(bytes)).toBe(message);
  });

  test("a long name does not make a long message", () => {
    expect(refusal(file(`{"${"x".repeat(100_000)}":1}`)).length).toBeLessThan(200);
  });
});
