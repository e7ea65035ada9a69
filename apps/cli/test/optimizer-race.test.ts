import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runExperiment, type Block, type Outcome } from "@nn/train";
import { describe, expect, it } from "vitest";
import { optimizerRace } from "../src/experiments/optimizer-race.ts";
import { readTexts } from "../src/experiments/texts.ts";
import { temporary } from "./command.ts";

const data = join(import.meta.dirname, "../../../../shared/data");
const present = ["mr", "names"].every((name) => existsSync(join(data, name)));
const names = ["SGD", "Momentum", "MomentumEMA", "Nesterov", "RMSprop", "Adagrad", "Adadelta", "Adam", "AdamW", "NAdam", "RAdam", "AMSGrad", "Adamax", "Lion"];

async function run(dir: string | null, settings: Record<string, number | string>): Promise<{ blocks: Block[]; outcomes: Map<string, Outcome> }> {
  const outcomes = new Map<string, Outcome>();
  const { blocks } = await runExperiment(optimizerRace, { data: dir, settings, onTrial: (key, outcome) => void outcomes.set(key, outcome) });
  return { blocks, outcomes };
}

/** Cells of a table's rows by the first one, without bold. */
const table = (block: Block): Map<string, string[]> =>
  new Map((block as string).split("\n").slice(2).map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, ""))).map(([first, ...rest]) => [first!, rest]));

it("gives every optimizer the rate that is best on held-out samples, none at the end of what was tried", async () => {
  const { blocks, outcomes } = await run(null, { problems: "mlp", samples: 64, epochs: 2, seeds: 2 });
  const rows = table(blocks.find((b) => typeof b === "string" && b.includes("rates tried"))!);
  expect([...rows.keys()].sort()).toEqual([...names].sort());
  for (const name of names) {
    const tried = rows.get(name)![0]!.split(" ");
    const chosen = tried.find((rate) => rate.startsWith("**"))!.replaceAll("*", "");
    const losses = tried.map((rate) => outcomes.get(`mlp, ${name}, rate ${rate.replaceAll("*", "")}, seed 0, held`)!["testLoss"] as number | null).map((loss) => loss ?? Infinity);
    const at = losses.indexOf(Math.min(...losses));
    expect(tried[at], name).toBe(`**${chosen}**`);
    if (tried.length < 12) expect(at > 0 && at < tried.length - 1, `${name}: ${tried.join(" ")}`).toBe(true);
    const accuracies = [1, 2].map((seed) => outcomes.get(`mlp, ${name}, rate ${chosen}, seed ${seed}, test`)!["accuracy"] as number);
    expect(rows.get(name)![2]).toMatch(new RegExp(`^${((accuracies[0]! + accuracies[1]!) * 50).toFixed(1)} ± `));
  }
  expect(rows.get("SGD")![4], "where SGD gets to its own last loss").toMatch(/^[12]\.\d$/);
  expect(table(blocks.find((b) => typeof b === "string" && b.includes("mean place"))!).get("Adam")![0]).toMatch(/^\*\*\d+\*\*$/);
  expect(blocks.find((b) => typeof b !== "string")).toMatchObject({ file: "mlp", log: true });
}, 60_000);

it("knows its problems and says what it needs", async () => {
  await expect(run(null, { problems: "mpl" })).rejects.toThrow(/unknown problem 'mpl'\n {2}hint: known: logistic,mlp,cnn,lstm/);
  await expect(run(null, { problems: "lstm" })).rejects.toThrow(/no data for 'names'\n {2}hint: --data/);
});

it("splits texts into disjoint parts whose tokens are those of the training texts", async () => {
  const dir = temporary();
  const files = ["a", "b"].map((label) => join(dir, label));
  files.forEach((file, k) => writeFileSync(file, Array.from({ length: 40 }, (_, i) => `both ${k === 0 ? "left" : "right"} only${k}${i}`).join("\n") + "\n\n"));
  const { train, held, test, vocabulary } = await readTexts(files, { tokens: (line) => line.split(" "), share: 0.25, samples: 30, seed: 1 });
  expect([train.length, held.length, test.length]).toEqual([30, 20, 20]);
  expect(vocabulary).toBe(1 + 3 + 30); // padding; both, left, right; one word of each training text
  const pass = { seed: 0, epoch: 0 };
  for (let i = 0; i < 20; i++) {
    const [ids, label] = await test.get(i, pass);
    expect(ids.data).toHaveLength(3);
    expect(ids.data[2], "a word that no training text has").toBe(0);
    expect(label.data).toEqual(Int32Array.of(i < 10 ? 0 : 1));
  }
});

describe.skipIf(!present)("the text problems (skipped without ../shared/data/mr and names)", () => {
  it("include L-BFGS where there is one minimum, with the number of passes that is best on held-out samples", async () => {
    const { blocks, outcomes } = await run(data, { problems: "logistic", samples: 300, epochs: 2, seeds: 1 });
    const rows = table(blocks.find((b) => typeof b === "string" && b.includes("rates tried"))!);
    expect(rows.size).toBe(names.length + 1);
    const losses = [2, 4, 8, 16].map((passes) => outcomes.get(`logistic, L-BFGS, ${passes} passes`)!);
    expect(losses.map((o) => o["loss"] as number)).toEqual(losses.map((o) => o["loss"] as number).sort((a, b) => b - a)); // more passes, lower loss
    const best = losses.map((o) => o["heldLoss"] as number);
    expect(rows.get("LBFGS")![0]).toContain(`**${[2, 4, 8, 16][best.indexOf(Math.min(...best))]}**`);
  }, 60_000);

  it("train an LSTM to more than the largest class", async () => {
    const { outcomes } = await run(data, { problems: "lstm", samples: 300, epochs: 2, seeds: 1 });
    const adam = [...outcomes].find(([key]) => /^lstm, Adam, .*seed 1, test$/.test(key))![1];
    expect(adam["accuracy"]).toBeGreaterThan(0.5); // Russian: 0.47
  }, 120_000);
});
