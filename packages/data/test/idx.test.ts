import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { FormatError } from "@nn/tensor";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fashionMnistClasses, gunzip, parseIdx, readIdx } from "../src/index.ts";
import { fashionMnistSubset, loadFashionMnist, loadIdxImages, loadIdxLabels, loadIdxSet } from "../src/node.ts";

/** An IDX file: type code, sizes, bytes of the data. */
function idx(type: number, shape: number[], data: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length), view = new DataView(bytes.buffer);
  view.setUint32(0, type * 256 + shape.length);
  shape.forEach((n, d) => view.setUint32(4 + 4 * d, n));
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}

describe("parseIdx", () => {
  test("every element type, big-endian", () => {
    expect(parseIdx(idx(0x08, [2, 2], [1, 2, 3, 255]))).toEqual({ data: Uint8Array.of(1, 2, 3, 255), shape: [2, 2] });
    expect(parseIdx(idx(0x09, [2], [1, 255])).data).toEqual(Int32Array.of(1, -1));
    expect(parseIdx(idx(0x0b, [2], [1, 0, 255, 254])).data).toEqual(Int32Array.of(256, -2));
    expect(parseIdx(idx(0x0c, [1], [0, 1, 0, 0])).data).toEqual(Int32Array.of(65536));
    expect(parseIdx(idx(0x0d, [1], [0x3f, 0xc0, 0, 0])).data).toEqual(Float32Array.of(1.5));
    expect(parseIdx(idx(0x0e, [1], [0x3f, 0xf8, 0, 0, 0, 0, 0, 0])).data).toEqual(Float64Array.of(1.5));
    expect(parseIdx(idx(0x08, [0, 28, 28], []))).toEqual({ data: new Uint8Array(0), shape: [0, 28, 28] });
  });

  test("reads at an odd address", () => {
    const bytes = idx(0x0c, [1], [0, 0, 0, 9]), shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect(parseIdx(shifted.subarray(1)).data).toEqual(Int32Array.of(9));
  });

  const good = idx(0x08, [2, 3], [1, 2, 3, 4, 5, 6]);
  test.each<[string, Uint8Array, string]>([
    ["empty", new Uint8Array(0), "idx: 0 bytes are too few for a magic number (at byte 0)"],
    ["text", new TextEncoder().encode("<html><body>404"), "idx: wrong magic number 0x3c68746d (at byte 0)\n  hint: is this an IDX file?"],
    ["an unknown element type", idx(0x0a, [1], [1]), "idx: wrong magic number 0x00000a01 (at byte 0)\n  hint: is this an IDX file?"],
    ["no dimension", idx(0x08, [], [1]), "idx: 0 dimensions, expected 1 to 8 (at byte 3)"],
    ["200 dimensions", Uint8Array.of(0, 0, 8, 200), "idx: 200 dimensions, expected 1 to 8 (at byte 3)"],
    ["cut in the sizes", good.slice(0, 9), "idx: truncated in the sizes of 2 dimensions (at byte 9)"],
    ["cut in the data", good.slice(0, -1), "idx: truncated: 2×3 elements take 18 bytes, the file has 17 (at byte 17)"],
    ["bytes at the end", Uint8Array.of(...good, 0), "idx: 1 bytes after the last element (at byte 18)"],
    ["sizes beyond all memory", idx(0x08, [0xffffffff, 0xffffffff, 2], []), "idx: sizes 4294967295×4294967295×2 are too large (at byte 4)"],
    ["a large size and little data", idx(0x08, [0xffffffff], [1]), "idx: truncated: 4294967295 elements take 4294967303 bytes, the file has 9 (at byte 9)"],
    ["still packed", gzipSync(good), "idx: the data are gzip-compressed (at byte 0)\n  hint: use readIdx, or gunzip first"],
  ])("refuses: %s", (_, bytes, message) => {
    const read = () => parseIdx(bytes);
    expect(read).toThrow(FormatError);
    expect(read).toThrow(message);
  });
});

describe("gzip", () => {
  const packed = gzipSync(idx(0x08, [3], [1, 2, 3]));
  test("unpacks, or reads as it is", async () => {
    expect((await readIdx(packed)).data).toEqual(Uint8Array.of(1, 2, 3));
    expect((await readIdx(idx(0x08, [1], [7]))).data).toEqual(Uint8Array.of(7));
  });
  test("truncated, damaged, or too large", async () => {
    for (let length = 2; length < packed.length; length++) await expect(readIdx(packed.subarray(0, length))).rejects.toThrow(FormatError);
    const wrongSum = Uint8Array.from(packed);
    wrongSum[packed.length - 6]! ^= 1;
    await expect(readIdx(wrongSum)).rejects.toThrow("gzip: damaged or truncated");
    await expect(gunzip(gzipSync(new Uint8Array(10_000_000)), { maxBytes: 1_000_000 })).rejects.toThrow("gzip: unpacks to more than 1000000 bytes");
  });
});

describe("folders", () => {
  let dir = "";
  beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), "nn-idx-"))));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const put = (name: string, bytes: Uint8Array) => writeFileSync(join(dir, name), bytes);
  const pixels = new Uint8Array(3 * 784).fill(9);

  test("two parts, packed or not", async () => {
    put("train-images-idx3-ubyte.gz", gzipSync(idx(0x08, [3, 28, 28], pixels)));
    put("train-labels-idx1-ubyte", idx(0x08, [3], [0, 9, 5]));
    put("t10k-images-idx3-ubyte", idx(0x08, [1, 28, 28], pixels.subarray(0, 784)));
    put("t10k-labels-idx1-ubyte.gz", gzipSync(idx(0x08, [1], [2])));
    const { train, test, classes } = await loadFashionMnist(dir);
    expect([train.images.shape, test.images.shape]).toEqual([[3, 1, 28, 28], [1, 1, 28, 28]]);
    expect(train.labels).toEqual({ data: Int32Array.of(0, 9, 5), shape: [3] });
    expect(classes[9]).toBe("Ankle boot");
    expect((await loadIdxImages(dir, "test")).data[0]).toBe(9);
  });

  test("counts that differ, labels out of range, mixed-up files", async () => {
    put("train-labels-idx1-ubyte", idx(0x08, [2], [0, 9]));
    await expect(loadFashionMnist(dir)).rejects.toThrow(`idx: train set in ${dir}: 3 images but 2 labels (at byte 4)`);
    put("train-labels-idx1-ubyte", idx(0x08, [3], [0, 10, 1]));
    await expect(loadFashionMnist(dir)).rejects.toThrow(`idx: ${join(dir, "train-labels-idx1-ubyte")}: label 10 of sample 1 is not one of 10 classes (at byte 9)`);
    expect((await loadIdxLabels(dir, "train")).data[1]).toBe(10);
    put("train-labels-idx1-ubyte", idx(0x08, [3, 28, 28], pixels));
    await expect(loadFashionMnist(dir)).rejects.toThrow("not labels: expected bytes in 1 dimension (magic 0x00000801), got 3");
    put("train-labels-idx1-ubyte", idx(0x08, [3], [0, 1, 1]));
    put("t10k-images-idx3-ubyte", idx(0x08, [1, 14, 14], pixels.subarray(0, 196)));
    await expect(loadFashionMnist(dir)).rejects.toThrow("images of 14×14, expected 28×28");
    expect((await loadIdxSet(dir, fashionMnistClasses)).test.images.shape).toEqual([1, 1, 14, 14]);
  });

  test("a missing file and a missing folder, in one line", async () => {
    rmSync(join(dir, "t10k-labels-idx1-ubyte.gz"));
    await expect(loadFashionMnist(dir)).rejects.toMatchObject({ code: "ENOENT", message: `${dir}: no file t10k-labels-idx1-ubyte.gz (nor t10k-labels-idx1-ubyte)` });
    await expect(loadFashionMnist(join(dir, "nowhere"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("the bundled part of Fashion-MNIST", () => {
  test("10,000 and 2,000 images, classes balanced, statistics of clothes", async () => {
    const { train, test, classes } = await fashionMnistSubset();
    expect([train.images.shape, test.images.shape]).toEqual([[10_000, 1, 28, 28], [2000, 1, 28, 28]]);
    for (const [{ labels }, each] of [[train, 1000], [test, 200]] as const) {
      const counts = new Array<number>(classes.length).fill(0);
      for (const label of labels.data) counts[label]!++;
      expect(counts).toEqual(new Array(10).fill(each));
    }
    let sum = 0;
    for (const pixel of train.images.data) sum += pixel;
    expect(sum / train.images.data.length / 255).toBeCloseTo(0.286, 2); // published mean of the full set
    expect([...train.labels.data.subarray(0, 5)]).toEqual([9, 0, 0, 3, 0]); // the full set begins so
    expect(readFileSync(new URL("../assets/fashion-mnist-subset/LICENSE", import.meta.url), "utf8")).toContain("Zalando SE");
  });
});
