import { expect, it } from "vitest";
import { nn } from "./command.ts";

it("nn bench runs the benchmark: its own options, results on stdout", async () => {
  const { code, stdout } = await nn("bench", "sgemm_128", "--peers", "none", "--rounds", "1", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ name: "sgemm_128", ours: { n: 1 }, peers: {} });
});

it("nn bench --help lists the options", async () => {
  const { code, stdout } = await nn("bench", "--help");
  expect(code).toBe(0);
  expect(stdout).toContain("--profile");
});

it("nn bench names the nearest workload and exits with 2", async () => {
  const { code, stdout, stderr } = await nn("bench", "--profile", "cifar_trian");
  expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: "", stderr: "error: unknown suite or workload 'cifar_trian', did you mean 'cifar_train'?\n  hint: nn bench --help\n" });
});
