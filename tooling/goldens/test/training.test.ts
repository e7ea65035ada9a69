/** Optimizers and a small network against PyTorch: trajectories, not single answers. */
import "@nn/autograd";
import { Conv2d, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential, Tanh } from "@nn/layers";
import { Adam, SGD, type AdamOptions, type SGDOptions } from "@nn/optim";
import { createEngine, crossEntropy, scope, variable, withEngine, type Tensor, type Variable } from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { difference, type Precision } from "../src/compare.ts";
import { loadGoldens, type GoldenCase } from "../src/index.ts";
import { fromGolden } from "../src/run.ts";

/** The parameters after every step, under the stored gradients. */
function trajectory({ inputs, outputs, attrs, name }: GoldenCase, precision: Precision): string[] {
  const { skip = [], ...options } = attrs as { skip?: number[] } & Partial<SGDOptions & AdamOptions>;
  const initial = (key: string): Variable => {
    const p = variable(fromGolden(inputs.get(key)!.base, precision));
    p.requireGrad();
    return p;
  };
  const [w, b] = [initial("w"), initial("b")];
  const optimizer = name.startsWith("adam/") ? new Adam([w, b], options) : new SGD([w, b], options);
  const gradients = { w: fromGolden(inputs.get("gw")!.base, precision), b: fromGolden(inputs.get("gb")!.base, precision) };
  const steps = gradients.w.shape[0]!;
  const path: { w: number[]; b: number[] } = { w: [], b: [] };
  for (let i = 0; i < steps; i++) {
    optimizer.zeroGrad();
    w.grad = gradients.w.at(i);
    if (!skip.includes(i)) b.grad = gradients.b.at(i);
    optimizer.step();
    path.w.push(...w.dataSync());
    path.b.push(...b.dataSync());
  }
  return (["w", "b"] as const).flatMap((key) => {
    const expected = outputs.get(key)!;
    const wrong = difference({ shape: expected.shape, data: path[key] }, expected, precision);
    return wrong === null ? [] : [`${name} ${key}: ${wrong}`];
  });
}

const runs = [
  { label: "f32", precision: "f32" },
  { label: "f64", precision: "f64" },
] as const;

describe.each(runs)("$label", ({ precision }) => {
  const engine = createEngine({ threads: 1 });

  test.each(["sgd", "adam"])("%s follows PyTorch step by step", (op) => {
    const wrong = loadGoldens(op).flatMap((golden) =>
      withEngine(engine, () => scope(() => trajectory({ ...golden, name: `${op}/${golden.name}` }, precision))),
    );
    expect(wrong).toEqual([]);
  });
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
