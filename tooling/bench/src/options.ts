/** The command line of `pnpm bench` and `nn bench`. */
import { parseArgs } from "node:util";
import { nearest } from "@nn/layers";
import { usage } from "./errors.ts";
import { defaultPeers, engineKinds, peerNames, type EngineKind } from "./peers.ts";
import { series } from "./scaling.ts";
import { all, suites, type Missing, type Workload } from "./workloads.ts";

export const help = `bench [suite or workloads] [options], run as \`pnpm bench\` in a clone of the repository or as \`nn bench\`

suites: ${Object.keys(suites).join(", ")} (default: core)

--only NAME,…         these workloads of the suite
--peers NAME,…        ${peerNames.join(", ")}; "none" (default: ${defaultPeers.join(", ")})
--engine KIND         auto, ${engineKinds.join(", ")} (default: auto; the suite browser: wasm)
--engines KIND,…      several of them in the same rounds, each with rows of its own
--threads N           for us and for every peer that has threads (default: physical cores)
--rounds N            exactly N rounds (default: 3 to 7, as time allows)
--runs N              everything N times: medians of medians, with the spread
--memory              also peak memory and page faults of the training workloads, ours and PyTorch's
--json                one JSON line per workload and engine
--markdown            a Markdown document, with the bars and whether they hold
--record              writes that document to tooling/results/speed.md and its short form to README.md
--profile             time per op and kernel of each workload, and its share of the machine's limit; no peers
--list                names of the workloads
--install-peers       installs the npm peers into tooling/bench/peers (about 600 MB)

bench smoke      every workload for a moment; fails if one is ten times slower than recorded
bench scaling    time against batch, size and threads, of ${series.map(({ title }) => title).join(", ")} or those named (--record: tooling/results/scaling.md)
bench startup    first training step in a new process, and the cost of an op on one element`;

/** The workload or peer of that name, or a usage error that names the nearest. */
function oneOf<T extends string>(what: string, name: string, names: readonly T[]): T {
  const found = names.find((n) => n === name);
  if (found !== undefined) return found;
  const close = nearest(name, names);
  throw usage(`unknown ${what} '${name}'${close ? `, did you mean '${close}'?` : `; one of ${names.join(", ")}`}`);
}

function wholeNumber(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const n = Number(value);
  if (!Number.isInteger(n) || n < 1) throw usage(`--${option} ${value}: a whole number of at least 1`);
  return n;
}

const option = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const known = {
  only: option, peers: option, engine: option, engines: option, threads: option, rounds: option, runs: option,
  memory: flag, json: flag, markdown: flag, record: flag, profile: flag, list: flag, help: flag, "install-peers": flag,
} as const;

function split(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], allowPositionals: true, options: known });
  } catch (error) {
    throw usage((error as Error).message.split(". ")[0]!); // the rest explains `--` to people who meant a positional
  }
}

const commands = ["smoke", "scaling", "startup"] as const;
export type Command = (typeof commands)[number] | "suite" | "profile" | "help" | "list" | "install-peers";

export interface Options {
  readonly command: Command;
  /** What was asked for, in words. */
  readonly asked: string;
  readonly workloads: readonly (Workload | Missing)[];
  /** Titles of the series of `scaling`. */
  readonly series: readonly string[];
  readonly peers: readonly string[];
  /** The first is ours, in this process; the others take part as peers do. */
  readonly engines: readonly (EngineKind | "auto")[];
  readonly threads?: number;
  readonly rounds?: number;
  readonly runs: number;
  readonly memory: boolean;
  readonly form: "table" | "json" | "markdown";
  readonly record: boolean;
}

/** @throws BenchError */
export function parse(argv: readonly string[]): Options {
  const { values, positionals } = split(argv);
  const names = all.map(({ name }) => name);
  const command = commands.find((c) => c === positionals[0]);
  const rest = positionals.slice(1);
  if (command && command !== "scaling" && rest.length > 0) throw usage(`${command} takes no workloads, got '${rest[0]}'`);
  const titles = series.map(({ title }) => title);
  const given = command || positionals.length === 0 ? ["core"] : positionals;
  const asked = given.flatMap((name) => suites[name] ?? [oneOf("suite or workload", name, [...Object.keys(suites), ...commands, ...names])]);
  const only = values.only?.split(",").map((name) => oneOf("workload", name, names));
  const chosen = only ? (positionals.length === 0 ? only : asked.filter((name) => only.includes(name))) : asked;
  if (values.engine !== undefined && values.engines !== undefined) throw usage("--engine and --engines exclude each other");
  const inPage = given.length === 1 && given[0] === "browser";
  const kinds = (values.engines ?? values.engine ?? (inPage ? "wasm" : "auto")).split(",");
  const threads = wholeNumber("threads", values.threads);
  const rounds = wholeNumber("rounds", values.rounds);
  const record = values.record ?? false;
  return {
    command: values.help ? "help" : values.list ? "list" : values["install-peers"] ? "install-peers" : (command ?? (values.profile ? "profile" : "suite")),
    asked: only && positionals.length === 0 ? only.join(", ") : given.join(", "),
    series: command === "scaling" && rest.length > 0 ? rest.map((name) => oneOf("series", name, titles)) : titles,
    workloads: [...new Set(chosen)].map((name) => all.find((w) => w.name === name)!),
    peers: values.peers === "none" ? [] : (values.peers?.split(",").map((name) => oneOf("peer", name, peerNames)) ?? (inPage ? ["node22", "chromium"] : defaultPeers)),
    engines: kinds.map((kind) => oneOf("engine", kind, ["auto", ...engineKinds])),
    ...(threads !== undefined && { threads }),
    ...(rounds !== undefined && { rounds }),
    runs: wholeNumber("runs", values.runs) ?? 1,
    memory: values.memory ?? false,
    form: values.json ? "json" : values.markdown ? "markdown" : "table",
    record,
  };
}
