import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { packages, root } from "./workspace.ts";

// Every ```ts block of every README runs as pasted. Where a line ends in `// => text`, the lines printed must be those texts, in order.
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

describe.each(examples.filter(({ blocks }) => blocks.length > 0))("$title", ({ title, blocks }) => {
  test.each(blocks)("example $index", ({ code, index }) => {
    const folder = join(workspace, title.replaceAll("/", "-"));
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `example-${index}.ts`);
    writeFileSync(file, code);
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--conditions=@nn/source", "--no-warnings", file], { cwd: folder, encoding: "utf8", timeout: 120_000, env: { ...process.env, NO_COLOR: "1" } });
    expect(status, stderr).toBe(0);
    const expected = [...code.matchAll(/\/\/ => (.*)$/gm)].map((m) => m[1]!.trim());
    if (expected.length) expect(stdout.trim().split("\n").map((line) => line.trim())).toEqual(expected);
  });
});
