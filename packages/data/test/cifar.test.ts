import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { cifar10Classes, parseCifar, readCifar } from "@nn/data";
import { loadCifar10 } from "@nn/data/node";
import { describe, expect, test } from "vitest";

/** Records whose pixels are the record's number, plus 100 in the green and 200 in the blue plane. */
const file = (labels: readonly number[], coarse: readonly number[] = []): Uint8Array =>
  Uint8Array.from(labels.flatMap((label, i) => [...(coarse.length > 0 ? [coarse[i]!] : []), label, ...Array.from({ length: 3072 }, (_, k) => i + 100 * Math.floor(k / 1024))]));

describe("CIFAR", () => {
  test("records of a label and three planes", async () => {
    const { images, labels } = parseCifar(file([6, 9]));
    expect([images.shape, [...labels.data]]).toEqual([[2, 3, 32, 32], [6, 9]]);
    expect([0, 1023, 1024, 2048, 3072, 3072 + 2048].map((k) => images.data[k])).toEqual([0, 0, 100, 200, 1, 201]);
    expect(await readCifar(gzipSync(file([6, 9])))).toEqual({ images, labels });
  });

  test("CIFAR-100: the fine label counts", () => {
    expect([...parseCifar(file([99, 3], [19, 0]), { classes: 100 }).labels.data]).toEqual([99, 3]);
  });

  test("refuses what is no such file", () => {
    expect(() => parseCifar(file([1, 2]).subarray(0, 5000))).toThrowErrorMatchingInlineSnapshot(`
      [FormatError: cifar: 5000 bytes are no whole number of records of 3073 (at byte 3073)
        hint: is it truncated, or a file of CIFAR-100?]
    `);
    expect(() => parseCifar(new Uint8Array(0))).toThrow("0 bytes");
    expect(() => parseCifar(file([1, 10]))).toThrowErrorMatchingInlineSnapshot(`[FormatError: cifar: label 10 of record 1 is not one of 10 classes (at byte 3073)]`);
    expect(() => parseCifar(gzipSync(file([1])))).toThrow("gzip-compressed");
  });

  test("the unpacked archive: five batches and a test batch", async () => {
    const dir = await mkdtemp(join(tmpdir(), "nn-cifar-"));
    for (let k = 1; k <= 5; k++) await writeFile(join(dir, `data_batch_${k}.bin`), file([k, 0]));
    await expect(loadCifar10(dir)).rejects.toThrow("test_batch.bin");
    await writeFile(join(dir, "test_batch.bin.gz"), gzipSync(file([7])));
    const { train, test, classes } = await loadCifar10(dir);
    expect([[...train.labels.data], [...test.labels.data], classes[7]]).toEqual([[1, 0, 2, 0, 3, 0, 4, 0, 5, 0], [7], "horse"]);
    expect(train.images.data[3072 * 3]).toBe(1);
    await writeFile(join(dir, "data_batch_3.bin"), Uint8Array.of(1, 2));
    await expect(loadCifar10(dir)).rejects.toThrow(/data_batch_3\.bin: 2 bytes are no whole number of records/);
    await rm(dir, { recursive: true });
  });
});

const real = new URL("../../../../shared/data/cifar10/data_batch_1.first4000.bin.gz", import.meta.url);
test.skipIf(!existsSync(real))("the first records of data_batch_1 (skipped without ../shared/data/cifar10)", async () => {
  const { images, labels } = await readCifar(readFileSync(real));
  expect(images.shape).toEqual([4000, 3, 32, 32]);
  expect([...labels.data.subarray(0, 10)].map((k) => cifar10Classes[k])).toEqual(["frog", "truck", "truck", "deer", "automobile", "automobile", "bird", "horse", "ship", "cat"]);
  const counts = cifar10Classes.map((_, k) => labels.data.filter((label) => label === k).length);
  expect(counts).toEqual([396, 366, 420, 384, 422, 393, 414, 385, 407, 413]);
});
