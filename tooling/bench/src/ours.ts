/** The workloads in our own library, written as a user would write them. */
import { concat, conv2d, endStep, noGrad, rand, randint, randn, scope, type Tensor } from "@nn/tensor";
import "@nn/autograd";
import {
  Conv1d, Conv2d, Dropout, Embedding, Flatten, LSTM, Linear, LocalResponseNorm, MaxPool2d, Module, ReLU, Sequential, TransformerEncoder, TransformerEncoderLayer,
  buffer, crossEntropy, sinusoidalPositions, type Buffer,
} from "@nn/layers";
import { Adam, SGD } from "@nn/optim";
import { alexnet } from "@nn/vision";
import { windows, type Conv, type Dispatch, type Elementwise, type Layer, type Lstm, type Net, type Sgemm, type Spec, type TextCnn, type Transformer } from "./workloads.ts";

/** A workload with its data in memory. */
export interface Prepared {
  /** One iteration. */
  readonly step: () => void;
  readonly dispose: () => void;
}

/** Builds `spec` on the default engine. */
export function prepare(spec: Spec): Prepared {
  switch (spec.kind) {
    case "sgemm":
      return sgemm(spec);
    case "conv":
      return conv(spec);
    case "net":
      return spec.pass === "fwd" ? forward(spec) : train(spec);
    case "lstm":
      return lstm(spec);
    case "textcnn":
      return textCnn(spec);
    case "transformer":
      return transformer(spec);
    case "elementwise":
      return elementwise(spec);
    case "dispatch":
      return dispatch(spec);
  }
}

const disposing = (...tensors: Tensor[]) => () => tensors.forEach((t) => t.dispose());

function sgemm({ n, form, batch }: Sgemm): Prepared {
  const shape = batch === 1 ? [n, n] : [batch, n, n];
  const [a, b] = [randn(shape, { seed: 1 }), randn(shape, { seed: 2 })] as [Tensor, Tensor];
  const left = form === "tn" ? a.transpose(-2, -1) : a;
  const right = form === "nt" ? b.transpose(-2, -1) : b;
  // The result's memory comes back from the pool each time.
  return { step: () => left.matmul(right).dispose(), dispose: disposing(a, b, left, right) };
}

/** Channels last in memory, as every image inside one of our networks lies. */
function channelsLast(x: Tensor): Tensor {
  const rows = x.permute([0, 2, 3, 1]);
  const dense = rows.contiguous();
  const y = dense.permute([0, 3, 1, 2]);
  disposing(x, rows, dense)();
  return y;
}

function conv(spec: Conv): Prepared {
  const { batch, in: c, size, out, kernel, stride, padding, pass } = spec;
  const image = channelsLast(randn([batch, c, size, size], { seed: 1 }) as Tensor);
  const layer = new Conv2d(c, out, kernel, { stride, padding });
  const forward = (x: Tensor) => conv2d(x, layer.weight, { stride, padding, bias: layer.bias });
  if (pass === "fwd") {
    return { step: () => noGrad(() => forward(image)).dispose(), dispose: () => (layer.dispose(), image.dispose()) };
  }
  const side = windows(size, spec);
  const gradient = channelsLast(randn([batch, out, side, side], { seed: 2 }) as Tensor);
  if (spec.inputGrad) image.requireGrad();
  return {
    step: () => {
      forward(image).backward({ gradient });
      layer.zeroGrad();
      if (spec.inputGrad) {
        image.grad?.dispose();
        image.grad = null;
      }
      endStep();
    },
    dispose: () => (layer.dispose(), disposing(image, gradient)()),
  };
}

function module(layer: Layer): Module {
  switch (layer.type) {
    case "conv":
      return new Conv2d(layer.in, layer.out, layer.kernel, { stride: layer.stride, padding: layer.padding });
    case "linear":
      return new Linear(layer.in, layer.out);
    case "maxPool":
      return new MaxPool2d(layer.kernel, { stride: layer.stride });
    case "dropout":
      return new Dropout(layer.p);
    case "lrn":
      return new LocalResponseNorm(layer.size, { alpha: layer.alpha, beta: layer.beta, k: layer.k });
    case "relu":
      return new ReLU();
    case "flatten":
      return new Flatten();
  }
}

/** A network whose layers are those of `spec`: [N, …input] → logits. */
export function network({ layers, model, classes }: Pick<Net, "layers" | "model" | "classes">): Module {
  if (model === undefined) return new Sequential(...layers.map(module));
  const dropout = layers.find((layer) => layer.type === "dropout");
  return alexnet({ variant: "one-tower", size: 227, classes, lrn: layers.some(({ type }) => type === "lrn") ? "torch" : "none", dropout: { p: dropout?.p ?? 0 }, bias: 0 });
}
const logitsOf = (net: Module, x: Tensor): Tensor => (net.call as unknown as (x: Tensor) => Tensor)(x);

function forward(spec: Net): Prepared {
  const net = network(spec).eval();
  const { batch, input } = spec;
  const x = rand([batch, ...input], { seed: 1 });
  return { step: () => noGrad(() => logitsOf(net, x)).dispose(), dispose: () => (net.dispose(), x.dispose()) };
}

/** Parameters follow a loss; the loss is read back as a number. */
const trainingStep = (optimizer: SGD | Adam, lossOf: () => Tensor) => (): void => {
  optimizer.zeroGrad();
  const loss = lossOf();
  loss.backward();
  optimizer.step();
  if (!Number.isFinite(loss.item())) throw new Error("the loss is not finite");
};

function train(spec: Net): Prepared {
  const net = network(spec);
  const { batch, input, classes, lr, momentum } = spec;
  const optimizer = new SGD(net.parameters(), { lr, momentum });
  const x = rand([batch, ...input], { seed: 1 });
  const target = randint(0, classes, [batch], { seed: 2 });
  return {
    step: trainingStep(optimizer, () => crossEntropy(logitsOf(net, x), target as Tensor)),
    dispose: () => (endStep(), endStep(), optimizer.zeroGrad(), net.dispose(), disposing(x, target)()),
  };
}

function lstm({ batch, steps, vocabulary, embedding, hidden, classes, lr }: Lstm): Prepared {
  const table = new Embedding(vocabulary, embedding);
  const layer = new LSTM(embedding, hidden, { batchFirst: true });
  const head = new Linear(hidden, classes);
  const parameters = [table, layer, head].flatMap((m) => m.parameters());
  const optimizer = new Adam(parameters, { lr });
  const ids = randint(0, vocabulary, [batch, steps], { seed: 2 }) as Tensor;
  const target = randint(0, classes, [batch], { seed: 3 }) as Tensor;
  return {
    step: trainingStep(optimizer, () => crossEntropy(head.call(layer.call(table.call(ids)).h.at(0)), target)),
    dispose: () => (endStep(), endStep(), optimizer.zeroGrad(), disposing(...parameters, ids, target)()),
  };
}

class TextCnnNet extends Module {
  readonly embedding: Embedding;
  readonly convolutions: readonly Conv1d[];
  readonly head: Sequential;
  constructor({ vocabulary, dim, kernels, filters, dropout, classes }: TextCnn) {
    super();
    this.embedding = new Embedding(vocabulary, dim);
    this.convolutions = kernels.map((k) => new Conv1d(dim, filters, k));
    this.head = new Sequential(new Dropout(dropout), new Linear(kernels.length * filters, classes));
  }
  /** ids [N, L] → logits [N, classes] */
  forward(ids: Tensor): Tensor {
    const x = this.embedding.call(ids).permute([0, 2, 1]); // [N, dim, L]
    const features = this.convolutions.map((conv) => conv.forwardActivated(x, "relu").max(2)); // [N, filters] each
    return this.head.call(concat(features, 1));
  }
}

function textCnn(spec: TextCnn): Prepared {
  const net = new TextCnnNet(spec);
  const optimizer = new Adam(net.parameters(), { lr: spec.lr });
  const ids = randint(0, spec.vocabulary, [spec.batch, spec.length], { seed: 1 });
  const target = randint(0, spec.classes, [spec.batch], { seed: 2 });
  return {
    step: trainingStep(optimizer, () => crossEntropy(net.call(ids as Tensor), target as Tensor)),
    dispose: () => (endStep(), endStep(), optimizer.zeroGrad(), net.dispose(), disposing(ids, target)()),
  };
}

class TextTransformer extends Module {
  readonly embedding: Embedding;
  readonly encoder: TransformerEncoder;
  readonly fc: Linear;
  readonly positions: Buffer;
  constructor({ vocabulary, length, features, heads, feedForward, layers, classes }: Transformer) {
    super();
    this.embedding = new Embedding(vocabulary, features);
    this.encoder = new TransformerEncoder(() => new TransformerEncoderLayer(features, heads, { dimFeedforward: feedForward, dropout: 0, batchFirst: true }), layers);
    this.fc = new Linear(features, classes);
    this.positions = buffer(sinusoidalPositions(length, features));
  }
  forward(ids: Tensor): Tensor {
    const x = this.embedding.call(ids).add(this.positions); // [B,T,D]
    return this.fc.call(this.encoder.call(x).mean(1));
  }
}

function transformer(spec: Transformer): Prepared {
  const net = new TextTransformer(spec);
  const optimizer = new Adam(net.parameters(), { lr: spec.lr });
  const ids = randint(0, spec.vocabulary, [spec.batch, spec.length], { seed: 1 }) as Tensor;
  const target = randint(0, spec.classes, [spec.batch], { seed: 2 }) as Tensor;
  return {
    step: trainingStep(optimizer, () => crossEntropy(net.call(ids), target)),
    dispose: () => (endStep(), endStep(), optimizer.zeroGrad(), net.dispose(), disposing(ids, target)()),
  };
}

function dispatch({ ops, recorded }: Dispatch): Prepared {
  const [x, y] = [randn([1], { seed: 1 }), randn([1], { seed: 2 })] as [Tensor, Tensor];
  if (recorded) x.requireGrad();
  const run = () => scope(() => { for (let i = 0; i < ops; i++) x.add(y); });
  return { step: () => (run(), endStep()), dispose: disposing(x, y) };
}

const softmaxRow = 1024;

function elementwise({ op, n }: Elementwise): Prepared {
  const x: Tensor = op === "softmax" ? randn([n / softmaxRow, softmaxRow], { seed: 1 }) : randn([n], { seed: 1 });
  const y: Tensor = op === "add" ? randn([n], { seed: 2 }) : x;
  const run = { add: () => x.add(y), relu: () => x.relu(), exp: () => x.exp(), tanh: () => x.tanh(), softmax: () => x.softmax(-1), sum: () => x.sum() }[op];
  return { step: () => run().dispose(), dispose: disposing(x, ...(y === x ? [] : [y])) };
}
