import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const here = fileURLToPath(new URL("../", import.meta.url));
const copies: string[] = [];

/** The package as it is unpacked at a user's: sources beside it, nothing built. */
function unpacked(): string {
  const folder = mkdtempSync(join(tmpdir(), "nn-native-"));
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
    // Writes whatever file follows -o.
    const compiler = fakeCompiler(folder, 'while [ $# -gt 0 ]; do if [ "$1" = -o ]; then echo x > "$2"; fi; shift; done');
    expect(build(folder, compiler).stdout).toMatch(/^@nn\/native: built with .* in [\d.]+ s\n$/);
    expect(existsSync(join(folder, "build/nn.node"))).toBe(true);
    expect(build(folder, compiler).stdout).toBe("@nn/native: up to date\n");
    writeFileSync(join(folder, "cpp/simd.h"), "// changed\n", { flag: "a" });
    expect(build(folder, compiler).stdout).toMatch(/built with/);
  });
});
