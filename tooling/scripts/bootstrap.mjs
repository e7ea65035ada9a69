// `npm start`, `npm test` and `npm run demo` on a machine that has only Node (20.19 or newer) and npm.
// Plain JavaScript without dependencies: it brings pnpm, which brings the rest, Node 24 included, and goes on with that Node.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const windows = process.platform === "win32";
const stamp = join(root, "node_modules", ".bootstrap");

const say = (line) => process.stderr.write(`${line}\n`);

/** Everything that decides what an install produces, the native addon's sources included. */
function fingerprint() {
  const hash = createHash("sha256");
  const files = ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml"];
  for (const top of ["packages", "apps", "tooling"]) {
    for (const name of readdirSync(join(root, top)).sort()) files.push(`${top}/${name}/package.json`);
  }
  for (const folder of ["packages/kernels/src/cpp", "packages/native"]) {
    for (const name of readdirSync(join(root, folder), { recursive: true }).sort()) {
      if (/\.(cc|cpp|h|hpp|mjs)$/.test(name) && !/node_modules|build/.test(name)) files.push(`${folder}/${name}`);
    }
  }
  for (const file of files) if (existsSync(join(root, file))) hash.update(file).update(readFileSync(join(root, file)));
  return hash.update(`${process.platform} ${process.arch} ${process.env.CXX ?? ""}`).digest("hex");
}

/** The version named by "packageManager", installed in .pnpm-tool/ with npm. */
function pnpm() {
  const version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager.split("@").pop();
  const home = join(root, ".pnpm-tool");
  const manifest = join(home, "node_modules/pnpm/package.json");
  if (!existsSync(manifest) || JSON.parse(readFileSync(manifest, "utf8")).version !== version) {
    say(`setting up: pnpm ${version}`);
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, "package.json"), `{ "private": true }\n`);
    const { status } = spawnSync("npm", ["install", "--prefix", home, "--no-audit", "--no-fund", "--no-save", "--loglevel=error", `pnpm@${version}`], { cwd: home, stdio: ["ignore", 2, 2], shell: windows });
    if (status !== 0) fail("npm could not install pnpm; is the registry reachable?");
  }
  return join(home, "node_modules/pnpm/bin/pnpm.cjs");
}

function setUp() {
  const wanted = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  const tool = pnpm();
  say("setting up: packages, and the native kernels if there is a C++ compiler (about a minute)");
  const { status } = spawnSync(process.execPath, [tool, "install", "--frozen-lockfile", "--config.confirm-modules-purge=false", "--reporter=append-only", "--loglevel=error"], { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) fail("pnpm install failed (see above); after a change of a package.json run `npx pnpm install`");
  writeFileSync(stamp, wanted);
}

function fail(line) {
  say(`error: ${line}`);
  process.exit(1);
}

/** Runs a script on the Node that was installed; the terminal's Ctrl-C reaches it directly, so this process only waits. */
function hand(args) {
  const node = join(root, "node_modules/node/bin", windows ? "node.exe" : "node");
  const path = [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter);
  const child = spawn(node, args, { cwd: root, stdio: "inherit", env: { ...process.env, PATH: path } });
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
}

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) fail(`Node 20.19 or newer is needed, this is ${process.versions.node}`);

const [task, ...rest] = process.argv.slice(2);
if (task === "start") {
  setUp();
  hand(["--conditions=@nn/source", "apps/cli/bin/nn.mjs", "train", "alexnet-fashion", ...rest]);
} else if (task === "demo") {
  setUp();
  hand(["apps/alexnet-demo/serve.mjs", ...rest]);
} else if (task === "test") {
  setUp();
  hand(["tooling/scripts/test-all.mjs", ...rest]);
} else {
  say("usage: node tooling/scripts/bootstrap.mjs start|test|demo");
  process.exit(2);
}
