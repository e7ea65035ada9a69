/** ONNX Runtime as the judge of exported models. */
import { exportOnnx, type OnnxModel, type OnnxOptions } from "@nn/io";
import { Tensor } from "@nn/tensor";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { expect } from "vitest";

const ortTypes = { f32: "float32", f64: "float64", i32: "int32", u8: "uint8", bool: "bool" } as const;

async function runOnnx(bytes: Uint8Array, inputs: readonly Tensor[]): Promise<Map<string, { dims: readonly number[]; data: number[] }>> {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const feeds = Object.fromEntries(inputs.map((x, i) => [session.inputNames[i]!, new OrtTensor(ortTypes[x.dtype] as "float32", x.dataSync() as Float32Array, x.shape)]));
  const results = await session.run(feeds);
  await session.release();
  return new Map(session.outputNames.map((name) => [name, { dims: results[name]!.dims, data: Array.from(results[name]!.data as Float32Array, Number) }]));
}

/** Exports from `inputs`, runs ONNX Runtime on `others` (another batch), and compares with what the model itself says: within 1e-5 of the largest. */
export async function check(model: OnnxModel, inputs: readonly Tensor[], others: readonly Tensor[] = inputs, options: OnnxOptions = {}): Promise<void> {
  const results = await runOnnx(exportOnnx(model, inputs, options), others);
  const own = (model.call as (...xs: Tensor[]) => unknown)(...others);
  const expected: [string, Tensor][] = own instanceof Tensor ? [["output", own]] : Object.entries(own as Record<string, Tensor>);
  expect([...results.keys()]).toEqual(expected.map(([name]) => name));
  for (const [name, t] of expected) {
    const { dims, data } = results.get(name)!;
    expect(dims).toEqual(t.shape);
    const ours = t.dataSync(), scale = Math.max(1e-30, ...Array.from(ours, Math.abs).filter(Number.isFinite));
    const worst = data.reduce((max, value, i) => (Object.is(value, ours[i]) || value === ours[i] ? max : Math.max(max, Math.abs(value - ours[i]!) / scale)), 0);
    expect(worst).toBeLessThan(1e-5);
  }
}

/** A function as a model. */
export const model = (call: (...xs: Tensor[]) => unknown): OnnxModel => ({ training: false, call: call as never, stateDict: () => new Map<string, Tensor>() });
