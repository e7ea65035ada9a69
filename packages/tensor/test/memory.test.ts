import { createEngine } from "@nn/kernels";
import { afterEach, describe, expect, it } from "vitest";
import { OutOfMemoryError, closeScope, memory, openScope, randn, scope, setEngine, zeros } from "../src/index.ts";

afterEach(() => memory.track(false));

describe("memory.report", () => {
  it("lists the tensors of open scopes by op, shared memory once", () => {
    const s = openScope("test");
    const x = zeros([1000]);
    x.reshape([10, 100]);
    x.exp();
    const report = memory.report();
    expect(report.map(({ made, tensors, bytes }) => [made, tensors, bytes])).toEqual([["zeros", 1, 4000], ["exp", 1, 4000], ["reshape", 1, 0]]);
    closeScope(s);
    expect(memory.report()).toEqual([]);
  });

  it("names the line of each survivor while tracking", () => {
    memory.track();
    const survivor = randn([64]);
    scope(() => randn([1000]).exp().item === undefined);
    const [first, ...rest] = memory.report();
    expect(rest).toEqual([]);
    expect(first!.made).toMatch(/^rand.* at .*memory\.test\.ts:\d+/);
    survivor.dispose();
    expect(memory.report()).toEqual([]);
  });
});

describe("OutOfMemoryError", () => {
  it("tells what was asked, what is in use, and who holds it", () => {
    setEngine(createEngine({ kind: "wasm", threads: 1 }));
    scope(() => {
      zeros([1 << 20]);
      expect(() => zeros([3, 2 ** 30])).toThrow(OutOfMemoryError);
      expect(() => zeros([3, 2 ** 30])).toThrow(/cannot allocate 12\.0 GiB: 4\.0 MiB in use[\s\S]*largest owners: zeros: 4\.0 MiB in 1/);
    });
  });
});
