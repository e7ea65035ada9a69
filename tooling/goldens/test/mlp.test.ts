/** The classical network, three sigmoid layers under half the squared error, five steps of gradient descent: with the tape and by hand. */
import { MLP, halfSse } from "@nn/layers";
import { BackPropagation } from "@nn/layers/classic";
import { SGD } from "@nn/optim";
import { createEngine, withEngine, zeros, type Tensor } from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { difference, type Precision } from "../src/compare.ts";
import { loadGoldens } from "../src/index.ts";
import { fromGolden } from "../src/run.ts";

const [golden] = loadGoldens("mlp");
const { inputs, outputs, attrs } = golden!;
const { lr, steps } = attrs as { lr: number; steps: number };
const sizes = [6, 9, 7, 3];

const runs = ([["native", "f32"], ["wasm", "f32"], ["wasm-simd", "f32"], ["wasm", "f64"]] as const).map(([kind, precision]) => {
  try {
    return { label: `${kind} ${precision}`, precision, engine: createEngine({ kind, threads: 1 }) };
  } catch (error) {
    return { label: `${kind} (skipped: ${(error as Error).message})`, precision, engine: null };
  }
});

describe.each(runs)("$label", ({ engine, precision }) => {
  test.skipIf(engine === null)("results, losses, gradients and weights are PyTorch's", () => {
    const wrong: string[] = [];
    const check = (name: string, got: { shape: readonly number[]; data: ArrayLike<number> }): void => {
      const problem = difference(got, outputs.get(name)!, precision as Precision);
      if (problem !== null) wrong.push(`${name}: ${problem}`);
    };
    withEngine(engine!, () => {
      const empty = (shape: readonly number[]): Tensor => zeros([...shape], { dtype: precision });
      const net = new MLP(sizes, { activation: "sigmoid", output: "sigmoid", init: empty, initBias: empty });
      const value = (name: string): Tensor => fromGolden(inputs.get(name)!.base, precision);
      net.layers.loadStateDict(new Map([...net.layers.stateDict().keys()].map((name) => [name, value(name)])));
      const optimizer = new SGD(net.parameters(), { lr });
      const [x, target] = [value("x"), value("target")];
      const losses = Array.from({ length: steps }, (_, step) => {
        optimizer.zeroGrad();
        const y = net.call(x);
        const loss = halfSse(y, target).div(x.shape[0]!);
        loss.backward();
        if (step === 0) {
          check("logits", { shape: y.shape, data: y.dataSync() });
          for (const [name, p] of net.layers.namedParameters()) check(`grad.${name}`, { shape: p.shape, data: p.grad!.dataSync() });
        }
        optimizer.step();
        return loss.item();
      });
      check("losses", { shape: [steps], data: losses });
      for (const [name, p] of net.layers.namedParameters()) check(`trained.${name}`, { shape: p.shape, data: p.dataSync() });
      net.dispose();
    });
    expect(wrong).toEqual([]);
    expect(outputs.size).toBe(2 + 2 * 6); // nothing stored is left unchecked
  });
});

test("back-propagation by hand finds the same gradients", () => {
  const data = (name: string): number[] => Array.from(inputs.get(name)!.base.data);
  const rows = [0, 2, 4].map((l, k) => {
    const [w, b, width] = [data(`${l}.weight`), data(`${l}.bias`), sizes[k]!];
    return b.map((bias, j) => [...w.slice(j * width, (j + 1) * width), bias]);
  });
  const net = new BackPropagation(rows);
  const [x, target, batch] = [data("x"), data("target"), 5];
  const passes = Array.from({ length: batch }, (_, n) => net.pass(x.slice(6 * n, 6 * n + 6), target.slice(3 * n, 3 * n + 3)));
  expect(passes.reduce((sum, p) => sum + p.error, 0) / batch).toBeCloseTo(outputs.get("losses")!.data[0]!, 12);
  [0, 2, 4].forEach((l, k) => {
    const gradient = rows[k]!.map((row, j) => row.map((_, i) => passes.reduce((sum, p) => sum + p.gradient[k]![j]![i]!, 0) / batch));
    const [w, b] = [outputs.get(`grad.${l}.weight`)!, outputs.get(`grad.${l}.bias`)!];
    expect(difference({ shape: w.shape, data: gradient.flatMap((r) => r.slice(0, -1)) }, w, "f64")).toBeNull();
    expect(difference({ shape: b.shape, data: gradient.map((r) => r.at(-1)!) }, b, "f64")).toBeNull();
  });
});
