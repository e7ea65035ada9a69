/** Tables of numbers for experiments: reading, splitting, standardising. */
import { createReadStream } from "node:fs";
import { readCsv, TensorDataset, trainTestSplit, type NdArray } from "@nn/data";
import { badInput } from "../errors.ts";

/** Rows of inputs, NaN where one is missing, and their targets: class numbers, or values. */
export interface Table {
  readonly inputs: readonly (readonly number[])[];
  readonly targets: readonly number[];
  /** Null if the targets are values. */
  readonly classes: number | null;
  /** The rows from here on are the official test set. */
  readonly testFrom?: number;
}

/** Inputs [n, columns] and targets: classes i32 [n], or values [n, 1]. */
export type Part = readonly [x: NdArray<Float32Array>, y: NdArray];

/** The rows of a CSV file. */
export async function csvRows(path: string): Promise<string[][]> {
  const rows: string[][] = [];
  for await (const row of readCsv(createReadStream(path), { name: path })) rows.push(row);
  return rows;
}

/** A cell as a number; NaN if it is empty. */
export function numberIn(cell: string, path: string): number {
  if (cell.trim() === "") return NaN;
  const value = Number(cell);
  if (!Number.isFinite(value)) throw badInput(`${path}: '${cell}' is not a number`);
  return value;
}

/** Numbers for class names, in the order of the alphabet. */
export function classNumbers(names: readonly string[]): { targets: number[]; classes: number } {
  const order = [...new Set(names)].sort();
  return { targets: names.map((name) => order.indexOf(name)), classes: order.length };
}

/** Two seeded parts of some rows; classes keep their proportions. */
export function splitRows({ targets, classes }: Table, rows: Int32Array, testSize: number, seed: number): [Int32Array, Int32Array] {
  const parts = trainTestSplit(new TensorDataset(rows), { testSize, seed, ...(classes !== null && { stratify: Array.from(rows, (i) => targets[i]!) }) });
  return parts.map(({ indices }) => indices.map((i) => rows[i]!)) as [Int32Array, Int32Array];
}

/** Inputs, and targets that are values, to mean 0 and variance 1 over some rows; what is missing becomes the mean. */
export class Standardiser {
  readonly #columns: readonly Moments[];
  /** Of the targets: the factor back to their unit. */
  readonly target: Moments;

  constructor({ inputs, targets, classes }: Table, rows: Int32Array) {
    this.#columns = inputs[0]!.map((_, c) => moments(Array.from(rows, (i) => inputs[i]![c]!)));
    this.target = classes === null ? moments(Array.from(rows, (i) => targets[i]!)) : { mean: 0, deviation: 1 };
  }

  /** Some rows in these units. */
  part({ inputs, targets, classes }: Table, rows: Int32Array): Part {
    const x = Float32Array.from(Array.from(rows, (i) => this.#columns.map(({ mean, deviation }, c) => (Number.isNaN(inputs[i]![c]!) ? 0 : (inputs[i]![c]! - mean) / deviation))).flat());
    const { mean, deviation } = this.target;
    const y = Array.from(rows, (i) => (targets[i]! - mean) / deviation);
    return [{ data: x, shape: [rows.length, this.#columns.length] }, classes === null ? { data: Float32Array.from(y), shape: [rows.length, 1] } : { data: Int32Array.from(y), shape: [rows.length] }];
  }
}

interface Moments {
  readonly mean: number;
  readonly deviation: number;
}

/** Of the values that are there; a constant column has deviation 1. */
function moments(values: readonly number[]): Moments {
  const known = values.filter((v) => !Number.isNaN(v));
  const mean = known.reduce((a, b) => a + b, 0) / known.length;
  return { mean, deviation: Math.sqrt(known.reduce((a, v) => a + (v - mean) ** 2, 0) / known.length) || 1 };
}
