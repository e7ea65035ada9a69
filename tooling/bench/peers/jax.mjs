// The workloads in jax-js on its WASM backend, jitted; one thread in Node (its threads need a page).
// Every function takes ownership of its arguments: `x.ref` keeps x.
import { readFileSync } from "node:fs";
import { Missing, floats, installed, serve } from "./protocol.mjs";

let jax, np;

async function hello() {
  jax = await installed("@jax-js/jax");
  np = jax.numpy;
  await jax.init("wasm");
  jax.defaultDevice("wasm");
  const { version } = JSON.parse(readFileSync(new URL("./node_modules/@jax-js/jax/package.json", import.meta.url), "utf8"));
  return { version, threads: 1, note: "WASM, no threads in Node" };
}

function prepare(spec) {
  if (spec.kind === "lstm") throw new Missing("it was measured with a frozen embedding table only (628 ms in a page with two threads)");
  if (spec.kind === "textcnn") throw new Missing("needs 5 s per step with the embedding frozen");
  if (spec.layers?.some(({ type }) => type === "lrn")) throw new Missing("no local response normalisation");
  if (spec.kind === "transformer") throw new Missing("no Transformer in this comparison");
  if (spec.kind === "dispatch") throw new Missing("jitted functions only");
  if (convolutionFlops(spec) * (spec.pass === "fwd" ? 1 : 3) > 1e9) throw new Missing("its convolutions reach 0.2-0.3 GFLOP/s: too long at this size");
  return { sgemm, conv, net, elementwise }[spec.kind](spec);
}

/** Forward, to refuse what would take minutes. */
function convolutionFlops({ kind, batch, input, layers, size, ...spec }) {
  let side = kind === "net" ? input.at(-1) : size;
  let flops = 0;
  for (const { type, in: c, out, kernel: k, stride, padding = 0 } of kind === "net" ? layers : [{ type: kind, ...spec }]) {
    if (type === "conv" || type === "maxPool") side = Math.floor((side + 2 * padding - k) / stride) + 1;
    if (type === "conv") flops += 2 * batch * side ** 2 * out * c * k ** 2;
  }
  return flops;
}

const random = (shape, scale = 1) => np.array(floats(shape.reduce((a, b) => a * b, 1)).map((v) => v * scale)).reshape(shape);

/** A jitted function on fixed arrays, run to its end. */
function repeated(f, arrays) {
  const compiled = jax.jit(f);
  return {
    async step() {
      const result = compiled(...arrays.map((a) => a.ref));
      const leaves = [result].flat();
      await Promise.all(leaves.map((y) => y.blockUntilReady()));
      for (const y of leaves) y.dispose();
    },
    release() {
      for (const a of arrays) a.dispose();
    },
  };
}

function sgemm({ n, form, batch }) {
  const shape = batch === 1 ? [n, n] : [batch, n, n];
  const t = (x) => np.swapaxes(x, -1, -2);
  return repeated((a, b) => np.matmul(form === "tn" ? t(a) : a, form === "nt" ? t(b) : b), [random(shape), random(shape)]);
}

const convolve = (x, w, b, { stride, padding: p, out }) =>
  np.add(jax.lax.convGeneralDilated(x, w, [stride, stride], [[p, p], [p, p]]), b.reshape([1, out, 1, 1]));

function conv(spec) {
  const { pass, batch, in: c, size, out, kernel, inputGrad } = spec;
  const arrays = [random([batch, c, size, size]), random([out, c, kernel, kernel]), random([out])];
  const forward = (x, w, b) => convolve(x, w, b, spec);
  if (pass === "fwd") return repeated(forward, arrays);
  const loss = (x, w, b) => forward(x, w, b).sum();
  return repeated(jax.grad(loss, { argnums: inputGrad ? [0, 1, 2] : [1, 2] }), arrays);
}

/** [function of (x, parameters), initial parameters] */
function layerFunction(layer) {
  switch (layer.type) {
    case "conv": {
      const bound = 1 / Math.sqrt(layer.in * layer.kernel ** 2);
      return [(x, [w, b]) => convolve(x, w, b, layer), [random([layer.out, layer.in, layer.kernel, layer.kernel], bound), random([layer.out], bound)]];
    }
    case "linear": {
      const bound = 1 / Math.sqrt(layer.in);
      return [(x, [w, b]) => np.add(np.matmul(x, w), b), [random([layer.in, layer.out], bound), random([layer.out], bound)]];
    }
    case "maxPool":
      return [(x) => jax.lax.reduceWindow(x, (w) => np.max(w), [layer.kernel, layer.kernel], [layer.stride, layer.stride]), []];
    case "relu":
      return [(x) => jax.nn.relu(x), []];
    case "flatten":
      return [(x) => x.reshape([x.shape[0], -1]), []];
    default:
      throw new Missing(`no ${layer.type} in this comparison`);
  }
}

function net({ pass, input, batch, classes, layers, lr, momentum }) {
  const functions = layers.map(layerFunction);
  const forward = (parameters, x) => functions.reduce((y, [f], i) => f(y, parameters[i]), x);
  const x = random([batch, ...input]);
  const initial = functions.map(([, p]) => p);
  if (pass === "fwd") {
    const run = jax.jit(forward);
    return {
      async step() {
        const y = run(initial.map((p) => p.map((a) => a.ref)), x.ref);
        await y.blockUntilReady();
        y.dispose();
      },
    };
  }
  if (momentum > 0) throw new Missing("SGD without momentum only in this comparison");
  const onehot = new Float32Array(batch * classes);
  for (let i = 0; i < batch; i++) onehot[i * classes + (i % classes)] = 1;
  const target = np.array(onehot).reshape([batch, classes]);
  const loss = (parameters, x, t) => np.multiply(np.multiply(jax.nn.logSoftmax(forward(parameters, x)), t).sum(), -1 / batch);
  const gradient = jax.valueAndGrad(loss);
  const update = jax.jit((parameters, x, t) => {
    const [value, grads] = gradient(jax.tree.ref(parameters), x, t);
    return [value, jax.tree.map((p, g) => np.add(p, np.multiply(g, -lr)), parameters, grads)];
  });
  let parameters = initial;
  return {
    async step() {
      const [value, next] = update(parameters, x.ref, target.ref);
      parameters = next;
      const [number] = await value.data();
      if (!Number.isFinite(number)) throw new Missing(`the loss became ${number}`);
    },
  };
}

function elementwise({ op, n }) {
  const x = random(op === "softmax" ? [n / 1024, 1024] : [n]);
  if (op === "add") return repeated((a, b) => np.add(a, b), [x, random([n])]);
  const f = { relu: (x) => jax.nn.relu(x), exp: (x) => np.exp(x), tanh: (x) => np.tanh(x), softmax: (x) => jax.nn.softmax(x, -1), sum: (x) => x.sum() }[op];
  return repeated(f, [x]);
}

await serve(hello, prepare);
