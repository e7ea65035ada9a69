/**
 * What is measured: named, sized workloads. A workload is plain data, so that every participant
 * (ours.ts here, peers/*.py and *.mjs in processes of their own) builds the same thing from the same numbers.
 * float32 everywhere, random data, steady state.
 */

export type Layer =
  | { readonly type: "conv"; readonly in: number; readonly out: number; readonly kernel: number; readonly stride: number; readonly padding: number }
  | { readonly type: "linear"; readonly in: number; readonly out: number }
  | { readonly type: "maxPool"; readonly kernel: number; readonly stride: number }
  | { readonly type: "dropout"; readonly p: number }
  /** Local response normalisation in PyTorch's form: α is divided by `size`. */
  | { readonly type: "lrn"; readonly size: number; readonly alpha: number; readonly beta: number; readonly k: number }
  | { readonly type: "relu" | "flatten" };

/** C = op(A)·op(B), all N×N row-major, `batch` of them. "tn" reads A transposed, "nt" B: what the gradients of a product need. */
export interface Sgemm {
  readonly kind: "sgemm";
  readonly n: number;
  readonly form: "nn" | "tn" | "nt";
  readonly batch: number;
}

/** One convolution with bias. fwdbwd: forward, then gradients of weight and bias, and of the input if `inputGrad`. */
export interface Conv {
  readonly kind: "conv";
  readonly pass: "fwd" | "fwdbwd";
  readonly batch: number;
  readonly in: number;
  readonly size: number;
  readonly out: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly inputGrad: boolean;
}

/** A network: forward in evaluation mode, or one step of softmax cross-entropy and SGD that reads the loss back as a number. */
export interface Net {
  readonly kind: "net";
  readonly pass: "fwd" | "train";
  /** Without the batch. */
  readonly input: readonly number[];
  readonly batch: number;
  readonly classes: number;
  readonly layers: readonly Layer[];
  /** The layers are those of this model of @nn/vision, which we run in their place. */
  readonly model?: "alexnet";
  readonly lr: number;
  readonly momentum: number;
}

/** Kim 2014: embedding, convolutions of several widths over time with relu and max over time, dropout, one linear layer. A step of Adam on all parameters. */
export interface TextCnn {
  readonly kind: "textcnn";
  readonly batch: number;
  readonly length: number;
  readonly vocabulary: number;
  readonly dim: number;
  readonly kernels: readonly number[];
  readonly filters: number;
  readonly dropout: number;
  readonly classes: number;
  readonly lr: number;
}

/** One pass over `n` floats, the result newly made; softmax over rows of 1024; sum to a scalar. */
export interface Elementwise {
  readonly kind: "elementwise";
  readonly op: "add" | "relu" | "exp" | "tanh" | "softmax" | "sum";
  readonly n: number;
}

/** One training step of ids [batch, steps] → embedding → one-layer LSTM → linear layer on the last hidden state; softmax cross-entropy and Adam. */
export interface Lstm {
  readonly kind: "lstm";
  readonly batch: number;
  readonly steps: number;
  readonly vocabulary: number;
  readonly embedding: number;
  readonly hidden: number;
  readonly classes: number;
  readonly lr: number;
}

/** One training step of a text classifier: embedding + constant positions → post-norm encoder layers → mean over positions → linear; softmax cross-entropy, Adam. */
export interface Transformer {
  readonly kind: "transformer";
  readonly vocabulary: number;
  readonly batch: number;
  readonly length: number;
  readonly features: number;
  readonly heads: number;
  readonly feedForward: number;
  readonly layers: number;
  readonly classes: number;
  readonly lr: number;
}

/** A thousand additions of single numbers: what an op costs beside its arithmetic. A millisecond per iteration is a microsecond per op. */
export interface Dispatch {
  readonly kind: "dispatch";
  readonly ops: 1000;
  /** Whether a gradient could be asked for afterwards. */
  readonly recorded: boolean;
}

export type Spec = Sgemm | Conv | Net | Lstm | TextCnn | Transformer | Elementwise | Dispatch;

export interface Workload {
  readonly name: string;
  readonly spec: Spec;
}

/** A workload that cannot run yet; it is reported, not left out. */
export interface Missing {
  readonly name: string;
  readonly missing: string;
}

const workloads: Workload[] = [];
const add = (name: string, spec: Spec): void => void workloads.push({ name, spec });

// — sgemm —
for (const n of [256, 512, 1024, 2048]) add(`sgemm_${n}`, { kind: "sgemm", n, form: "nn", batch: 1 });
for (const n of [512, 1024]) for (const form of ["tn", "nt"] as const) add(`sgemm_${n}_${form}`, { kind: "sgemm", n, form, batch: 1 });
for (const form of ["nn", "tn", "nt"] as const) add(`sgemm_128${form === "nn" ? "" : `_${form}`}_b64`, { kind: "sgemm", n: 128, form, batch: 64 });

// — the five convolutions of AlexNet (Krizhevsky 2012) in one tower, batch 32 —
const convs = [
  { in: 3, size: 227, out: 96, kernel: 11, stride: 4, padding: 0 },
  { in: 96, size: 27, out: 256, kernel: 5, stride: 1, padding: 2 },
  { in: 256, size: 13, out: 384, kernel: 3, stride: 1, padding: 1 },
  { in: 384, size: 13, out: 384, kernel: 3, stride: 1, padding: 1 },
  { in: 384, size: 13, out: 256, kernel: 3, stride: 1, padding: 1 },
];
for (const pass of ["fwd", "fwdbwd"] as const) {
  convs.forEach((c, i) => add(`conv${i + 1}_${pass}`, { kind: "conv", pass, batch: 32, ...c, inputGrad: i > 0 }));
}

// — networks —
const relu: Layer = { type: "relu" };
const flatten: Layer = { type: "flatten" };
const pool: Layer = { type: "maxPool", kernel: 3, stride: 2 };
const conv = (from: number, out: number, kernel: number, stride: number, padding: number): Layer => ({ type: "conv", in: from, out, kernel, stride, padding });
const linear = (from: number, out: number): Layer => ({ type: "linear", in: from, out });

const lrn: Layer = { type: "lrn", size: 5, alpha: 1e-4, beta: 0.75, k: 2 };

const alexnet = (dropout: readonly Layer[], norm: readonly Layer[] = []): Layer[] => [
  conv(3, 96, 11, 4, 0), relu, ...norm, pool,
  conv(96, 256, 5, 1, 2), relu, ...norm, pool,
  conv(256, 384, 3, 1, 1), relu,
  conv(384, 384, 3, 1, 1), relu,
  conv(384, 256, 3, 1, 1), relu, pool,
  flatten, linear(9216, 4096), relu, ...dropout, linear(4096, 4096), relu, ...dropout, linear(4096, 1000),
];
const imagenet = { kind: "net", model: "alexnet", input: [3, 227, 227], classes: 1000, lr: 0.01, momentum: 0.9 } as const;
add("alexnet_fwd", { ...imagenet, pass: "fwd", batch: 32, layers: alexnet([]) });
add("alexnet_fwd_b1", { ...imagenet, pass: "fwd", batch: 1, layers: alexnet([]) });
add("alexnet_train", { ...imagenet, pass: "train", batch: 32, layers: alexnet([{ type: "dropout", p: 0.5 }]) });
add("alexnet_lrn_fwd", { ...imagenet, pass: "fwd", batch: 32, layers: alexnet([], [lrn]) });
add("alexnet_lrn_train", { ...imagenet, pass: "train", batch: 32, layers: alexnet([{ type: "dropout", p: 0.5 }], [lrn]) });

const cifar = {
  kind: "net", input: [3, 32, 32], batch: 128, classes: 10, lr: 0.01, momentum: 0.9,
  layers: [
    conv(3, 64, 5, 1, 2), relu, pool,
    conv(64, 64, 5, 1, 2), relu, pool,
    conv(64, 128, 3, 1, 1), relu, pool,
    flatten, linear(1152, 384), relu, linear(384, 192), relu, linear(192, 10),
  ],
} as const;
add("cifar_fwd", { ...cifar, pass: "fwd" });
add("cifar_train", { ...cifar, pass: "train" });

const mlp = [linear(784, 512), relu, linear(512, 256), relu, linear(256, 10)];
add("mlp_train", { kind: "net", pass: "train", input: [784], batch: 128, classes: 10, layers: mlp, lr: 0.01, momentum: 0 });

// — text —
add("lstm_train", { kind: "lstm", batch: 64, steps: 60, vocabulary: 20000, embedding: 128, hidden: 256, classes: 4, lr: 0.001 });
add("textcnn_train", { kind: "textcnn", batch: 50, length: 60, vocabulary: 20000, dim: 300, kernels: [3, 4, 5], filters: 100, dropout: 0.5, classes: 2, lr: 1e-3 });
const transformer = { kind: "transformer", vocabulary: 20000, batch: 32, length: 64, features: 256, heads: 4, feedForward: 1024, layers: 2, classes: 4, lr: 1e-3 } as const;
add("xformer_train", transformer);

// — passes over memory —
const million = 2 ** 20;
for (const op of ["add", "relu", "exp", "tanh"] as const) for (const m of [4, 16]) add(`ew_${op}_${m}M`, { kind: "elementwise", op, n: m * million });
add("softmax_4M", { kind: "elementwise", op: "softmax", n: 4 * million });
add("sum_16M", { kind: "elementwise", op: "sum", n: 16 * million });

// — ops too small to matter but for their road there —
add("dispatch_forward", { kind: "dispatch", ops: 1000, recorded: false });
add("dispatch_recorded", { kind: "dispatch", ops: 1000, recorded: true });

// — a second's worth, for the smoke test —
add("sgemm_128", { kind: "sgemm", n: 128, form: "nn", batch: 1 });
add("conv3_fwdbwd_b2", { kind: "conv", pass: "fwdbwd", batch: 2, ...convs[2]!, inputGrad: true });
add("cifar_train_b8", { ...cifar, pass: "train", batch: 8 });
add("ew_add_1M", { kind: "elementwise", op: "add", n: million });
add("ew_tanh_1M", { kind: "elementwise", op: "tanh", n: million });
add("softmax_1M", { kind: "elementwise", op: "softmax", n: million });
add("sum_1M", { kind: "elementwise", op: "sum", n: million });

const later = (what: string): string => `${what} come with a later release`;
const missing: readonly Missing[] = [
  ...["fasttext_dim10", "fasttext_dim100"].map((name) => ({ name, missing: later("text models") })),
];

export const all: readonly (Workload | Missing)[] = [...workloads, ...missing];

const quick = ["sgemm_128", "sgemm_512", "sgemm_512_tn", "conv3_fwdbwd_b2", "cifar_train_b8", "mlp_train", "ew_add_1M", "ew_tanh_1M", "softmax_1M", "sum_1M"];
const named = (pattern: RegExp) => all.map(({ name }) => name).filter((name) => pattern.test(name));

/** Suites by name; each lists workloads in the order they run. */
export const suites: Readonly<Record<string, readonly string[]>> = {
  core: all.map(({ name }) => name).filter((name) => !/_b[28]$|_1M$|^sgemm_128$/.test(name)),
  quick,
  sgemm: named(/^sgemm/),
  conv: named(/^conv\d_fwd(bwd)?$/),
  nets: named(/^(alexnet|cifar|mlp|textcnn|lstm|xformer)/),
  elementwise: named(/^(ew|softmax|sum)/),
  /** What a page and another Node are compared on. */
  browser: named(/^sgemm_(512|1024|2048)$|^conv\d_fwd$|^(cifar|mlp)_train$/),
  all: all.map(({ name }) => name),
};

/** Side of a convolution's or pool's result. */
export const windows = (size: number, { kernel, stride, padding = 0 }: { kernel: number; stride: number; padding?: number }): number =>
  Math.floor((size + 2 * padding - kernel) / stride) + 1;

/** What bounds a workload, and how much of it one iteration needs. */
export type Cost = { readonly limit: "compute"; readonly flops: number } | { readonly limit: "memory"; readonly bytes: number };

/** Floating-point operations (a multiply-add is two) of products and convolutions, or bytes read and written by passes over memory. */
export function cost(spec: Spec): Cost {
  switch (spec.kind) {
    case "sgemm":
      return { limit: "compute", flops: 2 * spec.batch * spec.n ** 3 };
    case "conv": {
      const forward = 2 * spec.batch * windows(spec.size, spec) ** 2 * spec.out * spec.in * spec.kernel ** 2;
      return { limit: "compute", flops: forward * (spec.pass === "fwd" ? 1 : spec.inputGrad ? 3 : 2) };
    }
    case "net": {
      const forward = netFlops(spec);
      const total = forward.reduce((a, b) => a + b, 0);
      // Backward does each layer's work twice, for weights and for inputs; the first layer's input needs no gradient.
      return { limit: "compute", flops: spec.batch * (spec.pass === "fwd" ? total : 3 * total - forward.find((f) => f > 0)!) };
    }
    case "lstm": {
      const { batch, steps, embedding, hidden, classes } = spec;
      const perSequence = steps * 2 * 4 * hidden * (embedding + hidden) + 2 * hidden * classes;
      return { limit: "compute", flops: 3 * batch * perSequence };
    }
    case "textcnn": {
      const { batch, length, dim, kernels, filters, classes } = spec;
      const convolutions = kernels.map((k) => (length - k + 1) * filters * dim * k).reduce((a, b) => a + b, 0);
      return { limit: "compute", flops: 3 * 2 * batch * (convolutions + kernels.length * filters * classes) };
    }
    case "transformer": {
      const { batch, length, features: d, feedForward, layers, classes } = spec;
      const perLayer = 2 * length * (4 * d * d + 2 * d * feedForward) + 4 * length ** 2 * d; // projections and linear layers; scores and sums of values
      return { limit: "compute", flops: 3 * batch * (layers * perLayer + 2 * d * classes) };
    }
    case "elementwise":
      return { limit: "memory", bytes: 4 * spec.n * { add: 3, relu: 2, exp: 2, tanh: 2, softmax: 2, sum: 1 }[spec.op] };
    case "dispatch":
      return { limit: "compute", flops: spec.ops };
  }
}

/** Per layer, one image, forward. */
function netFlops({ input, layers }: Net): number[] {
  let size = input.at(-1)!;
  return layers.map((layer) => {
    if (layer.type === "linear") return 2 * layer.in * layer.out;
    if (layer.type === "maxPool") size = windows(size, layer);
    if (layer.type !== "conv") return 0;
    size = windows(size, layer);
    return 2 * size ** 2 * layer.out * layer.in * layer.kernel ** 2;
  });
}
