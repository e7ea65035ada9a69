/** Reads the golden files of this folder. Node only: a tool of the test suites. */
import { readdirSync, readFileSync } from "node:fs";
import { readSafetensors, type FileDType, type FileTensor } from "@nn/io";
import type { DType } from "@nn/tensor";

/** One step from a stored tensor to the (often strided) input of a case. */
export type ViewStep = ["permute", number[]] | ["slice", number, number, number, number] | ["expand", number[]];
export type Attrs = Record<string, unknown>;

export interface GoldenArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array;
}

export interface GoldenCase {
  readonly op: string;
  readonly name: string;
  readonly attrs: Attrs;
  /** Stored values of each input, and the views to put on top. In PyTorch's order of arguments. */
  readonly inputs: ReadonlyMap<string, { readonly base: GoldenArray; readonly view: readonly ViewStep[] }>;
  readonly outputs: ReadonlyMap<string, GoldenArray>;
  /** Gradient of each output, and what it makes of each input; empty if the case is forward only. */
  readonly dy: ReadonlyMap<string, GoldenArray>;
  readonly gradients: ReadonlyMap<string, GoldenArray>;
  /** Name of the error class the case must throw. */
  readonly error?: string;
  /** The sign of a zero result counts. */
  readonly signedZero: boolean;
}

/** A line of the `cases` table in a file's metadata. */
interface CaseLine {
  inputs: Record<string, ViewStep[]>;
  attrs: Attrs;
  error?: string;
  signedZero?: boolean;
}

const root = new URL("../", import.meta.url);
const suffix = ".safetensors";

/** op → its file, over all families. */
const files = new Map<string, URL>(
  readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: family }) =>
      readdirSync(new URL(`${family}/`, root))
        .filter((file) => file.endsWith(suffix))
        .map((file) => [file.slice(0, -suffix.length), new URL(`${family}/${file}`, root)] as const),
    ),
);

/** Ops that have goldens, optionally of one family (a folder name such as "conv"). */
export function goldenOps(family?: string): string[] {
  return [...files].filter(([, url]) => family === undefined || url.pathname.includes(`/goldens/${family}/`)).map(([op]) => op);
}

/** All cases of an op. @throws if there is no file for it. */
export function loadGoldens(op: string): GoldenCase[] {
  const url = files.get(op);
  if (!url) throw new Error(`no goldens for ${op}: add it to a recipe in tooling/goldens`);
  const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(url)));
  const table = JSON.parse(metadata.get("cases")!) as Record<string, CaseLine>;
  const arrays = new Map([...tensors].map(([name, t]) => [name, decode(t)]));
  const under = (prefix: string) =>
    new Map([...arrays].filter(([name]) => name.startsWith(prefix)).map(([name, array]) => [name.slice(prefix.length), array]));

  return Object.entries(table).map(([name, line]) => ({
    op,
    name,
    attrs: line.attrs,
    inputs: new Map(Object.entries(line.inputs).map(([input, view]) => [input, { base: arrays.get(`${name}/in/${input}`)!, view }])),
    outputs: under(`${name}/out/`),
    dy: under(`${name}/dy/`),
    gradients: under(`${name}/grad/`),
    ...(line.error === undefined ? {} : { error: line.error }),
    signedZero: line.signedZero ?? false,
  }));
}

const dtypes: Partial<Record<FileDType, DType>> = { F64: "f64", F32: "f32", I32: "i32", U8: "u8", BOOL: "bool" };
const views = { f64: Float64Array, f32: Float32Array, i32: Int32Array, u8: Uint8Array, bool: Uint8Array };

function decode({ dtype, shape, data }: FileTensor): GoldenArray {
  const to = dtypes[dtype]!;
  return { dtype: to, shape, data: new views[to](data.slice().buffer) };
}
