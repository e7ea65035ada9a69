/** Element-wise ops as one-instruction programs of the `map` kernel; longer programs go the same way. */
import { instructions, mapLimits, type Engine, type Instruction } from "@nn/kernels";
import { kernel, type Backend } from "../backend.ts";
import type { Aval } from "../define.ts";
import type { DType } from "../dtype.ts";
import { collapse, contiguous, denseStrides, expandLayout, isContiguous, isDense, memoryOrder, rowMajor, sameShape, sizeOf, type Layout, type Shape } from "../layout.ts";
import { empty, pointerOf, type Tensor } from "../tensor.ts";
import { run, typeCode } from "./launch.ts";

/** Instructions `[op, dst, a, b, c]` over registers: inputs first, then parameters, then temporaries. */
export interface Program {
  readonly key: string;
  readonly words: Int32Array;
  readonly inputs: number;
  readonly params: number;
  /** Numbers written in the program; they follow the parameters. */
  readonly constants: readonly number[];
  /** Registers that are stored. */
  readonly outputs: readonly number[];
}

const uploaded = new WeakMap<Engine, Map<string, number>>();

/** Address of a program in engine memory; uploaded once per engine. */
export function programPointer(engine: Engine, { key, words }: Program): number {
  let known = uploaded.get(engine);
  if (!known) uploaded.set(engine, (known = new Map()));
  let pointer = known.get(key);
  if (pointer === undefined) {
    pointer = engine.alloc(words.byteLength);
    engine.i32(pointer, words.length).set(words);
    known.set(key, pointer);
  }
  return pointer;
}

/** The program of a single instruction on `inputs` inputs. */
const single = new Map<string, Program>();
function oneInstruction(name: Instruction, inputs: number): Program {
  let program = single.get(name);
  if (!program) {
    const op = instructions.indexOf(name);
    program = { key: name, words: Int32Array.of(op, inputs, 0, Math.min(1, inputs - 1), Math.min(2, inputs - 1)), inputs, params: 0, constants: [], outputs: [inputs] };
    single.set(name, program);
  }
  return program;
}

/**
 * Runs `program` over `inputs` broadcast to `shape`. The result lies in memory like the first full-size dense input
 * (so channels-last stays channels-last), else row-major.
 */
export function runProgram(backend: Backend, program: Program, inputs: readonly Tensor[], out: Aval, origin: string): Tensor {
  const { shape, dtype } = out;
  const walk = oneRun(inputs, shape) ?? nested(inputs, shape);
  if (walk.shape.length > mapLimits.dims) return runProgram(backend, program, inputs.map((t) => dense(backend, t, shape)), out, origin);
  const y = empty(out, origin, walk.result, backend);
  if (y.size === 0) return y;
  run(backend, "map", {
    program: programPointer(backend.engine, program),
    ninstr: program.words.length / 5,
    nin: inputs.length,
    nparam: 0,
    nout: 1,
    nd: walk.shape.length,
    shape: walk.shape,
    in: inputs.map(pointerOf),
    inType: inputs.map((t) => typeCode(t.dtype)),
    inStride: walk.strides,
    param: [],
    out: [pointerOf(y)],
    outType: [typeCode(dtype)],
    outReg: program.outputs,
  });
  return y;
}

/** How a program walks over memory: nested loops, outermost first, and per input its strides in them, `mapLimits.dims` apart. */
interface Walk {
  readonly result: Layout;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** One loop, where every input is row-major and full size, or one number: most calls. */
function oneRun(inputs: readonly Tensor[], shape: Shape): Walk | null {
  const strides = new Array<number>(inputs.length * mapLimits.dims).fill(0);
  for (let i = 0; i < inputs.length; i++) {
    const t = inputs[i]!;
    if (sameShape(t.shape, shape) && isContiguous(t)) strides[i * mapLimits.dims] = 1;
    else if (t.size !== 1) return null;
  }
  return { result: contiguous(shape), shape: [sizeOf(shape)], strides };
}

/** Nested loops in the memory order of the result; dimensions that all walk alike are joined. */
function nested(inputs: readonly Tensor[], shape: Shape): Walk {
  const order = outputOrder(shape, inputs);
  const result = { shape, strides: denseStrides(shape, order), offset: 0 };
  const inOrder = (l: Layout) => order.map((d) => l.strides[d]!);
  const flat = collapse(order.map((d) => shape[d]!), [inOrder(result), ...inputs.map((t) => inOrder(expandLayout(t, shape)))]);
  const strides = flat.strides.slice(1).flatMap((own) => Array.from({ length: mapLimits.dims }, (_, d) => own[d] ?? 0));
  return { result, shape: flat.shape, strides };
}

/** Only for more than eight interleaved dimensions: one input at a time is made dense first. */
function dense(backend: Backend, t: Tensor, shape: Shape): Tensor {
  const expanded = expandLayout(t, shape);
  return isDense(expanded) ? t : runProgram(backend, oneInstruction("mov", 1), [t], { shape, dtype: t.dtype }, "expand");
}

function outputOrder(shape: Shape, inputs: readonly Tensor[]): number[] {
  const n = sizeOf(shape);
  const like = inputs.find((t) => t.size === n && t.rank === shape.length && isDense(t));
  return memoryOrder(like ?? { shape, strides: rowMajor(shape), offset: 0 });
}

const small: readonly DType[] = ["f32", "bool", "u8"];
/** Arithmetic of 32-bit integers needs more than f32's 24 bits. */
const throughF32 = (inputs: readonly Tensor[], outputs: readonly Aval[]): boolean =>
  inputs.every((t) => small.includes(t.dtype)) && outputs.every((o) => o.dtype === "f32" || o.dtype === "bool");

/** The kernel of an op that is instruction `name` on the inputs of these names. */
const instruction = <K extends string>(name: Instruction, names: readonly K[]) =>
  kernel<Record<K, Tensor>, object, Aval>((inputs, _, out) => {
    const list = names.map((n) => inputs[n]);
    return runProgram(list[0]!.backend, oneInstruction(name, list.length), list, out, name);
  }, throughF32);
export const unary = (name: Instruction) => instruction(name, ["x"]);
export const binary = (name: Instruction) => instruction(name, ["a", "b"]);
export const where = instruction("select", ["condition", "a", "b"]);

/** float → i32 truncates on store; u8 and i32 are exact in f32 up to 2²⁴, so i32 sources and u8 results go to the reference. */
export const cast = kernel<{ x: Tensor }, { dtype: DType }, Aval>(
  ({ x }, { dtype }, out) => runProgram(x.backend, dtype === "bool" ? nonZero : oneInstruction("mov", 1), [x], out, "cast"),
  ([x], [y]) => small.includes(x!.dtype) && (y!.dtype === "f32" || y!.dtype === "i32" || y!.dtype === "bool"),
);
/** Several instructions on one input, from register 0 on: each word is `[name, a, b?]` and writes the next register. */
function chain(key: string, steps: readonly (readonly [Instruction, number, number?])[]): Program {
  const words = steps.flatMap(([name, a, b = a], i) => [instructions.indexOf(name), i + 1, a, b, a]);
  return { key, words: Int32Array.from(words), inputs: 1, params: 0, constants: [], outputs: [steps.length] };
}
const nonZero = chain("nonZero", [["not", 0], ["not", 1]]);

const softplusProgram = chain("softplus", [["abs", 0], ["neg", 1], ["exp", 2], ["log1p", 3], ["relu", 0], ["add", 4, 5]]);
/** max(x, 0) + log1p(e^(−|x|)) in one pass. */
export const softplus = kernel<{ x: Tensor }, object, Aval>(({ x }, _, out) => runProgram(x.backend, softplusProgram, [x], out, "softplus"), throughF32);
