/** Small networks on small tables, beside linear models and what was published. */
import { DataLoader, TensorDataset, toTensors } from "@nn/data";
import { crossEntropy, init, Linear, MLP, mseLoss, type Module } from "@nn/layers";
import { Adam } from "@nn/optim";
import { LBFGS } from "@nn/optim/lbfgs";
import { manualSeed, noGrad, scope } from "@nn/tensor";
import { defineExperiment, logitsOf, markdownTable, meanAndInterval, Trainer, type Block, type Timed } from "@nn/train";
import { usage } from "../errors.ts";
import { score, type Loss } from "./fit.ts";
import { splitRows, Standardiser, type Part, type Table } from "./tables.ts";
import { tableSets, type TableSet } from "./table-sets.ts";

const settings = { sets: tableSets.map((s) => s.name).join(","), splits: 5, epochs: 40, rates: "0.001,0.003,0.01,0.03" };

type Split = Timed<{
  /** Accuracy in %, or RMSE in the unit of the targets, on the test rows. */
  network: number;
  linear: number;
  rate: number;
  epochs: number;
  /** Held-out figure after each epoch, by rate. */
  held: Record<string, number[]>;
}>;

export const tabular = defineExperiment({
  name: "tabular",
  title: "Small networks on small tables",
  description: "MLPs on iris, wine, banknote, pendigits and California housing, beside linear models and published figures.",
  settings,

  async run({ settings: { sets, splits, epochs, rates }, data, trial }) {
    if (data === null) throw usage("no data", "--data <folder with iris.data, wine.data, banknote-auth.data, pendigits.tra, pendigits.tes and housing.csv>");
    const chosen = sets.split(",").map((name) => tableSets.find((s) => s.name === name) ?? unknown(name));
    const rows: (string | number)[][] = [];
    const notes: Block[] = [];
    const plots: Block[] = [];
    for (const set of chosen) {
      const table = await set.read(data);
      const found: Split[] = [];
      for (let seed = 1; seed <= splits; seed++) found.push(await trial(`${set.name}, split ${seed}`, () => trySplit(set, table, seed, epochs, rates.split(",").map(Number))));
      rows.push(describe(set, table, found));
      plots.push(heldOut(set, table, found[0]!));
      if (set.leastSquares) {
        const { columns, measured } = set.leastSquares;
        const { rmse } = await trial(`${set.name}, least squares over all rows`, () => ({ rmse: inSample(table, columns) }));
        notes.push(`Least squares on the ${columns.length} complete columns of ${set.name}, fitted and measured on all rows: ${rmse.toFixed(0)}; another program has ${measured} for the same file.`);
      }
    }
    return [
      `Inputs are standardised by their training rows alone. A fifth of the rows is the test set, ${splits} times with another seed and the classes in their proportions; pendigits has official test rows, so there only the rest is new. ` +
        `A fifth of the training rows is held out: the rate (of ${rates}) and the number of epochs (up to ${epochs}) with the lowest loss there are chosen, and the network is trained anew with all training rows. Means and 95 % intervals over the splits.`,
      markdownTable(["data", "rows", "network", "held out, network", "test, network", "test, linear model", "published", "chosen rate and epochs of each split", "s per split"], rows),
      "Classification: accuracy in %. Housing: root mean square error in USD; its values end at 500,001. The linear model is softmax regression, or least squares, by L-BFGS over all training rows.",
      ...notes,
      ...plots,
    ];
  },
});

function unknown(name: string): never {
  throw usage(`unknown set '${name}'`, `known: ${settings.sets}`);
}

/** Chooses on held-out rows, trains anew, tests. */
async function trySplit(set: TableSet, table: Table, seed: number, epochs: number, rates: readonly number[]): Promise<Omit<Split, "seconds">> {
  const all = Int32Array.from(table.targets.keys());
  const [training, test] = table.testFrom === undefined ? splitRows(table, all, 0.2, seed) : [all.subarray(0, table.testFrom), all.subarray(table.testFrom)];
  const [fitting, heldOut] = splitRows(table, training, 0.2, seed);

  const inner = new Standardiser(table, fitting);
  const [fitPart, heldPart] = [inner.part(table, fitting), inner.part(table, heldOut)];
  const held: Record<string, number[]> = {};
  let best = { loss: Infinity, rate: NaN, epochs: 0 };
  for (const rate of rates) {
    held[rate] = [];
    await train(set, table, fitPart, { rate, epochs, seed }, async (model, epoch) => {
      const loss = lossOn(model, heldPart, lossOf(table));
      if (loss < best.loss) best = { loss, rate, epochs: epoch };
      held[rate]!.push(await figure(model, table, heldPart, inner));
    });
  }

  const outer = new Standardiser(table, training);
  const [trainPart, testPart] = [outer.part(table, training), outer.part(table, test)];
  const network = await train(set, table, trainPart, { ...best, seed });
  const linear = linearModel(trainPart, table);
  return { network: await figure(network, table, testPart, outer), linear: await figure(linear, table, testPart, outer), rate: best.rate, epochs: best.epochs, held };
}

const lossOf = ({ classes }: Table): Loss => (classes === null ? mseLoss : crossEntropy);

async function train({ hidden, dropout = 0, batch }: TableSet, table: Table, [x, y]: Part, { rate, epochs, seed }: { rate: number; epochs: number; seed: number }, onEpoch?: (model: Module, epoch: number) => Promise<void>): Promise<Module> {
  manualSeed(seed);
  const model = new MLP([x.shape[1]!, ...hidden, table.classes ?? 1], { dropout });
  const loss = lossOf(table);
  const trainer = new Trainer({
    model, epochs,
    optimizer: new Adam(model.parameters(), { lr: rate }),
    loader: new DataLoader(new TensorDataset(x, y), { batchSize: batch, shuffle: true, seed, name: "training rows" }),
    loss: ([inputs, targets]) => loss(logitsOf(model, inputs), targets),
    ...(onEpoch && { callbacks: [{ onEpoch: ({ epoch }) => onEpoch(model, epoch) }] }),
  });
  await trainer.fit();
  return model;
}

/** The best linear model of some rows: one minimum, all rows at once, no rate to choose. */
function linearModel(part: Part, { classes }: Table): Module {
  const model = new Linear(part[0].shape[1]!, classes ?? 1, { init: init.zero });
  const loss = classes === null ? mseLoss : crossEntropy;
  const [x, y] = toTensors(part as [Part[0], Part[1]]);
  const optimizer = new LBFGS(model.parameters(), { lineSearch: "strongWolfe", maxIter: 100 });
  optimizer.step(() => {
    optimizer.zeroGrad();
    const value = loss(logitsOf(model, x), y);
    value.backward();
    return value;
  });
  return model;
}

/** Figure of the linear model on the rows it was fitted to. */
function inSample({ inputs, ...rest }: Table, columns: readonly number[]): number {
  const table = { inputs: inputs.map((row) => columns.map((c) => row[c]!)), ...rest };
  const rows = Int32Array.from(inputs.keys());
  const units = new Standardiser(table, rows);
  const part = units.part(table, rows);
  return Math.sqrt(lossOn(linearModel(part, table), part, mseLoss)) * units.target.deviation;
}

/** On all rows at once, without dropout. */
function lossOn(model: Module, part: Part, loss: Loss): number {
  const { training } = model;
  model.eval();
  const value = scope(() => {
    const [x, y] = toTensors([...part]);
    return noGrad(() => loss(logitsOf(model, x!), y!).item());
  });
  model.train(training);
  return value;
}

/** Accuracy in %, or root mean square error in the unit of the targets. */
async function figure(model: Module, table: Table, part: Part, { target }: Standardiser): Promise<number> {
  if (table.classes === null) return Math.sqrt(lossOn(model, part, mseLoss)) * target.deviation;
  return 100 * (await score(model, new TensorDataset(...part), table.classes)).accuracy;
}

function describe({ name, hidden, dropout, published }: TableSet, table: Table, found: readonly Split[]): (string | number)[] {
  const { inputs, testFrom, classes } = table;
  const spread = (values: number[]): string => meanAndInterval(values, classes === null ? 0 : 1);
  return [
    name,
    testFrom === undefined ? inputs.length.toLocaleString("en") : `${testFrom.toLocaleString("en")} + ${(inputs.length - testFrom).toLocaleString("en")}`,
    [inputs[0]!.length, ...hidden, classes ?? 1].join("-") + (dropout === undefined ? "" : `, dropout ${dropout}`),
    spread(found.map((f) => f.held[f.rate]![f.epochs - 1]!)),
    spread(found.map((f) => f.network)),
    spread(found.map((f) => f.linear)),
    published,
    found.map((f) => `${f.rate}, ${f.epochs}`).join("; "),
    (found.reduce((sum, f) => sum + f.seconds, 0) / found.length).toFixed(1),
  ];
}

/** How the first split's choice came about. */
const heldOut = ({ name }: TableSet, table: Table, { held }: Split): Block => ({
  file: name,
  title: `${name}: held-out rows of split 1`,
  x: "epoch",
  y: table.classes === null ? "RMSE, USD" : "accuracy, %",
  lines: Object.entries(held).map(([rate, figures]) => ({ name: `rate ${rate}`, points: figures.map((v, i) => [i + 1, v] as const) })),
});
