/** `nn experiment <name>`: does what is missing of an experiment and writes its page and plots. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomicSync } from "@nn/io/node";
import { engineName, renderPage, runExperiment, type Experiment, type ExperimentSettings } from "@nn/train";
import { trialFile } from "@nn/train/node";
import { usage } from "../errors.ts";
import { findExperiment } from "../experiments.ts";
import { chooseEngine, fallbacks, resolve } from "../options.ts";
import { duration, provenance, shellWord } from "../provenance.ts";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

export async function experiment(name: string, flags: Record<string, unknown>): Promise<void> {
  const found = findExperiment(name);
  const given = settingsOf(found, (flags["set"] as string[] | undefined) ?? []);
  const { data, out, ...computing } = resolve(flags, { ...fallbacks, out: join("runs", found.name) });
  chooseEngine(computing);
  const settings = { ...found.settings, ...given };
  mkdirSync(out, { recursive: true });
  const [trials, unfinished] = [join(out, "trials.jsonl"), join(out, "unfinished")];
  if (flags["fresh"] === true) for (const path of [trials, unfinished]) rmSync(path, { recursive: true, force: true });
  const store = trialFile(trials, { experiment: found.name, settings, data, engine: engineName() });

  const { blocks, seconds } = await runExperiment(found, { settings: given, data, unfinished, store, onTrial: (key, outcome, stored) => say(`${key}  ${numbers(outcome)}${stored ? "  (from before)" : ""}`) });
  const command = ["nn experiment", found.name, ...(data === null ? [] : ["--data", shellWord(data)]), ...Object.entries(given).map(([k, v]) => `--set ${shellWord(`${k}=${v}`)}`)].join(" ");
  const settingsText = Object.entries(settings).map(([key, value]) => `${key} ${value}`).join(", ");
  const foot = [`\`${command}\``, ...(settingsText === "" ? [] : [`Settings: ${settingsText}.`]), `All trials together: ${duration(seconds)}. ${provenance()}`].join("\n\n");
  const files = renderPage({ ...found, blocks, foot });
  for (const folder of new Set([out, ...(typeof flags["record"] === "string" ? [flags["record"]] : [])])) {
    mkdirSync(folder, { recursive: true });
    for (const [file, text] of files) writeFileAtomicSync(join(folder, file), text);
  }
  const page = files.get(`${found.name}.md`)!;
  process.stdout.write(flags["json"] === true ? `${JSON.stringify({ experiment: found.name, settings, engine: engineName(), seconds, page: join(out, `${found.name}.md`) })}\n` : page);
  say(`\npage    ${join(out, `${found.name}.md`)}\ntrials  ${trials}`);
}

/** The short numbers of an outcome, for the terminal. */
const numbers = (outcome: Readonly<Record<string, unknown>>): string =>
  Object.entries(outcome)
    .filter((entry): entry is [string, number] => typeof entry[1] === "number")
    .map(([key, value]) => `${key} ${Number(value.toPrecision(4))}`)
    .join("  ");

/** `key=value` texts as settings of the types that the experiment has. */
function settingsOf({ name, settings }: Experiment, texts: readonly string[]): ExperimentSettings {
  const known = Object.keys(settings);
  return Object.fromEntries(
    texts.map((text) => {
      const [key, value] = [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)];
      if (!text.includes("=") || !known.includes(key)) throw usage(`--set ${text}: ${name} has no such setting`, `--set key=value with ${known.map((k) => `${k}=${settings[k]}`).join(", ") || "nothing: it has no settings"}`);
      if (typeof settings[key] === "string") return [key, value];
      if (value.trim() === "" || !Number.isFinite(Number(value))) throw usage(`--set ${text}: expected a number`);
      return [key, Number(value)];
    }),
  );
}
