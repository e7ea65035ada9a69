/** Models as ONNX files. */
import { ArgumentError, scope, type Tensor } from "@nn/tensor";
import { align, ROWS, type AlignedGraph, type GraphValue } from "./align.ts";
import { Graph, type Operand } from "./graph.ts";
import { lowerings } from "./lowerings.ts";
import { rowsLike, traceGraph, type Trace, type TracedNode } from "./trace.ts";

/** A module, or anything like it. */
export interface OnnxModel {
  readonly training: boolean;
  readonly call: (...inputs: never[]) => unknown;
  stateDict(): ReadonlyMap<string, Tensor>;
}

export interface OnnxOptions {
  /** Let the first dimension of all inputs be any size, "batch"; default true. All other sizes are those of the example. */
  dynamicBatch?: boolean;
  /** Names of the inputs; default "input", or "input0", "input1", … */
  inputNames?: readonly string[];
}

/**
 * A model as the bytes of an ONNX file (opset 17): what it computes from inputs like `example`, found by running it. Weights keep
 * their names of the state dict; outputs are called "output", or as the model's record of results calls them.
 *
 * @throws ArgumentError if the model is in training mode, uses an op that ONNX lacks, or has weights above 2 GiB
 */
export function exportOnnx(model: OnnxModel, example: Tensor | readonly Tensor[], { dynamicBatch = true, inputNames }: OnnxOptions = {}): Uint8Array {
  const inputs = "dtype" in example ? [example] : example;
  if (model.training) throw new ArgumentError("exportOnnx", "the model is in training mode", { hint: "model.eval() switches dropout off and batch statistics to the running ones" });
  if (inputs.length === 0) throw new ArgumentError("exportOnnx", "needs an example of the model's input");
  if (inputNames && new Set(inputNames).size !== inputs.length) throw new ArgumentError("exportOnnx", `names [${inputNames.join(", ")}] for ${inputs.length} inputs`, { hint: "one name for each, no two alike" });
  const rowless = dynamicBatch ? inputs.find((x) => (x.shape[0] ?? 0) === 0) : undefined;
  if (rowless) throw new ArgumentError("exportOnnx", `an input [${rowless.shape.join(",")}] has no row to repeat`, { hint: "batches come first; { dynamicBatch: false } exports for the size of the example" });

  const run = model.call as (...inputs: Tensor[]) => unknown;
  const trace = (xs: readonly Tensor[]): Trace => traceGraph(run, xs, model.stateDict(), (op) => Object.hasOwn(lowerings, op));
  const withRows = (rows: number): Trace => trace(inputs.map((x) => rowsLike(x, rows)));
  const graph = scope(() => (dynamicBatch ? align(withRows(ROWS[0]), withRows(ROWS[1])) : trace(inputs)), "exportOnnx");
  return write(graph, inputNames ?? (inputs.length === 1 ? ["input"] : inputs.map((_, i) => `input${i}`)));
}

function write({ values, nodes, inputs, outputs }: AlignedGraph | Trace, inputNames: readonly string[]): Uint8Array {
  const graph = new Graph(inputNames[0]!);
  for (const name of inputNames) graph.unique(name);
  const outputNames = outputs.map(([name]) => graph.unique(name));
  const names = new Map<number, string>(inputs.map((value, i) => [value, inputNames[i]!]));
  const operand = (value: number): Operand => {
    const { dtype, shape, constant } = values[value] as GraphValue;
    return {
      dtype, shape, data: constant?.data ?? null,
      get name() {
        if (!names.has(value)) names.set(value, graph.constantOf(values[value]!));
        return names.get(value)!;
      },
    };
  };
  for (const node of used(nodes, outputs.map(([, value]) => value))) {
    graph.prefix = node.path === "" ? "" : `${node.path}/`;
    const read = node.inputs.map((value) => (value === undefined ? undefined : operand(value)));
    const lead = node.op.list === null ? node.op.inputNames.length : 0;
    const made = lowerings[node.op.name]!(graph, {
      attrs: node.attrs,
      inputs: Object.fromEntries(node.op.inputNames.slice(0, lead).map((name, i) => [name, read[i]])),
      list: lead === 0 ? (read as Operand[]) : [],
      outputs: node.outputs.map((value) => values[value]!),
    });
    [made].flat().forEach((name, i) => names.set(node.outputs[i]!, name));
  }
  graph.prefix = "";
  outputs.forEach(([, value], i) => graph.output(operand(value).name, outputNames[i]!));
  const port = (value: number, name: string) => ({ ...values[value]!, name });
  return graph.encode(inputs.map((value, i) => port(value, inputNames[i]!)), outputs.map(([, value], i) => port(value, outputNames[i]!)));
}

/** The nodes that the outputs depend on. */
function used(nodes: readonly TracedNode[], outputs: readonly number[]): TracedNode[] {
  const wanted = new Set<number | undefined>(outputs);
  const kept = [...nodes].reverse().filter((node) => {
    if (!node.outputs.some((value) => wanted.has(value))) return false;
    for (const value of node.inputs) wanted.add(value);
    return true;
  });
  return kept.reverse();
}
