import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { nn, temporary } from "./command.ts";

const quick = ["--set", "epochs=1", "--set", "batch=2500"];

it("writes page and trials, records them elsewhere too, and computes nothing twice", async () => {
  const [out, record] = [temporary(), join(temporary(), "results")];
  const first = await nn("experiment", "gradient-health", ...quick, "--out", out);
  expect(first).toMatchObject({ code: 0 });
  expect(first.stdout).toContain("# Vanishing and exploding gradients");
  expect(first.stdout).toContain("`nn experiment gradient-health --set epochs=1 --set batch=2500`");
  expect(first.stdout).toContain("9 of 9 verdicts are the expected ones");
  expect(readFileSync(join(out, "gradient-health.md"), "utf8")).toBe(first.stdout);
  expect(readdirSync(out).sort()).toEqual(["gradient-health.md", "trials.jsonl"]);
  const again = await nn("experiment", "gradient-health", ...quick, "--out", out, "--record", record, "--json");
  expect(again.stderr.match(/\(from before\)/g)).toHaveLength(9);
  expect(JSON.parse(again.stdout)).toMatchObject({ experiment: "gradient-health", settings: { epochs: 1, batch: 2500 } });
  expect(existsSync(join(record, "gradient-health.md"))).toBe(true);
  const other = await nn("experiment", "gradient-health", "--set", "epochs=2", "--out", out);
  expect(other).toMatchObject({ code: 3 });
  expect(other.stderr).toMatch(/holds trials of .*"epochs":1.*\n\s*hint: .*--fresh/);
}, 60_000);

it("names the nearest experiment, wrong settings and unwritable folders", async () => {
  expect((await nn("experiment", "gradient-heath")).stderr).toContain("did you mean 'gradient-health'?");
  for (const [set, says] of [["epoch=1", "has no such setting"], ["epochs", "has no such setting"], ["epochs=many", "expected a number"]] as const) {
    const { code, stderr } = await nn("experiment", "gradient-health", "--set", set);
    expect(code).toBe(2);
    expect(stderr).toContain(says);
  }
  const file = join(temporary(), "file");
  writeFileSync(file, "");
  expect(await nn("experiment", "gradient-health", "--out", file)).toMatchObject({ code: 3 });
}, 30_000);
