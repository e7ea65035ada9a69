/** Multi-head attention and Transformer encoders against PyTorch: results, weights and every gradient, on every engine. */
import "@nn/autograd";
import { LayerNorm, MultiheadAttention, TransformerEncoder, TransformerEncoderLayer, param, type Module, type MultiheadAttentionOptions, type TransformerEncoderLayerOptions } from "@nn/layers";
import { createEngine, scope, withEngine, type Tensor } from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { difference, type Precision } from "../src/compare.ts";
import { loadGoldens, type GoldenCase } from "../src/index.ts";
import { fromGolden } from "../src/run.ts";

type Inputs = Map<string, Tensor>;
type Results = Record<string, Tensor>;
type Named = Record<string, unknown>;

/** A module with the stored parameters, in the dtype they are compared in. */
function loaded<M extends Module>(module: M, inputs: Inputs): M {
  for (const [path] of [...module.namedParameters()]) {
    const names = path.split(".");
    const holder = names.slice(0, -1).reduce((at, name) => at[name] as Named, module as unknown as Named);
    Object.assign(holder, { [names.at(-1)!]: param(inputs.get(path)!) });
  }
  return module;
}

function multihead({ attrs }: GoldenCase, inputs: Inputs): { module: Module; results: Results } {
  const { embedDim, numHeads, options, needWeights, averageWeights } = attrs as { embedDim: number; numHeads: number; options: MultiheadAttentionOptions; needWeights: boolean; averageWeights: boolean };
  const module = loaded(new MultiheadAttention(embedDim, numHeads, options), inputs);
  const query = inputs.get("query")!;
  const key = inputs.get("key") ?? query;
  const masks = { keyPaddingMask: inputs.get("keyPaddingMask") ?? null, attnMask: inputs.get("attnMask") ?? null };
  const [y, weights] = module.call(query, key, inputs.get("value") ?? key, { ...masks, needWeights, averageWeights });
  expect(weights === null).toBe(!needWeights);
  return { module, results: { y, ...(weights && { weights }) } };
}

function encoder({ attrs }: GoldenCase, inputs: Inputs): { module: Module; results: Results } {
  const { dModel, nHead, layers, finalNorm, options } = attrs as { dModel: number; nHead: number; layers: number; finalNorm: boolean; options: TransformerEncoderLayerOptions };
  const make = () => new TransformerEncoderLayer(dModel, nHead, { dropout: 0, ...options });
  const module = loaded(new TransformerEncoder(make, layers, { norm: finalNorm ? new LayerNorm(dModel) : null }), inputs);
  const y = module.call(inputs.get("x")!, { keyPaddingMask: inputs.get("keyPaddingMask") ?? null, attnMask: inputs.get("attnMask") ?? null });
  return { module, results: { y } };
}

const runs = { multiheadAttention: multihead, transformerEncoder: encoder };

/** What differs, one line each. Nothing stored is left unchecked. */
function differences(golden: GoldenCase, precision: Precision): string[] {
  const inputs: Inputs = new Map([...golden.inputs].map(([name, { base }]) => [name, fromGolden(base, precision)]));
  for (const name of ["query", "key", "value", "x"]) inputs.get(name)?.requireGrad();
  const { module, results } = runs[golden.op as keyof typeof runs](golden, inputs);
  results["y"]!.backward({ gradient: inputs.get("dy")! });
  const parameters = new Map(module.namedParameters());
  return [...golden.outputs].flatMap(([name, expected]) => {
    const of = name.replace(/^grad\./, "");
    const t = of === name ? results[name]! : (parameters.get(of) ?? inputs.get(of)!).grad!;
    const wrong = difference({ shape: t.shape, data: t.dataSync() }, expected, precision);
    return wrong === null ? [] : [`${golden.op}/${golden.name} ${name}: ${wrong}`];
  });
}

const engines = (["native", "wasm", "wasm-simd"] as const).map((kind) => {
  try {
    return { label: kind, engine: createEngine({ kind, threads: 1 }) };
  } catch (error) {
    return { label: `${kind} (skipped: ${(error as Error).message.split("\n")[0]})`, engine: null };
  }
});

describe.each(engines)("$label", ({ engine }) => {
  test.skipIf(engine === null).each(Object.keys(runs))("%s", (op) => {
    for (const precision of ["f32", "f64"] as const) expect(loadGoldens(op).flatMap((golden) => withEngine(engine!, () => scope(() => differences(golden, precision))))).toEqual([]);
  });
});
