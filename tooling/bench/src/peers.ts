/** The other libraries: each a process of its own that answers JSON lines (peers/protocol.py), so that its loading is never timed. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Introduction } from "./self.ts";

const folder = fileURLToPath(new URL("../peers/", import.meta.url));
const python = process.env["NN_BENCH_PYTHON"] ?? "/usr/bin/python3";

// With the pthread OpenBLAS, Debian's PyTorch is 2-4 times slower on small networks.
const openmp = "/usr/lib/x86_64-linux-gnu/openblas-openmp";

/** Engines of our own that a run can be asked for by name. */
export const engineKinds = ["native", "wasm", "wasm-simd"] as const;
export type EngineKind = (typeof engineKinds)[number];

/** A program of peers/, its arguments, and the Node that runs it if not this one. */
type Program = { readonly file: string; readonly args?: readonly string[]; readonly node?: string } | { readonly missing: string };

const others = {
  torch: { file: "pytorch.py" },
  openblas: { file: "openblas.py" },
  onednn: { file: "onednn.py" },
  tfjs: { file: "tfjs.mjs" },
  jax: { file: "jax.mjs" },
  ort: { file: "ort.mjs" },
  fasttext: { missing: "its workloads come with a later release" },
} as const satisfies Record<string, Program>;

/** How each participant is started: other libraries, then ourselves on other engines, on another Node and in a page. */
const programs: Readonly<Record<string, Program>> = {
  ...others,
  ...Object.fromEntries(engineKinds.map((kind) => [kind, { file: "nn.mjs", args: [kind] }])),
  node22: { file: "nn.mjs", args: ["wasm"], node: "22" },
  chromium: { file: "chromium.mjs" },
};
export const peerNames: readonly string[] = Object.keys(programs);
/** The other libraries. */
export const defaultPeers: readonly string[] = Object.keys(others);

interface Answer extends Partial<Introduction> {
  readonly missing?: string;
  readonly note?: string;
  readonly ms?: number;
}

/** What a peer said about itself, or why it is missing. Engine and limits are our own library's. */
export type PeerInfo = (Pick<Introduction, "version" | "threads"> & Partial<Introduction> & { readonly note?: string }) | { readonly missing: string };

/** Our own library resolves to its sources in another process too, if it does here. */
export const conditions: readonly string[] = process.execArgv.filter((arg) => arg.startsWith("--conditions="));

/** The program of another major version of Node, from npx's cache or the registry; empty if neither has it. */
function otherNode(version: string): string {
  const { stdout } = spawnSync("npx", ["--yes", "--package", `node@${version}`, "node", "--print", "process.execPath"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return stdout?.trim() || `Node ${version} (npx --package node@${version})`;
}

/** Seconds for one answer; a peer that needs longer is ended, and started anew for the next workload. */
const patience = 30;

/** One peer, started when first needed. */
export class Peer {
  readonly name: string;
  info: PeerInfo = { missing: "not started" };
  readonly #threads: number;
  readonly #limits: boolean;
  #process: ChildProcess | null = null;
  #answers: AsyncIterator<string> | null = null;
  #stderr = "";

  /** `limits`: one of our own engines measures its limits when it starts. */
  constructor(name: string, threads: number, { limits = true }: { readonly limits?: boolean } = {}) {
    this.name = name;
    this.#threads = threads;
    this.#limits = limits;
  }

  /** Starts the process if it is not running, and asks for its version. */
  async start(): Promise<PeerInfo> {
    if (this.#process) return this.info;
    const program = programs[this.name]!;
    if ("missing" in program) return (this.info = program);
    const inPython = program.file.endsWith(".py");
    const command = inPython ? python : program.node ? otherNode(program.node) : process.execPath;
    if (!existsSync(command)) return (this.info = { missing: `there is no ${command}` });
    const environment = inPython && existsSync(openmp) ? { LD_LIBRARY_PATH: openmp } : {};
    const args = [...(inPython ? [] : conditions), program.file, ...(program.args ?? [])];
    const threads = { OMP_NUM_THREADS: `${this.#threads}`, OPENBLAS_NUM_THREADS: `${this.#threads}`, NODE_OPTIONS: "" };
    const child = spawn(command, args, { cwd: folder, stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...environment, ...threads } });
    child.stderr.on("data", (data: Buffer) => (this.#stderr = (this.#stderr + data.toString()).slice(-2000)));
    child.stdin.on("error", () => {}); // the missing answer tells
    child.on("error", () => {});
    this.#process = child;
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { missing, ...answer } = await this.#ask({ do: "hello", threads: this.#threads, limits: this.#limits });
    if (missing !== undefined) this.stop();
    return (this.info = missing !== undefined ? { missing } : { ...answer, version: answer.version!, threads: answer.threads! });
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
  async prepare(workload: { readonly name: string; readonly spec: object }): Promise<{ missing: string } | { note?: string }> {
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
