import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

interface Row { name: string; seconds: number; passed: number; failed: number; skipped: number }

/**
 * Writes, for test-all.mjs, the time and counts of every suite and the reason of every skipped test, as JSON to the file named by NN_SUITE_REPORT.
 * A skipped test gives its reason with `context.skip("reason")`, or carries it in its name.
 */
export default class SuiteReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const file = process.env.NN_SUITE_REPORT;
    if (!file) return;
    const rows = new Map<string, Row>();
    const skipped = new Map<string, number>();
    for (const module of modules) {
      const name = module.project.name;
      const row = rows.get(name) ?? { name, seconds: 0, passed: 0, failed: 0, skipped: 0 };
      rows.set(name, row);
      const { duration, collectDuration, setupDuration } = module.diagnostic();
      row.seconds += (duration + collectDuration + setupDuration) / 1000;
      if (module.state() === "failed" && module.children.size === 0) row.failed++;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") row.passed++;
        else if (result.state === "failed") row.failed++;
        else {
          row.skipped++;
          const note = result.state === "skipped" ? result.note : undefined;
          const line = note ? `${name}: ${note}` : `${name}: ${test.fullName}`;
          skipped.set(line, (skipped.get(line) ?? 0) + 1);
        }
      }
    }
    const lines = [...skipped].map(([line, count]) => (count > 1 ? `${line} (${count} tests)` : line));
    writeFileSync(file, JSON.stringify({ rows: [...rows.values()].sort((a, b) => b.seconds - a.seconds), skipped: lines }));
  }
}
