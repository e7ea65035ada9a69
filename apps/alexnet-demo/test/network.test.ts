/** What can be checked without a browser: the code on screen, model files, the network that ships with the page, and its size. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { fashionMnistSubset } from "@nn/data/node";
import { FormatError, manualSeed, noGrad, tensor, type Tensor } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { networkCode } from "../src/shared/code.ts";
import { activations, defaults, optimizers, type Settings } from "../src/shared/settings.ts";
import type { PictureFile } from "../src/shared/protocol.ts";
import { cifarFiles, readCifarFiles } from "../src/worker/cifar.ts";
import { sortFolder } from "../src/worker/folder.ts";
import { prepare } from "../src/worker/prepare.ts";
import { decodeNetwork, encodeNetwork, makeNetwork, makeOptimizer } from "../src/worker/network.ts";
import { buildSite, root } from "./site.ts";

const network = (change: Partial<Settings["network"]> = {}): Settings["network"] => ({ ...defaults.network, ...change });

describe("the code on screen", () => {
  const variants: Settings[] = [
    defaults,
    { network: network({ width: 8, kernel: 7, activation: "tanh", lrn: true, overlapping: false, dropout: false }), training: { ...defaults.training, optimizer: "sgd" } },
  ];
  it.each(variants)("makes the same layers and weights as the page, and trains them", async (settings) => {
    const file = `${root}test/code.tmp.ts`;
    // One batch is enough here.
    writeFileSync(file, networkCode(settings).replace(/\n}\n$/, "\n  break;\n}\n").replace("export const model", 'import { manualSeed } from "@nn/tensor";\nmanualSeed(1);\nexport const first = new Network();\nexport const model'));
    try {
      const { first, model } = (await import(`${file}?${settings.network.width}`)) as { first: ReturnType<typeof makeNetwork>; model: ReturnType<typeof makeNetwork> };
      manualSeed(1);
      const ours = makeNetwork(settings.network);
      const values = (m: typeof ours): unknown => [...m.stateDict()].map(([name, t]) => [name, t.shape, t.dataSync()[0]]);
      expect(values(first)).toEqual(values(ours));
      expect(String(first).replace("Network", "AlexNetFashion")).toBe(String(ours));
      expect(model.features[0]).toBeDefined();
    } finally {
      rmSync(file);
    }
  });
});

describe("settings", () => {
  it("every activation and optimizer can be built and makes a step", () => {
    for (const activation of activations) expect(makeNetwork(network({ activation, width: 8 })).parameterCount()).toBeGreaterThan(70_000);
    for (const optimizer of optimizers) {
      const model = makeNetwork(network({ width: 8 }));
      const bias = model.parameters().at(-1)!;
      const step = makeOptimizer(model, { ...defaults.training, optimizer });
      model.call(tensor(new Float32Array(784).fill(1), { shape: [1, 1, 28, 28] }) as Tensor).sum().backward();
      step.step();
      expect(bias.dataSync().every((b) => b < 0)).toBe(true); // from 0, against a gradient of 1
    }
  });
});

describe("a folder of pictures", () => {
  const file = new Blob();
  const files = (...paths: string[]): PictureFile[] => paths.map((path) => ({ path, file }));
  const count = (entries: { label: number }[]): number[] => [0, 1].map((k) => entries.filter((e) => e.label === k).length);

  it("is sorted by the folder each picture lies in, every fifth for testing", () => {
    const ten = Array.from({ length: 10 }, (_, i) => [`pets/dog/${i}.jpg`, `pets/cat/${i}.PNG`]).flat();
    const { classes, train, test } = sortFolder(files("pets/readme.txt", ...ten));
    expect(classes).toEqual(["cat", "dog"]);
    expect([count(train), count(test)]).toEqual([[8, 8], [2, 2]]);
  });

  it("is divided as its folders train and test say, in the layout of ImageNet too", () => {
    const { classes, train, test } = sortFolder(files("x/train/n1/images/a.JPEG", "x/train/n2/images/b.JPEG", "x/train/n2/images/c.JPEG", "x/val/n1/images/d.JPEG"));
    expect(classes).toEqual(["n1", "n2"]);
    expect([count(train), count(test)]).toEqual([[1, 2], [1, 0]]);
  });

  it("without classes is refused with what to do", () => {
    expect(() => sortFolder(files("holiday/a.jpg", "holiday/b.jpg"))).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: folder: 2 pictures in 1 folders of their own
        hint: put the pictures of each class into one folder, and 2 to 20 such folders into one]
    `);
  });
});

describe("CIFAR-10", () => {
  const record = (label: number, value: number): number[] => [label, ...new Array<number>(1024).fill(value), ...new Array<number>(1024).fill(0), ...new Array<number>(1024).fill(0)];
  const batch = (path: string, ...labels: number[]): PictureFile => ({ path, file: new Blob([Uint8Array.from(labels.flatMap((label) => record(label, 100)))]) });

  it("is read from its batches, grey and cropped", async () => {
    const files = [batch("cifar-10-batches-bin/data_batch_1.bin", 3, 1), batch("cifar-10-batches-bin/data_batch_2.bin", 4), batch("cifar-10-batches-bin/test_batch.bin", 9)];
    const { train, test, classes } = await readCifarFiles(cifarFiles([{ path: "cifar-10-batches-bin/readme.html", file: new Blob() }, ...files]));
    expect(classes[9]).toBe("truck");
    expect([[...train.labels.data], [...test.labels.data]]).toEqual([[3, 1, 4], [9]]);
    expect(test.images.shape).toEqual([1, 1, 28, 28]);
    expect(new Set(train.images.data)).toEqual(new Set([29])); // 0.299 · 100
  });

  it("of one batch is divided, and a file that is cut off is refused", async () => {
    const { train, test } = await readCifarFiles([batch("data_batch_1.bin", 0, 1, 2, 3, 4)]);
    expect([[...train.labels.data], [...test.labels.data]]).toEqual([[0, 1, 2, 3], [4]]);
    await expect(readCifarFiles([{ path: "data_batch_1.bin", file: new Blob([new Uint8Array(3000)]) }])).rejects.toThrow(FormatError);
  });
});

describe("model files", () => {
  it("bring their switches along", () => {
    for (const settings of [network(), network({ width: 8, kernel: 7, activation: "elu", lrn: true, overlapping: false, dropout: false }), network({ lrn: true })]) {
      const model = makeNetwork(settings);
      const read = decodeNetwork(encodeNetwork(model, settings));
      expect(read.network).toEqual(settings);
      expect(makeNetwork(read.network).loadStateDict(read.tensors)).toEqual({ missing: [], unexpected: [], mismatched: [] });
    }
  });

  it("of other models are refused with a reason", () => {
    expect(() => decodeNetwork(new Uint8Array(4))).toThrow(FormatError);
    const wide = makeNetwork({ ...network(), width: 12 as 16 });
    expect(() => decodeNetwork(encodeNetwork(wide, network()))).toThrowErrorMatchingInlineSnapshot(`
      [FormatError: model: its first filters are [12,1,5,5] (at byte 8)
        hint: a network of this page has 8, 16, 32 first filters of side 3, 5, 7]
    `);
  });
});

describe("the network that ships with the page", () => {
  it("is right on more than 89 % of the test pictures, with 16-bit weights in less than 600 kB", async () => {
    const file = readFileSync(`${root}pretrained/alexnet-fashion-16.safetensors`);
    expect(file.length).toBeLessThan(600_000);
    const { tensors, network } = decodeNetwork(file);
    const model = makeNetwork(network).eval();
    model.loadStateDict(tensors);
    const { test } = await fashionMnistSubset();
    const x = prepare({ data: test.images.data, shape: [1, 28 * 2000, 28] });
    const predicted = noGrad(() => model.call(tensor(x.data as Float32Array, { shape: [2000, 1, 28, 28] })).argmax(1).dataSync());
    const right = test.labels.data.reduce((n, label, i) => n + Number(predicted[i] === label), 0);
    expect(right / 2000).toBeGreaterThan(0.89);
  });
});

describe("size", () => {
  it("is below 400 kB gzipped without data; a page loads one of the four builds of the kernels", async () => {
    const site = await buildSite(), folder = `${site}/assets/`;
    const sizes = readdirSync(folder).filter((name) => /\.(js|css)$/.test(name)).map((name) => ({ kernels: name.includes(".gen-"), bytes: gzipSync(readFileSync(folder + name)).length }));
    const kernels = sizes.filter((s) => s.kernels).map((s) => s.bytes);
    expect(kernels).toHaveLength(4);
    const page = gzipSync(readFileSync(`${site}/index.html`)).length + sizes.filter((s) => !s.kernels).reduce((sum, s) => sum + s.bytes, 0) + Math.max(...kernels);
    rmSync(site, { recursive: true });
    expect(page).toBeLessThan(400_000);
  });
});
