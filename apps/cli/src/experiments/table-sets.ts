/** The tables of the tabular experiment, and what was published about them. */
import { join } from "node:path";
import { classNumbers, csvRows, numberIn, type Table } from "./tables.ts";

export interface TableSet {
  readonly name: string;
  /** Sizes of the hidden layers. */
  readonly hidden: readonly number[];
  /** Probability of dropout after each of them; default 0. */
  readonly dropout?: number;
  readonly batch: number;
  /** Accuracies in %, or a root mean square error in USD. */
  readonly published: string;
  /** RMSE of least squares on these columns, fitted and measured on all rows, as another program has it. */
  readonly leastSquares?: { readonly columns: readonly number[]; readonly measured: number };
  read(dir: string): Promise<Table>;
}

export const tableSets: readonly TableSet[] = [
  { name: "iris", hidden: [16], batch: 16, published: "linear discriminant about 98", read: (dir) => classified(join(dir, "iris.data"), "last") },
  { name: "wine", hidden: [16], batch: 16, published: "leave-one-out: RDA 100, LDA 98.9, 1-NN 96.1 (UCI)", read: (dir) => classified(join(dir, "wine.data"), "first") },
  { name: "banknote", hidden: [16], batch: 16, published: "linear models about 99, small MLP 100", read: (dir) => classified(join(dir, "banknote-auth.data"), "last") },
  { name: "pendigits", hidden: [128, 128], dropout: 0.2, batch: 64, published: "1-NN 97.74 on the same test writers (UCI)", read: pendigits },
  {
    name: "housing",
    hidden: [64, 64],
    batch: 64,
    published: "linear regression 68,000 to 70,000, random forest about 50,000 (Géron 2019, ch. 2)",
    leastSquares: { columns: [0, 1, 2, 3, 5, 6, 7], measured: 69_967 }, // all numbers but the bedrooms, missing in 207 rows
    read: housing,
  },
];

/** Numbers, and the class in the first or the last column. */
async function classified(path: string, label: "first" | "last"): Promise<Table> {
  const rows = await csvRows(path);
  const inputs = rows.map((row) => (label === "first" ? row.slice(1) : row.slice(0, -1)).map((cell) => numberIn(cell, path)));
  return { inputs, ...classNumbers(rows.map((row) => row.at(label === "first" ? 0 : -1)!.trim())) };
}

/** Written digits as eight pen positions; the test rows are by other writers. */
async function pendigits(dir: string): Promise<Table> {
  const [training, test] = await Promise.all(["pendigits.tra", "pendigits.tes"].map((file) => classified(join(dir, file), "last")));
  return { ...training!, inputs: [...training!.inputs, ...test!.inputs], targets: [...training!.targets, ...test!.targets], testFrom: training!.targets.length };
}

/** California housing: eight numbers, and a category as one column for each of its values. */
async function housing(dir: string): Promise<Table> {
  const path = join(dir, "housing.csv");
  const [names, ...rows] = (await csvRows(path)) as [string[], ...string[][]];
  const [price, place] = [names.indexOf("median_house_value"), names.indexOf("ocean_proximity")];
  const places = [...new Set(rows.map((row) => row[place]!))].sort();
  const numeric = [...names.keys()].filter((c) => c !== price && c !== place);
  const inputs = rows.map((row) => [...numeric.map((c) => numberIn(row[c]!, path)), ...places.map((p) => (row[place] === p ? 1 : 0))]);
  return { inputs, targets: rows.map((row) => numberIn(row[price]!, path)), classes: null };
}
