// `pnpm gen [name…]`: runs the generators of this folder, gen-<name>.ts and build-<name>.ts (all of them by default).
// `--check` writes nothing and fails when a generated file is out of date; other options go to the generators too.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const generators = new Map(readdirSync(folder).map((file) => [/^(?:gen|build)-(.+)\.ts$/.exec(file)?.[1], file]).filter(([name]) => name !== undefined));
const all = [...generators.keys()].sort();
const options = process.argv.slice(2).filter((arg) => arg.startsWith("--"));
const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length) {
  console.error(`error: no generator '${unknown[0]}'; there are: ${all.join(", ")}`);
  process.exit(2);
}
for (const name of wanted.length ? wanted : all) {
  const started = performance.now();
  const { status } = spawnSync(process.execPath, ["--conditions=@nn/source", folder + generators.get(name), ...options], { cwd: `${folder}../..`, stdio: "inherit" });
  if (status !== 0) {
    console.error(`gen ${name}: failed`);
    process.exit(status ?? 1);
  }
  console.log(`gen ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
