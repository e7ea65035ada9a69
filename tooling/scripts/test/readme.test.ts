import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { packages, root } from "./workspace.ts";

// Every ```ts block of every README runs and type-checks as pasted. Where a line ends in `// => text`, the lines printed must be those texts, in order.
// A block that starts with `// page` runs in a page and is only bundled (bundles.test.ts covers its imports).

mkdirSync(join(root, "out"), { recursive: true });
const workspace = mkdtempSync(join(root, "out", "readme-"));
afterAll(() => rmSync(workspace, { recursive: true, force: true }));

const examples = [root, ...packages.map(({ folder }) => folder)]
  .map((folder) => join(folder, "README.md"))
  .filter((path) => existsSync(path))
  .map((path) => {
    const blocks = [...readFileSync(path, "utf8").matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((m) => m[1]!);
    return { title: relative(root, path), blocks: blocks.filter((code) => !code.startsWith("// page")).map((code, index) => ({ code, index })) };
  });

const fileOf = (title: string, index: number): string => {
  const folder = join(workspace, title.replaceAll("/", "-"));
  mkdirSync(folder, { recursive: true });
  return join(folder, `example-${index}.ts`);
};
for (const { title, blocks } of examples) for (const { code, index } of blocks) writeFileSync(fileOf(title, index), code);

test("every example has the types it seems to have, under strict settings", () => {
  writeFileSync(join(workspace, "tsconfig.json"), JSON.stringify({ extends: "../../tsconfig.base.json", include: ["**/*.ts"] }));
  const { status, stdout } = spawnSync(process.execPath, [join(root, "tooling/scripts/tsc.mjs"), "-p", workspace], { encoding: "utf8", timeout: 120_000 });
  expect(stdout.trim()).toBe("");
  expect(status).toBe(0);
});

test("the first script of the repository's README has at most 25 lines", () => {
  const first = examples.find(({ title }) => title === "README.md")!.blocks[0]!;
  expect(first.code.trimEnd().split("\n").length).toBeLessThanOrEqual(25);
});

describe.each(examples.filter(({ blocks }) => blocks.length > 0))("$title", ({ title, blocks }) => {
  test.each(blocks)("example $index", ({ code, index }) => {
    const file = fileOf(title, index);
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--conditions=@nn/source", "--no-warnings", file], { cwd: dirname(file), encoding: "utf8", timeout: 120_000, env: { ...process.env, NO_COLOR: "1" } });
    expect(status, stderr).toBe(0);
    const expected = [...code.matchAll(/\/\/ => (.*)$/gm)].map((m) => m[1]!.trim());
    if (expected.length) expect(stdout.trim().split("\n").map((line) => line.trim())).toEqual(expected);
  });
});
