// Builds the package in the current folder: TypeScript sources to ES2022 modules and declarations in dist/, file by file.
// The compiler rewrites "./x.ts" to "./x.js" in code but not in declarations, nor inside `new URL("./worker.ts", import.meta.url)`.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

rmSync("dist", { recursive: true, force: true });
const tsc = fileURLToPath(new URL("tsc.mjs", import.meta.url));
const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);

const rewrites = [
  [/\.d\.ts$/, /((?:from|import)\s*\(?\s*"\.{1,2}\/[^"]*)\.ts"/g, '$1.js"'],
  [/\.js$/, /(new URL\("\.{1,2}\/[^"]*)\.ts"(?=, import\.meta\.url)/g, '$1.js"'],
];
for (const name of existsSync("dist") ? readdirSync("dist", { recursive: true }) : []) {
  const path = join("dist", name);
  for (const [kind, from, to] of rewrites) {
    if (!kind.test(path)) continue;
    const before = readFileSync(path, "utf8");
    const after = before.replace(from, to);
    if (after !== before) writeFileSync(path, after);
  }
}
