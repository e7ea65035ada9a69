/** A model at a glance: layers, shapes, parameters, work and memory. */
import { kernelCost } from "@nn/kernels/costs";
import { observeModules, type Module, type ModuleCall } from "@nn/layers";
import { getEngine, noGrad, Tensor, trace, zeros, type DType, type Shape } from "@nn/tensor";

export interface SummaryRow {
  /** Place in the model, e.g. `features.0`. */
  readonly path: string;
  /** Class and arguments, e.g. `Conv2d(3, 64, kernelSize=5)`. */
  readonly layer: string;
  readonly output: Shape;
  /** Of the module itself, not of its children; shared ones count where they are met first. */
  readonly parameters: number;
  /** Forward, a multiply-add as two. */
  readonly flops: number;
}

/** `String(summary)` is a table. */
export class Summary {
  readonly input: Shape;
  readonly rows: readonly SummaryRow[];

  constructor(input: Shape, rows: readonly SummaryRow[]) {
    this.input = input;
    this.rows = rows;
  }

  get parameters(): number {
    return this.rows.reduce((n, r) => n + r.parameters, 0);
  }
  get flops(): number {
    return this.rows.reduce((n, r) => n + r.flops, 0);
  }
  /** Bytes of the parameters as f32. */
  get parameterBytes(): number {
    return 4 * this.parameters;
  }
  /** Bytes of all results as f32: what a training step keeps at most, where nothing is fused. */
  get activationBytes(): number {
    return this.rows.reduce((n, r) => n + 4 * r.output.reduce((a, b) => a * b, 1), 0);
  }

  toString(): string {
    const cells = this.rows.map((r) => [r.path, r.layer, `[${r.output.join(",")}]`, count(r.parameters), count(r.flops)]);
    const rows = [["", "layer", "output", "parameters", "FLOPs"], ["input", "", `[${this.input.join(",")}]`, "", ""], ...cells];
    const widths = rows[0]!.map((_, i) => Math.max(...rows.map((r) => r[i]!.length)));
    const lines = rows.map((r) => r.map((cell, i) => (i < 3 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ").trimEnd());
    const rule = "-".repeat(Math.max(...lines.map((l) => l.length)));
    return [lines[0], rule, ...lines.slice(1), rule, `${count(this.parameters)} parameters (${megabytes(this.parameterBytes)}), ${count(this.flops)} FLOPs forward, activations ${megabytes(this.activationBytes)}`].join("\n");
  }
}

const count = (n: number): string => n.toLocaleString("en");
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/**
 * Runs `model` once on zeros of `inputShape`, batch dimension included, and lists every module that has parameters or no children,
 * in the order of the forward pass. The work is that of the kernels which ran; convolutions count as direct sums. A model
 * that reads ids wants `dtype: "i32"`. The model's mode is left as it was.
 *
 * @throws whatever the model throws for that shape
 */
export function summary(model: Module, inputShape: Shape, { dtype = "f32" }: { dtype?: DType } = {}): Summary {
  const { training } = model;
  const rows: SummaryRow[] = [];
  const counted = new Set<unknown>();
  let flops = 0; // since the module before ended
  const after = ({ path, module, output }: ModuleCall): void => {
    const own = module.ownParameters().filter((p) => !counted.has(p));
    if (own.length === 0 && flops === 0 && !isLeaf(module)) return;
    for (const p of own) counted.add(p);
    rows.push({ path: path === "" ? "model" : path, layer: `${module.constructor.name}(${module.describe()})`, output: shapeOf(output), parameters: own.reduce((n, p) => n + p.size, 0), flops });
    flops = 0;
  };
  model.eval();
  try {
    noGrad(() =>
      trace(
        () =>
          observeModules({ after }, () => (model.call as (x: Tensor) => unknown)(zeros(inputShape as number[], { dtype }))),
        ({ call }) => (flops += call ? (kernelCost(call.name, call.args as never, getEngine())?.flops ?? 0) : 0),
      ),
    );
  } finally {
    model.train(training);
  }
  return new Summary(inputShape, rows);
}

const isLeaf = (module: Module): boolean => module.namedChildren().next().done === true;

/** Of a tensor, or of the first tensor in what a module returns. */
function shapeOf(output: unknown): Shape {
  if (output instanceof Tensor) return output.shape;
  return typeof output === "object" && output !== null ? shapeOf(Object.values(output)[0]) : [];
}
