/** Models of the original with what it printed for them; golden/make.sh made them. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = new URL("golden/", import.meta.url);
export const goldenBytes = (file: string): Uint8Array => new Uint8Array(readFileSync(new URL(file, folder)));
export const goldenLines = (file: string): string[] => readFileSync(new URL(file, folder), "utf8").replace(/\n$/, "").split("\n");
export const models = ["softmax.bin", "hs.bin", "ova.bin", "ns.bin", "sg.bin", "cbow.bin", "quantized.ftz"] as const;

/** Lines of the corpus as bytes, for not all of them are UTF-8. */
export const corpus = goldenBytes("corpus.txt");

/** The original, where it is installed. */
export const original = spawnSync("fasttext", { stdio: "ignore" }).error === undefined;
export const withoutOriginal = "the original is not installed (Debian package fasttext)";

export function runOriginal(args: string[], input: string | Uint8Array = ""): string {
  const { status, stdout, stderr } = spawnSync("fasttext", args, { input, encoding: "utf8" });
  if (status !== 0) throw new Error(`fasttext ${args.join(" ")}: ${stderr}`);
  return stdout;
}

export function inFolder<T>(use: (path: (name: string) => string) => T): T {
  const at = mkdtempSync(join(tmpdir(), "fasttext-"));
  const clean = () => rmSync(at, { recursive: true, force: true });
  try {
    const result = use((name) => join(at, name));
    if (result instanceof Promise) return result.finally(clean) as T;
    clean();
    return result;
  } catch (error) {
    clean();
    throw error;
  }
}
