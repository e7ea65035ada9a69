import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { packages, sources, type Exports } from "./workspace.ts";

/** Which packages of the family each package may use; arrows point one way. */
const arrows: Record<string, string[]> = {
  "@nn/kernels": ["@nn/native"], // its types only: an optional peer, looked up by name when the program runs
  "@nn/native": [],
  "@nn/tensor": ["@nn/kernels"],
  "@nn/autograd": ["@nn/kernels", "@nn/tensor"],
  "@nn/layers": ["@nn/kernels", "@nn/tensor", "@nn/autograd"],
  "@nn/optim": ["@nn/kernels", "@nn/tensor", "@nn/autograd"],
  "@nn/data": ["@nn/kernels", "@nn/tensor"],
  "@nn/io": ["@nn/kernels", "@nn/tensor"],
  "@nn/train": ["@nn/kernels", "@nn/tensor", "@nn/autograd", "@nn/layers", "@nn/optim", "@nn/data", "@nn/io"],
  "@nn/vision": ["@nn/kernels", "@nn/tensor", "@nn/autograd", "@nn/layers", "@nn/data"],
  "@nn/text": ["@nn/kernels", "@nn/tensor", "@nn/autograd", "@nn/layers", "@nn/data"],
  "@nn/bench": ["@nn/kernels", "@nn/tensor", "@nn/autograd", "@nn/layers", "@nn/optim", "@nn/data", "@nn/vision"],
};
const withoutOthers = ["@nn/kernels", "@nn/tensor", "@nn/autograd", "@nn/layers", "@nn/optim"];

const files = (exports: string | Exports): string[] => (typeof exports === "string" ? [exports] : Object.values(exports).flatMap(files));

/** Names of packages that a source file imports, statically or not; type imports count. */
function imported(path: string): string[] {
  const names = ts.preProcessFile(readFileSync(path, "utf8"), true, true).importedFiles.map(({ fileName }) => fileName);
  return names.filter((name) => !/^(\.|node:)/.test(name)).map((name) => name.split("/").slice(0, name.startsWith("@") ? 2 : 1).join("/"));
}

describe.each(packages)("$name", (pack) => {
  const { name, folder, manifest } = pack;

  test("has a README with an example and a CHANGELOG", () => {
    expect(readFileSync(join(folder, "README.md"), "utf8")).toMatch(name === "@nn/cli" ? /```sh\n/ : /```ts\n/);
    expect(existsSync(join(folder, "CHANGELOG.md"))).toBe(true);
  });

  test("is ESM for Node 22.12, and publishes what exists without the source condition", () => {
    expect(manifest).toMatchObject({ type: "module", license: "MIT", engines: { node: ">=22.12" }, publishConfig: { access: "public" } });
    const inSource = Object.values(manifest.exports).flatMap(files).filter((file) => file.startsWith("./src/"));
    for (const file of inSource) expect(existsSync(join(folder, file)), file).toBe(true);
    const published = JSON.stringify(manifest.publishConfig?.exports ?? {});
    expect(published).not.toContain("@nn/source");
    expect(Object.keys(manifest.publishConfig?.exports ?? {})).toEqual(Object.keys(manifest.exports));
  });

  test("imports only what it declares, along the arrows", () => {
    const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    const used = new Set(sources(pack).flatMap(imported));
    used.delete(name);
    for (const other of used) expect(declared, `${name} imports ${other}`).toContain(other);
    const allowed = arrows[name];
    if (allowed) for (const other of declared.filter((d) => d.startsWith("@nn/"))) expect(allowed, `${name} → ${other}`).toContain(other);
    if (withoutOthers.includes(name)) expect(declared.filter((d) => !d.startsWith("@nn/"))).toEqual([]);
  });
});
