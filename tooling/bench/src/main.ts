/** `pnpm bench [suite | workload…]`: our workloads, and the same in other libraries, measured in one run. */
import { parseArgs } from "node:util";
import { engineInfo } from "@nn/kernels";
import { setEngine } from "@nn/tensor";
import { nearest } from "@nn/layers";
import { measureLimits } from "./limits.ts";
import { measure, type Measurement } from "./measure.ts";
import { Peer, installPeers, peerNames, type PeerInfo } from "./peers.ts";
import { profile } from "./profile.ts";
import { heading, jsonLine, table, type Run } from "./report.ts";
import { all, suites, type Missing, type Workload } from "./workloads.ts";

const usage = `pnpm bench [suite or workloads] [options]

suites: ${Object.keys(suites).join(", ")} (default: core)

--only NAME,…         these workloads of the suite
--peers NAME,…        ${peerNames.join(", ")}; "none" (default: all)
--engine KIND         auto, native, wasm, wasm-simd (default: auto)
--threads N           for us and for every peer that has threads (default: physical cores)
--rounds N            exactly N rounds (default: 3 to 7, as time allows)
--json                one JSON line per workload
--markdown            the table as a Markdown document
--profile             time per kernel of each workload; no peers
--list                names of the workloads
--install-peers       installs the npm peers into tooling/bench/peers (about 600 MB)`;

class UsageError extends Error {}

const oneOf = (what: string, name: string, names: readonly string[]): string => {
  if (names.includes(name)) return name;
  const close = nearest(name, names);
  throw new UsageError(`unknown ${what} '${name}'${close ? `, did you mean '${close}'?` : ""}`);
};

const wholeNumber = (option: string, value: string | undefined): number | undefined => {
  if (value === undefined) return undefined;
  const n = Number(value);
  if (!Number.isInteger(n) || n < 1) throw new UsageError(`--${option} ${value}: a whole number of at least 1`);
  return n;
};

function parse(argv: readonly string[]) {
  const option = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values, positionals } = parseArgs({
    args: [...argv], allowPositionals: true,
    options: {
      only: option, peers: option, engine: option, threads: option, rounds: option,
      json: flag, markdown: flag, profile: flag, list: flag, help: flag, "install-peers": flag,
    },
  });
  const names = all.map(({ name }) => name);
  const given = positionals.length === 0 ? ["core"] : positionals;
  const asked = given.flatMap((name) => suites[name] ?? [oneOf("suite or workload", name, [...Object.keys(suites), ...names])]);
  const only = values.only?.split(",").map((name) => oneOf("workload", name, names));
  return {
    ...values,
    asked: only && positionals.length === 0 ? only.join(", ") : given.join(", "),
    workloads: (only ? (positionals.length === 0 ? only : asked.filter((name) => only.includes(name))) : asked).map((name) => all.find((w) => w.name === name)!),
    peers: values.peers === "none" ? [] : (values.peers?.split(",").map((name) => oneOf("peer", name, peerNames)) ?? peerNames),
    kind: oneOf("engine", values.engine ?? "auto", ["auto", "native", "wasm", "wasm-simd"]) as "auto",
    threads: wholeNumber("threads", values.threads),
    rounds: wholeNumber("rounds", values.rounds),
  };
}

export interface Output {
  /** Takes a line of the result; by default it goes to stdout. */
  readonly write?: (line: string) => void;
  /** Takes what is said meanwhile; by default it goes to stderr. */
  readonly say?: (line: string) => void;
}

/** Runs the benchmark. Returns the exit code: 0, or 2 if the arguments make no sense. */
export async function main(argv: readonly string[], { write = console.log, say = console.error }: Output = {}): Promise<number> {
  try {
    const options = parse(argv);
    if (options.help) write(usage);
    else if (options.list) for (const w of all) write("missing" in w ? `${w.name} (missing: ${w.missing})` : w.name);
    else if (options["install-peers"]) return installPeers();
    else await bench(options, write, say);
    return 0;
  } catch (error) {
    const code = (error as { code?: string }).code ?? "";
    if (!(error instanceof UsageError) && !code.startsWith("ERR_PARSE_ARGS")) throw error;
    say(`bench: ${(error as Error).message}\n\n${usage}`);
    return 2;
  }
}

async function bench(options: ReturnType<typeof parse>, write: (line: string) => void, say: (line: string) => void): Promise<void> {
  const engine = setEngine({ kind: options.kind, ...(options.threads !== undefined && { threads: options.threads }) });
  if (options.profile) {
    for (const w of options.workloads) write(`${"missing" in w ? `${w.name}: missing, ${w.missing}` : profile(w)}\n`);
    return;
  }
  const peers = options.peers.map((name) => new Peer(name, engine.threads));
  try {
    const head = heading(`Benchmark: ${options.asked}`, new Date());
    const info: [string, PeerInfo][] = [];
    for (const peer of peers) info.push([peer.name, await peer.start()]);
    const run: Run = { engine: engineInfo(engine), limits: measureLimits(engine), peers: Object.fromEntries(info) };
    const results = await measureAll(options.workloads, peers, options.rounds, (result) => {
      if (options.json) write(jsonLine(result, run));
    }, say);
    if (options.markdown) write(head);
    if (!options.json) write(table(results, run, options.markdown ?? false));
  } finally {
    for (const peer of peers) peer.stop();
  }
}

async function measureAll(workloads: readonly (Workload | Missing)[], peers: readonly Peer[], rounds: number | undefined, done: (result: Measurement | Missing) => void, say: (line: string) => void) {
  const results: (Measurement | Missing)[] = [];
  for (const [i, w] of workloads.entries()) {
    say(`[${i + 1}/${workloads.length}] ${w.name}`);
    const result = "missing" in w ? w : await measure(w, peers, rounds);
    done(result);
    results.push(result);
  }
  return results;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
