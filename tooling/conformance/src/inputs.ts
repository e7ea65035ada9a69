/** Inputs from an op's samples: the same numbers in every run, on every engine. */
import { Random, fromTyped, isFloat, type DType, type OpRecord, type Sample, type SampleInput, type Shape, type Tensor, type TypedArray } from "@nn/tensor";

export type Inputs = Record<string, Tensor | Tensor[]>;
type Spec = Shape | SampleInput;

const arrays = { f32: Float32Array, f64: Float64Array, i32: Int32Array, u8: Uint8Array, bool: Uint8Array };

/** All inputs of a sample; floating ones in `float`. Values are f32-representable, so that f32 and f64 runs see the same. */
export function makeInputs(op: OpRecord, sample: Sample, float: "f32" | "f64", layout: (t: Tensor) => Tensor = (t) => t): Inputs {
  const out: Inputs = {};
  op.inputNames.forEach((name, i) => {
    const spec = (sample.inputs as Record<string, Spec | Spec[]>)[name];
    if (spec === undefined) return;
    const make = (s: Spec, k: number) => layout(fill(normal(s), float, new Random(hash(op.name), 16 * i + k)));
    out[name] = isList(op, name) ? (spec as Spec[]).map(make) : make(spec as Spec, 0);
  });
  return out;
}

const isList = (op: OpRecord, name: string): boolean => op.list === name;
const normal = (s: Spec): SampleInput => ("shape" in s ? s : { shape: s });

function fill({ shape, dtype = "f32", low, high, distinct = false, awayFrom = 0 }: SampleInput, float: "f32" | "f64", random: Random): Tensor {
  const type: DType = isFloat(dtype) ? float : dtype;
  const size = shape.reduce((a, b) => a * b, 1);
  const [from, to] = [low ?? (type === "bool" || type === "u8" ? 0 : -2), high ?? (type === "bool" ? 1 : type === "u8" ? 255 : 2)];
  const data: TypedArray = new arrays[type](size);
  const order = distinct ? random.permutation(size) : null;
  const shift = random.uniform(size); // two distinct inputs must not meet either
  for (let i = 0; i < size; i++) {
    const u = random.uniform(i);
    if (!isFloat(type)) data[i] = from + Math.floor(u * (to - from + 1));
    else if (order) data[i] = Math.fround(from + ((to - from) * (order[i]! + shift)) / size);
    else data[i] = Math.fround(away(from + (to - from) * u, awayFrom));
  }
  return fromTyped(data, shape, type, "sample");
}

/** Moves x out of the neighbourhood of whole and half numbers. */
function away(x: number, distance: number): number {
  const nearest = Math.round(2 * x) / 2;
  return Math.abs(x - nearest) < distance ? nearest + (x >= nearest ? distance : -distance) : x;
}

/** The same values lying backwards in memory with gaps: nothing about it is contiguous. */
export function scattered(t: Tensor): Tensor {
  if (t.rank === 0 || t.size === 0) return t;
  const last = t.rank - 1;
  const gaps = t.flip(last).unsqueeze(t.rank).pad([[0, 1]]); // every second element
  return gaps.slice(t.rank, 0, 1).squeeze(t.rank).flip(last);
}

function hash(text: string): number {
  let h = 2166136261;
  for (const c of text) h = Math.imul(h ^ c.charCodeAt(0), 16777619);
  return h >>> 0;
}
