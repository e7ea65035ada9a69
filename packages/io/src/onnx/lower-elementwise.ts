import { promote, type DType } from "@nn/tensor";
import type { Graph } from "./graph.ts";
import type { Call, Lowering } from "./lowering.ts";

/** One input, computed in the type of the result. */
const unary = (type: string): Lowering => (g, { inputs: { x }, outputs: [y] }) => g.node(type, [g.cast(x!, y!.dtype)]);

/** Two inputs with broadcasting, computed in the type of the result. */
const arithmetic = (type: string): Lowering => (g, { inputs: { a, b }, outputs: [y] }) => g.node(type, [g.cast(a!, y!.dtype), g.cast(b!, y!.dtype)]);

/** Small integers and masks are compared as i32, which every runtime can. */
const comparable = (dtype: DType): DType => (dtype === "u8" || dtype === "bool" ? "i32" : dtype);
const comparison = (type: string): Lowering => (g, { inputs: { a, b } }) => {
  const dtype = comparable(promote(a!.dtype, b!.dtype));
  return g.node(type, [g.cast(a!, dtype), g.cast(b!, dtype)]);
};
const logical = (type: string): Lowering => (g, { inputs: { a, b } }) => g.node(type, [g.cast(a!, "bool"), g.cast(b!, "bool")]);

/** x with its type's one. */
const withOne = (g: Graph, { inputs: { x }, outputs: [y] }: Call): [x: string, one: string] => [g.cast(x!, y!.dtype), g.scalar(1, y!.dtype)];

export const elementwise: Readonly<Record<string, Lowering>> = {
  neg: unary("Neg"), abs: unary("Abs"), sign: unary("Sign"), sqrt: unary("Sqrt"), exp: unary("Exp"), log: unary("Log"), sin: unary("Sin"), cos: unary("Cos"), tan: unary("Tan"),
  asin: unary("Asin"), acos: unary("Acos"), atan: unary("Atan"), sinh: unary("Sinh"), cosh: unary("Cosh"), tanh: unary("Tanh"), sigmoid: unary("Sigmoid"), erf: unary("Erf"),
  floor: unary("Floor"), ceil: unary("Ceil"), round: unary("Round"), relu: unary("Relu"), softplus: unary("Softplus"),
  expm1(g, call) {
    const [x, one] = withOne(g, call);
    return g.node("Sub", [g.node("Exp", [x]), one]);
  },
  log1p(g, call) {
    const [x, one] = withOne(g, call);
    return g.node("Log", [g.node("Add", [x, one])]);
  },
  trunc: (g, { inputs: { x } }) => g.node("Mul", [g.node("Sign", [x!.name]), g.node("Floor", [g.node("Abs", [x!.name])])]),
  isnan: (g, { inputs: { x } }) => g.node("IsNaN", [x!.name]),

  add: arithmetic("Add"), sub: arithmetic("Sub"), mul: arithmetic("Mul"), div: arithmetic("Div"), pow: arithmetic("Pow"), maximum: arithmetic("Max"), minimum: arithmetic("Min"),
  remainder(g, { inputs: { a, b }, outputs: [y] }) {
    const [p, q] = [g.cast(a!, y!.dtype), g.cast(b!, y!.dtype)];
    if (y!.dtype === "i32" || y!.dtype === "u8") return g.node("Mod", [p, q]);
    return g.node("Sub", [p, g.node("Mul", [g.node("Floor", [g.node("Div", [p, q])]), q])]); // Mod of floats has C's sign
  },
  eq: comparison("Equal"), lt: comparison("Less"), le: comparison("LessOrEqual"), gt: comparison("Greater"), ge: comparison("GreaterOrEqual"),
  ne: (g, call) => g.node("Not", [comparison("Equal")(g, call) as string]),
  logicalAnd: logical("And"), logicalOr: logical("Or"), logicalXor: logical("Xor"),
  logicalNot: (g, { inputs: { x } }) => g.node("Not", [g.cast(x!, "bool")]),

  where: (g, { inputs: { condition, a, b }, outputs: [y] }) => g.node("Where", [g.cast(condition!, "bool"), g.cast(a!, y!.dtype), g.cast(b!, y!.dtype)]),
  cast: (g, { inputs: { x }, outputs: [y] }) => g.cast(x!, y!.dtype),
};
