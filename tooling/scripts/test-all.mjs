// All tests on this machine: types, every suite on sources, then the conformance suite in a browser if one is found.
// Ends with the time of each part and with everything that was skipped, and why (suite-reporter.ts writes those lines).
// `test-all.mjs NAME…` runs only the parts named: types, suites, browser, release.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, existsSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findChromium } from "./chromium.mjs";

process.chdir(fileURLToPath(new URL("../../", import.meta.url)));
process.env.TURBO_TELEMETRY_DISABLED = "1";
process.env.PATH = [join(process.cwd(), "node_modules/.bin"), process.env.PATH].join(delimiter);
const vitest = "node_modules/vitest/vitest.mjs";
const notes = mkdtempSync(join(tmpdir(), "nn-test-"));
const chromium = findChromium();

const parts = [
  { name: "types", args: ["node_modules/turbo/bin/turbo", "run", "typecheck", "--output-logs=errors-only"] },
  { name: "suites", args: [vitest, "run"] },
  { name: "release", args: [vitest, "run"], env: { NN_RELEASE: "1" }, skip: process.argv.includes("release") ? "" : "full sizes and all kill points run in `pnpm test:release`" },
  { name: "browser", args: [vitest, "run", "--config", "vitest.browser.config.ts"], skip: chromium.path ? "" : chromium.why },
];
const wanted = process.argv.slice(2);
const results = [];
for (const part of parts) {
  if (wanted.length && !wanted.includes(part.name)) continue;
  if (part.skip) {
    results.push({ name: part.name, rows: [], skipped: [`${part.name}: ${part.skip}`], failed: false });
    continue;
  }
  console.log(`\n== ${part.name}`);
  const started = performance.now();
  const file = join(notes, `${part.name}.json`);
  const { status } = spawnSync(process.execPath, part.args, { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, NN_SUITE_REPORT: file, ...part.env } });
  const report = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { rows: [{ name: part.name, seconds: (performance.now() - started) / 1000, passed: "" }], skipped: [] };
  results.push({ name: part.name, ...report, failed: status !== 0 });
}
rmSync(notes, { recursive: true, force: true });

console.log("\n== time per suite");
for (const { rows } of results) {
  for (const { name, seconds, passed, failed, skipped } of rows) {
    console.log(`${`${seconds.toFixed(1)} s`.padStart(9)}  ${name.padEnd(20)}${passed === "" ? "" : ` ${passed} passed`}${failed ? `, ${failed} FAILED` : ""}${skipped ? `, ${skipped} skipped` : ""}`);
  }
}
const skipped = results.flatMap((r) => r.skipped);
console.log(skipped.length ? `\n== skipped (${skipped.length})` : "\nnothing was skipped");
for (const line of skipped) console.log(`  ${line}`);

const failed = results.filter((r) => r.failed).map((r) => r.name);
console.log(failed.length ? `\nFAILED: ${failed.join(", ")}` : `\nall tests passed`);
process.exit(failed.length ? 1 : 0);
