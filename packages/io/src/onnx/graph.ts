/** An ONNX graph in the making: names, nodes and initializers. Field numbers are those of onnx.proto3. */
import { ArgumentError, type DType, type TypedArray } from "@nn/tensor";
import { bytesOf } from "../dtypes.ts";
import { Message } from "./protobuf.ts";
import { onceAlong, type Dim, type GraphValue } from "./align.ts";

/** TensorProto.DataType */
const elementTypes = { f32: 1, u8: 2, i32: 6, i64: 7, bool: 9, f64: 11 } as const satisfies Record<DType | "i64", number>;
export const elementType = (dtype: keyof typeof elementTypes): number => elementTypes[dtype];

export type Attribute = number | string | readonly number[] | readonly string[] | { readonly float: number };
export type Attributes = Readonly<Record<string, Attribute | undefined>>;

/** What a lowering reads of an op's input. */
export interface Operand {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  /** Its name in the graph; a constant is put there when it is first asked for. */
  readonly name: string;
  /** The numbers of a constant. */
  readonly data: (() => TypedArray) | null;
}

/** Protocol-buffer messages end at 2 GiB; some room for all that is not weights. */
const MAX_WEIGHTS = 2 ** 31 - 2 ** 20;

export class Graph {
  readonly #nodes: Message[] = [];
  readonly #initializers: Message[] = [];
  readonly #names = new Set<string>();
  readonly #numbers = new Map<string, string>();
  #weights = 0;
  #rows: string | null = null;
  readonly #firstInput: string;
  /** What the names of new nodes begin with. */
  prefix = "";

  constructor(firstInput: string) {
    this.#firstInput = firstInput;
  }

  /** `name`, or `name_2`, … if that is taken. */
  unique(name: string): string {
    let free = name;
    for (let i = 2; this.#names.has(free); i++) free = `${name}_${i}`;
    this.#names.add(free);
    return free;
  }

  /** An initializer of these numbers. */
  constant(data: TypedArray | BigInt64Array, shape: readonly number[], dtype: DType | "i64", name = "constant"): string {
    this.#weights += data.byteLength;
    if (this.#weights > MAX_WEIGHTS) {
      throw new ArgumentError("exportOnnx", `the weights take more than 2 GiB (${this.#weights} bytes up to '${name}'), which an ONNX file cannot hold`, { hint: "export parts of the model, or save safetensors" });
    }
    const named = this.unique(name);
    const tensor = new Message();
    for (const size of shape) tensor.int(1, size);
    this.#initializers.push(tensor.int(2, elementType(dtype)).text(8, named).bytes(9, bytesOf(data)));
    return named;
  }
  /** A list of whole numbers as an input. */
  ints(values: readonly (number | bigint)[]): string {
    const key = `[${values.join()}]`;
    if (!this.#numbers.has(key)) this.#numbers.set(key, this.constant(BigInt64Array.from(values, BigInt), [values.length], "i64", "sizes"));
    return this.#numbers.get(key)!;
  }
  /** A 0-d number of a type. */
  scalar(value: number, dtype: DType): string {
    const key = `${dtype} ${Object.is(value, -0) ? "-0" : value}`;
    const array = { f32: Float32Array, f64: Float64Array, i32: Int32Array, u8: Uint8Array, bool: Uint8Array }[dtype];
    if (!this.#numbers.has(key)) this.#numbers.set(key, this.constant(array.of(value), [], dtype, "number"));
    return this.#numbers.get(key)!;
  }

  /** Adds a node and returns the names of its `outputs`; inputs may be left out as "". */
  nodes(type: string, inputs: readonly string[], attributes: Attributes = {}, outputs = 1): string[] {
    const name = this.unique(`${this.prefix}${type}`);
    const results = Array.from({ length: outputs }, (_, i) => this.unique(i === 0 ? `${name}.out` : `${name}.out${i}`));
    this.#add(name, type, inputs, attributes, results);
    return results;
  }
  /** Gives a value the name of an output of the model. */
  output(value: string, name: string): void {
    this.#add(this.unique("Identity"), "Identity", [value], {}, [name]);
  }
  #add(name: string, type: string, inputs: readonly string[], attributes: Attributes, results: readonly string[]): void {
    const node = new Message();
    for (const input of inputs) node.text(1, input);
    for (const result of results) node.text(2, result);
    node.text(3, name).text(4, type);
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) node.message(5, attribute(key, value));
    this.#nodes.push(node);
  }
  /** Adds a node with one output. */
  node(type: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.nodes(type, inputs, attributes)[0]!;
  }
  /** `x` as `dtype`. */
  cast(x: { readonly name: string; readonly dtype: DType | "i64" }, dtype: DType | "i64"): string {
    return x.dtype === dtype ? x.name : this.node("Cast", [x.name], { to: elementType(dtype) });
  }

  /** A shape as an input. */
  shape(dims: readonly Dim[]): string {
    if (dims.every((dim) => typeof dim === "number")) return this.ints(dims);
    return this.node("Concat", dims.map((dim) => (typeof dim === "number" ? this.ints([dim]) : this.#rowsTimes(dim.perRow))), { axis: 0 });
  }
  #rowsTimes(factor: number): string {
    this.#rows ??= this.node("Gather", [this.node("Shape", [this.#firstInput]), this.ints([0])], { axis: 0 });
    return factor === 1 ? this.#rows : this.node("Mul", [this.#rows, this.ints([factor])]);
  }

  /** The name of a constant of the trace. */
  constantOf({ constant, dtype, shape }: GraphValue): string {
    const name = this.constant(constant!.data(), onceAlong(shape), dtype, constant!.name ?? "constant");
    return shape.every((dim) => typeof dim === "number") ? name : this.node("Expand", [name, this.shape(shape)]);
  }

  encode(inputs: readonly Port[], outputs: readonly Port[]): Uint8Array {
    const graph = new Message();
    for (const node of this.#nodes) graph.message(1, node);
    graph.text(2, "nn");
    for (const initializer of this.#initializers) graph.message(5, initializer);
    for (const port of inputs) graph.message(11, valueInfo(port));
    for (const port of outputs) graph.message(12, valueInfo(port));
    return new Message().int(1, IR_VERSION).text(2, "@nn/io").message(7, graph).message(8, new Message().text(1, "").int(2, OPSET)).encode();
  }
}

const IR_VERSION = 8;
/** Of 2022: the first with LayerNormalization, and read by every runtime in use. */
export const OPSET = 17;

/** An input or output of the model. */
export interface Port {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

function valueInfo({ name, dtype, shape }: Port): Message {
  const dims = new Message();
  for (const dim of shape) dims.message(1, typeof dim === "number" ? new Message().int(1, dim) : new Message().text(2, dim.perRow === 1 ? "batch" : `${dim.perRow}*batch`));
  const tensor = new Message().int(1, elementType(dtype)).message(2, dims);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}

function attribute(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === "number") return message.int(3, value).int(20, 2);
  if (typeof value === "string") return message.text(4, value).int(20, 3);
  if ("float" in value) return message.float(2, value.float).int(20, 1);
  for (const item of value) if (typeof item === "string") message.text(9, item); else message.int(8, item);
  return message.int(20, typeof value[0] === "string" ? 8 : 7);
}
