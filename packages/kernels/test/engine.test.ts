import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { abiHash, createEngine, EngineError, engineInfo, OutOfMemoryError, type Engine } from "../src/index.node.ts";
import * as page from "../src/index.ts";
import { engineOf, hasNative, kinds, runMap, upload, type Line } from "./helpers.ts";

const entry = new URL("../src/index.node.ts", import.meta.url).href;
const native = createRequire(import.meta.url)("@nn/native").native as { table?: { abi: string; isas: string[] }; why?: string };

/** A chain with a reduction in rounding order, an odd size, and several chunks. */
const chain: Line[] = [["sin", 2, 0], ["fma", 3, 2, 1, 0], ["exp", 4, 3], ["add", 4, 4, 1]];
const odd = 100_003;
const ramp = Float32Array.from({ length: odd }, (_, i) => Math.sin(i) * 3);
const values = (engine: Engine) => runMap(engine, chain, [odd], [{ data: ramp }, { data: [0.5], strides: [0] }])[0]!;
/** A digest, for comparing 100,003 numbers in an assertion takes a second. */
const bits = (engine: Engine) => createHash("sha256").update(Float32Array.from(values(engine))).digest("hex");

describe.each(kinds)("engine %s", (kind) => {
  it("says what it is", () => {
    const info = engineInfo(createEngine({ kind, threads: 1 }));
    expect(info.kind).toBe(kind === "native" ? "native" : "wasm");
    expect(info.isa).toBe(kind === "wasm" ? "relaxed-simd" : kind === "wasm-simd" ? "simd128" : native.table!.isas[0]);
    expect(info.threads).toBe(1);
  });

  it("gives the same bits for any number of threads, up and down, more than cores", () => {
    const engine = createEngine({ kind, threads: 1 });
    const expected = bits(engine);
    for (const threads of [2, 3, 1, 8, 2]) {
      engine.setThreads(threads);
      expect(engine.threads).toBe(threads);
      for (let round = 0; round < 20; round++) expect(bits(engine)).toEqual(expected);
    }
    expect(() => engine.setThreads(0)).toThrow(RangeError);
  });

  it("ends its threads, goes on without them, and can start others", () => {
    const engine = createEngine({ kind, threads: 3 });
    const expected = bits(engine);
    for (const threads of [2, 3]) {
      engine.endThreads();
      expect(engine.threads).toBe(1);
      expect(bits(engine)).toBe(expected);
      engine.setThreads(threads);
      for (let round = 0; round < 20; round++) expect(bits(engine)).toBe(expected);
    }
  });

  it("keeps its memory flat", () => {
    const engine = createEngine({ kind, threads: 2 });
    bits(engine);
    const before = engine.memory;
    for (let i = 0; i < 300; i++) bits(engine);
    expect(engine.memory).toEqual(before);
  });

  it("throws OutOfMemoryError for what cannot be had, and works on", () => {
    const engine = engineOf(kind);
    expect(() => engine.alloc(2 ** 46)).toThrow(OutOfMemoryError);
    expect(values(engine)).toHaveLength(odd);
  });

  it("fills and copies memory", () => {
    const engine = engineOf(kind);
    const p = engine.alloc(400);
    engine.run("fill", { dst: p, n: 100, kind: 0, value: 1.5 });
    expect(Array.from(engine.f32(p, 100))).toEqual(Array(100).fill(1.5));
    engine.run("fill", { dst: p, n: 99, kind: 1, value: -7 });
    expect(Array.from(engine.i32(p, 100)).slice(98)).toEqual([-7, new Int32Array(Float32Array.of(1.5).buffer)[0]]);
    engine.run("fill", { dst: p, n: 3, kind: 2, value: 255 });
    expect(Array.from(engine.u8(p, 4))).toEqual([255, 255, 255, 255]);
    engine.free(p);
  });

  it("does not keep the process alive, threads on", { timeout: 30_000 }, () => {
    const code = `import { createEngine } from ${JSON.stringify(entry)};
      const e = createEngine({ kind: ${JSON.stringify(kind)}, threads: 3 });
      const p = e.alloc(4e6); for (let i = 0; i < 20; i++) e.run("fill", { dst: p, n: 1e6, kind: 0, value: i });
      console.log(e.f32(p, 1e6)[999999]);`;
    const child = spawnSync(process.execPath, ["--conditions=@nn/source", "--input-type=module", "-e", code], { encoding: "utf8", timeout: 20_000 });
    expect({ status: child.status, signal: child.signal, out: child.stdout, err: child.stderr }).toEqual({ status: 0, signal: null, out: "19\n", err: "" });
  });

  it("runs in several worker threads of one process at once", { timeout: 60_000 }, async () => {
    const code = `import(${JSON.stringify(entry)}).then(({ createEngine }) => {
      const e = createEngine({ kind: ${JSON.stringify(kind)}, threads: 2 });
      const p = e.alloc(4e5);
      let sum = 0;
      for (let i = 0; i < 200; i++) { e.run("fill", { dst: p, n: 1e5, kind: 0, value: i }); sum += e.f32(p, 1e5)[(i * 499) % 1e5]; }
      require("node:worker_threads").parentPort.postMessage(sum);
    });`;
    const sums = await Promise.all([0, 1, 2].map(() => new Promise((resolve, reject) => {
      const worker = new Worker(code, { eval: true, execArgv: ["--conditions=@nn/source"] });
      worker.on("message", resolve);
      worker.on("error", reject);
    })));
    expect(sums).toEqual([19900, 19900, 19900]);
  });
});

describe("WASM memory", () => {
  it("grows, keeps contents and reaches addresses above 2 GiB", () => {
    const engine = createEngine({ kind: "wasm", threads: 2 });
    const first = upload(engine, [1, 2, 3]);
    const big = [engine.alloc(1.4e9), engine.alloc(1.4e9)];  // pages are committed when touched
    const high = upload(engine, [4, 5, 6]);
    expect(high).toBeGreaterThan(2 ** 31);
    expect(Array.from(engine.f32(first, 3))).toEqual([1, 2, 3]);
    engine.run("fill", { dst: high, n: 3, kind: 0, value: 9 });
    expect(Array.from(engine.f32(high, 3))).toEqual([9, 9, 9]);
    expect(() => engine.alloc(1.6e9)).toThrow(OutOfMemoryError);
    for (const p of big) engine.free(p);
    engine.alloc(1.9e9);  // the two neighbours joined
  });
});

describe("page entry", () => {
  it("asks for ready() first, then runs one thread and says why", async () => {
    expect(() => page.createEngine()).toThrow(/await ready/);
    await page.ready();
    const engine = page.createEngine();
    expect(engineInfo(engine)).toMatchObject({ kind: "wasm", isa: "relaxed-simd", threads: 1 });
    expect(engineInfo(engine).why.join()).toMatch(/cross-origin isolated/);
    expect(bits(engine)).toEqual(bits(engineOf("wasm")));
    engine.alloc(40 * 2 ** 20);  // unshared memory moves when it grows
    expect(bits(engine)).toEqual(bits(engineOf("wasm")));
  });
});

describe("native addon", () => {
  it.skipIf(hasNative)("is absent: the reason is known", () => {
    expect(() => createEngine({ kind: "native" })).toThrow(EngineError);
    expect(engineInfo(createEngine()).why.join()).toMatch(/native: /);
  });
  it.runIf(hasNative)("is built from this list of kernels and is the default", () => {
    expect(native.table!.abi).toBe(abiHash);
    expect(createEngine({ threads: 1 }).kind).toBe("native");
  });
  it.runIf(hasNative)("runs every instruction set of this processor", () => {
    for (const isa of native.table!.isas) {
      const engine = createEngine({ kind: "native", isa, threads: 2 });
      expect(engine.isa).toBe(isa);
      const close = values(engine), expected = values(engineOf("native"));
      for (let i = 0; i < odd; i += 97) expect(close[i]! / expected[i]!).toBeCloseTo(1, 5);
    }
    expect(() => createEngine({ kind: "native", isa: "altivec" })).toThrow(/no instruction set altivec/);
  });
});

describe("generated files", () => {
  it.each(["gen-abi.ts", "build-wasm.ts"])("%s has nothing to write", { timeout: 60_000 }, (script) => {
    const path = fileURLToPath(new URL(`../../../tooling/scripts/${script}`, import.meta.url));
    const child = spawnSync(process.execPath, [path, "--check"], { encoding: "utf8" });
    expect(child.stderr).toBe("");
    expect(child.status).toBe(0);
  });
});
