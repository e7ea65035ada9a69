import { createEngine, engineInfo, ready } from "@nn/kernels";
import { describe, expect, it } from "vitest";
import { conformance } from "../src/index.ts";

await ready();
const engine = createEngine();

describe("the engine in this page", () => {
  it("says what it is and why not more", () => {
    const info = engineInfo(engine);
    expect(info.kind).toBe("wasm");
    if (info.threads === 1) expect(info.why.join()).toMatch(/threads: 1/);
  });
});

conformance(`page (${engine.isa}, ${globalThis.crossOriginIsolated ? "isolated" : "not isolated"})`, () => engine);
