/** Loading values by name, and saying what did not fit. */
import { NnError, withRecording, type Tensor } from "@nn/tensor";
import type { Variable } from "@nn/tensor";

export type StateDict = Map<string, Tensor>;

export interface LoadReport {
  /** Names of the model that the state lacks. */
  readonly missing: string[];
  /** Names of the state that the model lacks. */
  readonly unexpected: string[];
  /** Same name, other shape: `name: model [2,3], state [3,2]`. */
  readonly mismatched: string[];
}

/** A state dict does not fit the model. */
export class StateDictError extends NnError {
  readonly report: LoadReport;

  constructor(report: LoadReport) {
    const part = (label: string, names: string[]) => (names.length === 0 ? [] : [`${label}: ${names.slice(0, 8).join(", ")}${names.length > 8 ? `, … (${names.length})` : ""}`]);
    super(`state dict does not fit: ${[...part("missing", report.missing), ...part("unexpected", report.unexpected), ...part("mismatched", report.mismatched)].join("; ")}`, {
      hint: report.mismatched.length > 0 ? "make the model with the sizes it was saved with" : (underPrefix(report) ?? nearNames(report) ?? "pass { strict: false } to load what fits by name"),
    });
    this.report = report;
  }
}

/** Copies `state` into `own`; checks everything before it writes anything. */
export function loadInto(own: ReadonlyMap<string, Tensor>, state: ReadonlyMap<string, Tensor>, { strict = true }: { strict?: boolean } = {}): LoadReport {
  const report: LoadReport = {
    missing: [...own.keys()].filter((name) => !state.has(name)),
    unexpected: [...state.keys()].filter((name) => !own.has(name)),
    mismatched: [...own].flatMap(([name, t]) => {
      const s = state.get(name);
      return s && s.shape.join() !== t.shape.join() ? [`${name}: model [${t.shape.join(",")}], state [${s.shape.join(",")}]`] : [];
    }),
  };
  if (report.mismatched.length > 0 || (strict && report.missing.length + report.unexpected.length > 0)) throw new StateDictError(report);
  withRecording(false, () => {
    for (const [name, t] of own) {
      const s = state.get(name);
      if (s) (t as Variable).write(s.dataSync(), "loadStateDict");
    }
  });
  return report;
}

/** Wrappers put a name in front of all others: `module.` of DataParallel, `model.` of trainers. */
function underPrefix({ missing, unexpected }: LoadReport): string | null {
  const [first] = missing;
  const prefix = unexpected.find((name) => name.endsWith(`.${first}`))?.slice(0, -first!.length);
  const names = new Set(unexpected);
  if (prefix === undefined || !missing.every((name) => names.has(prefix + name))) return null;
  return `the state has them under '${prefix}': pass names.slice(${prefix.length})`;
}

/** Of the first few missing names, the unexpected ones that they may be; each only once. */
function nearNames({ missing, unexpected }: LoadReport): string | null {
  const free = new Set(unexpected.slice(0, 1000));
  const near = missing.slice(0, 8).flatMap((name) => {
    const other = nearest(name, free);
    if (other === null) return [];
    free.delete(other);
    return [`'${other}' looks like '${name}'`];
  });
  return near.length > 0 ? near.slice(0, 3).join(", ") : null;
}

/** The name with the smallest edit distance, if it is close. */
export function nearest(name: string, candidates: Iterable<string>): string | null {
  let best: string | null = null;
  let distance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const c of candidates) {
    const d = editDistance(name, c);
    if (d < distance) [best, distance] = [c, d];
  }
  return best;
}

/** Levenshtein 1966, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]!;
}
