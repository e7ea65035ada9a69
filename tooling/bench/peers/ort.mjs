// The workloads in ONNX Runtime for Node: forward only, from models written on the spot.
import { readFileSync } from "node:fs";
import { constant, float, model, node } from "./onnx.mjs";
import { Missing, floats, installed, serve } from "./protocol.mjs";

let ort, threads;

async function hello(options) {
  ort = await installed("onnxruntime-node");
  threads = options;
  const { version } = JSON.parse(readFileSync(new URL("./node_modules/onnxruntime-node/package.json", import.meta.url), "utf8"));
  return { version, threads };
}

function prepare(spec) {
  if (spec.kind === "dispatch") throw new Missing("whole graphs only");
  if (spec.pass === "train" || spec.pass === "fwdbwd" || ["lstm", "textcnn", "transformer"].includes(spec.kind)) throw new Missing("inference only");
  return { sgemm, conv, net, elementwise }[spec.kind](spec);
}

const size = (dims) => dims.reduce((a, b) => a * b, 1);

/** Runs `graph` on random inputs. */
async function session(graph) {
  // Its threads look for work for 35 ms after a run, which would slow down whoever is measured next.
  const extra = { session: { force_spinning_stop: "1" } };
  const run = await ort.InferenceSession.create(model(graph), { intraOpNumThreads: threads, interOpNumThreads: 1, graphOptimizationLevel: "all", extra });
  const feeds = Object.fromEntries(graph.inputs.map(([name, dims]) => [name, new ort.Tensor("float32", floats(size(dims)), dims)]));
  return { step: () => run.run(feeds), release: () => run.release() };
}

function sgemm({ n, form, batch }) {
  const dims = batch === 1 ? [n, n] : [batch, n, n];
  const inputs = [["a", dims], ["b", dims]];
  // Gemm reads transposed operands; there is no batched form of it.
  if (batch === 1) return session({ nodes: [node("Gemm", ["a", "b"], "y", { transA: Number(form === "tn"), transB: Number(form === "nt") })], inputs, outputRank: 2 });
  if (form !== "nn") throw new Missing("no transposed batched product");
  return session({ nodes: [node("MatMul", ["a", "b"], "y")], inputs, outputRank: 3 });
}

/** Nodes and constants of a list of layers, from "x" to "y". */
function graphOf(layers) {
  const nodes = [];
  const constants = [];
  layers.forEach((layer, i) => {
    const from = i === 0 ? "x" : `t${i}`;
    const to = i === layers.length - 1 ? "y" : `t${i + 1}`;
    const add = (name, dims, fanIn) => {
      constants.push(constant(`${name}${i}`, dims, floats(size(dims)).map((v) => v / Math.sqrt(fanIn))));
      return `${name}${i}`;
    };
    if (layer.type === "conv") {
      const { in: c, out, kernel: k, stride: s, padding: p } = layer;
      nodes.push(node("Conv", [from, add("w", [out, c, k, k], c * k * k), add("b", [out], c * k * k)], to, { kernel_shape: [k, k], strides: [s, s], pads: [p, p, p, p] }));
    } else if (layer.type === "linear") {
      nodes.push(node("Gemm", [from, add("w", [layer.out, layer.in], layer.in), add("b", [layer.out], layer.in)], to, { transB: 1 }));
    } else if (layer.type === "maxPool") {
      nodes.push(node("MaxPool", [from], to, { kernel_shape: [layer.kernel, layer.kernel], strides: [layer.stride, layer.stride] }));
    } else if (layer.type === "lrn") {
      const { size, alpha, beta, k } = layer;
      nodes.push(node("LRN", [from], to, { size, alpha: float(alpha), beta: float(beta), bias: float(k) }));
    } else {
      nodes.push(node({ relu: "Relu", flatten: "Flatten" }[layer.type], [from], to));
    }
  });
  return { nodes, constants };
}

const conv = (spec) => session({ ...graphOf([{ type: "conv", ...spec }]), inputs: [["x", [spec.batch, spec.in, spec.size, spec.size]]], outputRank: 4 });
const net = ({ layers, batch, input }) => session({ ...graphOf(layers), inputs: [["x", [batch, ...input]]], outputRank: 2 });

function elementwise({ op, n }) {
  const dims = op === "softmax" ? [n / 1024, 1024] : [n];
  const inputs = op === "add" ? [["a", dims], ["b", dims]] : [["a", dims]];
  const name = { add: "Add", relu: "Relu", exp: "Exp", tanh: "Tanh", softmax: "Softmax", sum: "ReduceSum" }[op];
  const attributes = op === "softmax" ? { axis: 1 } : op === "sum" ? { keepdims: 0 } : {};
  return session({ nodes: [node(name, inputs.map(([i]) => i), "y", attributes)], inputs, outputRank: op === "sum" ? 0 : dims.length });
}

await serve(hello, prepare);
