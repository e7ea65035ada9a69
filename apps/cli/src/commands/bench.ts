/** `nn bench …`: the benchmark, as @nn/bench runs it. */
import { CliError, exit } from "../errors.ts";

export async function bench(args: readonly string[]): Promise<void> {
  const { BenchError, bench: run } = await import("@nn/bench"); // only here: other commands start without it
  try {
    process.exitCode = await run(args);
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    throw new CliError(error.code === "usage" ? exit.usage : exit.failure, error.message, error.code === "usage" ? "nn bench --help" : undefined);
  }
}
