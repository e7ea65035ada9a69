#!/usr/bin/env -S node --conditions=@nn/source
// Published, `nn` runs dist/. In the repository it runs the TypeScript sources, on the Node that pnpm installed and with the export
// condition "@nn/source", which worker threads inherit. pnpm's shim in node_modules/.bin reads both off the line above;
// started another way, this file starts itself again like that.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const source = new URL("../src/main.ts", import.meta.url);
if (!existsSync(source)) {
  await import("../dist/main.js");
} else if (process.features.typescript && import.meta.resolve("@nn/tensor").endsWith(".ts")) {
  await import(source.href);
} else {
  const installed = fileURLToPath(new URL("../../../node_modules/node/bin/node", import.meta.url));
  const child = spawn(installed, ["--conditions=@nn/source", fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  process.on("SIGINT", () => {}); // the terminal sends it to the child too, which ends in its own time
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("error", () => {
    console.error("error: not set up yet; run `npm start` or `npm test` in the repository first");
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(code ?? { SIGINT: 130, SIGTERM: 143 }[signal] ?? 1));
}
