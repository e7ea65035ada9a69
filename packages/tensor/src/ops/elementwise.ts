/** Element-wise ops: one value in, one value out, with broadcasting. Each is also one instruction of the `map` kernel. */
import type { Instruction } from "@nn/kernels";
import { defineOp, noGradient, type Rules, type Sample } from "../define.ts";
import { isFloat, promote, store, toFloat, type DType } from "../dtype.ts";
import { broadcast, forEachBroadcast, show } from "./shape-rules.ts";
import { DTypeError } from "../errors.ts";
import * as f from "./functions.ts";


interface UnaryOptions {
  /** Range of test values, and how far to stay from kinks. */
  low?: number;
  high?: number;
  awayFrom?: number;
  /** Exact on integers, which keep their dtype; else they are computed in f32. */
  integers?: boolean;
}

/** `y = fn(x)`; the gradient rule reads what `saves` names. */
function unary<const S extends "x" | "y">(
  name: Instruction,
  fn: (x: number) => number,
  saves: readonly S[],
  vjp: Rules<"x", S, object, "y">["x"],
  { low = -2, high = 2, awayFrom = 0, integers = false }: UnaryOptions = {},
) {
  return defineOp<"x", S, object>({
    name,
    inputs: ["x"],
    saves,
    instruction: name,
    infer({ x }) {
      if (x.dtype === "bool" && integers) throw new DTypeError(name, `is not defined for ${show(x)}`, { hint: 'x.cast("i32")' });
      return { shape: x.shape, dtype: integers ? x.dtype : toFloat(x.dtype) };
    },
    reference({ x }, _, y) {
      for (let i = 0; i < y.data.length; i++) y.data[i] = fn(x.data[i]!);
    },
    vjp: { x: vjp } as Rules<"x", S, object, "y">,
    samples: [[3, 5], [], [0, 2], [513]].map((shape) => ({ inputs: { x: { shape, low, high, awayFrom } }, attrs: {} })),
  });
}

const flat = noGradient("piecewise constant: its derivative is 0 wherever it exists");

// — unary —
export const neg = unary("neg", (x) => -x, [], ({ dy }) => dy.neg(), { integers: true });
/** |x|; derivative 0 at 0, as PyTorch. */
export const abs = unary("abs", Math.abs, ["x"], ({ dy, x }) => dy.mul(x.sign()), { awayFrom: 0.05, integers: true });
export const sign = unary("sign", f.sign, [], flat, { awayFrom: 0.05, integers: true });
export const sqrt = unary("sqrt", Math.sqrt, ["y"], ({ dy, y }) => dy.div(y.mul(2)), { low: 0.2, high: 3 });
export const exp = unary("exp", Math.exp, ["y"], ({ dy, y }) => dy.mul(y));
export const expm1 = unary("expm1", Math.expm1, ["y"], ({ dy, y }) => dy.mul(y.add(1)));
export const log = unary("log", Math.log, ["x"], ({ dy, x }) => dy.div(x), { low: 0.2, high: 3 });
export const log1p = unary("log1p", Math.log1p, ["x"], ({ dy, x }) => dy.div(x.add(1)), { low: -0.5, high: 3 });
export const sin = unary("sin", Math.sin, ["x"], ({ dy, x }) => dy.mul(x.cos()));
export const cos = unary("cos", Math.cos, ["x"], ({ dy, x }) => dy.mul(x.sin()).neg());
export const tan = unary("tan", Math.tan, ["y"], ({ dy, y }) => dy.mul(y.mul(y).add(1)), { low: -1, high: 1 });
export const asin = unary("asin", Math.asin, ["x"], ({ dy, x }) => dy.div(x.mul(x).neg().add(1).sqrt()), { low: -0.8, high: 0.8 });
export const acos = unary("acos", Math.acos, ["x"], ({ dy, x }) => dy.div(x.mul(x).neg().add(1).sqrt()).neg(), { low: -0.8, high: 0.8 });
export const atan = unary("atan", Math.atan, ["x"], ({ dy, x }) => dy.div(x.mul(x).add(1)));
export const sinh = unary("sinh", Math.sinh, ["x"], ({ dy, x }) => dy.mul(x.cosh()));
export const cosh = unary("cosh", Math.cosh, ["x"], ({ dy, x }) => dy.mul(x.sinh()));
export const tanh = unary("tanh", Math.tanh, ["y"], ({ dy, y }) => dy.mul(y.mul(y).neg().add(1)));
export const sigmoid = unary("sigmoid", f.sigmoid, ["y"], ({ dy, y }) => dy.mul(y.mul(y.neg().add(1))));
/** 2/√π ∫₀ˣ e^(−t²) dt */
export const erf = unary("erf", f.erf, ["x"], ({ dy, x }) => dy.mul(x.mul(x).neg().exp().mul(2 / Math.sqrt(Math.PI))));
export const floor = unary("floor", Math.floor, [], flat, { awayFrom: 0.05, integers: true });
export const ceil = unary("ceil", Math.ceil, [], flat, { awayFrom: 0.05, integers: true });
/** Halves go to the even neighbour, as IEEE and PyTorch do. */
export const round = unary("round", f.roundHalfEven, [], flat, { awayFrom: 0.05, integers: true });
export const trunc = unary("trunc", Math.trunc, [], flat, { awayFrom: 0.05, integers: true });
/** max(0, x) with derivative 0 at 0: written as `maximum(0)` half a gradient would pass there. */
export const relu = unary("relu", (x) => (x < 0 ? 0 : x), ["y"], ({ dy, y }) => dy.mul(y.gt(0)), { awayFrom: 0.05, integers: true });

/** log(1 + eˣ) = max(x, 0) + log1p(e^(−|x|)), which never overflows. A record because its derivative σ(x) is smooth at 0, where |x| is not. */
export const softplus = defineOp({
  name: "softplus",
  inputs: ["x"],
  saves: ["x"],
  infer: ({ x }) => ({ shape: x.shape, dtype: toFloat(x.dtype) }),
  reference({ x }, _, y) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = Math.max(x.data[i]!, 0) + Math.log1p(Math.exp(-Math.abs(x.data[i]!)));
  },
  vjp: { x: ({ dy, x }) => dy.mul(x.sigmoid()) },
  samples: [[3, 5], [], [0, 2]].map((shape) => ({ inputs: { x: { shape, low: -4, high: 4 } }, attrs: {} })),
});

// — binary —
/** `y = fn(a, b)` with broadcasting; gradients are summed back to each input's shape. */
function binary<const S extends "a" | "b" | "y">(
  name: string,
  instruction: Instruction,
  fn: (a: number, b: number) => number,
  saves: readonly S[],
  vjp: Rules<"a" | "b", S, object, "y">,
  { result = promote, lowB = -2, highB = 2, lowA = -2, distinct = false }: BinaryOptions = {},
) {
  return defineOp<"a" | "b", S, object>({
    name,
    inputs: ["a", "b"],
    saves,
    instruction,
    infer: ({ a, b }) => broadcast(name, a, b, result(a.dtype, b.dtype)),
    reference({ a, b }, _, y) {
      forEachBroadcast(y.shape, [a, b], (i, p, q) => (y.data[i] = fn(a.data[p!]!, b.data[q!]!)));
    },
    vjp,
    samples: pairs(lowA, lowB, highB, distinct),
  });
}
interface BinaryOptions {
  result?: (a: DType, b: DType) => DType;
  lowA?: number;
  lowB?: number;
  highB?: number;
  distinct?: boolean;
}

const shapePairs: [number[], number[]][] = [[[3, 5], [3, 5]], [[2, 3, 4], [4]], [[4, 1], [1, 5]], [[], [3]], [[0, 3], [1, 3]], [[], []]];
const pairs = (lowA: number, lowB: number, highB: number, distinct: boolean): Sample<"a" | "b", object>[] =>
  shapePairs.map(([a, b]) => ({ inputs: { a: { shape: a, low: lowA, distinct }, b: { shape: b, low: lowB, high: highB, distinct } }, attrs: {} }));

/** bool arithmetic counts: it is computed in i32. */
const counting = (a: DType, b: DType): DType => (promote(a, b) === "bool" ? "i32" : promote(a, b));
const floating = (a: DType, b: DType): DType => toFloat(promote(a, b));

export const add = binary("add", "add", (a, b) => a + b, [], { a: ({ dy, avals }) => dy.sumTo(avals.a.shape), b: ({ dy, avals }) => dy.sumTo(avals.b.shape) }, { result: counting });
export const sub = binary("sub", "sub", (a, b) => a - b, [], { a: ({ dy, avals }) => dy.sumTo(avals.a.shape), b: ({ dy, avals }) => dy.neg().sumTo(avals.b.shape) }, { result: counting });
export const mul = binary("mul", "mul", (a, b) => a * b, ["a", "b"], { a: ({ dy, b, avals }) => dy.mul(b).sumTo(avals.a.shape), b: ({ dy, a, avals }) => dy.mul(a).sumTo(avals.b.shape) }, { result: counting });
/** True division: integers give f32. */
export const div = binary("div", "div", (a, b) => a / b, ["b", "y"],
  { a: ({ dy, b, avals }) => dy.div(b).sumTo(avals.a.shape), b: ({ dy, b, y, avals }) => dy.mul(y).div(b).neg().sumTo(avals.b.shape) },
  { result: floating, lowB: 0.5, highB: 2 });
/** aᵇ. The gradient of b is 0 where a is 0, of a is 0 where b is 0, as PyTorch. */
export const pow = binary("pow", "pow", f.pow, ["a", "b", "y"], {
  a: ({ dy, a, b, avals }) => b.eq(0).where(0, dy.mul(b).mul(a.pow(b.sub(1)))).sumTo(avals.a.shape),
  b: ({ dy, a, y, avals }) => a.eq(0).where(0, dy.mul(y).mul(a.log())).sumTo(avals.b.shape),
}, { lowA: 0.3 });
/** The larger value; equal values share the gradient evenly. NaN wins. */
export const maximum = binary("maximum", "max", Math.max, ["a", "b"], {
  a: ({ dy, a, b, avals }) => dy.mul(a.gt(b).add(a.ge(b)).mul(0.5)).sumTo(avals.a.shape),
  b: ({ dy, a, b, avals }) => dy.mul(b.gt(a).add(b.ge(a)).mul(0.5)).sumTo(avals.b.shape),
}, { distinct: true });
export const minimum = binary("minimum", "min", Math.min, ["a", "b"], {
  a: ({ dy, a, b, avals }) => dy.mul(a.lt(b).add(a.le(b)).mul(0.5)).sumTo(avals.a.shape),
  b: ({ dy, a, b, avals }) => dy.mul(b.lt(a).add(b.le(a)).mul(0.5)).sumTo(avals.b.shape),
}, { distinct: true });
export const atan2 = binary("atan2", "atan2", Math.atan2, ["a", "b"], {
  a: ({ dy, a, b, avals }) => dy.mul(b).div(a.mul(a).add(b.mul(b))).sumTo(avals.a.shape),
  b: ({ dy, a, b, avals }) => dy.mul(a).div(a.mul(a).add(b.mul(b))).neg().sumTo(avals.b.shape),
}, { result: floating, lowB: 0.5 });
/** a − b·⌊a/b⌋: takes the sign of the divisor. */
export const remainder = binary("remainder", "mod", f.remainder, ["a", "b"], {
  a: ({ dy, avals }) => dy.sumTo(avals.a.shape),
  b: ({ dy, a, b, avals }) => dy.mul(a.div(b).floor()).neg().sumTo(avals.b.shape),
}, { lowA: 2.1, lowB: 1.3, highB: 1.6 });

// — comparisons and logic: bool results —
const toBool = (): DType => "bool";
const none = { a: flat, b: flat };
const compare = (name: "eq" | "ne" | "lt" | "le" | "gt" | "ge", fn: (a: number, b: number) => boolean) => binary(name, name, (a, b) => (fn(a, b) ? 1 : 0), [], none, { result: toBool });
export const eq = compare("eq", (a, b) => a === b);
export const ne = compare("ne", (a, b) => a !== b);
export const lt = compare("lt", (a, b) => a < b);
export const le = compare("le", (a, b) => a <= b);
export const gt = compare("gt", (a, b) => a > b);
export const ge = compare("ge", (a, b) => a >= b);
const logic = (name: string, instruction: Instruction, fn: (a: boolean, b: boolean) => boolean) =>
  binary(name, instruction, (a, b) => (fn(a !== 0, b !== 0) ? 1 : 0), [], none, { result: toBool });
export const logicalAnd = logic("logicalAnd", "and", (a, b) => a && b);
export const logicalOr = logic("logicalOr", "or", (a, b) => a || b);
export const logicalXor = logic("logicalXor", "xor", (a, b) => a !== b);
const predicate = (name: string, instruction: Instruction, fn: (x: number) => boolean) =>
  defineOp({
    name,
    inputs: ["x"],
    saves: [],
    instruction,
    infer: ({ x }) => ({ shape: x.shape, dtype: "bool" }),
    reference({ x }, _, y) {
      for (let i = 0; i < y.data.length; i++) y.data[i] = fn(x.data[i]!) ? 1 : 0;
    },
    vjp: { x: flat },
    samples: [[3, 5], [], [0, 2]].map((shape) => ({ inputs: { x: shape }, attrs: {} })),
  });
export const logicalNot = predicate("logicalNot", "not", (x) => x === 0);
export const isnan = predicate("isnan", "isnan", Number.isNaN);

// — selection and conversion —
/** `condition ? a : b` with broadcasting. */
export const where = defineOp({
  name: "where",
  inputs: ["condition", "a", "b"],
  saves: ["condition"],
  instruction: "select",
  infer({ condition, a, b }) {
    const { shape, dtype } = broadcast("where", a, b);
    return broadcast("where", condition, { shape, dtype }, dtype);
  },
  reference({ condition, a, b }, _, y) {
    forEachBroadcast(y.shape, [condition, a, b], (i, c, p, q) => (y.data[i] = condition.data[c!]! !== 0 ? a.data[p!]! : b.data[q!]!));
  },
  vjp: {
    condition: flat,
    a: ({ dy, condition, avals }) => condition.where(dy, 0).sumTo(avals.a.shape),
    b: ({ dy, condition, avals }) => condition.where(0, dy).sumTo(avals.b.shape),
  },
  samples: [[[3, 5], [3, 5], [3, 5]], [[4, 1], [1, 5], []], [[], [], []], [[0], [0], []]].map(([c, a, b]) => ({
    inputs: { condition: { shape: c!, dtype: "bool" as const }, a: a!, b: b! },
    attrs: {},
  })),
});

/** Converts the element type; float → integer truncates, anything → bool is `x ≠ 0`. */
export const cast = defineOp({
  name: "cast",
  inputs: ["x"],
  saves: [],
  infer: ({ x }, { dtype }: { dtype: DType }) => ({ shape: x.shape, dtype }),
  reference({ x }, { dtype }, y) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = store(x.data[i]!, dtype);
  },
  vjp: { x: ({ dy, attrs, avals }) => (isFloat(attrs.dtype) ? dy.cast(avals.x.dtype) : dy.mul(0).cast(avals.x.dtype)) },
  samples: [
    { inputs: { x: [3, 5] }, attrs: { dtype: "f64" } },
    { inputs: { x: { shape: [4], dtype: "i32" } }, attrs: { dtype: "f32" } },
    { inputs: { x: { shape: [4, 3], dtype: "u8" } }, attrs: { dtype: "f32" } },
    { inputs: { x: [4] }, attrs: { dtype: "i32" } },
    { inputs: { x: [] }, attrs: { dtype: "bool" } },
  ],
});
