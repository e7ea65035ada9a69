import { describe, expect, it } from "vitest";
import { instructions, type Instruction } from "../src/index.node.ts";
import { engineOf, kinds, program, runMap, ulps, upload, type Line } from "./helpers.ts";

const sizes = [0, 1, 511, 512, 513];
const specials = [0, -0, 1, -1, Infinity, -Infinity, NaN, 1e-8, -1e-8, 1e-40, 3.4e38, -3.4e38, 0.5, -0.5, 2.5, -2.5, 1.5, 100, -100, 8388609, -16777216];

const erf = (x: number): number => {  // Abramowitz and Stegun 7.1.5 (series) and a continued fraction
  const a = Math.abs(x);
  if (Number.isNaN(x) || a === 0) return x;
  if (a > 6) return Math.sign(x);
  if (a < 3) {
    let term = a, sum = a;
    for (let n = 1; n < 80; n++) { term *= -a * a / n; sum += term / (2 * n + 1); }
    return Math.sign(x) * sum * 2 / Math.sqrt(Math.PI);
  }
  let f = 0;
  for (let k = 60; k > 0; k--) f = k / 2 / (a + f);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + f));
};
const even = (x: number) => { const r = Math.round(x); return Math.abs(x % 1) === 0.5 && r % 2 !== 0 ? r - 1 : Object.is(r, 0) && x < 0 ? -0 : r; };
const bool = (x: boolean) => (x ? 1 : 0);
const pow = (x: number, y: number) => x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;  // C99 where JavaScript says NaN
const mod = (a: number, b: number) => { const r = a % b; return r !== 0 ? ((r < 0) !== (b < 0) ? r + b : r) : Number.isNaN(r) ? r : b < 0 || Object.is(b, -0) ? -0 : 0; };

/** Definition, and how many ulps the kernel may be off it (for the result rounded to f32). */
const unary: Partial<Record<Instruction, [f: (x: number) => number, ulp: number]>> = {
  mov: [(x) => x, 0], neg: [(x) => -x, 0], abs: [Math.abs, 0], sign: [Math.sign, 0], sqrt: [Math.sqrt, 0.5],
  exp: [Math.exp, 2], expm1: [Math.expm1, 3], log: [Math.log, 2], log1p: [Math.log1p, 4],
  sin: [Math.sin, 2], cos: [Math.cos, 2], tan: [Math.tan, 4], asin: [Math.asin, 4], acos: [Math.acos, 4], atan: [Math.atan, 4],
  sinh: [Math.sinh, 6], cosh: [Math.cosh, 4], tanh: [Math.tanh, 4], sigmoid: [(x) => 1 / (1 + Math.exp(-x)), 4], erf: [erf, 4],
  floor: [Math.floor, 0], ceil: [Math.ceil, 0], round: [even, 0], trunc: [Math.trunc, 0], recip: [(x) => 1 / x, 0.5],
  relu: [(x) => (x < 0 ? 0 : x), 0], not: [(x) => bool(x === 0), 0], isnan: [(x) => bool(Number.isNaN(x)), 0],
};
const binary: Partial<Record<Instruction, [f: (x: number, y: number) => number, ulp: number]>> = {
  add: [(x, y) => x + y, 0.5], sub: [(x, y) => x - y, 0.5], mul: [(x, y) => x * y, 0.5], div: [(x, y) => x / y, 0.5],
  pow: [pow, 1], max: [Math.max, 0], min: [Math.min, 0], mod: [mod, 0.5], atan2: [Math.atan2, 4],
  eq: [(x, y) => bool(x === y), 0], ne: [(x, y) => bool(x !== y), 0], lt: [(x, y) => bool(x < y), 0], le: [(x, y) => bool(x <= y), 0],
  gt: [(x, y) => bool(x > y), 0], ge: [(x, y) => bool(x >= y), 0],
  and: [(x, y) => bool(x !== 0 && y !== 0), 0], or: [(x, y) => bool(x !== 0 || y !== 0), 0], xor: [(x, y) => bool((x !== 0) !== (y !== 0)), 0],
};
const f32 = (values: number[]) => Array.from(Float32Array.from(values));

/** Specials first, then a spread of magnitudes around `range`. */
function values(n: number, range: number, shift: number): number[] {
  return f32(Array.from({ length: n }, (_, i) => i < specials.length ? specials[(i + shift) % specials.length]! : Math.sin(i * 1.7 + shift) * range * 10 ** ((i % 7) - 5)));
}

function worst(actual: number[], expected: (i: number) => number, describeInputs: (i: number) => unknown): { ulp: number; at: unknown } {
  let ulp = 0, at: unknown = "none";
  actual.forEach((a, i) => {
    const u = ulps(a, expected(i));
    if (u > ulp) { ulp = u; at = { inputs: describeInputs(i), got: a, expected: Math.fround(expected(i)) }; }
  });
  return { ulp, at };
}

it("every instruction is checked here", () => {
  expect(new Set([...Object.keys(unary), ...Object.keys(binary), "select", "fma"])).toEqual(new Set(instructions));
});

describe.each(kinds)("map on %s", (kind) => {
  const engine = engineOf(kind);

  it.each(Object.entries(unary))("%s", (op, [f, limit]) => {
    for (const n of [...sizes, 5000]) {
      for (const range of n === 5000 ? [1, 50, 3000, 1e9] : [50]) {
        const x = values(n, range, 0);
        const [y] = runMap(engine, [[op as Instruction, 1, 0]], [n], [{ data: x }]);
        const { ulp, at } = worst(y!, (i) => f(x[i]!), (i) => x[i]);
        expect(ulp, JSON.stringify(at)).toBeLessThanOrEqual(limit);
      }
    }
  });

  it.each(Object.entries(binary))("%s", (op, [f, limit]) => {
    for (const n of [...sizes, 5000]) {
      for (const shift of n === 5000 ? specials.map((_, i) => i) : [3]) {
        const a = values(n, 20, 0), b = values(n, 8, shift);
        const [y] = runMap(engine, [[op as Instruction, 2, 0, 1]], [n], [{ data: a }, { data: b }]);
        const { ulp, at } = worst(y!, (i) => f(a[i]!, b[i]!), (i) => [a[i], b[i]]);
        expect(ulp, JSON.stringify(at)).toBeLessThanOrEqual(limit);
      }
    }
  });

  it("select and fma", () => {
    const n = 513, c = values(n, 1, 0).map((x, i) => (i % 3 ? x : 0)), a = values(n, 5, 2), b = values(n, 7, 4);
    const [s] = runMap(engine, [["select", 3, 0, 1, 2]], [n], [{ data: c }, { data: a }, { data: b }]);
    expect(s).toEqual(f32(c.map((x, i) => (x !== 0 ? a[i]! : b[i]!))));
    const small = (k: number) => f32(Array.from({ length: n }, (_, i) => Math.sin(i + k)));
    const [x, y, z] = [small(0), small(1), small(2)];
    const [r] = runMap(engine, [["fma", 3, 0, 1, 2]], [n], [{ data: x }, { data: y }, { data: z }]);
    r!.forEach((v, i) => expect(v).toBeCloseTo(x[i]! * y[i]! + z[i]!, 6));
  });

  it("chains instructions over inputs, params and reused temporaries, with several outputs", () => {
    const n = 40_001, x = f32(Array.from({ length: n }, (_, i) => Math.cos(i)));
    const lines: Line[] = [["mul", 3, 0, 1], ["add", 3, 3, 2], ["mul", 4, 3, 3], ["gt", 5, 0, 2]];
    const [y, z, m, same] = runMap(engine, lines, [n], [{ data: x }], { params: [2, 0.25], outReg: [3, 4, 5, 0], outTypes: ["f32", "f32", "u8", "f32"] });
    x.forEach((v, i) => {
      const t = Math.fround(Math.fround(v * 2) + 0.25);
      if (Math.abs(y![i]! - t) > 1e-6 || Math.abs(z![i]! - t * t) > 2e-6 || m![i] !== bool(v > 0.25) || same![i] !== v) throw new Error(`element ${i}`);
    });
  });

  it("broadcasts, transposes, reverses and offsets its inputs", () => {
    const [r, c] = [37, 29], a = Array.from({ length: r * c }, (_, i) => i), row = Array.from({ length: c }, (_, i) => 1000 * i), col = Array.from({ length: r }, (_, i) => 1e5 * i);
    const add: Line[] = [["add", 3, 0, 1], ["add", 3, 3, 2]];
    const expected = (f: (i: number, j: number) => number) => Array.from({ length: r * c }, (_, k) => f32([f(Math.floor(k / c), k % c)])[0]!);
    expect(runMap(engine, add, [r, c], [{ data: a }, { data: row, strides: [0, 1] }, { data: col, strides: [1, 0] }])[0])
      .toEqual(expected((i, j) => i * c + j + 1000 * j + 1e5 * i));
    expect(runMap(engine, [["mov", 1, 0]], [c, r], [{ data: a, strides: [1, c] }])[0])
      .toEqual(Array.from({ length: r * c }, (_, k) => (k % r) * c + Math.floor(k / r)));
    expect(runMap(engine, [["neg", 1, 0]], [r, c], [{ data: a, strides: [-c, -1], offset: r * c - 1 }])[0]).toEqual(a.map((_, k) => -(r * c - 1 - k)));
    expect(runMap(engine, [["mov", 1, 0]], [2, 3, 1, 5], [{ data: a, strides: [0, 2, 7, 11], offset: 3 }])[0])
      .toEqual(Array.from({ length: 30 }, (_, k) => 3 + 2 * (Math.floor(k / 5) % 3) + 11 * (k % 5)));
    expect(runMap(engine, [["mov", 1, 0]], [], [{ data: [7], strides: [] }])[0]).toEqual([7]);
  });

  it("converts element types on the way in and out", () => {
    const ints = [-5, 0, 7, 16777216, -1], bytes = [0, 1, 255, 2, 128], x = [-1.9, 1.9, 0, 300.7, -0.2];
    expect(runMap(engine, [["mov", 1, 0]], [5], [{ data: ints, type: "i32" }])[0]).toEqual(ints);
    expect(runMap(engine, [["mov", 1, 0]], [5], [{ data: bytes, type: "u8" }])[0]).toEqual(bytes);
    expect(runMap(engine, [["mov", 1, 0]], [5], [{ data: x }], { outTypes: ["i32"] })[0]).toEqual([-1, 1, 0, 300, 0]);
    const many = Array.from({ length: 1025 }, (_, i) => i % 5 - 2);
    expect(runMap(engine, [["ne", 2, 0, 1]], [1025], [{ data: many, type: "i32" }], { params: [0], outTypes: ["u8"] })[0]).toEqual(many.map((v) => bool(v !== 0)));
  });

  it("results larger than the caches, which are streamed past them where they lie aligned, are the same", { timeout: 60_000 }, () => {
    const n = 3 * 2 ** 20 + 7; // with two inputs 36 MiB
    const [a, b, y] = [engine.alloc(4 * n), engine.alloc(4 * n), engine.alloc(4 * n + 128)];
    const [va, vb] = [engine.f32(a, n), engine.f32(b, n)];
    for (let i = 0; i < n; i++) { va[i] = i % 1009; vb[i] = i % 89; }
    const code = program(engine, [["add", 2, 0, 1]]);
    for (const [out, shift] of [[y, 0], [y + 4, 1]] as const) {
      const all = engine.f32(y, n + 32).fill(-1);
      engine.run("map", {
        program: code, ninstr: 1, nin: 2, nparam: 0, nout: 1, nd: 1, shape: [n], in: [a, b], inType: [0, 0],
        inStride: [1, 0, 0, 0, 0, 0, 0, 0, 1], param: [], out: [out], outType: [0], outReg: [2],
      });
      let wrong = 0;
      for (let i = 0; i < n; i++) if (all[i + shift] !== (i % 1009) + (i % 89)) wrong++;
      expect(wrong).toBe(0);
      expect([...all.subarray(0, shift), ...all.subarray(n + shift)].every((v) => v === -1)).toBe(true);
    }
    for (const q of [a, b, y, code]) engine.free(q);
  });

  it("mapList updates many segments in place", () => {
    const lengths = [3, 0, 1, 513, 70_000, 16], lr = 0.5;
    const p = lengths.map((n) => upload(engine, Float32Array.from({ length: n }, (_, i) => i)));
    const g = lengths.map((n) => upload(engine, Float32Array.from({ length: n }, () => 2)));
    const v = lengths.map((n) => upload(engine, Float32Array.from({ length: n }, () => 1)));
    const table = engine.alloc(lengths.length * 6 * 8);
    engine.f64(table, lengths.length * 6).set(lengths.flatMap((n, s) => [n, p[s]!, g[s]!, v[s]!, p[s]!, v[s]!]));
    // v ← 0.9·v + g; p ← p − lr·v
    const code = program(engine, [["mul", 5, 2, 4], ["add", 5, 5, 1], ["mul", 6, 5, 3], ["sub", 7, 0, 6]]);
    engine.run("mapList", { program: code, ninstr: 4, nin: 3, nparam: 2, nout: 2, segments: table, count: lengths.length, param: [lr, 0.9], outReg: [7, 5] });
    const v1 = Math.fround(Math.fround(0.9) + 2);
    lengths.forEach((n, s) => {
      expect(engine.f32(v[s]!, n).every((x) => x === v1)).toBe(true);
      expect(engine.f32(p[s]!, n).every((x, i) => x === Math.fround(i - Math.fround(v1 * lr)))).toBe(true);
    });
    for (const q of [...p, ...g, ...v, table, code]) engine.free(q);
  });
});
