import "@nn/autograd";
import * as nn from "@nn/layers";
import type { OnnxModel } from "@nn/io";
import { manualSeed, randn, scaledDotProductAttention, tensor, type Tensor } from "@nn/tensor";
import { AlexNetFashion, AlexNetSmall, alexnet, LeNet5, MeanImage } from "@nn/vision";
import { describe, test } from "vitest";
import { check, model } from "./onnxruntime.ts";

const image = (n: number, c = 4, h = 8, w = 7) => randn([n, c, h, w]);
const words = (n: number, t = 5, size = 11) => tensor(Array.from({ length: n }, (_, i) => Array.from({ length: t }, (_, j) => (3 * i + 5 * j) % size)), { dtype: "i32" });

function trained(bn: nn.BatchNorm2d | nn.BatchNorm1d, x: Tensor): nn.Module {
  for (let i = 0; i < 3; i++) bn.call(x);
  return bn.eval();
}

describe("every layer means the same in ONNX Runtime, for any batch", () => {
  manualSeed(1);
  test.each<[string, () => OnnxModel, (n: number) => Tensor]>([
    ["Linear", () => new nn.Linear(5, 3), (n) => randn([n, 5])],
    ["Linear without bias, 3-d", () => new nn.Linear(5, 3, { bias: false }), (n) => randn([n, 4, 5])],
    ["Conv2d", () => new nn.Conv2d(4, 6, 3, { stride: [2, 1], padding: [1, 0, 2, 1], groups: 2 }), image],
    ["Conv2d same, dilated", () => new nn.Conv2d(4, 6, [3, 2], { padding: "same", dilation: 2, bias: false }), image],
    ["Conv1d", () => new nn.Conv1d(4, 6, 3, { padding: 1 }), (n) => randn([n, 4, 9])],
    ["MaxPool2d", () => new nn.MaxPool2d(3, { stride: 2 }), image],
    ["MaxPool2d, ceil", () => new nn.MaxPool2d(3, { stride: 2, padding: 1, ceilMode: true }), image],
    ["MaxPool2d, dilated", () => new nn.MaxPool2d(2, { stride: 1, dilation: 2 }), image],
    ["AvgPool2d", () => new nn.AvgPool2d(2), image],
    ["AvgPool2d, padding", () => new nn.AvgPool2d(3, { stride: 2, padding: 1 }), image],
    ["AvgPool2d, padding not counted", () => new nn.AvgPool2d(3, { stride: 2, padding: 1, countIncludePad: false }), image],
    ["AvgPool2d, ceil", () => new nn.AvgPool2d(3, { stride: 2, padding: 1, ceilMode: true }), image],
    ["AdaptiveAvgPool2d", () => new nn.AdaptiveAvgPool2d(3), image],
    ["AdaptiveAvgPool2d, even", () => new nn.AdaptiveAvgPool2d([4, 7]), image],
    ["LocalResponseNorm", () => new nn.LocalResponseNorm(5, { k: 2, alpha: 0.5 }), (n) => image(n, 9)],
    ["LocalResponseNorm of the paper", () => new nn.LocalResponseNorm(5, { k: 2, alpha: 0.5, form: "paper" }), (n) => image(n, 9)],
    ["LocalResponseNorm, even", () => new nn.LocalResponseNorm(4, { alpha: 0.5 }), (n) => image(n, 9)],
    ["LocalResponseNorm, 3-d", () => new nn.LocalResponseNorm(3, { alpha: 0.5 }), (n) => randn([n, 9, 5])],
    ["BatchNorm2d", () => trained(new nn.BatchNorm2d(4), image(6)) as OnnxModel, image],
    ["BatchNorm1d", () => trained(new nn.BatchNorm1d(5), randn([6, 5])) as OnnxModel, (n) => randn([n, 5])],
    ["GroupNorm", () => new nn.GroupNorm(2, 4), image],
    ["InstanceNorm", () => new nn.InstanceNorm(4), image],
    ["LayerNorm", () => new nn.LayerNorm([8, 7]), image],
    ["LayerNorm without weights", () => new nn.LayerNorm(7, { elementwiseAffine: false }), image],
    ["RMSNorm", () => new nn.RMSNorm(7), image],
    ["Dropout", () => new nn.Dropout(0.5), image],
    ["Flatten", () => new nn.Flatten(), image],
    ["Softmax", () => new nn.Softmax(), (n) => randn([n, 5])],
    ["LogSoftmax", () => new nn.LogSoftmax(), (n) => randn([n, 5])],
    ["Maxout", () => new nn.Maxout(5, 3, 2), (n) => randn([n, 5])],
    ["MLP", () => new nn.MLP([5, 8, 3]), (n) => randn([n, 5])],
    ["Embedding", () => new nn.Embedding(11, 4), words],
    ["EmbeddingBag", () => new nn.EmbeddingBag(11, 4), words],
    ["EmbeddingBag, sums without padding", () => new nn.EmbeddingBag(11, 4, { mode: "sum", paddingIdx: 3 }), words],
    ["EmbeddingBag, means without padding", () => new nn.EmbeddingBag(11, 4, { paddingIdx: 0 }), words],
    ["EmbeddingBag, maxima without padding", () => new nn.EmbeddingBag(11, 4, { mode: "max", paddingIdx: 3 }), words],
    ["RNN", () => new nn.RNN(5, 4, { nonlinearity: "relu", numLayers: 2 }), (n) => randn([3, n, 5]).transpose(0, 1)],
    ["GRU", () => new nn.GRU(5, 4, { batchFirst: true, bidirectional: true }), (n) => randn([n, 6, 5])],
    ["LSTM", () => new nn.LSTM(5, 4, { batchFirst: true, bidirectional: true, numLayers: 2 }), (n) => randn([n, 6, 5])],
    ["LSTM without biases", () => new nn.LSTM(5, 4, { batchFirst: true, bias: false }), (n) => randn([n, 6, 5])],
    ["Transformer encoder", () => new nn.TransformerEncoder(() => new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16, batchFirst: true }), 2), (n) => randn([n, 6, 8])],
    ["Transformer encoder, norm first", () => new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16, batchFirst: true, normFirst: true, activation: "gelu" }), (n) => randn([n, 6, 8])],
    ["LeNet-5", () => new LeNet5(), (n) => image(n, 1, 28, 28)],
    ["LeNet-5, relu and max", () => new LeNet5({ activation: "relu", pool: "max" }), (n) => image(n, 1, 28, 28)],
    ["AlexNet for Fashion-MNIST", () => new AlexNetFashion(), (n) => image(n, 1, 28, 28)],
    ["a small AlexNet", () => new AlexNetSmall({ size: 32 }), (n) => image(n, 3, 32, 32)],
    ["AlexNet of the paper", () => alexnet({ width: 1 / 16, classes: 20 }), (n) => image(n, 3, 224, 224)],
    ["AlexNet in one tower, halved in evaluation", () => alexnet({ variant: "one-tower", size: 227, width: 1 / 16, classes: 20, dropout: { scaleAt: "evaluation" } }), (n) => image(n, 3, 227, 227)],
    ["AlexNet of torchvision", () => alexnet({ variant: "torchvision", width: 1 / 16, classes: 20 }), (n) => image(n, 3, 224, 224)],
    ["a mean picture subtracted", () => new MeanImage(new nn.Flatten(), [3, 4, 4], { mean: new Float32Array(48).fill(100), scale: 1 / 64 }), (n) => image(n, 3, 4, 4)],
  ])("%s", async (_, make, input) => {
    const layer = make();
    if (layer instanceof nn.Module) layer.eval();
    await check(layer, [input(2)], [input(5)]);
  });

  test.each(nn.activationNames.map((name) => [name] as const))("activation %s", async (name) => {
    await check(nn.activation(name).eval(), [randn([2, 33]).mul(3)], [randn([4, 33]).mul(3)]);
  });

  test("attention: causal, of a query over other keys, with a mask that is an input", async () => {
    const attention = new nn.MultiheadAttention(8, 2, { batchFirst: true }).eval();
    await check({ ...model((x) => attention.call(x!, x!, x!, { causal: true })[0]), stateDict: () => attention.stateDict() }, [randn([2, 5, 8])], [randn([3, 5, 8])]);
    await check(model((q, k) => scaledDotProductAttention(q!, k!, k!)), [randn([2, 2, 3, 4]), randn([2, 2, 5, 4])], [randn([4, 2, 3, 4]), randn([4, 2, 5, 4])]);
    const mask = (n: number) => tensor(Array.from({ length: n }, (_, i) => [1, 1, i % 2, 0]), { dtype: "bool" });
    await check(model((q, m) => scaledDotProductAttention(q!, q!, q!, { mask: m!.reshape([m!.shape[0]!, 1, 1, 4]) })), [randn([2, 2, 4, 3]), mask(2)], [randn([3, 2, 4, 3]), mask(3)]);
  });

  test("recurrent layers with lengths and initial states as inputs", async () => {
    for (const layer of [new nn.LSTM(3, 4), new nn.GRU(3, 4, { bidirectional: true }), new nn.RNN(3, 4)]) {
      const states = layer.options.bidirectional ? 2 : 1;
      const call = (x: Tensor, lengths: Tensor, h0: Tensor) => layer.call(x, { lengths, h0 });
      const inputs = [randn([6, 2, 3]), tensor([6, 2], { dtype: "i32" }), randn([states, 2, 4])];
      await check({ ...model(call as never), stateDict: () => layer.stateDict() }, inputs, inputs, { dynamicBatch: false }); // the batch is not the first dimension
    }
  });

  test("weight norm is folded: the file holds the weight itself", async () => {
    const layer = nn.weightNorm(new nn.Linear(5, 3)).eval();
    await check(layer, [randn([2, 5])], [randn([4, 5])]);
  });

  test("a positional table added to every row, and a token in front of each", async () => {
    const table = randn([1, 5, 4]), token = randn([1, 1, 4]);
    await check(model((x) => x!.add(table.expand(x!.shape))), [randn([2, 5, 4])], [randn([7, 5, 4])]);
    await check(model((x) => nn.sequential(new nn.Identity()).call(token.expand([x!.shape[0]!, 1, 4]).add(x!.slice(1, 0, 1)))), [randn([2, 5, 4])], [randn([7, 5, 4])]);
  });

  test("results that are inputs, constants or the same twice", async () => {
    await check(model((x) => ({ same: x!, twice: x!.mul(2), also: x!, constant: tensor([1, 2]) })), [randn([2, 3])], [randn([5, 3])]);
  });
});
