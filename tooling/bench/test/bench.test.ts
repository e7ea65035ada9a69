import { describe, expect, it } from "vitest";
import { BenchError, all, bench, cost, main, suites, type Workload } from "../src/index.ts";
import { profile } from "../src/profile.ts";

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
    const { lines } = await run("sgemm_128", "fasttext_dim10", "--json", "--rounds", "1", "--peers", "fasttext");
    const [product, text] = lines.map((line) => JSON.parse(line));
    expect(product.peers.fasttext).toEqual({ missing: "its workloads come with a later release" });
    expect(text).toMatchObject({ name: "fasttext_dim10", missing: "text models come with a later release" });
  });

  it("names the nearest workload and returns 2 for arguments that make no sense, in one line", async () => {
    const wrong = async (...argv: string[]) => {
      const { code, said } = await run(...argv);
      expect(code).toBe(2);
      return said;
    };
    expect(await wrong("sgem_512")).toBe("error: unknown suite or workload 'sgem_512', did you mean 'sgemm_512'?");
    expect(await wrong("quick", "--rounds", "0")).toBe("error: --rounds 0: a whole number of at least 1");
    expect(await wrong("quick", "--speed")).toBe("error: Unknown option '--speed'");
    expect(await wrong("smoke", "mlp_train")).toBe("error: smoke takes no workloads, got 'mlp_train'");
    expect(await wrong("--engine", "wasm", "--engines", "native")).toBe("error: --engine and --engines exclude each other");
    await expect(bench(["--peers", "toch"])).rejects.toThrow(new BenchError("usage", "unknown peer 'toch', did you mean 'torch'?"));
  });

  it("profiles by op and kernel, with the share of the limit", async () => {
    const { lines } = await run("--profile", "cifar_train_b8");
    const text = lines.join("\n");
    expect(text).toMatch(/^conv2d +conv2d_\S+ +3 +\d+\.\d+ +\d+\.\d % +\d+\.\d (GFLOP|GB)\/s +\d+\.\d %$/m); // the unit is that of the limit, which a busy machine may give little of
    expect(text).toMatch(/^maxPool2dGrad +maxPool2dGrad_\S+ +3 .* GB\/s +\d+\.\d %$/m);
    expect(text).toMatch(/^optimizer\.step\(\) +mapList_\S+ +1 .* GB\/s/m);
    expect(text).toMatch(/^JavaScript and everything else +\d+\.\d+ +\d+\.\d %$/m);
  });

  it.each(["sgemm_512_tn", "sgemm_128_b64", "conv3_fwdbwd_b2", "cifar_train_b8", "mlp_train", "ew_tanh_1M", "ew_add_1M", "softmax_1M"])("%s: its kernels' operations and bytes add up to the workload's", async (name) => {
    const w = all.find((one): one is Workload => one.name === name && "spec" in one)!;
    const { lines } = profile(w, { gflops: 100, gbps: 30 });
    const need = cost(w.spec);
    const sum = (of: "flops" | "bytes") => lines.reduce((total, line) => total + (line.cost?.[of] ?? 0), 0);
    if (need.limit === "compute") expect(sum("flops") / need.flops).toBeCloseTo(1, 6);
    else expect(sum("bytes") / need.bytes).toBeCloseTo(1, 6);
  });

  it("measures another engine of ours in the same rounds, with lines of its own", async () => {
    const { lines } = await run("sgemm_128", "--engines", "wasm,wasm-simd", "--peers", "none", "--rounds", "1", "--json");
    const [relaxed, plain] = lines.map((line) => JSON.parse(line));
    expect([relaxed.isa, plain.isa]).toEqual(["relaxed-simd", "simd128"]);
    expect(relaxed.peers["wasm-simd"].ratio).toBeCloseTo(plain.ours.median / relaxed.ours.median, 2);
    expect(plain.peers.wasm.ratio).toBeCloseTo(relaxed.ours.median / plain.ours.median, 2);
  });

  it.runIf(process.platform === "linux")("measures peak memory and page faults in a process of its own", async () => {
    const { lines } = await run("cifar_train_b8", "--engine", "wasm", "--peers", "none", "--rounds", "1", "--memory", "--json");
    const { ours } = JSON.parse(lines[0]!);
    expect(ours.peakMiB).toBeGreaterThan(30);
    expect(ours.faults).toBeGreaterThanOrEqual(0);
    expect(ours.faults).toBeLessThan(2000);
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
    expect(flops("lstm_train") / 1e9).toBeCloseTo(3 * 64 * 60 * 2 * 1024 * 384 / 1e9, 2); // four gates from 128 inputs and 256 states
    expect(flops("xformer_train") / 1e9).toBeCloseTo(20.13, 2);
  });
});
