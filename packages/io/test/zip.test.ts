import { spawnSync } from "node:child_process";
import { FormatError } from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { crc32 } from "../src/crc32.ts";
import { openZip, writeZip } from "../src/zip.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const sound = (): Uint8Array => writeZip([["a.txt", bytesOf("first")], ["b.txt", bytesOf("second")]]);
// Local headers of 30 + 5 bytes and their data, then directory entries of 46 + 5, then the end record.
const LOCAL_B = 35 + 5, DIRECTORY = LOCAL_B + 35 + 6, ENTRY_B = DIRECTORY + 51, END = ENTRY_B + 51;

/** A sound archive with some bytes replaced. */
function patched(...patches: readonly (readonly [at: number, bytes: string | number[]])[]): Uint8Array {
  const bytes = sound();
  for (const [at, piece] of patches) bytes.set(typeof piece === "string" ? bytesOf(piece) : piece, at);
  return bytes;
}
async function readAll(bytes: Uint8Array): Promise<Record<string, string>> {
  const zip = await openZip(bytes, "zip");
  return Object.fromEntries(await Promise.all(zip.names.map(async (name) => [name, new TextDecoder().decode(await zip.read(name))] as const)));
}

describe("zip archives", () => {
  test("round trip; nothing at all", async () => {
    expect(await readAll(sound())).toEqual({ "a.txt": "first", "b.txt": "second" });
    expect(await readAll(writeZip([]))).toEqual({});
  });

  test("crc32", () => {
    expect(crc32(bytesOf("123456789"))).toBe(0xcbf43926); // the check value of ISO 3309
    expect(crc32(new Uint8Array(0))).toBe(0);
    expect(crc32(bytesOf("The quick brown fox jumps over the lazy dog"))).toBe(0x414fa339);
  });

  test("other programs read what is written", (context) => {
    const script = "import sys,zipfile,io; z=zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read())); assert z.testzip() is None; print(z.namelist(), z.read('b.txt'))";
    const python = spawnSync("python3", ["-c", script], { input: sound(), encoding: "utf8" });
    if (python.error) context.skip("no python3 here");
    expect(python.stdout.trim()).toBe("['a.txt', 'b.txt'] b'second'");
  });

  test.each<[string, Uint8Array, string]>([
    ["a truncated archive", sound().subarray(0, -1), "no zip directory at the end: truncated? (at byte 182)"],
    ["a comment", Uint8Array.of(...patched([END + 20, [1, 0]]), 33), "no zip directory at the end: truncated? (at byte 184)"],
    ["several parts", patched([END + 4, [1]]), "archives of several parts or with a comment are not read"],
    ["a directory that ends elsewhere", patched([END + 16, [77]]), "does not end where its end record begins"],
    ["more entries than there are", patched([END + 8, [9, 0, 9, 0]]), "a directory of 102 bytes for 9 entries"],
    ["fewer entries than there are", patched([END + 8, [1, 0, 1, 0]]), "51 bytes after the last directory entry"],
    ["an encrypted entry", patched([ENTRY_B + 8, [1]]), 'entry "b.txt" is encrypted'],
    ["another method", patched([ENTRY_B + 10, [12]]), 'entry "b.txt" is packed by method 12; stored (0) and deflated (8) are read'],
    ["an absolute name", patched([ENTRY_B + 46, "/b.tx"]), 'the name "/b.tx" is a path out of the archive'],
    ["a name that climbs", patched([ENTRY_B + 46, "../bt"]), 'the name "../bt" is a path out of the archive'],
    ["a Windows path", patched([ENTRY_B + 46, "C:\\bt"]), "is a path out of the archive"],
    ["a name with NUL", patched([ENTRY_B + 46, "b\0txt"]), "is a path out of the archive"],
    ["a name that is not UTF-8", patched([ENTRY_B + 46, [0xff, 0xfe]]), "the name of entry 1 is not UTF-8"],
    ["a local header with another name", patched([LOCAL_B + 30, "c.txt"]), 'entry "b.txt" has a local header that says otherwise'],
    ["a local header with another size", patched([LOCAL_B + 22, [7]]), 'entry "b.txt" has a local header with other sizes'],
    ["no local header", patched([LOCAL_B, [0]]), 'entry "b.txt" has no local header'],
    ["one name twice", patched([ENTRY_B + 46, "a.txt"]), 'entry "a.txt" appears twice'],
    ["two entries over the same data", patched([ENTRY_B + 42, [0]]), "overlaps what follows it"],
    ["an entry that reaches into the next", patched([DIRECTORY + 20, [20]], [DIRECTORY + 24, [20]]), 'entry "a.txt" overlaps what follows it'],
    ["data beyond the directory", patched([ENTRY_B + 42, [DIRECTORY - 1]]), 'entry "b.txt" lies outside the data'],
    ["a stored entry of two sizes", patched([ENTRY_B + 24, [7]]), 'entry "b.txt" claims 7 bytes of 6 packed ones'],
    ["damaged data", patched([LOCAL_B + 35, "S"]), 'entry "b.txt" is damaged: its CRC-32 differs'],
    ["a wide size without its field", patched([ENTRY_B + 24, [255, 255, 255, 255]]), 'entry "b.txt" has a damaged ZIP64 field'],
  ])("refuses %s", async (_, bytes, message) => {
    await expect(readAll(bytes)).rejects.toThrow(FormatError);
    await expect(readAll(bytes)).rejects.toThrow(message);
  });

  test("ZIP64: sizes and offsets that stand in the extra field", async () => {
    const plain = sound(), extra = new Uint8Array(28), view = new DataView(extra.buffer);
    [1, 24].forEach((value, i) => view.setUint16(2 * i, value, true));
    [6, 6, LOCAL_B].forEach((value, i) => view.setBigUint64(4 + 8 * i, BigInt(value), true)); // size, packed size, offset
    const wide = Uint8Array.of(...plain.subarray(0, END), ...extra, ...plain.subarray(END));
    for (const at of [20, 24, 42]) wide.set([255, 255, 255, 255], ENTRY_B + at);
    wide[ENTRY_B + 30] = extra.length;
    wide[END + extra.length + 12] = 102 + extra.length; // bytes of the directory
    expect(await readAll(wide)).toEqual({ "a.txt": "first", "b.txt": "second" });
    wide[END + 2] = 25; // the field is longer than the extra part
    await expect(readAll(wide)).rejects.toThrow('entry "b.txt" has a damaged ZIP64 field');
  });

  test("a source that shrinks while it is read", async () => {
    const bytes = sound();
    let size = bytes.length;
    const zip = await openZip({ size, read: (begin, end) => Promise.resolve(bytes.slice(begin, Math.min(end, size))) }, "zip");
    size = DIRECTORY - 2;
    await expect(zip.read("b.txt")).rejects.toThrow('entry "b.txt" is truncated');
    size = 10;
    await expect(zip.read("b.txt")).rejects.toThrow('entry "b.txt" has no local header');
    await expect(zip.read("c.txt")).rejects.toThrow('there is no entry "c.txt"');
  });
});
