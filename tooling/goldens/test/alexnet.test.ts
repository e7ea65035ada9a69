/** AlexNet against PyTorch: the full networks' logits; logits and every gradient of narrow ones. Recipe: alexnet/make.py. */
import { crc32 } from "node:zlib";
import "@nn/autograd";
import { crossEntropy, noGrad, scope, tensor, type Shape, type Tensor } from "@nn/tensor";
import { AlexNet, type AlexNetOptions } from "@nn/vision";
import { describe, expect, test } from "vitest";
import { difference } from "../src/compare.ts";
import { loadGoldens, type GoldenArray, type GoldenCase } from "../src/index.ts";

/** `filled` of make.py: numbers in [−bound, bound) from a hash of name and position. */
function filled(name: string, shape: Shape, bound: number): Tensor {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const salt = crc32(name);
  for (let i = 0; i < data.length; i++) {
    let x = Math.imul(i, 0x9e3779b1) + salt;
    x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
    x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
    x ^= x >>> 15;
    data[i] = ((x >>> 8) / 2 ** 23 - 1) * bound;
  }
  return tensor(data, { shape });
}

/** The model in evaluation, with the weights that go with its names. */
function model({ attrs }: GoldenCase): { net: AlexNet; x: Tensor } {
  const { images = 2, halved = false, gradients: _, ...options } = attrs as AlexNetOptions & { images?: number; halved?: boolean; gradients?: boolean };
  const net = new AlexNet({ ...options, dropout: { scaleAt: halved ? "evaluation" : "training" } }).eval();
  for (const [name, p] of net.namedParameters()) {
    const fanIn = p.size / p.shape[0]!;
    p.write(filled(name, p.shape, name.endsWith("bias") ? 0.1 : Math.sqrt(6 / fanIn)).dataSync(), "filled");
  }
  const size = options.size ?? 224;
  return { net, x: filled("x", [images, 3, size, size], 1) };
}

const wrong = (t: Tensor, expected: GoldenArray): string | null => difference({ shape: t.shape, data: t.dataSync() }, expected, "f32");

describe("AlexNet against PyTorch", () => {
  test.each(loadGoldens("alexnetSmall"))("$name: logits and every gradient", (golden) => {
    const { net, x } = model(golden);
    const logits = net.call(x);
    const found = new Map([["logits", wrong(logits, golden.outputs.get("logits")!)]]);
    crossEntropy(logits, tensor(Int32Array.of(0, 1))).backward();
    for (const [name, p] of net.namedParameters()) found.set(`grad.${name}`, wrong(p.grad!, golden.outputs.get(`grad.${name}`)!));
    expect([...found].filter(([, problem]) => problem !== null)).toEqual([]);
    expect([...found.keys()].sort()).toEqual([...golden.outputs.keys()].sort()); // nothing stored is left unchecked
    net.dispose();
  });

  // 1e-4 would do: the largest of the sums has 9,216 terms.
  test.each(loadGoldens("alexnetFull"))("the full $name network: logits", (golden) => {
    scope(() => {
      const { net, x } = model(golden);
      expect(wrong(noGrad(() => net.call(x)), golden.outputs.get("logits")!)).toBeNull();
      net.dispose();
    });
  });
});
