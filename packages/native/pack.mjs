// `prepack`: copies the C++ sources of @nn/kernels into the package, so that its install script finds them anywhere;
// `postpack` (--clean) removes the copy.
import { cpSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
rmSync(here("cpp"), { recursive: true, force: true });
if (!process.argv.includes("--clean"))
  cpSync(here("../kernels/src/cpp"), here("cpp"), { recursive: true, filter: (path) => !path.endsWith("wasm.cc") });
