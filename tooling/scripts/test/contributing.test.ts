import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "./workspace.ts";

// The recipes of CONTRIBUTING.md are diffs. They must still start from lines that exist, in their order, and not be in the code already.

const text = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
const files = [...text.matchAll(/^```diff\n([\s\S]*?)^```$/gm)]
  .flatMap((block) => block[1]!.split(/^(?=--- )/m))
  .map((diff) => ({ path: /^\+\+\+ b\/(.*)$/m.exec(diff)![1]!, isNew: diff.startsWith("--- /dev/null"), lines: diff.split("\n").slice(2) }));

test("there are recipes for an op, a layer, an optimizer and a model", () => {
  for (const folder of ["packages/tensor/src/ops/", "packages/layers/src/", "packages/optim/src/", "packages/vision/src/"]) {
    expect(files.some(({ path }) => path.startsWith(folder)), folder).toBe(true);
  }
});

describe.each(files)("$path", ({ path, isNew, lines }) => {
  test(isNew ? "does not exist yet" : "has the lines that the recipe starts from", () => {
    if (isNew) return expect(existsSync(join(root, path))).toBe(false);
    const source = readFileSync(join(root, path), "utf8").split("\n");
    let at = 0;
    for (const line of lines.filter((l) => /^[ -]/.test(l)).map((l) => l.slice(1))) {
      const found = source.indexOf(line, at);
      expect(found, `not in ${path}, or not in this order: ${line}`).toBeGreaterThanOrEqual(0);
      at = found + 1;
    }
    for (const line of lines.filter((l) => l.startsWith("+") && l.length > 20)) expect(source).not.toContain(line.slice(1));
  });
});
