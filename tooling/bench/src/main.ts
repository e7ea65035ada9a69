/** `pnpm bench …` and `nn bench …`: our workloads, and the same in other libraries, measured in one run. */
import { writeFileSync } from "node:fs";
import { BenchError } from "./errors.ts";
import { measureLimits } from "./limits.ts";
import { help, parse, type Options } from "./options.ts";
import { installPeers } from "./peers.ts";
import { profile, profileTable } from "./profile.ts";
import { document, inRepository, record } from "./record.ts";
import { jsonLine, table } from "./report.ts";
import { scaling } from "./scaling.ts";
import { smoke } from "./smoke.ts";
import { startup } from "./startup.ts";
import { chooseEngine, runSuite } from "./suite.ts";
import { all } from "./workloads.ts";

export interface Output {
  /** Takes a line of the result; by default it goes to stdout. */
  readonly write?: (line: string) => void;
  /** Takes what is said meanwhile; by default it goes to stderr. */
  readonly say?: (line: string) => void;
}

/** Runs the benchmark and returns the exit code: 1 if the smoke test found a catastrophe or peers could not be installed. @throws BenchError */
export async function bench(argv: readonly string[], { write = console.log, say = console.error }: Output = {}): Promise<number> {
  const options = parse(argv);
  switch (options.command) {
    case "help":
      write(help);
      return 0;
    case "list":
      for (const w of all) write("missing" in w ? `${w.name} (missing: ${w.missing})` : w.name);
      return 0;
    case "install-peers":
      return installPeers();
    case "profile":
      profileAll(options, write);
      return 0;
    case "smoke":
      return smoke(chooseEngine(options.engines[0]!, options.threads), options, write, say);
    case "scaling":
      scale(options, write, say);
      return 0;
    case "startup":
      write(startup(options, say));
      return 0;
    case "suite":
      await suite(options, write, say);
      return 0;
  }
}

/** The same as a program: a message in one line, and the exit code 2 for arguments that make no sense. */
export async function main(argv: readonly string[], output: Output = {}): Promise<number> {
  try {
    return await bench(argv, output);
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    (output.say ?? console.error)(`error: ${error.message}`);
    return error.code === "usage" ? 2 : 1;
  }
}

function profileAll(options: Options, write: (line: string) => void): void {
  const engine = chooseEngine(options.engines[0]!, options.threads);
  const limits = measureLimits(engine);
  for (const w of options.workloads) {
    if (options.form === "json") write(JSON.stringify("missing" in w ? w : profile(w, limits)));
    else write(`${"missing" in w ? `${w.name}: missing, ${w.missing}` : profileTable(profile(w, limits), limits)}\n`);
  }
}

function scale(options: Options, write: (line: string) => void, say: (line: string) => void): void {
  const file = options.record ? inRepository("tooling/results/scaling.md") : null;
  const text = options.engines.map((kind) => scaling(chooseEngine(kind, options.threads), options.series, file !== null || options.form === "markdown", say)).join("\n\n");
  if (file === null) return write(text);
  writeFileSync(file, `${text}\n`);
  say(`wrote ${file}`);
}

async function suite(options: Options, write: (line: string) => void, say: (line: string) => void): Promise<void> {
  if (options.record) inRepository("README.md"); // says so before minutes of measuring
  const result = await runSuite(options, say, (one, run) => {
    if (options.form === "json") write(jsonLine(one, run));
  });
  if (options.record) for (const file of record(result)) say(`wrote ${file}`);
  if (options.form === "markdown") write(document(result));
  if (options.form === "table") write(result.views.map((view) => table(view, false)).join("\n\n"));
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
