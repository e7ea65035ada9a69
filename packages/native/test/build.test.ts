import { execFile, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";

const here = fileURLToPath(new URL("../", import.meta.url));
const copies: string[] = [];

/** The package as it is unpacked at a user's: sources beside it, nothing built. */
function unpacked(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "nn-native-")));
  copies.push(folder);
  cpSync(join(here, "build.mjs"), join(folder, "build.mjs"));
  cpSync(join(here, "src"), join(folder, "src"), { recursive: true });
  cpSync(join(here, "../kernels/src/cpp"), join(folder, "cpp"), { recursive: true });
  symlinkSync(join(here, "node_modules"), join(folder, "node_modules"));
  return folder;
}
function build(folder: string, compiler: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["build.mjs"], { cwd: folder, encoding: "utf8", env: { ...process.env, CXX: compiler } });
  return { status, stdout, stderr };
}
/** A compiler that answers --version and then does what `body` says. */
function fakeCompiler(folder: string, body: string): string {
  const path = join(folder, "fake-c++");
  writeFileSync(path, `#!/bin/sh\nif [ "$1" = --version ]; then echo fake 1.0; exit 0; fi\n${body}\n`, { mode: 0o755 });
  return path;
}

/** Does nothing but write whatever file follows -o. */
const writes = 'while [ $# -gt 0 ]; do if [ "$1" = -o ]; then echo x > "$2"; fi; shift; done';
const addon = join(here, "build/nn.node");

afterAll(() => { for (const folder of copies) rmSync(folder, { recursive: true }); });

describe.skipIf(process.platform === "win32")("install script", () => {
  it("exits 0 with one line when there is no compiler", () => {
    const folder = unpacked();
    const line = "not built: no C++ compiler (tried no-such-compiler); running as WebAssembly\n";
    expect(build(folder, "no-such-compiler")).toEqual({ status: 0, stdout: `@nn/native: ${line}`, stderr: "" });
    expect(readFileSync(join(folder, "build/status.txt"), "utf8")).toBe(line);
  });

  it("exits 0 with the compiler's first error when it fails, and leaves nothing behind", () => {
    const folder = unpacked();
    const compiler = fakeCompiler(folder, "echo 'addon.cc:1: error: nothing works' >&2; exit 1");
    expect(build(folder, compiler)).toEqual({ status: 0, stderr: "",
      stdout: `@nn/native: not built: ${compiler}: addon.cc:1: error: nothing works; running as WebAssembly\n` });
    expect(existsSync(join(folder, "build/nn.node"))).toBe(false);
  });

  it("builds again only when a source changed", () => {
    const folder = unpacked();
    const compiler = fakeCompiler(folder, writes);
    expect(build(folder, compiler).stdout).toMatch(/^@nn\/native: built with .* in [\d.]+ s\n$/);
    expect(existsSync(join(folder, "build/nn.node"))).toBe(true);
    expect(build(folder, compiler).stdout).toBe("@nn/native: up to date\n");
    writeFileSync(join(folder, "cpp/simd.h"), "// changed\n", { flag: "a" });
    expect(build(folder, compiler).stdout).toMatch(/built with/);
  });

  it.skipIf(!existsSync(addon))("keeps the addon of an earlier build while it has the kernels that the sources name, and removes it otherwise", () => {
    const folder = unpacked(), list = join(folder, "cpp/abi.gen.h"), built = join(folder, "build/nn.node");
    mkdirSync(join(folder, "build"));
    cpSync(addon, built);
    writeFileSync(join(folder, "cpp/simd.h"), "// changed\n", { flag: "a" });
    const compiler = fakeCompiler(folder, "echo 'error: nothing works' >&2; exit 1");
    for (const [cxx, reason] of [[compiler, `${compiler}: error: nothing works`], ["/bin/false", "no C++ compiler (tried /bin/false)"]] as const) {
      expect(build(folder, cxx).stdout).toBe(`@nn/native: not built: ${reason}; the addon of an earlier build fits and stays\n`);
      expect(readFileSync(built).equals(readFileSync(addon))).toBe(true);
    }
    writeFileSync(list, readFileSync(list, "utf8").replace(/(NN_ABI_HASH ")\w+/, "$1another"));
    expect(build(folder, compiler).stdout).toBe(`@nn/native: not built: ${compiler}: error: nothing works; running as WebAssembly\n`);
    expect(existsSync(built)).toBe(false);
  });

  it("may run twice at once", async () => {
    const folder = unpacked(), compiler = fakeCompiler(folder, `sleep 0.3; ${writes}`);
    const one = () => promisify(execFile)(process.execPath, ["build.mjs"], { cwd: folder, env: { ...process.env, CXX: compiler } });
    for (const { stdout, stderr } of await Promise.all([one(), one()])) expect(stdout + stderr).toMatch(/^@nn\/native: built with .* s\n$/);
    expect(readdirSync(join(folder, "build")).sort()).toEqual(["nn.node", "stamp", "status.txt"]);
    expect(build(folder, compiler).stdout).toBe("@nn/native: up to date\n");
  });

  it("leaves an engine that runs as WebAssembly and says why", () => {
    const folder = unpacked(), kernels = join(folder, "kernels");
    cpSync(join(here, "package.json"), join(folder, "package.json"));
    cpSync(join(here, "../kernels/package.json"), join(kernels, "package.json"));
    cpSync(join(here, "../kernels/src"), join(kernels, "src"), { recursive: true });
    mkdirSync(join(kernels, "node_modules/@nn"), { recursive: true });
    symlinkSync(folder, join(kernels, "node_modules/@nn/native"));
    expect(build(folder, "/bin/false")).toEqual({ status: 0, stderr: "", stdout: "@nn/native: not built: no C++ compiler (tried /bin/false); running as WebAssembly\n" });
    const program = `import { createEngine, engineInfo } from ${JSON.stringify(pathToFileURL(join(kernels, "src/index.node.ts")).href)};
      const { kind, why } = engineInfo(createEngine({ threads: 1 }));
      console.log(JSON.stringify({ kind, why }));`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--conditions=@nn/source", "--input-type=module", "-e", program], { cwd: folder, encoding: "utf8" });
    expect(JSON.parse(stdout || stderr)).toEqual({ kind: "wasm", why: ["native: not built: no C++ compiler (tried /bin/false); running as WebAssembly"] });
  });
});
