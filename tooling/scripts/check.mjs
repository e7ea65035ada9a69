// `pnpm check`: everything that must hold before a change is offered. Stops at the first step that fails and ends with one line on what to do next.
// `pnpm check NAME…` runs only the steps named.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("../../", import.meta.url)));
process.env.TURBO_TELEMETRY_DISABLED = "1";
process.env.PATH = [join(process.cwd(), "node_modules/.bin"), process.env.PATH].join(delimiter);

const run = (command, args, options = {}) => spawnSync(command, args, { stdio: "inherit", ...options }).status === 0;
const script = (name, ...args) => run(process.execPath, [`tooling/scripts/${name}`, ...args]);

/** attw: every entry resolves to its types; the table is shown only when one does not. */
function typesResolve(archive) {
  const attw = (...options) => run("attw", [archive, "--profile", "esm-only", "--format", "ascii", ...options]);
  return attw("--quiet") || attw();
}

/** Packs every public package as it would be published and lets publint and attw read the archive. */
function packagesAreSound() {
  const folder = mkdtempSync(join(tmpdir(), "nn-pack-"));
  try {
    const packed = run("pnpm", ["--filter", "./packages/*", "--filter", "@nn/bench", "--filter", "@nn/cli", "exec", "pnpm", "pack", "--pack-destination", folder], { stdio: ["ignore", "ignore", "inherit"] });
    return packed && readdirSync(folder).every((file) => {
      const archive = join(folder, file);
      console.log(file);
      return (file.startsWith("nn-cli-") || typesResolve(archive)) && run("publint", [archive, "--strict"]);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const steps = [
  { name: "lint", run: () => run("eslint", ["."]), next: "mend what eslint names (`pnpm lint --fix` does part of it)" },
  { name: "types", run: () => run("turbo", ["run", "typecheck", "--output-logs=errors-only"]), next: "mend the types" },
  { name: "generated", run: () => script("gen.mjs", "--check"), next: "`pnpm gen`, and commit what it wrote" },
  { name: "unused", run: () => run("knip", ["--no-progress"]), next: "remove what knip names, or say in knip.json why it stays" },
  { name: "tests", run: () => script("test-all.mjs"), next: "mend the tests; one file at a time: `pnpm vitest run packages/<name>`" },
  { name: "build", run: () => run("turbo", ["run", "build", "--output-logs=errors-only"]), next: "mend the build" },
  { name: "packages", run: packagesAreSound, next: "mend the package.json that publint or attw names" },
  { name: "size", run: () => run("size-limit", []), next: "a page would download too much: `pnpm size --why`" },
];

const wanted = process.argv.slice(2);
for (const step of steps) {
  if (wanted.length && !wanted.includes(step.name)) continue;
  const started = performance.now();
  console.log(`\n== ${step.name}`);
  const ok = step.run();
  console.log(`== ${step.name}: ${ok ? "ok" : "FAILED"} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (!ok) {
    console.log(`\nnext: ${step.next}; then \`pnpm check ${step.name}\``);
    process.exit(1);
  }
}
console.log("\nnext: `pnpm changeset` if users will notice the change, then commit");
