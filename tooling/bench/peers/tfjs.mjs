// The workloads in TensorFlow.js on its WASM backend, which has one thread in Node.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Missing, floats, installed, serve } from "./protocol.mjs";

let tf;

async function hello() {
  tf = await installed("@tensorflow/tfjs");
  const { setWasmPaths } = await installed("@tensorflow/tfjs-backend-wasm");
  const main = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
  const root = main.slice(0, main.lastIndexOf("tfjs-backend-wasm") + "tfjs-backend-wasm".length);
  setWasmPaths(`${join(root, "dist")}/`);
  await tf.setBackend("wasm");
  await tf.ready();
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return { version, threads: 1, note: "WASM, no threads in Node" };
}

const random = (shape) => tf.tensor(floats(shape.reduce((a, b) => a * b, 1)), shape);

function prepare(spec) {
  if (spec.kind === "transformer") throw new Missing("no Transformer in this comparison");
  const convolution = spec.kind === "conv" || spec.layers?.some(({ type }) => type === "conv");
  if (convolution && spec.pass !== "fwd" && !tf.getKernel("Conv2DBackpropFilter", "wasm")) throw new Missing("its WASM backend has no gradient of a convolution's weight");
  if (spec.kind === "lstm") throw new Missing("its WASM backend has no gradient of an embedding table");
  if (spec.kind === "textcnn") throw new Missing("its WASM backend has no gradient of a convolution's weight");
  const { step, note } = { sgemm, conv, net, elementwise, dispatch }[spec.kind](spec);
  return { step, note, release: () => tf.disposeVariables() };
}

/** Kernels run synchronously; the result is thrown away. */
const discard = (f) => () => tf.tidy(() => void f());

function sgemm({ n, form, batch }) {
  const shape = batch === 1 ? [n, n] : [batch, n, n];
  const [a, b] = [random(shape), random(shape)];
  return { step: discard(() => tf.matMul(a, b, form === "tn", form === "nt")) };
}

/** Padding as tfjs wants it. */
const pad = (p) => (p === 0 ? "valid" : [[0, 0], [p, p], [p, p], [0, 0]]);

function conv({ pass, batch, in: c, size, out, kernel, stride, padding, inputGrad }) {
  const x = random([batch, size, size, c]);
  const w = tf.variable(random([kernel, kernel, c, out]));
  const b = tf.variable(random([out]));
  const forward = (x, w, b) => tf.add(tf.conv2d(x, w, stride, pad(padding)), b);
  if (pass === "fwd") return { step: discard(() => forward(x, w, b)) };
  const gradients = inputGrad ? tf.grads(forward) : tf.grads((w, b) => forward(x, w, b));
  return { step: discard(() => gradients(inputGrad ? [x, w, b] : [w, b])) };
}

function layerFunction(layer, add) {
  switch (layer.type) {
    case "conv": {
      const w = add([layer.kernel, layer.kernel, layer.in, layer.out], layer.kernel ** 2 * layer.in);
      const b = add([layer.out], layer.in);
      return (x) => tf.add(tf.conv2d(x, w, layer.stride, pad(layer.padding)), b);
    }
    case "linear": {
      const w = add([layer.in, layer.out], layer.in);
      const b = add([layer.out], layer.in);
      return (x) => tf.add(tf.matMul(x, w), b);
    }
    case "maxPool":
      return (x) => tf.maxPool(x, layer.kernel, layer.stride, "valid");
    case "lrn": // sums without dividing by the number of channels
      return (x) => tf.localResponseNormalization(x, (layer.size - 1) / 2, layer.k, layer.alpha / layer.size, layer.beta);
    case "dropout":
      return (x) => tf.dropout(x, layer.p);
    case "relu":
      return (x) => tf.relu(x);
    default:
      return (x) => tf.reshape(x, [x.shape[0], -1]);
  }
}

function net({ pass, input, batch, classes, layers, lr, momentum }) {
  const variables = [];
  const add = (shape, fanIn) => {
    const v = tf.variable(tf.mul(random(shape), 1 / Math.sqrt(fanIn)));
    variables.push(v);
    return v;
  };
  const functions = layers.map((layer) => layerFunction(layer, add));
  const forward = (x) => functions.reduce((y, f) => f(y), x);
  const x = random(input.length === 3 ? [batch, input[1], input[2], input[0]] : [batch, ...input]);
  if (pass === "fwd") return { step: discard(() => forward(x)) };
  const target = tf.oneHot(tf.tensor1d(Array.from({ length: batch }, (_, i) => i % classes), "int32"), classes);
  const optimizer = momentum > 0 ? tf.train.momentum(lr, momentum) : tf.train.sgd(lr);
  const step = () => {
    const loss = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(target, forward(x)), true, variables);
    const value = loss.dataSync()[0];
    loss.dispose();
    if (!Number.isFinite(value)) throw new Missing(`the loss became ${value}`);
  };
  return { step };
}

function dispatch({ ops, recorded }) {
  if (recorded) throw new Missing("it records only inside grad()");
  const [x, y] = [random([1]), random([1])];
  return { step: discard(() => { for (let i = 0; i < ops; i++) tf.add(x, y); }) };
}

function elementwise({ op, n }) {
  const x = op === "softmax" ? random([n / 1024, 1024]) : random([n]);
  const y = op === "add" ? random([n]) : null;
  const run = { add: () => tf.add(x, y), relu: () => tf.relu(x), exp: () => tf.exp(x), tanh: () => tf.tanh(x), softmax: () => tf.softmax(x), sum: () => tf.sum(x) }[op];
  return { step: discard(run) };
}

await serve(hello, prepare);
