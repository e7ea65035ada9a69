// Builds build/nn.node from the C++ sources of @nn/kernels (the package's `install` script). Needs a C++17 compiler and
// nothing else; downloads nothing. Without one, or if anything fails, it says so in one line and exits 0: @nn/kernels then runs as WASM.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
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
function nodeApiHeaders() {
  try {
    return createRequire(import.meta.url)("node-api-headers").include_dir;
  } catch {
    finish("not built: the package node-api-headers is missing; running as WebAssembly");
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

if (process.platform === "win32") finish("not built: Windows is not supported yet; running as WebAssembly");
if (!cpp) finish("not built: C++ sources are missing; running as WebAssembly");
const compilers = process.env.CXX ? [process.env.CXX] : ["g++", "clang++", "c++"];
const compiler = compilers.find((name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0);
if (!compiler) finish(`not built: no C++ compiler (tried ${compilers.join(", ")}); running as WebAssembly`);

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
  for (const file of readdirSync(folder).sort()) if (/\.(h|hpp|cc)$/.test(file)) hash.update(file).update(readFileSync(folder + file));
const wanted = hash.digest("hex");
if (existsSync(addon) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) finish("up to date");

mkdirSync(build, { recursive: true });
const objects = units.map((unit) => `${build}${unit.name}.${process.pid}.o`);
const failures = await Promise.all(units.map((unit, i) => run(compiler, [...common, ...unit.flags, "-c", here(`src/${unit.source}`), "-o", objects[i]])));
let failure = failures.find(Boolean);
const fresh = `${build}fresh.${process.pid}.node`; // renamed when complete: a running process keeps the old file, two builds at once do no harm
if (!failure) {
  const link = process.platform === "darwin" ? ["-bundle", "-undefined", "dynamic_lookup"] : ["-shared", "-pthread", "-Wl,-s"];
  failure = await run(compiler, [...link, ...objects, "-o", fresh]);
}
for (const object of objects) rmSync(object, { force: true });
if (failure) {
  rmSync(addon, { force: true });
  finish(`not built: ${compiler}: ${failure.trim()}; running as WebAssembly`);
}
renameSync(fresh, addon);
writeFileSync(stamp, wanted);
finish(`built with ${compiler} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
