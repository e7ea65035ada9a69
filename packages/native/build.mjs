// Builds build/nn.node from the C++ sources of @nn/kernels (the package's `install` script). Needs a C++17 compiler and
// nothing else; downloads nothing. Without one, or if anything fails, it says so in one line and exits 0: @nn/kernels then
// runs as WASM, or with the addon of an earlier build if that still fits.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const cpp = [here("../kernels/src/cpp/"), here("cpp/")].find(existsSync); // in the repository | packed with the package
const build = here("build/"), addon = here("build/nn.node"), stamp = here("build/stamp");
const started = performance.now();

function finish(line) {
  mkdirSync(build, { recursive: true });
  writeFileSync(here("build/status.txt"), `${line}\n`);
  console.log(`@nn/native: ${line}`);
  process.exit(0);
}
function notBuilt(reason) {
  if (earlierFits()) finish(`not built: ${reason}; the addon of an earlier build fits and stays`);
  rmSync(addon, { force: true });
  rmSync(stamp, { force: true });
  finish(`not built: ${reason}; running as WebAssembly`);
}
/** Does the addon that is there load, and does it have the kernels and arguments that the sources name now? */
function earlierFits() {
  try {
    const abi = /NN_ABI_HASH "(\w+)"/.exec(readFileSync(`${cpp}abi.gen.h`, "utf8"))[1];
    return createRequire(import.meta.url)(addon).abi === abi;
  } catch {
    return false;
  }
}
/** What the stamp says after a build. It names the addon's bytes too, for of two builds at once one may write the addon and the other the stamp. */
const stampOf = (file) => `${wanted} ${createHash("sha256").update(readFileSync(file)).digest("hex")}`;
function nodeApiHeaders() {
  try {
    return createRequire(import.meta.url)("node-api-headers").include_dir;
  } catch {
    notBuilt("the package node-api-headers is missing");
  }
}
function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
    let errors = "";
    child.stderr.on("data", (data) => { errors += data; });
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code) => resolve(code === 0 ? "" : errors.split("\n").find((l) => /error/.test(l)) ?? errors.slice(0, 200) + ` exit ${code}`));
  });
}

if (process.platform === "win32") notBuilt("Windows is not supported yet");
if (!cpp) notBuilt("C++ sources are missing");
const compilers = process.env.CXX ? [process.env.CXX] : ["g++", "clang++", "c++"];
const compiler = compilers.find((name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0);
if (!compiler) notBuilt(`no C++ compiler (tried ${compilers.join(", ")})`);

const x86 = process.arch === "x64";
const headers = nodeApiHeaders();
const common = ["-O3", "-std=c++17", "-fPIC", "-fno-exceptions", "-fno-rtti", "-fno-math-errno", "-fvisibility=hidden", "-Wno-psabi",
  ...(x86 ? ["-DNN_X86"] : []), `-I${cpp}`];
const units = [
  { name: "addon", source: "addon.cc", flags: [`-I${headers}`] },
  { name: "baseline", source: "unit.cc", flags: ["-DNN_WIDTH=4", "-DNN_ISA=baseline"] },
  ...(x86 ? [
    { name: "avx2", source: "unit.cc", flags: ["-DNN_WIDTH=8", "-DNN_ISA=avx2", "-mavx2", "-mfma"] },
    { name: "avx512", source: "unit.cc", flags: ["-DNN_WIDTH=16", "-DNN_ISA=avx512", "-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw", "-mfma"] },
  ] : []),
];

const hash = createHash("sha256").update(JSON.stringify([units, common.slice(0, -1), process.arch]))
  .update(spawnSync(compiler, ["--version"], { encoding: "utf8" }).stdout);
for (const folder of [cpp, here("src/")])
  for (const file of readdirSync(folder, { recursive: true }).sort()) if (/\.(h|hpp|cc)$/.test(file)) hash.update(file).update(readFileSync(folder + file));
const wanted = hash.digest("hex");
if (existsSync(addon) && existsSync(stamp) && readFileSync(stamp, "utf8") === stampOf(addon)) finish("up to date");

// Built in a folder of its own and renamed when complete: a running process keeps the old file, and several builds at once do no harm.
mkdirSync(build, { recursive: true });
const work = mkdtempSync(`${build}work-`);
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
const objects = units.map((unit) => `${work}/${unit.name}.o`), fresh = `${work}/nn.node`;
const failures = await Promise.all(units.map((unit, i) => run(compiler, [...common, ...unit.flags, "-c", here(`src/${unit.source}`), "-o", objects[i]])));
let failure = failures.find(Boolean);
if (!failure) {
  const link = process.platform === "darwin" ? ["-bundle", "-undefined", "dynamic_lookup"] : ["-shared", "-pthread", "-Wl,-s"];
  failure = await run(compiler, [...link, ...objects, "-o", fresh]);
}
if (failure) notBuilt(`${compiler}: ${failure.trim()}`);
const mark = stampOf(fresh);
renameSync(fresh, addon);
writeFileSync(stamp, mark);
finish(`built with ${compiler} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
