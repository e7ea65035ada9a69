/** Optimizers, schedules and a small network against PyTorch: trajectories, not single answers. */
import "@nn/autograd";
import { Conv2d, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential, Tanh } from "@nn/layers";
import {
  Adadelta, Adagrad, Adam, AdamW, Adamax, MomentumEMA, NAdam, RAdam, RMSprop, ReduceOnPlateau, SGD, WeightAverage, schedule,
  type Group, type Optimizer, type PlateauOptions, type SGDOptions,
} from "@nn/optim";
import { LBFGS, type LBFGSOptions } from "@nn/optim/lbfgs";
import { RowGradient, createEngine, crossEntropy, embedding, scope, variable, withEngine, type Tensor, type Variable } from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { difference, type Precision } from "../src/compare.ts";
import { loadGoldens, type GoldenCase } from "../src/index.ts";
import { fromGolden } from "../src/run.ts";

type Rate = { lr: number };
type Make = new (params: readonly Group<Rate>[], options: Partial<Rate>) => Optimizer<Rate>;
const optimizers = {
  sgd: SGD, momentumEMA: MomentumEMA, rmsprop: RMSprop, adagrad: Adagrad, adadelta: Adadelta,
  adam: Adam, adamw: AdamW, adamax: Adamax, nadam: NAdam, radam: RAdam,
} as unknown as Record<string, Make>;

const parameter = ({ inputs }: GoldenCase, key: string, precision: Precision): Variable => {
  const p = variable(fromGolden(inputs.get(key)!.base, precision));
  p.requireGrad();
  return p;
};

/** What is wrong with the recorded paths, one line each. */
const differences = ({ op, name, outputs }: GoldenCase, paths: Record<string, ArrayLike<number>>, precision: Precision): string[] =>
  Object.entries(paths).flatMap(([key, data]) => {
    const expected = outputs.get(key)!;
    const wrong = difference({ shape: expected.shape, data }, expected, precision);
    return wrong === null ? [] : [`${op}/${name} ${key}: ${wrong}`];
  });

/** The parameters after every step, under the stored gradients; attributes as in optim/make.py. */
function trajectory(golden: GoldenCase, precision: Precision): string[] {
  const { skip = [], bias = {}, cooling = 1, ...options } = golden.attrs as { skip?: number[]; bias?: Partial<Rate>; cooling?: number } & Partial<Rate>;
  const [w, b] = [parameter(golden, "w", precision), parameter(golden, "b", precision)];
  const optimizer = new optimizers[golden.op]!([{ params: [w] }, { params: [b], ...bias }], options);
  const [gw, gb] = ["gw", "gb"].map((key) => fromGolden(golden.inputs.get(key)!.base, precision));
  const path: { w: number[]; b: number[] } = { w: [], b: [] };
  for (let i = 0; i < gw!.shape[0]!; i++) {
    optimizer.zeroGrad();
    w.grad = gw!.at(i);
    if (!skip.includes(i)) b.grad = gb!.at(i);
    optimizer.step();
    path.w.push(...w.dataSync());
    path.b.push(...b.dataSync());
    for (const group of optimizer.groups) group.options.lr *= cooling;
  }
  return differences(golden, path, precision);
}

/** A table after every step, of which a step looks up a few rows. */
function sparse(golden: GoldenCase, precision: Precision): string[] {
  const { rule, paddingIdx, ...options } = golden.attrs as { rule: string; paddingIdx?: number } & Partial<Rate>;
  const weight = parameter(golden, "weight", precision);
  const optimizer = new optimizers[rule]!([{ params: [weight] }], options);
  const [ids, dy] = ["ids", "dy"].map((key) => fromGolden(golden.inputs.get(key)!.base, precision));
  const path: number[] = [];
  for (let i = 0; i < ids!.shape[0]!; i++) {
    optimizer.zeroGrad();
    embedding(ids!.at(i), weight, { sparse: true, ...(paddingIdx === undefined ? {} : { paddingIdx }) }).backward({ gradient: dy!.at(i) });
    expect(weight.grad).toBeInstanceOf(RowGradient);
    optimizer.step();
    path.push(...weight.dataSync());
  }
  return differences(golden, { y: path }, precision);
}

/** Logistic regression with an L2 term by L-BFGS: weights and losses of every step, evaluations and iterations in all. */
function lbfgs(golden: GoldenCase, precision: Precision): string[] {
  const { steps, ...options } = golden.attrs as { steps: number } & Partial<LBFGSOptions>;
  const [w, b] = [parameter(golden, "w", precision), parameter(golden, "b", precision)];
  const [x, target] = ["x", "target"].map((key) => fromGolden(golden.inputs.get(key)!.base, precision));
  const optimizer = new LBFGS([w, b], options);
  const path = { w: [] as number[], b: [] as number[], losses: [] as number[], counts: [] as number[] };
  for (let i = 0; i < steps; i++) {
    const loss = optimizer.step(() => {
      optimizer.zeroGrad();
      const z = x!.matmul(w).add(b);
      const l = z.softplus().mean().sub(z.mul(target!).mean()).add(w.square().sum().add(b.square().sum()).mul(0.01));
      l.backward();
      return l;
    });
    path.losses.push(loss);
    path.w.push(...w.dataSync());
    path.b.push(...b.dataSync());
  }
  path.counts.push(optimizer.evaluations, optimizer.iterations);
  // Where to stop depends on the last bits of the loss, and weights near the end on where it stopped: f32 answers for the losses.
  return differences(golden, precision === "f64" ? path : { losses: path.losses }, precision);
}

/** Rosenbrock's valley, chained, by L-BFGS. */
function valley(golden: GoldenCase, precision: Precision): string[] {
  const { steps, ...options } = golden.attrs as { steps: number } & Partial<LBFGSOptions>;
  const w = parameter(golden, "w", precision);
  const last = w.size - 1;
  const optimizer = new LBFGS([w], options);
  const path = { w: [] as number[], losses: [] as number[], counts: [] as number[] };
  for (let i = 0; i < steps; i++) {
    path.losses.push(optimizer.step(() => {
      optimizer.zeroGrad();
      const [here, next] = [w.slice(0, 0, last), w.slice(0, 1)];
      const l = next.sub(here.square()).square().mul(100).add(here.neg().add(1).square()).sum();
      l.backward();
      return l;
    }));
    path.w.push(...w.dataSync());
  }
  path.counts.push(optimizer.evaluations, optimizer.iterations);
  return differences(golden, precision === "f64" ? path : { losses: path.losses }, precision); // as above
}

const runs = [
  { label: "f32", precision: "f32" },
  { label: "f64", precision: "f64" },
] as const;

describe.each(runs)("$label", ({ precision }) => {
  const engine = createEngine({ threads: 1 });
  const each = (op: string, run: (golden: GoldenCase) => string[]): string[] => loadGoldens(op).flatMap((golden) => withEngine(engine, () => scope(() => run(golden))));

  test.each(Object.keys(optimizers))("%s follows PyTorch step by step", (op) => {
    expect(each(op, (golden) => trajectory(golden, precision))).toEqual([]);
  });

  test("L-BFGS follows PyTorch step by step, evaluation by evaluation", () => {
    expect(each("lbfgs", (golden) => lbfgs(golden, precision))).toEqual([]);
  });

  test("sparse gradients: optimizers leave the other rows and their moments alone, as PyTorch's", () => {
    expect(each("sparse", (golden) => sparse(golden, precision))).toEqual([]);
  });

  test("fifty steps of L-BFGS along a bent valley", () => {
    expect(each("lbfgsValley", (golden) => valley(golden, precision))).toEqual([]);
  });

  test("averages of weights follow PyTorch", () => {
    const wrong = each("weightAverage", (golden) => {
      const path = fromGolden(golden.inputs.get("path")!.base, precision);
      const w = variable(path.at(0));
      const average = new WeightAverage([w], golden.attrs);
      const y = Array.from({ length: path.shape[0]! }, (_, i) => {
        w.write(path.at(i).dataSync());
        average.update();
        return [...average.averages[0]!.dataSync()];
      });
      return differences(golden, { y: y.flat() }, precision);
    });
    expect(wrong).toEqual([]);
  });
});

type Settings = Record<"every" | "gamma" | "total" | "floor" | "first" | "mult" | "from" | "to" | "steps" | "power" | "after" | "milestone", number> & { milestones: number[] } & schedule.OneCycleOptions;
const schedules: Record<string, (s: Settings) => schedule.Schedule> = {
  stepDecay: ({ every, gamma }) => schedule.stepDecay(every, gamma),
  multiStep: ({ milestones, gamma }) => schedule.multiStep(milestones, gamma),
  exponential: ({ gamma }) => schedule.exponential(gamma),
  cosine: ({ total, floor }) => schedule.cosine(total, floor),
  warmRestarts: ({ first, ...options }) => schedule.warmRestarts(first, options),
  linear: ({ total, ...options }) => schedule.linear(total, options),
  warmup: ({ steps }) => schedule.warmup(steps),
  polynomial: ({ total, power }) => schedule.polynomial(total, { power }),
  lambda: () => schedule.lambda((t) => 1 / (1 + t)),
  oneCycle: ({ total, ...options }) => schedule.oneCycle(total, options),
  sequence: ({ every, gamma, after, milestone }) => schedule.sequence([schedule.stepDecay(every, gamma), schedule.exponential(after)], [milestone]),
};

test.each(loadGoldens("schedule"))("schedule $name is PyTorch's", (golden) => {
  const { kind, ...settings } = golden.attrs as unknown as { kind: string } & Settings;
  const factor = schedules[kind]!(settings as Settings);
  expect(differences(golden, { y: Array.from({ length: 50 }, (_, t) => factor(t)) }, "f64")).toEqual([]);
});

test.each(loadGoldens("plateau"))("reduce-on-plateau $name is PyTorch's", (golden) => {
  const plateau = new ReduceOnPlateau(golden.attrs as Partial<PlateauOptions>);
  expect(differences(golden, { y: Array.from(golden.inputs.get("measures")!.base.data, (m) => plateau.update(m)) }, "f64")).toEqual([]);
});

/** The network of network/make.py; properties give PyTorch's names. */
class Net extends Module {
  readonly features = new Sequential(
    new Conv2d(2, 4, 3, { padding: 1 }), new ReLU(), new MaxPool2d(3, { stride: 2 }),
    new Conv2d(4, 6, 3, { stride: 2, padding: 1, groups: 2 }), new ReLU(),
  );
  readonly classifier = new Sequential(new Flatten(), new Linear(24, 8), new Tanh(), new Linear(8, 5));

  forward(x: Tensor): Tensor {
    return this.classifier.call(this.features.call(x));
  }
}

const engines = (["native", "wasm", "wasm-simd"] as const).map((kind) => {
  try {
    return { label: kind, engine: createEngine({ kind, threads: 1 }) };
  } catch (error) {
    return { label: `${kind} (skipped: ${(error as Error).message})`, engine: null };
  }
});

describe.each(engines)("$label", ({ engine }) => {
  test.skipIf(engine === null)("a convolutional network: logits, losses, every gradient and three steps of SGD", () => {
    const [golden] = loadGoldens("convNet");
    const { inputs, outputs, attrs } = golden!;
    const wrong: string[] = [];
    const check = (name: string, got: { shape: readonly number[]; data: ArrayLike<number> }): void => {
      const problem = difference(got, outputs.get(name)!, "f32");
      if (problem !== null) wrong.push(`${name}: ${problem}`);
    };
    const checkTensor = (name: string, t: Tensor): void => check(name, { shape: t.shape, data: t.dataSync() });

    withEngine(engine!, () => {
      const net = new Net();
      const value = (name: string): Tensor => fromGolden(inputs.get(name)!.base, "f32");
      net.loadStateDict(new Map([...net.stateDict().keys()].map((name) => [name, value(name)])));
      const { steps, ...options } = attrs as { steps: number } & Partial<SGDOptions>;
      const optimizer = new SGD(net.parameters(), options);
      const [x, target] = [value("x"), value("target")];
      const losses: number[] = [];
      for (let step = 0; step < steps; step++) {
        optimizer.zeroGrad();
        const logits = net.call(x);
        const loss = crossEntropy(logits, target);
        loss.backward();
        losses.push(loss.item());
        if (step === 0) {
          checkTensor("logits", logits);
          for (const [name, p] of net.namedParameters()) checkTensor(`grad.${name}`, p.grad!);
        }
        optimizer.step();
      }
      check("losses", { shape: [steps], data: losses });
      for (const [name, p] of net.namedParameters()) checkTensor(`trained.${name}`, p);
      net.dispose();
    });
    expect(wrong).toEqual([]);
    expect(outputs.size).toBe(2 + 2 * 8); // nothing stored is left unchecked
  });
});
