/** Outcomes of an experiment in a file, one JSON line each: what was computed before an interruption is not computed again. */
import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs";
import { FormatError } from "@nn/tensor";
import type { ExperimentSettings, Outcome, Timed, TrialStore } from "./experiment.ts";

/** What all outcomes of a file have in common; outcomes of other settings or another engine do not belong beside them. */
export interface TrialFileHead {
  readonly experiment: string;
  readonly settings: ExperimentSettings;
  readonly data: string | null;
  readonly engine: string;
}

/**
 * Opens the file or begins it. A last line that a kill cut short is dropped.
 *
 * @throws FormatError if the file belongs to other settings, data or another engine, or is damaged.
 */
export function trialFile(path: string, head: TrialFileHead): TrialStore {
  const outcomes = new Map<string, Timed<Outcome>>();
  const first = JSON.stringify(head);
  if (!existsSync(path)) appendFileSync(path, `${first}\n`);
  const text = readFileSync(path, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole));
  const [begin, ...lines] = whole.split("\n").slice(0, -1);
  if (begin === undefined) appendFileSync(path, `${first}\n`);
  else if (begin !== first) throw new FormatError("trials", 0, `${path} holds trials of ${begin.slice(0, 200)}, this is ${first}`, { hint: "use the settings it was made with, another --out, or --fresh to begin anew" });
  lines.forEach((line, i) => {
    try {
      const { key, outcome } = JSON.parse(line) as { key: string; outcome: Timed<Outcome> };
      outcomes.set(key, outcome);
    } catch (cause) {
      throw new FormatError("trials", 0, `${path}: line ${i + 2} is not a trial`, { cause });
    }
  });
  return {
    get: (key) => outcomes.get(key),
    set(key, outcome) {
      outcomes.set(key, outcome);
      appendFileSync(path, `${JSON.stringify({ key, outcome })}\n`);
    },
  };
}
