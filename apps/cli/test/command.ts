/** Runs the real command on a small data set. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { fashionMnistSubsetDir } from "@nn/data/node";
import { decodeCheckpoint } from "@nn/train";
import { expect } from "vitest";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

export interface Result {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const temporary = (): string => mkdtempSync(join(tmpdir(), "nn-cli-"));

/** Starts `nn …args`; `done` resolves when it ends. */
export function start(args: readonly string[], env: Record<string, string> = {}): { child: ChildProcess; done: Promise<Result> } {
  const child = spawn(process.execPath, ["--conditions=@nn/source", main, ...args], { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (d) => (stdout += d));
  child.stderr.on("data", (d) => (stderr += d));
  return { child, done: new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }))) };
}

export const nn = (...args: string[]): Promise<Result> => start(args).done;

/** A folder with `train` training and `test` test images of Fashion-MNIST, in its four files. */
export function smallData(train: number, test: number): string {
  const dir = temporary();
  for (const [prefix, count] of [["train", train], ["t10k", test]] as const) {
    for (const [name, header, size] of [[`${prefix}-images-idx3-ubyte.gz`, 16, 784], [`${prefix}-labels-idx1-ubyte.gz`, 8, 1]] as const) {
      const all = gunzipSync(readFileSync(join(fashionMnistSubsetDir, name)));
      const total = all.readUInt32BE(4);
      const out = Buffer.alloc(header + count * size);
      all.copy(out, 0, 0, header);
      out.writeUInt32BE(count, 4);
      // The bundled files are sorted in no useful way for a prefix: take every k-th image.
      for (let i = 0; i < count; i++) {
        const from = Math.floor((i * total) / count);
        all.copy(out, header + i * size, header + from * size, header + (from + 1) * size);
      }
      writeFileSync(join(dir, name), gzipSync(out));
    }
  }
  return dir;
}

/** The first test picture as a PGM file. */
export function picture(width = 28, height = 28): string {
  const images = gunzipSync(readFileSync(join(fashionMnistSubsetDir, "t10k-images-idx3-ubyte.gz")));
  const path = join(temporary(), "picture.pgm");
  writeFileSync(path, Buffer.concat([Buffer.from(`P5\n${width} ${height}\n255\n`), images.subarray(16, 16 + width * height)]));
  return path;
}

export function folder(name = "out"): string {
  const dir = join(temporary(), name);
  mkdirSync(dir);
  return dir;
}

/** Short runs: two epochs of 128 images. */
export const quick = (data: string, out: string): string[] => ["train", "alexnet-fashion", "--data", data, "--out", out, "--epochs", "2", "--batch", "16"];

/** Kills a run at scattered moments, resumes it, and compares the model with that of a run that was left alone. */
export async function killAndResume(data: string, expected: Buffer, kills: number): Promise<void> {
  const out = folder();
  const checkpoint = join(out, "checkpoint");
  const resume = () => (existsSync(checkpoint) ? ["--resume"] : []);
  for (let k = 0; k < kills; k++) {
    const { child, done } = start([...quick(data, out), "--checkpoint-every", "0", ...resume()]);
    await new Promise<void>((ready) => {
      child.stderr!.on("data", (d) => String(d).includes("training and") && setTimeout(ready, 40 + ((k * 137) % 360)));
      void done.then(() => ready());
    });
    child.kill("SIGKILL");
    await done;
    if (existsSync(checkpoint)) decodeCheckpoint(readFileSync(checkpoint)); // old or new, but whole
  }
  expect((await nn(...quick(data, out), ...resume())).code).toBe(0);
  expect(readFileSync(join(out, "model.safetensors"))).toEqual(expected);
}
