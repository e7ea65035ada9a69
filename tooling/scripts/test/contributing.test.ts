import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { recipeFiles } from "./recipes.ts";
import { root } from "./workspace.ts";

// The recipes of CONTRIBUTING.md are diffs. They must still start from lines that exist, in their order, and not be in the code already.
// contributing.release.test.ts applies them.

test("there are recipes for an op, a layer, an optimizer and a model", () => {
  for (const folder of ["packages/tensor/src/ops/", "packages/layers/src/", "packages/optim/src/", "packages/vision/src/"]) {
    expect(recipeFiles.some(({ path }) => path.startsWith(folder)), folder).toBe(true);
  }
});

describe.each(recipeFiles)("$path", ({ path, isNew, lines }) => {
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
