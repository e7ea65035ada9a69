/** `nn inspect <file>` and `nn doctor`: what is in a file, what runs here. */
import { inspectSafetensors } from "@nn/io/node";
import { engineInfo, getEngine } from "@nn/tensor";
import { about } from "../errors.ts";
import { chooseEngine, fallbacks, resolve } from "../options.ts";
import { bytes, plain } from "../text.ts";

export async function inspect(path: string, { json }: { json?: boolean }): Promise<void> {
  const header = await about(path, () => inspectSafetensors(path));
  const tensors = [...header.tensors].map(([name, { dtype, shape, begin, end }]) => ({ name, dtype, shape, bytes: end - begin }));
  const metadata = Object.fromEntries(header.metadata);
  if (json) return void process.stdout.write(`${JSON.stringify({ file: path, bytes: header.fileSize, tensors, metadata })}\n`);
  const count = tensors.reduce((n, t) => n + t.shape.reduce((a, b) => a * b, 1), 0);
  const width = tensors.reduce((w, t) => Math.max(w, plain(t.name).length), 4);
  const lines = tensors.map((t) => `  ${plain(t.name).padEnd(width)}  ${t.dtype.padEnd(4)} [${t.shape.join(", ")}]  ${bytes(t.bytes)}`);
  const notes = [...header.metadata].map(([key, value]) => `  ${plain(key)}: ${value.length > 200 ? `${plain(value.slice(0, 200))}… (${value.length} characters)` : plain(value)}`);
  process.stdout.write(`${path}: ${tensors.length} tensors, ${count.toLocaleString("en")} numbers, ${bytes(header.fileSize)}\n${lines.join("\n")}\n${notes.length === 0 ? "" : `metadata:\n${notes.join("\n")}\n`}`);
}

export function doctor(flags: Record<string, unknown>): void {
  const asked = resolve(flags, fallbacks);
  chooseEngine(asked);
  const { kind, isa, threads, why } = engineInfo(getEngine());
  const wishes = [...(asked.engine === "auto" ? [] : [`engine: ${asked.engine} was asked for`]), ...(asked.threads === null ? [] : [`threads: ${asked.threads} were asked for`])];
  const info = { kind, isa, threads, why: [...wishes, ...why], node: process.versions.node, platform: `${process.platform} ${process.arch}` };
  if (flags["json"]) return void process.stdout.write(`${JSON.stringify(info)}\n`);
  const reasons = info.why.length === 0 ? "  nothing faster is possible here" : info.why.map((w) => `  ${w}`).join("\n");
  process.stdout.write(`engine   ${info.kind} (${info.isa})\nthreads  ${info.threads}\nnode     ${info.node} on ${info.platform}\nwhy not more:\n${reasons}\n`);
}
