/** The experiments that train many classifiers, on a handful of images. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cifar10Classes } from "@nn/data";
import { createTarGzip } from "nanotar";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { loadCifarJpeg } from "../src/experiments/cifar-jpeg.ts";
import { choose, numbersIn } from "../src/experiments/choose.ts";
import { nn, smallData, temporary } from "./command.ts";

describe("choose", () => {
  it("takes the first best epoch of the best rate, or the last, and nothing where all diverge", async () => {
    const curves: Record<number, number[]> = { 0.1: [0.2, 0.6, 0.5], 0.2: [0.3, 0.7, 0.7], 0.3: [] };
    const keys: string[] = [];
    const trial = async <R extends object>(key: string, work: () => R | Promise<R>) => (keys.push(key), { ...(await work()), seconds: 2 });
    const at = (rate: number) => Promise.resolve({ losses: [], accuracies: curves[rate]!, diverged: false });
    expect(await choose(trial, "net", [0.1, 0.2, 0.3], "best epoch", at)).toEqual({ rate: 0.2, epochs: 2, accuracy: 0.7, curve: [[1, 0.3], [2, 0.7], [3, 0.7]] });
    expect(await choose(trial, "to the end", [0.1, 0.2], "last epoch", at)).toMatchObject({ rate: 0.2, epochs: 3, accuracy: 0.7 });
    expect(keys.slice(0, 3)).toEqual(["net, rate 0.1, held out", "net, rate 0.2, held out", "net, rate 0.3, held out"]);
    expect(await choose(trial, "net", [0.3], "best epoch", at)).toMatchObject({ rate: 0.3, epochs: 1, accuracy: 0 });
    expect(numbersIn("0.1, 1e-3 2")).toEqual([0.1, 0.001, 2]);
  });
});

it("fashion-classics trains every classifier and sets the published figures beside it", async () => {
  const { code, stdout, stderr } = await nn("experiment", "fashion-classics", "--data", smallData(300, 100), "--set", "epochs=2", "--set", "seeds=2", "--out", temporary());
  expect(stderr).not.toMatch(/error/i);
  expect(code).toBe(0);
  expect(stdout).toContain("300 training and 100 test images");
  const rows = stdout.match(/^\| (ten perceptrons|linear|784|LeNet-5).*\|$/gm)!;
  expect(rows).toHaveLength(5);
  for (const row of rows.slice(0, 4)) expect(Number(/\| ([\d.]+) ±/.exec(row)![1])).toBeGreaterThan(40); // chance is 10 %
  expect(rows[2]).toContain("84.2 % logistic regression");
}, 60_000);

/** An archive of `perClass` one-coloured JPEGs for each class: class k has red 20·k. */
async function archive(dir: string, part: string, perClass: number): Promise<void> {
  const picture = (k: number) => sharp({ create: { width: 32, height: 32, channels: 3, background: { r: 20 * k, g: 100, b: 250 } } }).jpeg().toBuffer();
  const files = await Promise.all(cifar10Classes.flatMap((name, k) => Array.from({ length: perClass }, async (_, i) => ({ name: `${part}/${name}/${String(i).padStart(4, "0")}.jpg`, data: await picture(k) }))));
  writeFileSync(join(dir, `cifar10-jpg-${part}.tar.gz`), await createTarGzip(files));
}

describe("activation-race", () => {
  it("reads archives of JPEGs, the first of each class", async () => {
    const dir = temporary();
    await archive(dir, "train", 3);
    const { images, labels } = await loadCifarJpeg(dir, "train", 20);
    expect(images.shape).toEqual([20, 3, 32, 32]);
    expect([...labels.data]).toEqual(cifar10Classes.flatMap((_, k) => [k, k]));
    const seventh = images.data.subarray(15 * 3072, 16 * 3072); // class 7: red 140, then green, then blue, off by what JPEG loses
    for (const [from, value] of [[0, 140], [1024, 100], [2048, 250]] as const) for (const v of seventh.subarray(from, from + 1024)) expect(Math.abs(v - value)).toBeLessThan(4);
    await expect(loadCifarJpeg(dir, "train", 40)).rejects.toThrow(/30 images found, 40 wanted/);
    await expect(loadCifarJpeg(dir, "test", 10)).rejects.toMatchObject({ code: "ENOENT" });
    writeFileSync(join(dir, "cifar10-jpg-test.tar.gz"), "no archive");
    await expect(loadCifarJpeg(dir, "test", 10)).rejects.toThrow(/cifar10-jpg-test\.tar\.gz cannot be unpacked/);
  });

  it("compares every activation and the published order", async () => {
    const [dir, out] = [temporary(), temporary()];
    await archive(dir, "train", 10);
    await archive(dir, "test", 2);
    const { code, stdout } = await nn("experiment", "activation-race", "--data", dir, "--set", "images=100", "--set", "tests=20", "--set", "epochs=2", "--set", "rates=0.005", "--set", "seeds=2", "--out", out);
    expect(code).toBe(0);
    expect(stdout.match(/^\| .* \| 0\.005 \|.*$/gm)).toHaveLength(13);
    expect(stdout.match(/^\| .* points \| .* points \|$/gm)).toHaveLength(10);
    expect(readFileSync(join(out, "activation-race-held-out.svg"), "utf8").match(/<path d="M[^"]+L/g)!.length).toBeGreaterThanOrEqual(13);
  }, 60_000);

  it("says that it needs data", async () => {
    expect(await nn("experiment", "activation-race", "--out", temporary())).toMatchObject({ code: 3, stderr: expect.stringContaining("needs CIFAR-10") as string });
  }, 30_000);
});
