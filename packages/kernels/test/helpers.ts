import { existsSync } from "node:fs";
import { createEngine, dtypeCodes, instructions, type Engine, type Instruction, type Pointer } from "../src/index.node.ts";

export const hasNative = existsSync(new URL("../../native/build/nn.node", import.meta.url));
/** Kinds that run here; native is left out (and the suites named below say so) when no compiler built it. */
export const kinds = (hasNative ? ["native", "wasm", "wasm-simd"] : ["wasm", "wasm-simd"]) as ("native" | "wasm" | "wasm-simd")[];

const engines = new Map<string, Engine>();
/** One engine per kind for a whole test file. */
export function engineOf(kind: (typeof kinds)[number]): Engine {
  let engine = engines.get(kind);
  if (engine === undefined) engines.set(kind, engine = createEngine({ kind, threads: 2 }));
  return engine;
}

export function upload(engine: Engine, data: ArrayLike<number>): Pointer {
  const p = engine.alloc(Math.max(1, data.length) * 4);
  engine.f32(p, data.length).set(data);
  return p;
}
export function uploadInts(engine: Engine, data: ArrayLike<number>): Pointer {
  const p = engine.alloc(Math.max(1, data.length) * 4);
  engine.i32(p, data.length).set(data);
  return p;
}

/** [op, dst, a, b, c] lines of a program. */
export type Line = [op: Instruction, dst: number, a: number, b?: number, c?: number];
export function program(engine: Engine, lines: Line[]): Pointer {
  return uploadInts(engine, lines.flatMap(([op, dst, a, b = 0, c = 0]) => [instructions.indexOf(op), dst, a, b, c]));
}

export interface MapInput { data: ArrayLike<number>; strides?: number[]; type?: "f32" | "i32" | "u8"; offset?: number }

/** Runs a map program and returns its outputs (as plain numbers). */
export function runMap(engine: Engine, lines: Line[], shape: number[], inputs: MapInput[], options: {
  params?: number[]; outReg?: number[]; outTypes?: ("f32" | "i32" | "u8")[];
} = {}): number[][] {
  const { params = [], outReg = [lines.at(-1)![1]] } = options;
  const outTypes = options.outTypes ?? outReg.map(() => "f32" as const);
  const n = shape.reduce((a, b) => a * b, 1);
  const owned: Pointer[] = [];
  const own = (p: Pointer) => { owned.push(p); return p; };
  const code = own(program(engine, lines));
  const ins = inputs.map(({ data, type = "f32", offset = 0 }) => {
    const p = own(engine.alloc(Math.max(64, data.length * 4)));
    (type === "f32" ? engine.f32(p, data.length) : type === "i32" ? engine.i32(p, data.length) : engine.u8(p, data.length)).set(data);
    return p + offset * (type === "u8" ? 1 : 4);
  });
  const dense = shape.map((_, d) => shape.slice(d + 1).reduce((a, b) => a * b, 1));
  const inStride = inputs.flatMap(({ strides = dense }) => [...strides, ...Array<number>(8 - shape.length).fill(0)]);
  const outs = outReg.map(() => own(engine.alloc(Math.max(64, n * 4 + 64))));
  for (const p of outs) engine.u8(p, n * 4 + 64).fill(0xab);
  engine.run("map", {
    program: code, ninstr: lines.length, nin: inputs.length, nparam: params.length, nout: outs.length,
    nd: shape.length, shape, in: ins, inType: inputs.map(({ type = "f32" }) => dtypeCodes[type]), inStride, param: params,
    out: outs, outType: outTypes.map((t) => dtypeCodes[t]), outReg,
  });
  const results = outs.map((p, o) => {
    const type = outTypes[o]!, bytes = n * (type === "u8" ? 1 : 4);
    if (engine.u8(p + bytes, 64).some((b) => b !== 0xab)) throw new Error("map wrote past the end of its output");
    return Array.from(type === "f32" ? engine.f32(p, n) : type === "i32" ? engine.i32(p, n) : engine.u8(p, n));
  });
  for (const p of owned) engine.free(p);
  return results;
}

/** Distance in units of the last place of `expected` as f32; 0 for equal specials, Infinity for differing ones. Tiny results count from 1e-37 up. */
export function ulps(actual: number, expected: number): number {
  const e = Math.fround(expected);
  if (Object.is(actual, e) || (Number.isNaN(actual) && Number.isNaN(e))) return 0;
  if (!Number.isFinite(e) || Number.isNaN(actual)) return Infinity;
  const scale = Math.max(Math.abs(e), 1e-37);
  return Math.abs(actual - expected) / 2 ** (Math.floor(Math.log2(scale)) - 23);
}
