import { describe, expect, it } from "vitest";
import { all, cost, main, suites } from "../src/index.ts";

/** Runs the benchmark and collects what it writes and says. */
async function run(...argv: string[]) {
  const lines: string[] = [];
  const said: string[] = [];
  const code = await main(argv, { write: (line) => lines.push(line), say: (line) => said.push(line) });
  return { code, lines, said: said.join("\n") };
}

describe("bench", () => {
  it("writes one JSON line of finite numbers per workload of the suite", async () => {
    const { code, lines } = await run("quick", "--json", "--rounds", "1", "--peers", "none");
    expect(code).toBe(0);
    const results = lines.map((line) => JSON.parse(line));
    expect(results.map((r) => r.name)).toEqual(suites["quick"]);
    for (const { name, threads, ours, limits } of results) {
      expect(threads, name).toBeGreaterThan(0);
      for (const n of [ours.median, ours.min, ours.n, ours.gflops ?? ours.gbps, ours.share, limits.gflops, limits.gbps]) {
        expect(Number.isFinite(n) && n > 0, `${name}: ${JSON.stringify(ours)}`).toBe(true);
      }
    }
  });

  it("reports workloads that cannot run yet, and peers that are missing, with the reason", async () => {
    const { lines } = await run("sgemm_128", "lstm_train", "--json", "--rounds", "1", "--peers", "fasttext");
    const [product, lstm] = lines.map((line) => JSON.parse(line));
    expect(product.peers.fasttext).toEqual({ missing: "its workloads come with a later release" });
    expect(lstm).toMatchObject({ name: "lstm_train", missing: "its layers come with a later release" });
  });

  it("names the nearest workload and returns 2 for arguments that make no sense", async () => {
    const wrong = await run("sgem_512");
    expect(wrong.code).toBe(2);
    expect(wrong.said).toContain("unknown suite or workload 'sgem_512', did you mean 'sgemm_512'?");
    expect((await run("quick", "--rounds", "0")).code).toBe(2);
    expect((await run("quick", "--speed")).code).toBe(2);
  });

  it("profiles by kernel", async () => {
    const { lines } = await run("--profile", "sgemm_128");
    expect(lines.join("\n")).toMatch(/gemm_\S+ +1 +\d/);
    expect(lines.join("\n")).toContain("outside kernels");
  });

  it("counts the operations that the published figures count", () => {
    const flops = (name: string) => {
      const w = all.find((one) => one.name === name)!;
      const need = "spec" in w ? cost(w.spec) : null;
      return need?.limit === "compute" ? need.flops : NaN;
    };
    expect(flops("alexnet_fwd") / 32e9).toBeCloseTo(2.27, 2); // G per image
    expect(flops("alexnet_train") / 32e9).toBeCloseTo(6.6, 1);
    expect(flops("conv2_fwd") / 32e9).toBeCloseTo(0.896, 3);
  });
});
