import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { applyTo, recipeFiles } from "./recipes.ts";
import { root } from "./workspace.ts";

// The recipes of CONTRIBUTING.md, applied to a copy of the repository: it compiles, and the tests that they add and name pass.
// Not here: the goldens of their ops, which need PyTorch.

mkdirSync(join(root, "out"), { recursive: true });
const copy = mkdtempSync(join(root, "out", "recipes-"));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** Sources are copied; the installed packages are links to ours, except for the family's own. */
beforeAll(() => {
  const others = ["node_modules", "out", ".git", ".turbo", "dist"];
  for (const name of readdirSync(root).filter((n) => !others.includes(n))) {
    cpSync(join(root, name), join(copy, name), { recursive: true, verbatimSymlinks: true, filter: (path) => !["dist", ".turbo"].includes(basename(path)) && !path.endsWith("peers/node_modules") });
  }
  mkdirSync(join(copy, "node_modules"));
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (name === "@nn") cpSync(join(root, "node_modules/@nn"), join(copy, "node_modules/@nn"), { recursive: true, verbatimSymlinks: true });
    else if (!/^\.(vite|vitest|cache)/.test(name)) symlinkSync(join(root, "node_modules", name), join(copy, "node_modules", name));
  }
  for (const file of recipeFiles) applyTo(copy, file);
});

function run(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: "utf8", env: { ...process.env, NO_COLOR: "1", NN_RELEASE: "" } });
  expect(status, `${stdout}\n${stderr}`).toBe(0);
  return stdout;
}
const vitest = (...args: string[]) => expect(run("node_modules/vitest/vitest.mjs", "run", ...args)).toMatch(/Tests .*[1-9]\d* passed/);

const changed = [...new Set(recipeFiles.map(({ path }) => path.split("/").slice(0, 2).join("/")))].filter((folder) => existsSync(join(root, folder, "tsconfig.json")));
test.each(changed)("%s compiles", (folder) => {
  run("tooling/scripts/tsc.mjs", "-p", folder);
});

test.each(recipeFiles.map(({ path }) => path).filter((path) => path.endsWith(".test.ts")))("%s passes", (path) => {
  vitest(path);
});

const ops = recipeFiles.flatMap(({ lines }) => lines.flatMap((l) => /^\+export const (\w+) = defineOp/.exec(l)?.[1] ?? []));
test.each(ops)("%s passes the conformance suite", (op) => {
  vitest("tooling/conformance/test/ops.test.ts", "-t", op);
});
