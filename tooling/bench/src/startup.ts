/** What a program pays before and beside the calculating: the first training step of a new process, and an op on one element. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { BenchError } from "./errors.ts";
import { median } from "./measure.ts";
import type { Options } from "./options.ts";
import { conditions } from "./peers.ts";
import { padded } from "./report.ts";

/** Milliseconds for the first three, microseconds for the others. */
export interface Startup {
  /** Loading the library. */
  readonly import: number;
  /** Engine, network, data and the first step of mlp_train, after the import. */
  readonly firstStep: number;
  /** The tenth step. */
  readonly laterStep: number;
  /** An addition of two one-element tensors: without recording, and with. */
  readonly forward: number;
  readonly recorded: number;
}

const bars: Partial<Record<keyof Startup, { readonly engine: "native" | "wasm"; readonly most: number }>> = {
  firstStep: { engine: "wasm", most: 300 },
  forward: { engine: "native", most: 3 },
  recorded: { engine: "native", most: 6 },
};

const child = fileURLToPath(new URL("./startup.child.ts", import.meta.url));

function once(kind: string, threads: number | undefined): Startup {
  const args = [...conditions, child, kind, `${threads ?? ""}`];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new BenchError("failure", `engine ${kind}: ${stderr.split("\n").find((line) => line.includes("Error")) ?? "the process ended"}`);
  return JSON.parse(stdout) as Startup;
}

const labels: Readonly<Record<keyof Startup, string>> = {
  import: "import, ms", firstStep: "first step of mlp_train after it, ms", laterStep: "tenth step, ms",
  forward: "an op on one element, µs", recorded: "the same with recording, µs",
};

/** Medians of several processes per engine, beside the bars. */
export function startup({ engines, threads, form }: Options, say: (line: string) => void, processes = 7): string {
  const kinds = engines.length === 1 && engines[0] === "auto" ? ["native", "wasm"] : engines;
  const results = kinds.flatMap((kind) => {
    say(`${processes} processes on ${kind}`);
    try {
      const all = Array.from({ length: processes }, () => once(kind, threads));
      const medians = Object.fromEntries(Object.keys(labels).map((key) => [key, median(all.map((one) => one[key as keyof Startup]))])) as unknown as Startup;
      return [{ kind, medians }];
    } catch (error) {
      if (!(error instanceof BenchError) || kinds.length === 1) throw error;
      say(error.message);
      return [];
    }
  });
  if (form === "json") return results.map(({ kind, medians }) => JSON.stringify({ name: "startup", engine: kind, ...medians })).join("\n");
  const rows = (Object.keys(labels) as (keyof Startup)[]).map((key) => [labels[key], ...results.map(({ kind, medians }) => {
    const bar = bars[key];
    const verdict = bar?.engine === kind ? ` (≤ ${bar.most} ${medians[key] <= bar.most ? "✓" : "✗"})` : "";
    return `${medians[key].toFixed(key === "import" || key === "firstStep" ? 0 : 2)}${verdict}`;
  })]);
  return padded([["", ...results.map(({ kind }) => kind)], ...rows]).join("\n");
}
