import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

test("the example of the README runs as pasted and prints what it says", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const [, code] = /```ts\n(.*?)```/s.exec(readme)!;
  const expected = /^.*console\.log\(.*\); \/\/ (.*)$/m.exec(code!)![1];
  const dir = mkdtempSync(join(tmpdir(), "nn-readme-"));
  try {
    const args = ["--conditions=@nn/source", "--input-type=module-typescript", "--no-warnings", "-e", `${code}`.replace(/\n\n/, `\n\nprocess.chdir(${JSON.stringify(dir)});\n`)];
    expect(execFileSync(process.execPath, args, { cwd: root, encoding: "utf8" }).trim()).toBe(expected);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
