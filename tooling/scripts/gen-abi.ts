/**
 * Writes packages/kernels/src/abi.gen.ts, job-abi.gen.ts and src/cpp/abi.gen.h from src/abi.ts and job-abi.ts (`pnpm gen`).
 * With --check it writes nothing and exits 1 if a file is out of date.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { instructions, kernels, mapLimits } from "../../packages/kernels/src/abi.ts";
import { jobs } from "../../packages/kernels/src/job-abi.ts";

const root = new URL("../../packages/kernels/src/", import.meta.url);
const source = "written by tooling/scripts/gen-abi.ts from packages/kernels/src/abi.ts: pnpm gen";

interface Arg { name: string; base: string; length: number | undefined; at: number }
interface Kernel { name: string; struct: string; args: Arg[]; size: number }

const describe = ([name, shape]: [string, object]): Kernel => {
  let at = 0;
  const args = Object.entries(shape as Record<string, string>).map(([arg, kind]) => {
    const [, base, n] = /^([a-z0-9*]+)(?:\[(\d+)\])?$/.exec(kind)!;
    const length = n === undefined ? undefined : Number(n);
    const entry: Arg = { name: arg, base: base!, length, at };
    at += length ?? 1;
    return entry;
  });
  return { name, struct: `${name[0]!.toUpperCase()}${name.slice(1)}Args`, args, size: at };
};
const list = Object.entries(kernels).map(describe), jobList = Object.entries(jobs).map(describe);
const maxDoubles = Math.max(...list.map((k) => k.size));
for (const job of jobList) if (job.size > maxDoubles) throw new Error(`${job.name} has ${job.size} arguments, the shared array ${maxDoubles}`);
// Scratch sizes are a part of the border too: an addon of an earlier build must not be given less than it writes.
const scratch = readFileSync(new URL("scratch.ts", root), "utf8");
const hash = createHash("sha256").update(JSON.stringify([kernels, jobs, instructions, mapLimits, scratch])).digest("hex").slice(0, 12);

const cppType: Record<string, string> = {
  ptr: "void*", "f32*": "float*", "f64*": "double*", "i32*": "int32_t*", int: "int64_t", float: "float", double: "double",
};

function cppStruct({ struct, args }: Kernel): string {
  const fields = args.map((a) => `  ${cppType[a.base]} ${a.name}${a.length ? `[${a.length}]` : ""};`);
  const reads = args.map((a) => {
    const value = (index: string) => a.base === "ptr" || a.base.endsWith("*")
      ? `(${cppType[a.base]})(uintptr_t)(uint64_t)d[${index}]` : `(${cppType[a.base]})d[${index}]`;
    return a.length
      ? `    for (int i = 0; i < ${a.length}; i++) a.${a.name}[i] = ${value(`${a.at} + i`)};`
      : `    a.${a.name} = ${value(String(a.at))};`;
  });
  return `struct ${struct} {\n${fields.join("\n")}\n  static ${struct} read(const double* d) {\n    ${struct} a;\n${reads.join("\n")}\n    return a;\n  }\n};`;
}

const rows = (all: Kernel[]): string => all.map((k) => `  X(${k.name}, ${k.struct})`).join(" \\\n");
const header = `#pragma once
// ${source}
#include <stdint.h>

#ifndef NN_ISA
#define NN_ISA baseline
#endif
#define NN_ABI_HASH "${hash}"
#define NN_ABI_MAX_DOUBLES ${maxDoubles}
#define NN_KERNEL_COUNT ${list.length}
/** X(kernel function, its argument struct), in the order of kernel ids. */
#define NN_KERNELS(X) \\
${rows(list)}
#define NN_JOB_COUNT ${jobList.length}
/** The same for jobs, whose ids follow. */
#define NN_JOBS(X) \\
${rows(jobList)}

namespace nn { namespace NN_ISA {

/** Op codes of map programs: OP_mov, OP_neg, … */
enum MapOp : int32_t {
${instructions.map((name, i) => `  OP_${name} = ${i},`).join("\n")}
};

${[...list, ...jobList].map(cppStruct).join("\n\n")}

} }  // namespace nn::NN_ISA
`;

function tsArgs({ args }: Kernel): string {
  return args.map((a) => `    ${a.name}: ${a.length ? "ArrayLike<number>" : "number"};`).join("\n");
}
/** Counted rather than numbered places: lines that are alike zip to almost nothing in a page. */
function tsWriter({ name, args }: Kernel): string {
  const lines = args.map((a) => (a.length ? `    i = put(d, i, a.${a.name}, ${a.length});` : `    d[i++] = a.${a.name};`));
  return `  ${name}(d, a) {\n    let i = 0;\n${lines.join("\n").replace(/i\+\+\] = (a\.\w+);$/, "i] = $1;").replace(/i = (put\(.*\);)$/, "$1")}\n  },`;
}

const argsOf = (all: Kernel[]): string => `{
${all.map((k) => `  ${k.name}: {\n${tsArgs(k)}\n  };`).join("\n")}
}`;

const types = `// ${source}
import type { KernelName } from "./abi.ts";

/** Changes whenever a kernel or an argument does; engines built from another list are refused. */
export const abiHash = "${hash}";
/** Doubles that the largest argument list needs. */
export const maxDoubles = ${maxDoubles};

/** Arguments by kernel. Pointers are byte addresses (0 = absent); arrays may be shorter than their fixed length. */
export interface KernelArgs ${argsOf(list)}

/** Returns the place behind. */
function put(d: Float64Array, at: number, values: ArrayLike<number>, limit: number): number {
  if (values.length > limit) throw new RangeError(\`kernel argument holds at most \${limit} values, got \${values.length}\`);
  for (let i = 0; i < values.length; i++) d[at + i] = values[i]!;
  return at + limit;
}

/** Write a kernel's arguments to the shared array; the tail of a short array keeps old values, which no kernel reads. */
export const writers: { readonly [K in KernelName]: (d: Float64Array, a: KernelArgs[K]) => void } = {
${list.map(tsWriter).join("\n")}
};

/** Their order is that of the table in the engines. */
export const kernelIds = Object.fromEntries(Object.keys(writers).map((name, id) => [name, id])) as Record<KernelName, number>;
`;

const jobTypes = `// ${source.replace("abi.ts", "job-abi.ts")}
import type { JobName } from "./job-abi.ts";

/** They follow the kernels' in the table of the native engines. */
export const jobIds = {
${jobList.map((k, i) => `  ${k.name}: ${list.length + i},`).join("\n")}
} as const satisfies Record<JobName, number>;

/** Arguments by job. Pointers are byte addresses (0 = absent). */
export interface JobArgs ${argsOf(jobList)}

export const jobWriters: { readonly [J in JobName]: (d: Float64Array, a: JobArgs[J]) => void } = {
${jobList.map(tsWriter).join("\n")}
};
`;

let stale = false;
for (const [file, text] of [["cpp/abi.gen.h", header], ["abi.gen.ts", types], ["job-abi.gen.ts", jobTypes]] as const) {
  const url = new URL(file, root);
  if (existsSync(url) && readFileSync(url, "utf8") === text) continue;
  stale = true;
  if (process.argv.includes("--check")) console.error(`out of date: packages/kernels/src/${file} (run pnpm gen)`);
  else writeFileSync(url, text);
}
if (stale && process.argv.includes("--check")) process.exit(1);
