/** Recurrent layers against PyTorch: outputs, last states and all gradients, with weights loaded by their PyTorch names. */
import { GRU, LSTM, RNN, param, type Module, type RNNOptions } from "@nn/layers";
import { bahdanau, cho } from "@nn/layers/sequence";
import { createEngine, scope, trace, withEngine, type Engine, type Tensor } from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { difference, type Precision } from "../src/compare.ts";
import { loadGoldens, type GoldenArray, type GoldenCase } from "../src/index.ts";
import { fromGolden } from "../src/run.ts";

type Call = (x: Tensor, options: Record<string, Tensor>) => Record<string, Tensor>;
type Layer = Module & { readonly call: Call };
const makers: Record<string, (sizes: [number, number], options: RNNOptions) => Layer> = {
  lstm: (sizes, options) => new LSTM(...sizes, options) as unknown as Layer,
  gru: (sizes, options) => new GRU(...sizes, options) as unknown as Layer,
  gru_cho: (sizes, options) => new GRU(...sizes, { ...options, form: cho }) as unknown as Layer,
  gru_bahdanau: (sizes, options) => new GRU(...sizes, { ...options, form: bahdanau }) as unknown as Layer,
  rnn_tanh: (sizes, options) => new RNN(...sizes, options) as unknown as Layer,
  rnn_relu: (sizes, options) => new RNN(...sizes, { ...options, nonlinearity: "relu" }) as unknown as Layer,
};

/** What differs, one line each. */
function run(golden: GoldenCase, precision: Precision): string[] {
  const wrong: string[] = [];
  const check = (name: string, t: Tensor, expected: GoldenArray | undefined): void => {
    const problem = expected ? difference({ shape: t.shape, data: t.dataSync() }, expected, precision) : "not stored";
    if (problem !== null) wrong.push(`${golden.op}/${golden.name} ${name}: ${problem}`);
  };
  const { sizes, names: _, ...options } = golden.attrs as { sizes: [number, number]; names: string[] };
  const layer = makers[golden.op]!(sizes, options);
  const value = (name: string): Tensor => fromGolden(golden.inputs.get(name)!.base, precision);
  const parameters = [...layer.namedParameters()].map(([name]) => name);
  if (precision === "f32") layer.loadStateDict(new Map(parameters.map((name) => [name, value(name)])));
  else for (const name of parameters) Object.assign(layer, { [name]: param(value(name)) });

  const states = Object.fromEntries(["h0", "c0", "lengths"].filter((name) => golden.inputs.has(name)).map((name) => [name, value(name)]));
  const x = value("x").requireGrad();
  for (const name of ["h0", "c0"]) states[name]?.requireGrad();
  const y = layer.call(x, states);
  for (const [name, expected] of golden.outputs) check(name, y[name]!, expected);
  [...golden.dy].map(([name, dy]) => y[name]!.mul(fromGolden(dy, precision)).sum()).reduce((a, b) => a.add(b)).backward();
  const leaves = new Map<string, Tensor>([["x", x], ...Object.entries(states).filter(([name]) => name !== "lengths"), ...layer.namedParameters()]);
  expect([...leaves.keys()].sort()).toEqual([...golden.gradients.keys()].sort()); // nothing stored is left unchecked
  for (const [name, leaf] of leaves) check(`gradient of ${name}`, leaf.grad!, golden.gradients.get(name));
  layer.dispose();
  return wrong;
}

const runs = (["native", "wasm", "wasm-simd"] as const).map((kind) => {
  try {
    return { label: kind, engine: createEngine({ kind, threads: 1 }) as Engine | null };
  } catch (error) {
    return { label: `${kind} (skipped: ${(error as Error).message})`, engine: null };
  }
});

describe.each(runs)("$label", ({ engine }) => {
  describe.each(Object.keys(makers))("%s", (op) => {
    test.skipIf(engine === null).each(loadGoldens(op).map((golden) => [golden.name, golden] as const))("%s", (_, golden) => {
      withEngine(engine!, () => {
        const { result, kernels } = trace(() => scope(() => run(golden, "f32")));
        expect(result).toEqual([]);
        if (!op.startsWith("gru_")) for (const kernel of ["recurrent", "recurrentGrad"]) expect(kernels).toContain(`${kernel}_${engine!.isa}`);
        expect(kernels.filter((k) => k.startsWith("reference:"))).toEqual([]);
        expect(scope(() => run(golden, "f64"))).toEqual([]);
      });
    });
  });
});
