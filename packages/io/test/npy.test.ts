import { readFileSync } from "node:fs";
import { FormatError, tensor, type Tensor } from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { decodeNpy, decodeNpz, encodeNpy, encodeNpz, readNpy } from "../src/index.ts";
import { writeZip } from "../src/zip.ts";

// goldens/make.py wrote these files with numpy.
const golden = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`goldens/${name}`, import.meta.url)));
const matrix = [[0, 0.5, 1], [1.5, 2, 2.5]];

/** A `.npy` file with this header text and data. */
function file(header: string, data: number[] = []): Uint8Array {
  const text = new TextEncoder().encode(header);
  return Uint8Array.of(0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, text.length & 255, text.length >> 8, ...text, ...data);
}
const header = (descr: string, shape: string, order = "False") => `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`;

describe(".npy", () => {
  test("numpy's files", () => {
    expect(decodeNpy(golden("matrix.npy")).toArray()).toEqual(matrix);
    expect(decodeNpy(golden("version-2.npy")).toArray()).toEqual(matrix);
  });

  test("the bytes that numpy writes", () => {
    expect(encodeNpy(tensor(matrix))).toEqual(golden("matrix.npy"));
  });

  test.each([
    [tensor([[1, -2], [3, 4]], { dtype: "i32" })], [tensor(7)], [tensor([1, 0], { dtype: "bool" })], [tensor([0.1], { dtype: "f64" })],
    [tensor([[1, 2, 3], [4, 5, 6]]).t()], [tensor([255], { dtype: "u8" })], [tensor([])],
  ])("round trip %#", (t) => {
    const back = decodeNpy(encodeNpy(t));
    expect([back.dtype, back.shape, back.toArray()]).toEqual([t.dtype, t.shape, t.toArray()]);
  });

  test("fields in any order, as others write them", () => {
    const bytes = file(`{"shape": (2,), "descr": "<f4"}`.replaceAll('"', "'").replace("}", ", 'fortran_order': False}"), [0, 0, 128, 63, 0, 0, 0, 64]);
    expect([...readNpy(bytes).data]).toEqual([1, 2]);
  });

  test.each<[string, Uint8Array, string]>([
    ["nothing", new Uint8Array(0), "npy: does not start with \\x93NUMPY (at byte 0)"],
    ["Python objects", golden("objects.npy"), "npy: elements are '|O'; numbers and booleans of at most 64 bits are read (at byte 10)"],
    ["records", golden("records.npy"), "npy: the header has \"'descr': [('a', '<f4'), ('b', '<i4')], 'fortran_order': Fals\" where descr, fortran_order or shape was expected (at byte 10)"],
    ["version 4", golden("matrix.npy").map((byte, i) => (i === 6 ? 4 : byte)), "npy: version 4.0; 1.0, 2.0 and 3.0 are read (at byte 6)"],
    ["complex numbers", file(header("'<c8'", "(1,)"), [0, 0, 0, 0, 0, 0, 0, 0]), "npy: elements are '<c8'; numbers and booleans of at most 64 bits are read (at byte 10)"],
    ["code", file("{'descr': __import__('os').system('echo no')}"), "npy: the header has \"'descr': __import__('os').system('echo no')\" where descr, fortran_order or shape was expected (at byte 10)"],
    ["a missing field", file("{'descr': '<f4', 'shape': (1,)}"), "npy: fortran_order is missing (at byte 10)"],
    ["a field twice", file("{'descr': '<f4', 'descr': '<f4'}"), "npy: the header has descr twice (at byte 10)"],
    ["a negative size", file(header("'<f4'", "(-1,)")), "npy: the header has \"'shape': (-1,),\" where descr, fortran_order or shape was expected (at byte 10)"],
    ["a number for a shape", file(header("'<f4'", "(3)")), "npy: shape (3) is a number, not a tuple (at byte 10)"],
    ["a huge shape", file(header("'<f4'", "(4294967296, 4294967296, 0)")), "npy: shape [4294967296,4294967296,0] is too large (at byte 10)"],
    ["missing data", golden("matrix.npy").subarray(0, -1), "npy: F32[2,3] takes 24 bytes, 23 follow the header (at byte 128)"],
    ["data too many", Uint8Array.of(...golden("matrix.npy"), 0), "npy: F32[2,3] takes 24 bytes, 25 follow the header (at byte 128)"],
    ["an integer beyond i32", file(header("'<i8'", "(1,)"), [0, 0, 0, 0, 1, 0, 0, 0]), "npy: element 0 is 4294967296, outside the range of i32 (at byte 68)"],
    ["a header beyond the end", file("{").map((byte, i) => (i === 8 ? 200 : byte)), "npy: header of 200 bytes does not fit in a file of 11 bytes: truncated? (at byte 8)"],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readNpy(bytes)).toThrow(FormatError);
    expect(() => readNpy(bytes)).toThrow(message);
  });
});

describe(".npz", () => {
  test("numpy's archive: every type, both orders of memory and of bytes", async () => {
    const arrays = await decodeNpz(golden("arrays.npz"));
    expect([...arrays].map(([name, t]) => [name, t.dtype, t.shape.join("×")].join(" "))).toMatchInlineSnapshot(`
      [
        "f4 f32 2×3",
        "f8 f64 2×3",
        "f2 f32 2×3",
        "fortran f32 2×3",
        "big f32 2×3",
        "i1 i32 2",
        "i8 i32 2",
        "u2 i32 1",
        "b1 bool 2",
        "scalar f32 ",
        "empty f32 0×3",
        "cube i32 2×3×4",
      ]
    `);
    for (const name of ["f4", "f8", "f2", "fortran", "big"]) expect(arrays.get(name)!.toArray()).toEqual(matrix);
    expect(arrays.get("i1")!.toArray()).toEqual([-1, 2]);
    expect(arrays.get("i8")!.toArray()).toEqual([-3, 2 ** 31 - 1]);
    expect(arrays.get("u2")!.toArray()).toEqual([65535]);
    expect(arrays.get("b1")!.toArray()).toEqual([true, false]);
    expect(arrays.get("scalar")!.item()).toBe(1.5);
    expect([...arrays.get("cube")!.dataSync()]).toEqual(Array.from({ length: 24 }, (_, i) => i));
  });

  test("compressed archives", async () => {
    const arrays = await decodeNpz(golden("compressed.npz"));
    expect(arrays.get("zeros")!.shape).toEqual([100, 100]);
    expect([...arrays.get("ramp")!.dataSync()]).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  test("from an ArrayBuffer, a Blob or parts of a file", async () => {
    const bytes = golden("compressed.npz");
    const parts: [number, number][] = [];
    const source = { size: bytes.length, read: (begin: number, end: number) => (parts.push([begin, end]), Promise.resolve(bytes.slice(begin, end))) };
    for (const from of [bytes.slice().buffer, new Blob([bytes as Uint8Array<ArrayBuffer>]), source]) expect((await decodeNpz(from)).get("ramp")!.size).toBe(50);
    expect(Math.max(...parts.map(([begin, end]) => end - begin))).toBeLessThan(bytes.length); // never the whole
  });

  test("round trip; the same tensors give the same bytes; names are keys of Maps", async () => {
    const tensors = new Map<string, Tensor>([["a/b", tensor(matrix)], ["__proto__", tensor([1], { dtype: "i32" })]]);
    const bytes = encodeNpz(tensors);
    expect(encodeNpz(tensors)).toEqual(bytes);
    const back = await decodeNpz(bytes);
    expect([...back].map(([name, t]) => [name, t.toArray()])).toEqual([["a/b", matrix], ["__proto__", [1]]]);
    expect(({} as Record<string, unknown>)["0"]).toBeUndefined();
  });

  test("refuses to write what would not be read", () => {
    expect(() => encodeNpz([["x", tensor(1)], ["x", tensor(2)]])).toThrow('"x.npy" appears twice');
    expect(() => encodeNpz({ "../x": tensor(1) })).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: writeZip: the name "../x.npy" is a path out of the archive]`);
  });

  test("a zip bomb is refused before it is unpacked", async () => {
    const bytes = golden("compressed.npz");
    await expect(decodeNpz(bytes, { maxBytes: 40_000 })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [FormatError: npz: entry "zeros.npy" of 40128 bytes is more than may be unpacked (at byte 0)
        hint: pass { maxBytes } if you trust the file]
    `);
    // The directory claims more than deflate can give.
    const entry = Buffer.from(bytes).lastIndexOf("PK\x01\x02");
    const bomb = bytes.slice();
    new DataView(bomb.buffer).setUint32(entry + 24, 0x7fffffff, true);
    await expect(decodeNpz(bomb)).rejects.toThrow(/claims 2147483647 bytes of \d+ packed ones/);
  });

  test.each<[string, Uint8Array, string]>([
    ["nothing", new Uint8Array(0), "npz: 0 bytes are too few for a zip archive (at byte 0)"],
    ["a .npy file", golden("matrix.npy"), "npz: no zip directory at the end: truncated? (at byte 130)"],
    ["an entry that is no array", writeZip([["x.npy", Uint8Array.of(1)]]), 'npz: array "x": does not start with \\x93NUMPY (at byte 0)'],
    ["a name twice", writeZip([["x.npy", golden("matrix.npy")], ["x.npy", golden("matrix.npy")]]), 'npz: entry "x.npy" appears twice (at byte 374)'],
    ["an array twice", writeZip([["x.npy", golden("matrix.npy")], ["x", golden("matrix.npy")]]), 'npz: array "x" appears twice (at byte 187)'],
    ["damaged data", golden("arrays.npz").map((byte, i) => (i === 200 ? byte ^ 1 : byte)), 'npz: entry "f4.npy" is damaged: its CRC-32 differs (at byte 0)'],
    ["damaged deflate data", golden("compressed.npz").map((byte, i) => (i > 60 && i < 90 ? 0xff : byte)), 'npz: entry "zeros.npy" is damaged after 0 unpacked bytes (at byte 0)'],
  ])("refuses %s", async (_, bytes, message) => {
    await expect(decodeNpz(bytes)).rejects.toThrow(FormatError);
    await expect(decodeNpz(bytes)).rejects.toThrow(message);
  });
});
