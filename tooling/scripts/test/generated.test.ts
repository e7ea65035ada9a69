import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./workspace.ts";

const generators = readdirSync(join(root, "tooling/scripts")).filter((file) => /^(gen|build)-.+\.ts$/.test(file));

test.each(generators)("what %s wrote is current", (file) => {
  const { status, stderr } = spawnSync(process.execPath, ["--conditions=@nn/source", join("tooling/scripts", file), "--check"], { cwd: root, encoding: "utf8" });
  expect(status, `${stderr}\nrun pnpm gen`).toBe(0);
});
