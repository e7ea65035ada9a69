/** Runs the real command on a small data set. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { fashionMnistSubsetDir } from "@nn/data/node";
import { decodeCheckpoint } from "@nn/train";
import { afterAll, expect } from "vitest";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

export interface Result {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Everything that a test file writes; checkpoints are large, so it is removed at the end. */
const scratch = mkdtempSync(join(tmpdir(), "nn-cli-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

export const temporary = (): string => mkdtempSync(join(scratch, "t-"));

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
export const quick = (data: string, out: string): string[] => ["train", "alexnet-fashion", "--data", data, "--out", out, "--epochs", "2", "--batch", "8"];

/** A quick run that has done its first update: it writes a checkpoint after each, so many more are to come. */
export const startAndStep = (data: string, out: string): Promise<ReturnType<typeof start>> => startAndWait(quick(data, out), join(out, "checkpoint"));

const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Starts a run that writes a checkpoint after every step, and resolves when the first new one is there, or the run has ended. */
async function startAndWait(args: readonly string[], checkpoint: string): Promise<ReturnType<typeof start>> {
  const written = () => (existsSync(checkpoint) ? statSync(checkpoint).mtimeMs : 0);
  const before = written();
  const run = start([...args, "--checkpoint-every", "0"]);
  let ended = false;
  void run.done.then(() => (ended = true));
  while (!ended && written() === before) await sleep(2);
  return run;
}

/** Kills a run at scattered moments, resumes it, and compares the model with that of a run that was left alone. */
export async function killAndResume(args: (out: string) => string[], expected: Buffer, kills: number): Promise<void> {
  const out = folder();
  const checkpoint = join(out, "checkpoint");
  const resume = () => (existsSync(checkpoint) ? ["--resume"] : []);
  let inMidEpoch = 0;
  for (let k = 0; k < kills; k++) {
    // In turn at any moment from the start of the process, and a moment after a checkpoint: while computing, or writing the next one.
    const { child, done } = k % 2 === 0 ? start([...args(out), "--checkpoint-every", "0", ...resume()]) : await startAndWait([...args(out), ...resume()], checkpoint);
    await sleep(k % 2 === 0 ? (k * 337) % 1000 : (k * 37) % 120);
    child.kill("SIGKILL");
    await done;
    if (existsSync(checkpoint) && decodeCheckpoint(readFileSync(checkpoint)).state.loader.batch > 0) inMidEpoch++; // old or new, but whole
  }
  expect(inMidEpoch).toBeGreaterThan(0);
  expect((await nn(...args(out), ...resume())).code).toBe(0);
  expect(readFileSync(join(out, "model.safetensors"))).toEqual(expected);
}
