/** The workloads in our own library, written as a user would write them. */
import { conv2d, endStep, noGrad, rand, randint, randn, type Tensor } from "@nn/tensor";
import "@nn/autograd";
import { Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential, crossEntropy, type Module } from "@nn/layers";
import { SGD } from "@nn/optim";
import { windows, type Conv, type Elementwise, type Layer, type Net, type Sgemm, type Spec } from "./workloads.ts";

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
    case "elementwise":
      return elementwise(spec);
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
    case "relu":
      return new ReLU();
    case "flatten":
      return new Flatten();
  }
}

function forward({ layers, batch, input }: Net): Prepared {
  const net = new Sequential(...layers.map(module)).eval();
  const x = rand([batch, ...input], { seed: 1 });
  return { step: () => noGrad(() => net.call(x)).dispose(), dispose: () => (net.dispose(), x.dispose()) };
}

function train({ layers, batch, input, classes, lr, momentum }: Net): Prepared {
  const net = new Sequential(...layers.map(module));
  const optimizer = new SGD(net.parameters(), { lr, momentum });
  const x = rand([batch, ...input], { seed: 1 });
  const target = randint(0, classes, [batch], { seed: 2 });
  return {
    step: () => {
      optimizer.zeroGrad();
      const loss = crossEntropy(net.call(x), target as Tensor);
      loss.backward();
      optimizer.step();
      if (!Number.isFinite(loss.item())) throw new Error("the loss is not finite");
    },
    dispose: () => (endStep(), endStep(), optimizer.zeroGrad(), net.dispose(), disposing(x, target)()),
  };
}

const softmaxRow = 1024;

function elementwise({ op, n }: Elementwise): Prepared {
  const x: Tensor = op === "softmax" ? randn([n / softmaxRow, softmaxRow], { seed: 1 }) : randn([n], { seed: 1 });
  const y: Tensor = op === "add" ? randn([n], { seed: 2 }) : x;
  const run = { add: () => x.add(y), relu: () => x.relu(), exp: () => x.exp(), tanh: () => x.tanh(), softmax: () => x.softmax(-1), sum: () => x.sum() }[op];
  return { step: () => run().dispose(), dispose: disposing(x, ...(y === x ? [] : [y])) };
}
