/** `nn predict --network`: weights that PyTorch wrote, beside what PyTorch makes of the same pictures. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodePng } from "@nn/data";
import { loadNpz, loadTorch, saveSafetensors } from "@nn/io/node";
import { tensor } from "@nn/tensor";
import { expect, it } from "vitest";
import { nn, picture, temporary } from "./command.ts";

const golden = (name: string): string => fileURLToPath(new URL(`../../../packages/io/test/goldens/${name}`, import.meta.url));
const checkpoint = golden("alexnet.pt"); // 61,100,840 weights of PyTorch, in few bytes

/** 256×256 with a thumbnail [3,28,28], each pixel eight by eight, in the middle 224×224: nothing is left to scale. */
function enlarged(thumbnail: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(256 * 256 * 3);
  for (let y = 16; y < 240; y++) for (let x = 16; x < 240; x++) for (let c = 0; c < 3; c++) out[(256 * y + x) * 3 + c] = thumbnail[(c * 28 + ((y - 16) >> 3)) * 28 + ((x - 16) >> 3)]!;
  return out;
}

it("prints PyTorch's five most probable classes for a folder of photographs, by name", async () => {
  const photos = await loadNpz(golden("alexnet-photos.npz"));
  const [thumbnails, logits] = [photos.get("thumbnails")!, photos.get("logits")!];
  const count = logits.shape[0]!;
  const [dir, names] = [join(temporary(), "photos"), join(temporary(), "names.txt")];
  mkdirSync(dir);
  const pixels = thumbnails.dataSync();
  for (let i = 0; i < count; i++) writeFileSync(join(dir, `${i}.png`), await encodePng(enlarged(pixels.subarray(i * 2352, (i + 1) * 2352)), 256, 256));
  writeFileSync(names, Array.from({ length: 1000 }, (_, k) => `thing ${k}\n`).join(""));

  const { code, stdout, stderr } = await nn("predict", checkpoint, dir, "--network", "torchvision-alexnet", "--classes", names, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const lines = stdout.trim().split("\n").map((line) => JSON.parse(line) as { image: string; predictions: { class: string; probability: number }[] });
  expect(lines).toHaveLength(count);
  const { values, indices } = logits.softmax(1).topk(5, 1);
  lines.forEach(({ image, predictions }, i) => {
    expect(image).toBe(join(dir, `${i}.png`));
    expect(predictions.map((p) => p.class)).toEqual((indices.toArray() as number[][])[i]!.map((k) => `thing ${k}`));
    predictions.forEach(({ probability }, j) => expect(probability).toBeCloseTo((values.toArray() as number[][])[i]![j]!, 5));
  });
}, 60_000);

it("reads safetensors, and calls classes by number where nobody names them", async () => {
  const path = join(temporary(), "model.safetensors");
  const { tensors } = await loadTorch(checkpoint, { maxBytes: 2 ** 30 });
  // A head for twelve classes, as after fine-tuning.
  for (const part of ["weight", "bias"]) tensors.set(`classifier.6.${part}`, tensors.get(`classifier.6.${part}`)!.slice(0, 0, 12).contiguous());
  await saveSafetensors(path, tensors);
  const png = join(temporary(), "photo.png");
  writeFileSync(png, await encodePng(new Uint8Array(300 * 200 * 3).fill(99), 300, 200));
  const predict = (...more: string[]) => nn("predict", path, png, "--network", "torchvision-alexnet", ...more);
  expect((await predict()).stdout).toMatch(/photo\.png: (class \d+ \d+\.\d %(, )?){5}\n$/);
  const names = join(temporary(), "names.txt");
  writeFileSync(names, "cat\ndog\n");
  expect(await predict("--classes", names)).toMatchObject({ code: 3, stdout: "", stderr: expect.stringMatching(/names\.txt names 2 classes, .*model\.safetensors has 12/) as string });
}, 60_000);

it("says what does not fit", async () => {
  const other = join(temporary(), "other.safetensors");
  await saveSafetensors(other, new Map([["fc.weight", tensor([1])]]));
  const headOnly = join(temporary(), "head.safetensors");
  await saveSafetensors(headOnly, new Map([["classifier.6.bias", tensor([1, 2, 3])]]));
  for (const [args, code, says] of [
    [[other, picture()], 3, /does not say which model it belongs to[^]*hint: nn predict --network/],
    [[other, picture(), "--network", "torchvision-alexnet"], 3, /has no 'classifier\.6\.bias', so it is not of a torchvision-alexnet/],
    [[headOnly, picture(), "--network", "torchvision-alexnet"], 3, /does not fit torchvision-alexnet: .*missing: features\.0\.weight/],
    [[other, picture(), "--network", "torchvision-alexnt"], 2, /did you mean 'torchvision-alexnet'\?/],
    [[other, picture(), "--classes", "names.txt"], 2, /--classes goes with --network/],
  ] as const) {
    const result = await nn("predict", ...args);
    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr).toMatch(says);
  }
}, 60_000);
