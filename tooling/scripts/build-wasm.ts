/**
 * Builds packages/kernels/src/wasm/<variant>.gen.ts from src/cpp with @yowasp/clang (`node tooling/scripts/build-wasm.ts`).
 * The same sources give the same bytes; a variant whose sources did not change is left alone (--rebuild: build anyway). --check compares the hash of the sources with the one recorded in each file;
 * --check --rebuild compiles and compares bytes.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";

const kernels = new URL("../../packages/kernels/", import.meta.url);
const cpp = new URL("src/cpp/", kernels);
const out = new URL("src/wasm/", kernels);
const check = process.argv.includes("--check"), rebuild = process.argv.includes("--rebuild");

// -Os: a quarter smaller than -O2 (74 against 99 kB gzipped) and as fast in all training steps to 3 %; only softmax loses (20 %).
// Vectors are written out in the sources, and what unrolling and inlining buy is asked for there.
const common = [
  "-Os", "-std=c++17", "-ffreestanding", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-fno-math-errno",
  "-nostdlib", "-msimd128", "-mbulk-memory", "-mnontrapping-fptoint", "-msign-ext", "-DNN_WIDTH=4",
  "-Wl,--no-entry", "-Wl,--import-memory", "-Wl,--max-memory=4294967296", "-Wl,--export=__heap_base",
  "-Wl,--export=__stack_pointer", "-Wl,-z,stack-size=262144", "-Wl,--strip-all",
];
const relaxed = ["-mrelaxed-simd", "-DNN_ISA=relaxed"], plain = ["-DNN_ISA=simd128"];
const shared = ["-matomics", "-Wl,--shared-memory"];
const jobs = [...plain, "-DNN_ONLY_JOBS", "-I."];  // they wait for memory: relaxed SIMD gains nothing
const variants: Record<string, string[]> = {
  "simd128": [...common, ...plain],
  "simd128-shared": [...common, ...plain, ...shared],
  "relaxed": [...common, ...relaxed],
  "relaxed-shared": [...common, ...relaxed, ...shared],
  "jobs": [...common, ...jobs],
  "jobs-shared": [...common, ...jobs, ...shared],
};

const require = createRequire(new URL("package.json", kernels));
const zopfli = require("@gfx/zopfli") as { gzip(bytes: Uint8Array, options: object, done: (error: Error | null, zipped: Uint8Array) => void): void };
type Tree = { [name: string]: string | Uint8Array | Tree };
const sourcesIn = (folder: URL): Tree => Object.fromEntries(readdirSync(folder).filter((f) => /\.(h|hpp|cc)$/.test(f)).sort()
  .map((f) => [f, readFileSync(new URL(f, folder), "utf8")]));
const files = { ...sourcesIn(cpp), jobs: sourcesIn(new URL("jobs/", cpp)) };
const clang = pathToFileURL(require.resolve("@yowasp/clang"));
const clangVersion = (JSON.parse(readFileSync(new URL("../package.json", clang), "utf8")) as { version: string }).version;
const sourceHash = createHash("sha256").update(JSON.stringify([files, variants, clangVersion])).digest("hex").slice(0, 16);

const sourceLine = `// sources: ${sourceHash}\n`;

function fileOf(variant: string): URL { return new URL(`${variant}.gen.ts`, out); }
/** The bytes in a generated file; compared unzipped, for zlib versions differ. */
function embedded(file: URL): Buffer {
  return gunzipSync(Buffer.from(/wasm = "([^"]*)"/.exec(readFileSync(file, "utf8"))![1]!, "base64"));
}
/** gzip by Zopfli, which searches longer: 4 % smaller than level 9. */
const zip = (bytes: Uint8Array): Promise<Buffer> => new Promise((resolve, reject) => zopfli.gzip(bytes, {}, (error, zipped) => (error ? reject(error) : resolve(Buffer.from(zipped)))));
function moduleText(bytes: Uint8Array, zipped: Buffer): string {
  const base64 = zipped.toString("base64");
  return `// written by tooling/scripts/build-wasm.ts from packages/kernels/src/cpp: node tooling/scripts/build-wasm.ts\n`
    + sourceLine
    + `/** The module: base64 of gzip of ${bytes.length} bytes. */\nexport const wasm = "${base64}";\n`;
}

if (check && !rebuild) {
  const stale = Object.keys(variants).filter((v) => !existsSync(fileOf(v)) || !readFileSync(fileOf(v), "utf8").includes(sourceLine));
  for (const variant of stale) console.error(`out of date: packages/kernels/src/wasm/${variant}.gen.ts (run node tooling/scripts/build-wasm.ts)`);
  process.exit(stale.length ? 1 : 0);
}

const { runClang, Exit } = await import(clang.href) as {
  runClang(args: string[], files: Tree, options: object): Promise<Tree>; Exit: new () => Error;
};
let failed = false;
mkdirSync(out, { recursive: true });
const only = process.argv.slice(2).filter((a) => !a.startsWith("--"));
for (const [variant, flags] of Object.entries(variants)) {
  if (only.length && !only.includes(variant)) continue;
  if (!check && !rebuild && existsSync(fileOf(variant)) && readFileSync(fileOf(variant), "utf8").includes(sourceLine)) continue;
  const start = performance.now();
  let tree: Tree;
  try {
    tree = await runClang(["clang++", ...flags, "-o", "out.wasm", "wasm.cc"], files, { fetchProgress() {} });
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    console.error(`${variant}: compiler failed`);
    process.exit(1);
  }
  const bytes = tree["out.wasm"] as Uint8Array;
  if (check) {
    if (existsSync(fileOf(variant)) && embedded(fileOf(variant)).equals(bytes)) continue;
    console.error(`differs from its sources: ${fileURLToPath(fileOf(variant))}`);
    failed = true;
  } else {
    const zipped = await zip(bytes);
    writeFileSync(fileOf(variant), moduleText(bytes, zipped));
    console.log(`${variant}: ${bytes.length} bytes, ${zipped.length} gzipped, ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
}
process.exit(failed ? 1 : 0);
