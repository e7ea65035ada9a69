/** LeNet-5 against PyTorch: logits, losses, every gradient and three steps of SGD with momentum, on every engine. */
import { crossEntropy, param } from "@nn/layers";
import { SGD } from "@nn/optim";
import { createEngine, noGrad, tensor, withEngine, type Tensor } from "@nn/tensor";
import { LeNet5, type LeNet5Options } from "@nn/vision";
import { describe, expect, test } from "vitest";
import { difference, type Precision } from "../src/compare.ts";
import { loadGoldens, type GoldenCase } from "../src/index.ts";
import { fromGolden } from "../src/run.ts";

/** Gives the model the start values of network/make.py. */
function spread(model: LeNet5, dtype: Precision): void {
  let k = 0;
  for (const [, module] of model.namedModules()) {
    for (const p of module.ownParameters()) {
      const bound = p.rank === 1 ? 0.1 : (p.size / p.shape[0]!) ** -0.5;
      const values = Float32Array.from({ length: p.size }, () => ((((k++ * 2654435761) % 2 ** 32) / 2 ** 32) * 2 - 1) * bound);
      Object.assign(module, { [p.rank === 1 ? "bias" : "weight"]: param(tensor(values, { shape: [...p.shape], dtype })) });
    }
  }
}
/** Large matrices by the sums of their rows and of their columns. */
const outline = (t: Tensor): number[] => (t.size < 5000 ? [...t.dataSync()] : noGrad(() => [...t.sum(1).dataSync(), ...t.sum(0).dataSync()]));

function differences({ inputs, outputs, attrs }: GoldenCase, precision: Precision): string[] {
  const { lr, steps, momentum, ...options } = attrs as unknown as { lr: number; steps: number; momentum: number } & LeNet5Options;
  const wrong: string[] = [];
  const check = (name: string, data: number[]): void => {
    const problem = difference({ shape: outputs.get(name)!.shape, data }, outputs.get(name)!, precision);
    if (problem !== null) wrong.push(`${name}: ${problem}`);
  };
  const model = new LeNet5(options);
  spread(model, precision);
  const optimizer = new SGD(model.parameters(), { lr, momentum });
  const [x, target] = ["x", "target"].map((name) => fromGolden(inputs.get(name)!.base, precision)) as [Tensor, Tensor];
  const losses = Array.from({ length: steps }, (_, step) => {
    optimizer.zeroGrad();
    const logits = model.call(x);
    const loss = crossEntropy(logits, target);
    loss.backward();
    if (step === 0) {
      check("logits", [...logits.dataSync()]);
      for (const [name, p] of model.namedParameters()) check(`grad.${name}`, outline(p.grad!));
    }
    optimizer.step();
    return loss.item();
  });
  check("losses", losses);
  for (const [name, p] of model.namedParameters()) check(`trained.${name}`, outline(p));
  expect(outputs.size).toBe(2 + 2 * model.parameters().length); // nothing stored is left unchecked
  model.dispose();
  return wrong;
}

const runs = ([["native", "f32"], ["wasm", "f32"], ["wasm-simd", "f32"], ["wasm", "f64"]] as const).map(([kind, precision]) => {
  try {
    return { label: `${kind} ${precision}`, precision, engine: createEngine({ kind, threads: 1 }) };
  } catch (error) {
    return { label: `${kind} (skipped: ${(error as Error).message.split("\n")[0]})`, precision, engine: null };
  }
});

describe.each(runs)("$label", ({ engine, precision }) => {
  test.skipIf(engine === null).each(loadGoldens("lenet5"))("$name", (golden) => {
    expect(withEngine(engine!, () => differences(golden, precision))).toEqual([]);
  });
});
