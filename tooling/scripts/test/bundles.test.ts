import { existsSync } from "node:fs";
import { join } from "node:path";
import { build, type BuildFailure, type Format, type Platform } from "esbuild";
import { describe, expect, test } from "vitest";
import { packages } from "./workspace.ts";

/** The messages with which esbuild refuses to bundle an entry. */
async function refusals(entry: string, platform: Platform, format: Format): Promise<string[]> {
  try {
    await build({ entryPoints: [entry], bundle: true, write: false, platform, format, conditions: ["@nn/source"], logLevel: "silent", target: "es2022", external: ["@nn/native"] });
    return [];
  } catch (failure) {
    return (failure as BuildFailure).errors.map(({ text, location }) => `${location?.file}:${location?.line}: ${text}`);
  }
}

const libraries = packages.filter(({ name }) => !["@nn/native", "@nn/bench", "@nn/cli"].includes(name));

describe("main entries bundle for a page: no node: import, no top-level await", () => {
  // An iife cannot hold a top-level await, and the platform "browser" resolves nothing of Node's.
  test.each(libraries)("$name", async ({ folder }) => {
    expect(await refusals(join(folder, "src/index.ts"), "browser", "iife")).toEqual([]);
  });
});

describe("Node entries can be required: no top-level await", () => {
  const entries = libraries.flatMap(({ name, folder }) => ["node.ts", "index.node.ts"].map((file) => ({ entry: `${name} ${file}`, path: join(folder, "src", file) })));
  test.each(entries.filter(({ path }) => existsSync(path)))("$entry", async ({ path }) => {
    expect(await refusals(path, "node", "cjs")).toEqual([]);
  });
});

test("the check itself refuses a node: import and a top-level await", async () => {
  const fixture = join(import.meta.dirname, "fixtures");
  expect(await refusals(join(fixture, "uses-node.ts"), "browser", "iife")).toEqual([expect.stringContaining('Could not resolve "node:fs"')]);
  expect(await refusals(join(fixture, "awaits.ts"), "browser", "iife")).toEqual([expect.stringContaining("Top-level await")]);
});
