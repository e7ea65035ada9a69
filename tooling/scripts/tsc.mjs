// Runs the compiler of the package `typescript7`. Two packages bring a `tsc`; this says which one is meant.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const tsc = fileURLToPath(new URL("../../node_modules/typescript7/bin/tsc", import.meta.url));
process.exit(spawnSync(process.execPath, [tsc, ...process.argv.slice(2)], { stdio: "inherit" }).status ?? 1);
