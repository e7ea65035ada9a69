/** Runs golden cases on an engine and says, in one line each, what differs. */
import { Tensor, isFloat, scope, tensor, withEngine, type DType, type Engine } from "@nn/tensor";
import type { Adapter, Outputs } from "./adapters.ts";
import { difference, type Precision } from "./compare.ts";
import type { GoldenArray, GoldenCase, ViewStep } from "./index.ts";

/** What `golden` does wrong with `adapter` on `engine`: one line per mismatch, none if all is well. */
export function runGolden(golden: GoldenCase, adapter: Adapter, engine: Engine, precision: Precision): string[] {
  return withEngine(engine, () => scope(() => (golden.error === undefined ? compareCase : expectError)(golden, adapter, precision)));
}

function compareCase(golden: GoldenCase, adapter: Adapter, precision: Precision): string[] {
  const found: string[] = [];
  const note = (what: string, wrong: string | null): void => {
    if (wrong !== null) found.push(`${golden.op}/${golden.name} ${what}: ${wrong}`);
  };
  try {
    const inputs = inputsOf(golden, precision);
    if (golden.gradients.size > 0) for (const name of golden.gradients.keys()) inputs.get(name)!.requireGrad();
    const outputs = named(adapter([...inputs.values()], golden.attrs));
    for (const [name, expected] of golden.outputs) {
      const y = outputs[name]!;
      note(name, wrongType(y, expected, golden, precision) ?? difference({ shape: y.shape, data: y.dataSync() }, expected, precision, golden));
    }
    if (golden.gradients.size === 0) return found;

    backward(outputs, golden, precision);
    for (const [name, expected] of golden.gradients) {
      const g = inputs.get(name)!.grad;
      // An op whose derivative is 0 wherever it exists passes no gradient at all.
      const data = g ? g.dataSync() : new Float64Array(expected.data.length);
      note(`gradient of ${name}`, difference({ shape: g ? g.shape : expected.shape, data }, expected, precision));
    }
  } catch (error) {
    note("threw", `${(error as Error).name}: ${(error as Error).message}`);
  }
  return found;
}

function expectError(golden: GoldenCase, adapter: Adapter, precision: Precision): string[] {
  try {
    adapter([...inputsOf(golden, precision).values()], golden.attrs);
  } catch (error) {
    const { name, message } = error as Error;
    return name === golden.error ? [] : [`${golden.op}/${golden.name}: threw ${name} (${message}), expected ${golden.error}`];
  }
  return [`${golden.op}/${golden.name}: threw nothing, expected ${golden.error}`];
}

/** A stored array as a tensor. Floats become `precision` (inputs are exact in both), the rest keeps its dtype. */
export const fromGolden = ({ dtype, shape, data }: GoldenArray, precision: Precision): Tensor =>
  tensor(data, { shape: [...shape], dtype: isFloat(dtype) ? precision : dtype });

/** Inputs as the case wants them: floats in the precision of this run, with the views put on. */
function inputsOf({ inputs }: GoldenCase, precision: Precision): Map<string, Tensor> {
  return new Map([...inputs].map(([name, { base, view }]) => [name, view.reduce(look, fromGolden(base, precision))]));
}

function look(x: Tensor, [kind, ...args]: ViewStep): Tensor {
  if (kind === "permute") return x.permute(args[0] as number[]);
  if (kind === "expand") return x.expand(args[0] as number[]);
  return x.slice(...(args as [number, number, number, number]));
}

/** Starts from the stored gradient of each output. */
function backward(outputs: Record<string, Tensor>, golden: GoldenCase, precision: Precision): void {
  const pairs = [...golden.dy].map(([name, dy]) => [outputs[name]!, fromGolden(dy, precision)] as const).filter(([y]) => y.requiresGrad);
  if (pairs.length === 1) pairs[0]![0].backward({ gradient: pairs[0]![1] });
  else if (pairs.length > 1) pairs.map(([y, dy]) => y.mul(dy).sum()).reduce((a, b) => a.add(b)).backward();
}

const named = (outputs: Outputs): Record<string, Tensor> => (outputs instanceof Tensor ? { y: outputs } : outputs);

function wrongType(y: Tensor, { dtype }: GoldenArray, { op, attrs }: GoldenCase, precision: Precision): string | null {
  const expected: DType = op === "cast" ? (attrs["dtype"] as DType) : isFloat(dtype) ? precision : dtype;
  return y.dtype === expected ? null : `dtype ${y.dtype}, expected ${expected}`;
}
