/** `nn inspect <file>` and `nn doctor`: what is in a file, what runs here. */
import { inspectSafetensors } from "@nn/io/node";
import { engineInfo, getEngine } from "@nn/tensor";
import { chooseEngine, resolve } from "../options.ts";
import { bytes } from "../text.ts";

export async function inspect(path: string, { json }: { json?: boolean }): Promise<void> {
  const header = await inspectSafetensors(path);
  const tensors = [...header.tensors].map(([name, { dtype, shape, begin, end }]) => ({ name, dtype, shape, bytes: end - begin }));
  const metadata = Object.fromEntries(header.metadata);
  if (json) return void process.stdout.write(`${JSON.stringify({ file: path, bytes: header.fileSize, tensors, metadata })}\n`);
  const count = tensors.reduce((n, t) => n + t.shape.reduce((a, b) => a * b, 1), 0);
  const width = Math.max(4, ...tensors.map((t) => t.name.length));
  const lines = tensors.map((t) => `  ${t.name.padEnd(width)}  ${t.dtype.padEnd(4)} [${t.shape.join(", ")}]  ${bytes(t.bytes)}`);
  const notes = Object.entries(metadata).map(([key, value]) => `  ${key}: ${value.length > 200 ? `${value.slice(0, 200)}… (${value.length} characters)` : value}`);
  process.stdout.write(`${path}: ${tensors.length} tensors, ${count.toLocaleString("en")} numbers, ${bytes(header.fileSize)}\n${lines.join("\n")}\n${notes.length === 0 ? "" : `metadata:\n${notes.join("\n")}\n`}`);
}

export function doctor(flags: Record<string, unknown>): void {
  chooseEngine(resolve(flags, { data: null, epochs: 1, batch: 1, lr: 1, seed: 0, engine: "auto", threads: null, out: "" }));
  const info = { ...engineInfo(getEngine()), node: process.versions.node, platform: `${process.platform} ${process.arch}` };
  if (flags["json"]) return void process.stdout.write(`${JSON.stringify(info)}\n`);
  const why = info.why.length === 0 ? "  nothing faster is possible here" : info.why.map((w) => `  ${w}`).join("\n");
  process.stdout.write(`engine   ${info.kind} (${info.isa})\nthreads  ${info.threads}\nnode     ${info.node} on ${info.platform}\nwhy not more:\n${why}\n`);
}
