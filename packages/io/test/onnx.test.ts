// That files mean what models do: tooling/conformance/test/onnx*.test.ts.
import "@nn/autograd";
import * as nn from "@nn/layers";
import { randn, scope, tensor, type Tensor } from "@nn/tensor";
import { LeNet5 } from "@nn/vision";
import { describe, expect, test } from "vitest";
import { exportOnnx, type OnnxModel } from "../src/index.ts";
import { Graph } from "../src/onnx/graph.ts";

/** A function as a model. */
const model = (call: (...xs: Tensor[]) => unknown): OnnxModel => ({ training: false, call: call as never, stateDict: () => new Map<string, Tensor>() });
const words = (n: number) => tensor(Array.from({ length: n }, (_, i) => Array.from({ length: 5 }, (_, j) => (3 * i + 5 * j) % 11)), { dtype: "i32" });

describe("the file", () => {
  test("weights keep their names; sizes are named; results by their record", () => {
    const layer = nn.sequential(new nn.Linear(5, 3), new nn.Tanh()).eval();
    const text = new TextDecoder("latin1").decode(exportOnnx(layer, randn([1, 5])));
    for (const name of ["0.weight", "0.bias", "0/Gemm", "batch", "@nn/io"]) expect(text).toContain(name);
    const lstm = new TextDecoder("latin1").decode(exportOnnx(new nn.LSTM(2, 3, { batchFirst: true }).eval(), randn([1, 4, 2]), { inputNames: ["tokens"] }));
    for (const name of ["tokens", "output", "h", "c"]) expect(lstm).toContain(`\x0a${String.fromCharCode(name.length)}${name}`);
  });

  test("the same model gives the same bytes, and is left as it was", () => {
    const layer = new nn.Linear(5, 3).eval(), x = randn([2, 5]);
    const before = layer.weight.toArray();
    expect(exportOnnx(layer, x)).toEqual(exportOnnx(layer, x));
    expect(layer.weight.toArray()).toEqual(before);
    const y = layer.call(x).sum();
    y.backward(); // autograd is back in its place
    expect(layer.weight.grad!.shape).toEqual([3, 5]);
  });

  test("exporting leaves no tensor behind", () => {
    scope(() => {
      const x = randn([2, 1, 28, 28]), net = new LeNet5().eval();
      const before = [...x.scope!].length;
      exportOnnx(net, x);
      expect([...x.scope!]).toHaveLength(before);
    });
  });

  test("refusals", () => {
    const x = randn([2, 4]);
    expect(() => exportOnnx(new nn.Dropout(0.5), x)).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: exportOnnx: the model is in training mode
        hint: model.eval() switches dropout off and batch statistics to the running ones]
    `);
    expect(() => exportOnnx(model((t) => t!.atan2(2)), x)).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: exportOnnx: op 'atan2' has no ONNX form here]`);
    expect(() => exportOnnx(model((t) => tensor([...t!.sum(1).dataSync()]).reshape([-1, 1])), words(2))).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: exportOnnx: a constant [2,1] depends on the batch in a way that ONNX cannot follow
        hint: numbers read out of the inputs become constants; { dynamicBatch: false } exports for the size of the example]
    `);
    expect(() => exportOnnx(model((t) => t!.mul(t!.shape[0]!)), x)).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: exportOnnx: a constant [] depends on the batch in a way that ONNX cannot follow
        hint: numbers read out of the inputs become constants; { dynamicBatch: false } exports for the size of the example]
    `);
    expect(() => exportOnnx(model((t) => t!.slice(0, 0, t!.shape[0]! - 1)), x)).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: exportOnnx: a size of [1,4] depends on the batch in a way that ONNX cannot follow
        hint: numbers read out of the inputs become constants; { dynamicBatch: false } exports for the size of the example]
    `);
    expect(() => exportOnnx(model((t) => [t!.shape]), x)).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: exportOnnx: the model must return a tensor, a list or a record of tensors]`);
    expect(() => exportOnnx(model((t) => t!), x, { inputNames: ["a", "b"] })).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: exportOnnx: names [a, b] for 1 inputs
        hint: one name for each, no two alike]
    `);
    expect(() => exportOnnx(model((t) => t!), [])).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: exportOnnx: needs an example of the model's input]`);
    expect(() => exportOnnx(model((t) => t!), tensor(1))).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: exportOnnx: an input [] has no row to repeat
        hint: batches come first; { dynamicBatch: false } exports for the size of the example]
    `);
  });

  test("weights above 2 GiB are refused before anything is copied together", () => {
    const graph = new Graph("input"), gibibyte = new Float32Array(2 ** 28); // the same one twice
    graph.constant(gibibyte, [2 ** 28], "f32", "first");
    expect(() => graph.constant(gibibyte, [2 ** 28], "f32", "second")).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: exportOnnx: the weights take more than 2 GiB (2147483648 bytes up to 'second'), which an ONNX file cannot hold
        hint: export parts of the model, or save safetensors]
    `);
  });
});
