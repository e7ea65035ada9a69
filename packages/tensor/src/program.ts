/**
 * Element-wise tensor code as a program of the `mapList` kernel: a rule is run once on symbols,
 * then over any number of contiguous f32 tensors in one pass over memory, in place. Optimizer updates go this way.
 */
import { instructions, mapLimits, type Instruction } from "@nn/kernels";
import { defaultBackend, type Backend } from "./backend.ts";
import { programPointer, type Program } from "./cpu/elementwise.ts";
import { run, withScratch } from "./cpu/launch.ts";
import type { OpRecord } from "./define.ts";
import { withInterceptor } from "./dispatch.ts";
import { ArgumentError } from "./errors.ts";
import { withRecording } from "./recorder.ts";
import { launchesFor } from "./trace.ts";
import type { Tensor} from "./tensor.ts";
import { empty, pointerOf } from "./tensor.ts";

/** A rule: element-wise tensor code from inputs (one value per element) and parameters (one value per run) to outputs. */
export type ElementwiseRule = (inputs: Tensor[], params: Tensor[]) => Tensor[];

/** Records what `rule` does to `inputs` elements and `params` numbers. Only element-wise ops and JavaScript numbers may occur. */
export function traceProgram(name: string, inputs: number, params: number, rule: ElementwiseRule): Program {
  const constants: number[] = [];
  const words: number[] = [];
  const registers = new Map<Tensor, number>();
  const made: Tensor[] = [];
  const symbol = (register: number): Tensor => {
    const t = empty({ shape: [], dtype: "f32" }, name, undefined, defaultBackend(), null);
    registers.set(t, register);
    made.push(t);
    return t;
  };
  // Constants are parameters too; they take the registers after the given ones, numbered once all are known.
  const constantBase = 1000;
  const registerOf = (t: Tensor): number => {
    const known = registers.get(t);
    if (known !== undefined) return known;
    if (t.size !== 1) throw new ArgumentError(name, `a tensor of shape [${t.shape.join(",")}] in an element-wise rule`, { hint: "pass it as an input or parameter" });
    const value = t.item();
    let at = constants.indexOf(value);
    if (at < 0) at = constants.push(value) - 1;
    return constantBase + at;
  };
  let next = 0;
  const temporaryBase = 2000;
  const emit = (op: OpRecord, named: Record<string, Tensor | Tensor[]>): Tensor => {
    if (!op.instruction) throw new ArgumentError(name, `${op.name} is not element-wise`, { hint: "a rule is made of add, mul, sqrt, where … only" });
    const operands = op.inputNames.map((n) => registerOf(named[n] as Tensor));
    const dst = temporaryBase + next++;
    words.push(instructions.indexOf(op.instruction as Instruction), dst, operands[0]!, operands[1] ?? operands[0]!, operands[2] ?? operands[0]!);
    return symbol(dst);
  };
  const range = (n: number, from: number): Tensor[] => Array.from({ length: n }, (_, i) => symbol(from + i));
  const outputs = withRecording(false, () =>
    withInterceptor({ apply: emit }, () => rule(range(inputs, 0), range(params, inputs)).map((t) => registerOf(t))),
  );
  const firstConstant = inputs + params;
  const firstTemporary = firstConstant + constants.length;
  const number = (r: number): number => (r >= temporaryBase ? r - temporaryBase + firstTemporary : r >= constantBase ? r - constantBase + firstConstant : r);
  for (const t of made) t.dispose();
  if (firstTemporary - inputs > mapLimits.params || firstTemporary + next > mapLimits.registers) {
    throw new ArgumentError(name, `the rule needs ${firstTemporary - inputs} parameters and ${firstTemporary + next} registers; limits are ${mapLimits.params} and ${mapLimits.registers}`);
  }
  return {
    key: name,
    words: Int32Array.from(words, (w, i) => (i % 5 === 0 ? w : number(w))),
    inputs,
    params,
    constants,
    outputs: outputs.map(number),
  };
}

/** Contiguous f32 tensors of one size. */
export interface Segment {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** Only these rows (distinct) of all but the tensors that have no other rows, which are read in order. */
  readonly rows?: Int32Array | null;
}

/**
 * Runs `program` over `segments`: what it reads, and where the outputs go.
 * Outputs may be inputs: that is an update in place, and `writer` is noted as its author.
 */
export function runOver(backend: Backend, program: Program, segments: readonly Segment[], params: readonly number[], writer: string): void {
  const width = 1 + program.inputs + program.outputs.length;
  launchesFor(writer);
  const count = segments.reduce((n, { rows }) => n + (rows?.length ?? 1), 0);
  withScratch(backend, Math.max(count, 1) * width * 8, (pointer) => {
    const table = backend.engine.f64(pointer, count * width);
    let at = 0;
    for (const { inputs, outputs, rows } of segments) {
      const size = inputs[0]!.size / (rows ? inputs[0]!.shape[0]! : 1);
      const places = [...inputs, ...outputs].map((t) => ({ start: pointerOf(t), inOrder: t.shape[0] === rows?.length }));
      (rows ?? [0]).forEach((row, k) => {
        table[at++] = size;
        for (const { start, inOrder } of places) table[at++] = start + 4 * size * (inOrder ? k : row);
      });
    }
    run(backend, "mapList", {
      program: programPointer(backend.engine, program),
      ninstr: program.words.length / 5,
      nin: program.inputs,
      nparam: program.params + program.constants.length,
      nout: program.outputs.length,
      segments: pointer,
      count,
      param: [...params, ...program.constants],
      outReg: program.outputs,
    });
  });
  for (const { outputs } of segments) for (const t of outputs) t.storage.touch(writer);
}
