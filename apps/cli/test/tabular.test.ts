import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runExperiment, type Outcome } from "@nn/train";
import { describe, expect, it } from "vitest";
import { classNumbers, csvRows, numberIn, splitRows, Standardiser, type Table } from "../src/experiments/tables.ts";
import { tabular } from "../src/experiments/tabular.ts";
import { temporary } from "./command.ts";

const data = join(import.meta.dirname, "../../../../shared/data/tabular");

/** Runs it and gives the outcomes by key, beside the text of the page. */
async function run(dir: string | null, settings: Record<string, number | string>): Promise<{ page: string; outcomes: Map<string, Outcome> }> {
  const outcomes = new Map<string, Outcome>();
  const { blocks } = await runExperiment(tabular, { data: dir, settings, onTrial: (key, outcome) => void outcomes.set(key, outcome) });
  return { page: blocks.filter((b) => typeof b === "string").join("\n"), outcomes };
}

describe("tables", () => {
  it("are standardised by the rows that are given, and by nothing else", () => {
    const table: Table = { inputs: [[1, 7], [3, 7], [NaN, 7], [1000, 9]], targets: [10, 20, 30, 1e6], classes: null };
    const units = new Standardiser(table, Int32Array.of(0, 1, 2));
    const [x, y] = units.part(table, Int32Array.of(0, 1, 2, 3));
    expect([...x.data]).toEqual([-1, 0, 1, 0, 0, 0, 998, 2]); // what is missing is the mean, a constant column keeps its unit
    expect(x.shape).toEqual([4, 2]);
    expect(y.shape).toEqual([4, 1]);
    const { mean, deviation } = units.target;
    expect([mean, deviation]).toEqual([20, Math.sqrt(200 / 3)]);
    expect(y.data[3]).toBeCloseTo((1e6 - 20) / deviation, 1);
  });

  it("are split into disjoint parts with the classes in their proportions", () => {
    const table: Table = { inputs: Array.from({ length: 50 }, () => [0]), targets: Array.from({ length: 50 }, (_, i) => (i % 5 === 0 ? 1 : 0)), classes: 2 };
    const [train, test] = splitRows(table, Int32Array.from({ length: 50 }, (_, i) => i), 0.2, 1);
    expect([...train, ...test].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect([...test].filter((i) => table.targets[i] === 1)).toHaveLength(2);
    expect(splitRows(table, train, 0.2, 1)[1]).not.toEqual(splitRows(table, train, 0.2, 2)[1]);
  });

  it("have numbers in their cells", async () => {
    expect([numberIn(" 47", "f"), numberIn(".28", "f"), numberIn("", "f")]).toEqual([47, 0.28, NaN]);
    expect(() => numberIn("n/a", "wine.data")).toThrow("wine.data: 'n/a' is not a number");
    expect(classNumbers(["b", "a", "b"])).toEqual({ targets: [1, 0, 1], classes: 2 });
    const file = join(temporary(), "broken.data");
    writeFileSync(file, "1,2\n3\n");
    await expect(csvRows(file)).rejects.toThrow(`${file}, line 2: 1 field, but 2 in the first row`);
  });
});

it("learns classes that a linear model cannot tell apart, and says so", async () => {
  const dir = temporary();
  const ring = Array.from({ length: 300 }, (_, i) => [Math.cos(i) * (i % 2 === 0 ? 1 : 3), Math.sin(i) * (i % 2 === 0 ? 1 : 3), i % 2 === 0 ? "in" : "out"].join(","));
  writeFileSync(join(dir, "iris.data"), ring.join("\r\n"));
  const { page, outcomes } = await run(dir, { sets: "iris", splits: 1, epochs: 30, rates: "0.0001,0.03" });
  const found = outcomes.get("iris, split 1")!;
  expect(found).toMatchObject({ network: 100, rate: 0.03 });
  expect(found["linear"]).toBeLessThan(75);
  expect(page).toMatch(/\| iris \| 300 \| 2-16-2 \| 100\.0 \|/);
}, 60_000);

it("needs its data and knows its sets", async () => {
  await expect(run(null, {})).rejects.toThrow(/no data\n {2}hint: --data <folder with iris.data/);
  await expect(run(data, { sets: "irsi" })).rejects.toThrow("unknown set 'irsi'");
});

describe.skipIf(!existsSync(data))("the real tables (skipped without ../shared/data/tabular)", () => {
  it("least squares on housing gives the figure of another program, and the linear model the published one", async () => {
    const { outcomes } = await run(data, { sets: "housing", splits: 1, epochs: 1, rates: "0.003" });
    expect(outcomes.get("housing, least squares over all rows")!["rmse"]).toBeCloseTo(69_967, -1);
    const { linear, network } = outcomes.get("housing, split 1") as Record<string, number>;
    expect(linear).toBeGreaterThan(66_000);
    expect(linear).toBeLessThan(72_000);
    expect(network).toBeLessThan(linear!);
  }, 60_000);

  it("pendigits is tested on its official rows", async () => {
    const { page, outcomes } = await run(data, { sets: "pendigits", splits: 1, epochs: 3, rates: "0.01" });
    expect(page).toContain("| pendigits | 7,494 + 3,498 | 16-128-128-10, dropout 0.2 |");
    expect(outcomes.get("pendigits, split 1")!["network"]).toBeGreaterThan(93);
  }, 60_000);
});
