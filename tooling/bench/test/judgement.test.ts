import { describe, expect, it } from "vitest";
import { judge } from "../src/bars.ts";
import type { Measurement, PeerTimes } from "../src/measure.ts";
import { between, document, shortForm } from "../src/record.ts";
import { combine, seenFrom, thisMachine, type Run } from "../src/runs.ts";
import { seriesTable, series } from "../src/scaling.ts";
import { asFloors, catastrophes, type Smoke } from "../src/smoke.ts";
import { all, type Workload } from "../src/workloads.ts";

const workload = (name: string): Workload => all.find((w): w is Workload => w.name === name && "spec" in w)!;
const times = (median: number) => ({ median, min: median, n: 3 });
const peer = (median: number, ours: number): PeerTimes => ({ ...times(median), ratio: median / ours });

const limits = { gflops: 220, gbps: 35 };
const run: Run = {
  engine: { kind: "native", isa: "avx512", threads: 2, why: [] }, limits, runs: 1,
  peers: {
    torch: { version: "1.13", threads: 2 }, openblas: { version: "0.3", threads: 2 }, onednn: { version: "2.6", threads: 2 }, tfjs: { version: "4", threads: 1 },
    wasm: { version: "wasm", threads: 2, engine: { kind: "wasm", isa: "relaxed-simd" }, limits: { gflops: 104, gbps: 35 } },
    jax: { missing: "not installed" },
  },
};
const result = (name: string, ours: number, peers: Record<string, number> = {}): Measurement => ({
  workload: workload(name), ours: times(ours), peers: Object.fromEntries(Object.entries(peers).map(([p, ms]) => [p, peer(ms, ours)])),
});
const verdicts = (one: Measurement, seen = run) => judge(one, seen).map(({ bar, figure, holds }) => `${bar}: ${figure} ${holds}`);

describe("bars", () => {
  it("compare with the fastest of the peers that took part, and take 0.97 for a tie", () => {
    expect(verdicts(result("sgemm_512", 1, { torch: 0.98, openblas: 1.2, onednn: 0.9 }))).toEqual(["torch ≥ 1: 0.98 true", "onednn ≥ 0.95: 0.90 false"]);
    expect(verdicts(result("sgemm_512", 1, { torch: 0.96 }))).toEqual(["torch ≥ 1: 0.96 false"]);
    expect(verdicts(result("cifar_train", 100, { torch: 149 }))).toEqual(["torch ≥ 1.5: 1.49 false"]);
  });

  it("judge nothing without the peers, and nothing that has no bar", () => {
    expect(verdicts(result("cifar_train", 100))).toEqual([]);
    expect(verdicts(result("ew_add_1M", 1, { torch: 0.1 }))).toEqual([]);
  });

  it("judge memory and page faults where they were measured", () => {
    const MiB = 2 ** 20;
    const one = result("alexnet_train", 1000, { torch: 1100 });
    const withMemory = {
      ...one, ours: { ...one.ours, memory: { peak: 900 * MiB, faults: 3 } },
      peers: { torch: { ...one.peers["torch"]!, memory: { peak: 1000 * MiB, faults: 90_000 } } as PeerTimes },
    };
    expect(verdicts(withMemory)).toEqual(["torch ≥ 1.1: 1.10 true", "memory ≤ 1 × torch: 0.90 true", "faults ≤ 10: 3 true"]);
  });

  it("see the same rounds from WebAssembly: against native, per thread, and in GFLOP/s", () => {
    const { run: seen, results } = seenFrom("wasm", { run, results: [result("mlp_train", 2, { wasm: 4, torch: 2, tfjs: 100 }), result("sgemm_512", 1.3, { wasm: 3, torch: 1.3, tfjs: 9 })] });
    expect(seen).toMatchObject({ engine: { kind: "wasm", isa: "relaxed-simd", threads: 2 }, limits: { gflops: 104 } });
    const [mlp, product] = results as Measurement[];
    expect(mlp).toMatchObject({ ours: { median: 4 }, peers: { native: { median: 2, ratio: 0.5 }, torch: { ratio: 0.5 }, tfjs: { ratio: 25 } } });
    expect(verdicts(mlp!, seen)).toEqual(["torch ≥ 0.4: 0.50 true", "native ≥ 0.43: 0.50 true", "tfjs ≥ 20: 25.00 true"]);
    expect(verdicts(product!, seen)).toEqual(["84 GFLOP/s: 89 true", "tfjs per thread ≥ 1.6: 1.50 false"]);
  });
});

describe("several runs", () => {
  it("give medians of medians, their spread, and medians of ratios", () => {
    const runs = [[10, 15], [12, 12], [11, 22]].map(([ours, torch]) => ({ run, results: [result("cifar_train", ours!, { torch: torch! })] }));
    const { run: one, results: [cifar] } = combine(runs);
    expect(one.runs).toBe(3);
    expect(cifar).toMatchObject({ ours: { median: 11, min: 10, n: 9, spread: [10, 12] }, peers: { torch: { median: 15, ratio: 1.5, spread: [12, 22] } } });
  });

  it("miss a peer that is missing in one of them, and say why", () => {
    const gone = { ...result("mlp_train", 2), peers: { torch: { missing: "no answer within 30 s" } } };
    expect(combine([{ run, results: [result("mlp_train", 2, { torch: 3 })] }, { run, results: [gone] }]).results[0]).toMatchObject({ peers: { torch: { missing: "no answer within 30 s" } } });
  });
});

describe("documents", () => {
  const all = { run, results: [result("cifar_train", 100, { wasm: 250, torch: 160 }), result("sgemm_1024", 10, { wasm: 24, torch: 10 })] };
  const suite = { machine: { ...thisMachine(), date: new Date("2026-01-02T00:00:00Z") }, asked: "nets", views: [all, seenFrom("wasm", all)] };

  it("have a section per engine, with every bar and how many hold", () => {
    const text = document(suite);
    expect(text).toMatch(/# Benchmark: nets\n\n2026-01-02, /);
    expect(text).toMatch(/## Native\n\n2 of 2 bars hold[\s\S]*\| cifar_train \| 100 \|.*torch ≥ 1.5: 1.60 ✓ \|/);
    expect(text).toMatch(/## WebAssembly\n\n1 of 2 bars hold[\s\S]*\| cifar_train \| 250 \|.*native ≥ 0.43: 0.40 ✗ \|/);
  });

  it("have a short form, which replaces what stood between the markers", () => {
    const short = shortForm(suite);
    expect(short.split("\n").slice(0, 4).join("\n")).toMatchInlineSnapshot(`
      "| workload | ours, Native | ours, WebAssembly | PyTorch |
      | --- | ---: | ---: | ---: |
      | sgemm_1024 | 10.0 (98 %) | 24.0 (86 %) | 10.0 |
      | cifar_train | 100 (106 %) | 250 (90 %) | 160 |"
    `);
    const readme = (inner: string) => `# t\n\n<!-- speed: written by \`pnpm bench core --record\` -->\n\n${inner}\n\n<!-- /speed -->\n\nrest\n`;
    expect(between(readme("old"), "new", "README.md")).toBe(readme("new"));
    expect(() => between("# t\n", "new", "README.md")).toThrowErrorMatchingInlineSnapshot(`[BenchError: README.md: no place for the table, expected a line <!-- speed: written by \`pnpm bench core --record\` --> and below it <!-- /speed -->]`);
  });
});

describe("scaling", () => {
  it("shows efficiency of the most threads and the time per item", () => {
    const [, mlp] = series;
    expect(seriesTable(mlp!, [{ size: 64, ms: { 1: 2, 2: 1.25 } }], [1, 2], limits)[1]).toEqual(["64", "2.00", "1.25", "80 %", expect.stringMatching(/GFLOP/), expect.stringMatching(/%/), "0.0195"]);
  });
});

describe("smoke", () => {
  const good: Smoke = {
    limits, threads: 2, plain: 400,
    workloads: [{ workload: workload("sgemm_512"), ms: 1.3 }, { workload: workload("cifar_train"), ms: 140 }, { workload: workload("sum_16M"), ms: 1.5 }],
  };
  const recorded = asFloors(good);

  it("passes what was recorded, and what is nine times slower", () => {
    expect(catastrophes(good, recorded)).toEqual([]);
    expect(catastrophes({ ...good, workloads: good.workloads.map((w) => ({ ...w, ms: 9 * w.ms })) }, recorded)).toEqual([]);
  });

  it("names the workload that is ten times slower, with the figures", () => {
    const slow = good.workloads.map((w) => (w.workload.name === "cifar_train" ? { ...w, ms: 12 * w.ms } : w));
    expect(catastrophes({ ...good, workloads: slow }, recorded)).toEqual(["cifar_train: 1680 ms, recorded 140 ms for a machine of this speed: 12 times slower"]);
  });

  it("passes on a machine that is twenty times slower in everything", () => {
    const slow: Smoke = { ...good, limits: { gflops: limits.gflops / 20, gbps: limits.gbps / 20 }, plain: good.plain / 20, workloads: good.workloads.map((w) => ({ ...w, ms: 20 * w.ms })) };
    expect(catastrophes(slow, recorded)).toEqual([]);
  });

  it("fails when the kernels that measure the limit collapse with everything else", () => {
    const collapsed: Smoke = { ...good, limits: { ...limits, gflops: limits.gflops / 15 }, workloads: [{ workload: workload("sgemm_512"), ms: 15 * 1.3 }] };
    expect(catastrophes(collapsed, recorded)).toEqual(["limit: 14.7 GFLOP/s, recorded 220 GFLOP/s for a machine of this speed: 15 times slower"]);
  });

  it("passes what is not recorded", () => {
    expect(catastrophes(good, { ...recorded, shares: {} })).toEqual([]);
  });
});
