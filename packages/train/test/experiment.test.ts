import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArgumentError, FormatError } from "@nn/tensor";
import { afterEach, expect, it } from "vitest";
import { defineExperiment, markdownTable, meanAndInterval, renderPage, runExperiment } from "../src/index.ts";
import { trialFile } from "../src/node.ts";

const dirs: string[] = [];
afterEach(() => dirs.splice(0).forEach((dir) => rmSync(dir, { recursive: true })));
const file = (): string => {
  dirs.push(mkdtempSync(join(tmpdir(), "nn-trials-")));
  return join(dirs.at(-1)!, "trials.jsonl");
};

let runs = 0;
const squares = defineExperiment({
  name: "squares",
  title: "Squares",
  description: "Numbers and their squares.",
  settings: { upTo: 3 },
  async run({ settings, trial }) {
    const points: [number, number][] = [];
    for (let n = 1; n <= settings.upTo; n++) {
      const { square } = await trial(`square of ${n}`, () => (runs++, { square: n * n }));
      points.push([n, square]);
    }
    return [markdownTable(["n", "n²"], points), { file: "curve", title: "Squares", x: "n", y: "n²", lines: [{ name: "n²", points }] }];
  },
});
const head = { experiment: "squares", settings: { upTo: 3 }, data: null, engine: "e" };

it("computes each trial once, also over sittings and a line cut short", async () => {
  const path = file();
  runs = 0;
  const first = await runExperiment(squares, { settings: { upTo: 2 }, store: trialFile(path, head) });
  appendFileSync(path, '{"key":"square of 3","outc');
  const stored: boolean[] = [];
  const second = await runExperiment(squares, { store: trialFile(path, head), onTrial: (_key, _outcome, known) => stored.push(known) });
  expect(runs).toBe(3);
  expect(stored).toEqual([true, true, false]);
  expect(second.seconds).toBeGreaterThanOrEqual(first.seconds);
  expect(readFileSync(path, "utf8").trim().split("\n")).toHaveLength(4);
  const third = await runExperiment(squares, { store: trialFile(path, head) });
  expect(third).toEqual(second);
  expect(runs).toBe(3);
});

it("refuses trials of other settings, damaged files, unknown settings and doubled keys", async () => {
  const path = file();
  trialFile(path, head);
  expect(() => trialFile(path, { ...head, settings: { upTo: 4 } })).toThrow(FormatError);
  appendFileSync(path, "damaged\n");
  expect(() => trialFile(path, head)).toThrow(/line 2 is not a trial/);
  await expect(runExperiment(squares, { settings: { upto: 3 } })).rejects.toThrow(/unknown setting 'upto'/);
  const twice = defineExperiment({ ...squares, settings: {}, run: async ({ trial }) => (await trial("a", () => ({})), await trial("a", () => ({})), []) });
  await expect(runExperiment(twice)).rejects.toThrow(ArgumentError);
});

it("makes a page with its plots beside it", async () => {
  const { blocks } = await runExperiment(squares);
  const files = renderPage({ ...squares, blocks, foot: "made here" });
  expect([...files.keys()].sort()).toEqual(["squares-curve.svg", "squares.md"]);
  expect(files.get("squares.md")).toBe("# Squares\n\nNumbers and their squares.\n\n| n | n² |\n|---|---:|\n| 1 | 1 |\n| 2 | 4 |\n| 3 | 9 |\n\n![Squares: n² over n](squares-curve.svg)\n\n---\n\nmade here\n");
});

it("states a mean with the interval that few seeds allow", () => {
  // Two values: t = 12.706 with one degree of freedom, s = √2, so 12.706 · √2 / √2.
  expect(meanAndInterval([1, 3], 2)).toBe("2.00 ± 12.71");
  expect(meanAndInterval([5], 1)).toBe("5.0");
});
