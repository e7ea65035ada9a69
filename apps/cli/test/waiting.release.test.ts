import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataLoader, Subset } from "@nn/data";
import { crossEntropy } from "@nn/layers";
import { Random, type Tensor } from "@nn/tensor";
import { logitsOf } from "@nn/train";
import sharp from "sharp";
import { afterAll, expect, test, vi } from "vitest";
import { alexnetTiny } from "../src/recipes/alexnet-imagenet.ts";

const dir = mkdtempSync(join(tmpdir(), "nn-waiting-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** Soft blobs with some noise, which take as many bytes as a photograph of that size. */
async function photograph(path: string, seed: number): Promise<void> {
  const random = new Random(seed);
  const small = Uint8Array.from({ length: 3 * 24 * 24 }, (_, i) => random.int(i, 256));
  const noise = Buffer.from(Uint8Array.from({ length: 3 * 256 * 256 }, (_, i) => random.int(i, 60)));
  const blobs = await sharp(small, { raw: { width: 24, height: 24, channels: 3 } }).resize(256, 256, { kernel: "cubic" }).png().toBuffer();
  await sharp(blobs).composite([{ input: noise, raw: { width: 256, height: 256, channels: 3 }, blend: "overlay" }]).jpeg({ quality: 90 }).toFile(path);
}

test("training on 256×256 JPEGs waits for less than a twentieth of its time", { timeout: 300_000 }, async () => {
  vi.stubEnv("XDG_CACHE_HOME", join(dir, "cache"));
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  for (let k = 0; k < 10; k++) {
    for (const [part, count] of [["train", 32], ["val", 1]] as const) {
      const folder = join(dir, part, `class${k}`);
      mkdirSync(folder, { recursive: true });
      for (let i = 0; i < count; i++) await photograph(join(folder, `${i}.jpg`), 100 * k + i + (part === "val" ? 99 : 0));
    }
  }
  const data = await alexnetTiny.data(dir), model = alexnetTiny.model(), optimizer = alexnetTiny.optimizer(model, 0.001);
  const many = new Subset(data.train, Array.from({ length: 40 * 64 }, (_, i) => i % data.train.length)); // one epoch of forty steps
  const loader = new DataLoader(many, { batchSize: 64, shuffle: true, seed: 1 });
  let [steps, begin, waitedBefore] = [0, 0, 0];
  for await (const [x, y] of loader) {
    if (steps++ === 3) [begin, waitedBefore] = [performance.now(), loader.waited]; // the pipeline is full
    crossEntropy(logitsOf(model, x as Tensor), y as Tensor).backward();
    optimizer.step();
    optimizer.zeroGrad();
    await new Promise((resolve) => setTimeout(resolve, 0)); // as the Trainer does: batches come in
  }
  const [took, waited] = [performance.now() - begin, loader.waited - waitedBefore];
  console.log(`${(took / (steps - 3)).toFixed(0)} ms a step, ${((100 * waited) / took).toFixed(1)} % of it waiting`);
  expect(waited / took).toBeLessThan(0.05);
});
