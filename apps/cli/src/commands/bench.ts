/** `nn bench …`: the benchmark suite, where the repository with its peers is at hand. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CliError, exit } from "../errors.ts";

export function bench(args: readonly string[]): Promise<void> {
  const main = fileURLToPath(new URL("../../../../tooling/bench/src/main.ts", import.meta.url));
  if (!existsSync(main)) throw new CliError(exit.failure, "the benchmark suite comes with the repository, not with the package", "clone the repository, then: npx pnpm bench");
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, ["--conditions=@nn/source", main, ...args], { stdio: "inherit" });
    child.on("error", fail);
    child.on("exit", (code) => {
      process.exitCode = code ?? exit.failure;
      done();
    });
  });
}
