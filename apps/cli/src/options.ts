/** Where an option's value comes from: flag, then `NN_*` environment, then the `--config` file, then the default. */
import { readFileSync } from "node:fs";
import { nearest } from "@nn/layers";
import { setEngine } from "@nn/tensor";
import { badInput, usage } from "./errors.ts";

export const engines = ["auto", "native", "wasm", "wasm-simd"] as const;
export type EngineKind = (typeof engines)[number];

/** Everything `nn train` can be told; also the form of a config file and of `--print-config`. */
export interface Settings {
  data: string | null;
  epochs: number;
  batch: number;
  lr: number;
  seed: number;
  engine: EngineKind;
  threads: number | null;
  out: string;
}

/** For commands that read only some of the settings. */
export const fallbacks: Settings = { data: null, epochs: 1, batch: 1, lr: 1, seed: 0, engine: "auto", threads: null, out: "" };

const whole = (least: number) => (name: string, text: string): number => {
  const n = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(n) || n < least) throw usage(`${name}: expected a whole number from ${least}, got '${text}'`);
  return n;
};
const readers: { [K in keyof Settings]: (name: string, text: string) => Settings[K] } = {
  data: (_, text) => text,
  out: (_, text) => text,
  epochs: whole(1),
  batch: whole(1),
  threads: whole(1),
  seed: whole(0),
  lr(name, text) {
    const n = Number(text);
    if (!(n > 0 && n < Infinity)) throw usage(`${name}: expected a number above 0, got '${text}'`);
    return n;
  },
  engine(name, text) {
    const kind = engines.find((e) => e === text);
    if (!kind) throw usage(`${name}: unknown engine '${text}'`, `one of ${engines.join(", ")}`);
    return kind;
  },
};
const names = Object.keys(readers) as (keyof Settings)[];

/** Resolves all settings. Flags are given as text, or undefined. */
export function resolve(flags: Readonly<Record<string, unknown>>, defaults: Settings, env: NodeJS.ProcessEnv = process.env): Settings {
  const config = typeof flags["config"] === "string" ? readConfig(flags["config"]) : {};
  const pick = <K extends keyof Settings>(name: K): Settings[K] => {
    const flag = flags[name];
    if (typeof flag === "string") return readers[name](`--${name}`, flag);
    const variable = `NN_${name.toUpperCase()}`;
    if (env[variable] !== undefined && env[variable] !== "") return readers[name](variable, env[variable]);
    const value = config[name];
    if (value === null) return defaults[name];
    return value === undefined ? defaults[name] : readers[name](`${String(flags["config"])}: ${name}`, String(value));
  };
  return Object.fromEntries(names.map((name) => [name, pick(name)])) as unknown as Settings;
}

function readConfig(path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
    throw badInput(`${path} is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw badInput(`${path}: expected an object of settings`);
  for (const key of Object.keys(value)) {
    if (names.includes(key as keyof Settings)) continue;
    const near = nearest(key, names);
    throw usage(`${path}: unknown setting '${key}'`, near ? `did you mean '${near}'?` : `known: ${names.join(", ")}`);
  }
  return value as Record<string, unknown>;
}

/** Makes the engine that was asked for the default. @throws CliError if it cannot run here */
export function chooseEngine({ engine, threads }: Pick<Settings, "engine" | "threads">): void {
  try {
    setEngine({ kind: engine, ...(threads !== null && { threads }) });
  } catch (error) {
    throw usage((error as Error).message, "nn doctor tells which engines can run");
  }
}
