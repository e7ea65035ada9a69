import { StateDictError } from "@nn/layers";
import { fromTyped, noGrad, tensor, type Tensor } from "@nn/tensor";
import { alexnet } from "@nn/vision";
import { expect, test } from "vitest";
import { fileURLToPath } from "node:url";
import { loadNpz, loadTorch } from "../src/node.ts";

// goldens/alexnet.py wrote these files with PyTorch.
const golden = (name: string): string => fileURLToPath(new URL(`goldens/${name}`, import.meta.url));

/** Thumbnails [N,3,28,28], each pixel eight by eight, normalised as torchvision does. */
function images(thumbnails: Tensor): Tensor {
  const large = thumbnails.cast("f32").reshape([-1, 3, 28, 1, 28, 1]).expand([thumbnails.shape[0]!, 3, 28, 8, 28, 8]).reshape([-1, 3, 224, 224]);
  const channels = (values: number[]): Tensor => fromTyped(Float32Array.from(values), [3, 1, 1], "f32");
  return large.div(255).sub(channels([0.485, 0.456, 0.406])).div(channels([0.229, 0.224, 0.225]));
}

test("a PyTorch AlexNet loads by torchvision's names, and its logits for photographs are PyTorch's to 1e-4", async () => {
  await expect(loadTorch(golden("alexnet.pt"))).rejects.toThrow(/its tensors take up to \d+ bytes, more than may be unpacked/); // 68 kB that hold 244 MB
  const { tensors } = await loadTorch(golden("alexnet.pt"), { maxBytes: 2 ** 30 });
  const model = alexnet({ variant: "torchvision" }).eval();
  expect(model.loadStateDict(tensors)).toEqual({ missing: [], unexpected: [], mismatched: [] });
  expect(model.parameterCount()).toBe(61_100_840);
  for (const t of tensors.values()) t.dispose();

  const photos = await loadNpz(golden("alexnet-photos.npz"));
  const logits = noGrad(() => model.call(images(photos.get("thumbnails")!)).dataSync());
  const expected = photos.get("logits")!.dataSync(), largest = Math.max(...expected.map(Math.abs));
  expect(Math.max(...logits.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(1e-4 * largest);

  const before = model.classifier[6]!.parameters()[1]!.toArray();
  const wrong = new Map([...model.stateDict()].map(([name, t]) => [name.replace("classifier.6", "classifer.6"), t]));
  expect(() => model.loadStateDict(wrong)).toThrow(StateDictError);
  expect(() => model.loadStateDict(wrong)).toThrow("hint: 'classifer.6.weight' looks like 'classifier.6.weight', 'classifer.6.bias' looks like 'classifier.6.bias'");
  expect(() => model.loadStateDict(new Map([...model.stateDict(), ["features.0.bias", tensor([1, 2])]]))).toThrow("mismatched: features.0.bias: model [64], state [2]");
  expect(model.classifier[6]!.parameters()[1]!.toArray()).toEqual(before);
});
