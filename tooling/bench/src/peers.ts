/** The other libraries: each a process of its own that answers JSON lines (peers/protocol.py), so that its loading is never timed. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Workload } from "./workloads.ts";

const folder = fileURLToPath(new URL("../peers/", import.meta.url));
const python = process.env["NN_BENCH_PYTHON"] ?? "/usr/bin/python3";

// With the pthread OpenBLAS, Debian's PyTorch is 2-4 times slower on small networks.
const openmp = "/usr/lib/x86_64-linux-gnu/openblas-openmp";

/** How each peer is started, or why it cannot be measured. */
const programs: Readonly<Record<string, string | { readonly missing: string }>> = {
  torch: "pytorch.py",
  openblas: "openblas.py",
  tfjs: "tfjs.mjs",
  jax: "jax.mjs",
  ort: "ort.mjs",
  fasttext: { missing: "its workloads come with a later release" },
};
export const peerNames: readonly string[] = Object.keys(programs);

interface Answer {
  readonly missing?: string;
  readonly version?: string;
  readonly threads?: number;
  readonly note?: string;
  readonly ms?: number;
}

/** What a peer said about itself, or why it is missing. */
export type PeerInfo = { readonly version: string; readonly threads: number; readonly note?: string } | { readonly missing: string };

/** Seconds for one answer; a peer that needs longer is ended, and started anew for the next workload. */
const patience = 30;

/** One peer, started when first needed. */
export class Peer {
  readonly name: string;
  info: PeerInfo = { missing: "not started" };
  readonly #threads: number;
  #process: ChildProcess | null = null;
  #answers: AsyncIterator<string> | null = null;
  #stderr = "";

  constructor(name: string, threads: number) {
    this.name = name;
    this.#threads = threads;
  }

  /** Starts the process if it is not running, and asks for its version. */
  async start(): Promise<PeerInfo> {
    if (this.#process) return this.info;
    const program = programs[this.name]!;
    if (typeof program !== "string") return (this.info = program);
    const [command, environment] = program.endsWith(".py") ? [python, existsSync(openmp) ? { LD_LIBRARY_PATH: openmp } : {}] : [process.execPath, {}];
    if (!existsSync(command)) return (this.info = { missing: `there is no ${command}` });
    const threads = { OMP_NUM_THREADS: `${this.#threads}`, OPENBLAS_NUM_THREADS: `${this.#threads}`, NODE_OPTIONS: "" };
    const child = spawn(command, [program], { cwd: folder, stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...environment, ...threads } });
    child.stderr.on("data", (data: Buffer) => (this.#stderr = (this.#stderr + data.toString()).slice(-2000)));
    child.stdin.on("error", () => {}); // the missing answer tells
    child.on("error", () => {});
    this.#process = child;
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { version, threads: used, note, missing } = await this.#ask({ do: "hello", threads: this.#threads });
    if (missing !== undefined) this.stop();
    return (this.info = missing !== undefined ? { missing } : { version: version!, threads: used!, ...(note && { note }) });
  }

  async #ask(message: object): Promise<Answer> {
    this.#process!.stdin!.write(`${JSON.stringify(message)}\n`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => (timer = setTimeout(resolve, patience * 1000, "late")));
    const line = await Promise.race([this.#answers!.next(), late]);
    clearTimeout(timer);
    if (line !== "late" && !line.done) return JSON.parse(line.value) as Answer;
    this.stop();
    return { missing: line === "late" ? `no answer within ${patience} s` : `ended: ${this.#stderr.trim().split("\n").at(-1) || "no message"}` };
  }

  /** Builds the data and runs once. */
  async prepare(workload: Workload): Promise<{ missing: string } | { note?: string }> {
    const info = await this.start();
    if ("missing" in info) return info;
    const { missing, note } = await this.#ask({ do: "prepare", workload });
    return missing !== undefined ? { missing } : { ...(note && { note }) };
  }

  /** Milliseconds per iteration. */
  async run(iterations: number): Promise<number | { missing: string }> {
    const { ms, missing } = await this.#ask({ do: "run", iterations });
    return missing !== undefined ? { missing } : ms!;
  }

  async release(): Promise<void> {
    if (this.#process) await this.#ask({ do: "release" });
  }

  /** Its process, while it runs. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  stop(): void {
    this.#process?.kill();
    this.#process = null;
  }
}

/** Installs the npm peers beside their programs. Install scripts stay off: ONNX Runtime's would fetch GPU libraries. */
export function installPeers(): number {
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
  return spawnSync("npm", args, { cwd: folder, stdio: ["ignore", 2, 2] }).status ?? 1;
}
