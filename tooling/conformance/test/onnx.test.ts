import "@nn/autograd";
import { allOps, apply, Tensor, type OpRecord } from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { makeInputs, type Inputs } from "../src/inputs.ts";
import { check } from "./onnxruntime.ts";

/** Ops that do not go into ONNX, and why. */
const left: Readonly<Record<string, string>> = {
  atan2: "ONNX has none", unslice: "gradients alone use it", poolGather: "indices of pooling alone use it", softmaxCrossEntropy: "a loss: exported models answer, they do not learn",
};
const forward = [...allOps.values()].filter(({ name }) => !name.endsWith("Grad"));

/** The op as a model of its inputs; those named in `weights` are its parameters. */
function modelOf(op: OpRecord, sample: Inputs, attrs: object, weights: readonly string[]) {
  const free = op.inputNames.filter((name) => sample[name] && !weights.includes(name));
  const call = (...xs: Tensor[]): unknown => {
    const given = [...xs];
    const inputs = { ...sample, ...Object.fromEntries(free.map((name) => [name, Array.isArray(sample[name]) ? given.splice(0, sample[name].length) : given.shift()!])) };
    const made = apply(op, inputs, attrs);
    return made instanceof Tensor ? { y: made } : Object.fromEntries(op.differentiable.filter((name) => made[name]!.size > 0).map((name) => [name, made[name]!]));
  };
  return { inputs: free.flatMap((name) => sample[name]!), model: { training: false, call: call as never, stateDict: () => new Map<string, Tensor>() } };
}

describe("every op's samples mean the same in ONNX Runtime", () => {
  test.each(forward.filter(({ name }) => !(name in left)).map((op) => [op.name, op] as const))("%s", async (name, op) => {
    let compared = 0;
    for (const sample of op.samples) {
      const values = makeInputs(op, sample, "f32");
      if (Object.values(values).flat().some((x) => x.size === 0) || (sample.attrs as { k?: number }).k === 0) continue; // about nothing runtimes differ
      const { inputs, model } = modelOf(op, values, sample.attrs, name === "recurrent" ? ["weightIh", "weightHh", "biasIh", "biasHh"] : []);
      await check(model, inputs, inputs, { dynamicBatch: false });
      compared++;
    }
    expect(compared).toBeGreaterThan(0);
  });

  test("what is left out is refused by name, and is no more than that", () => {
    expect(Object.keys(left).filter((name) => !allOps.has(name))).toEqual([]);
  });
});
