import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { encodePng } from "@nn/data";
import { remoteDatasets } from "@nn/data/node";
import { loadSafetensors, saveSafetensors } from "@nn/io/node";
import { tensor } from "@nn/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import { folder, nn, picture, quick, smallData, start, temporary } from "./command.ts";

let data = "";
let model = "";
beforeAll(async () => {
  data = smallData(128, 40);
  const out = folder();
  expect((await nn(...quick(data, out))).code).toBe(0);
  model = join(out, "model.safetensors");
});

describe("nn eval", () => {
  it("gives the accuracy of the training run", async () => {
    const { stdout, code } = await nn("eval", model, "--data", data, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ recipe: "alexnet-fashion", images: 40 });
    expect((await nn("eval", model, "--data", data)).stdout).toMatch(/^test accuracy: \d+\.\d %\n/);
    expect((await start(["eval", model, "--json"], { NN_DATA: data }).done).stdout).toBe(stdout);
    expect(await nn("eval", model, "--data", smallData(10, 0))).toMatchObject({ code: 3, stdout: "", stderr: expect.stringContaining("no test images") as string });
  });
});

describe("nn predict", () => {
  it("ranks classes for PGM and PNG, the same picture alike", async () => {
    const pgm = picture();
    const png = join(temporary(), "picture.png");
    writeFileSync(png, await encodePng(readFileSync(pgm).subarray(-784), 28, 28));
    const { stdout, code } = await nn("predict", model, pgm, png, "--json");
    expect(code).toBe(0);
    const [a, b] = stdout.trim().split("\n").map((line) => JSON.parse(line) as { predictions: { class: string; probability: number }[] });
    expect(a!.predictions).toEqual(b!.predictions);
    expect(a!.predictions.length).toBe(3);
    expect((await nn("predict", model, pgm)).stdout).toMatch(/picture\.pgm: .+ \d+\.\d %, .+ \d+\.\d %, .+ \d+\.\d %\n/);
  });

  it("turns colour into grey", async () => {
    const grey = readFileSync(picture()).subarray(-784);
    const png = join(temporary(), "colour.png");
    writeFileSync(png, await encodePng(Uint8Array.from({ length: 784 * 3 }, (_, i) => grey[Math.floor(i / 3)]!), 28, 28));
    const [colour, plain] = await Promise.all([nn("predict", model, png, "--json"), nn("predict", model, picture(), "--json")]);
    const predictions = (text: string) => (JSON.parse(text) as { predictions: unknown }).predictions;
    expect(predictions(colour.stdout)).toEqual(predictions(plain.stdout));
  });

  it.each([
    ["a wrong size", () => [model, picture(27, 29)], 3, /is 27×29, the model wants 28×28/],
    ["no image", () => [model], 2, /missing required argument 'image'/],
    ["a missing image", () => [model, "/no/such.png"], 3, /\/no\/such\.png does not exist/],
    ["a file that is no picture", () => [model, model], 3, /is neither PNG nor PGM\/PPM/],
    ["a missing model", () => ["/no/model", picture()], 3, /\/no\/model does not exist/],
    ["a folder", () => [temporary(), picture()], 3, /is a folder, not a file/],
    ["a folder without pictures", () => [model, temporary()], 3, /has no pictures/],
  ] as const)("refuses %s", async (_, args, code, message) => {
    const result = await nn("predict", ...args());
    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr).toMatch(message);
  });

  it("refuses damaged and foreign model files", async () => {
    const damaged = join(temporary(), "damaged.safetensors");
    writeFileSync(damaged, readFileSync(model).subarray(0, 5000));
    const foreign = join(temporary(), "foreign.safetensors");
    await saveSafetensors(foreign, { w: tensor([1, 2]) });
    const fewer = join(temporary(), "fewer.safetensors");
    const metadata = Object.fromEntries((await loadSafetensors(model)).metadata);
    await saveSafetensors(fewer, { w: tensor([1, 2]) }, { metadata: { ...metadata, classes: '["shoe"]' } });
    const other = join(temporary(), "other.safetensors");
    await saveSafetensors(other, { "a\u001b[2J": tensor([1, 2]) }, { metadata });
    const renamed = join(temporary(), "png.png");
    const png = Buffer.from(await encodePng(new Uint8Array(784), 28, 28));
    png[60]! ^= 255;
    writeFileSync(renamed, png);
    for (const [args, message] of [
      [[damaged, picture()], /safetensors: /],
      [[foreign, picture()], /foreign\.safetensors: this safetensors file does not say which model it belongs to/],
      [[fewer, picture()], /fewer\.safetensors has 1 classes, recipe 'alexnet-fashion' 10/],
      [[other, picture()], /other\.safetensors does not fit recipe 'alexnet-fashion': [^]*a\\x1b\[2J/],
      [[model, renamed], /png: .*png\.png: /],
    ] as const) {
      const result = await nn("predict", ...args);
      expect(result).toMatchObject({ code: 3, stdout: "" });
      expect(result.stderr).toMatch(message);
      expect(result.stderr).not.toContain("\u001b");
    }
  });
});

describe("nn inspect", () => {
  it("lists tensors and metadata", async () => {
    const { stdout } = await nn("inspect", model);
    expect(stdout).toMatch(/^.*model\.safetensors: 16 tensors, [\d,]+ numbers, [\d.]+ MiB\n/);
    expect(stdout).toMatch(/features\.0\.weight +F32 +\[32, 1, 3, 3\] +1\.1 KiB/);
    expect(stdout).toMatch(/ {2}recipe: alexnet-fashion/);
    expect(JSON.parse((await nn("inspect", model, "--json")).stdout)).toMatchObject({ metadata: { format: "nn.model" } });
  });
  it("prints no control characters of a file", async () => {
    const odd = join(temporary(), "odd.safetensors");
    await saveSafetensors(odd, { "a\u001b[2J": tensor([1, 2]) }, { metadata: { note: "\u0007\u009b31m" } });
    const { stdout } = await nn("inspect", odd);
    expect(stdout).toContain("a\\x1b[2J  F32  [2]  8 B");
    expect(stdout).toContain("note: \\x07\\x9b31m");
  });
  it("refuses what is no safetensors file", async () => {
    expect(await nn("inspect", picture())).toMatchObject({ code: 3, stdout: "", stderr: expect.stringMatching(/^error: safetensors: /) as string });
    expect(await nn("inspect", "x".repeat(300))).toMatchObject({ code: 3, stdout: "", stderr: expect.stringMatching(/^error: x+ has too long a name\n$/) as string });
  });
});

describe("nn doctor, nn completions, nn help", () => {
  it("tell", async () => {
    expect(JSON.parse((await nn("doctor", "--engine", "wasm", "--threads", "1", "--json")).stdout)).toMatchObject({ kind: "wasm", threads: 1 });
    expect((await nn("completions", "bash")).stdout).toContain("alexnet-fashion");
    expect(await nn("completions", "tcsh")).toMatchObject({ code: 2 });
    expect(await nn("--help")).toMatchObject({ code: 0, stderr: "" });
    expect((await nn("--version")).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await nn("doctor", "--engine", "wasm-simd", "--threads", "1")).stdout).toContain("engine: wasm-simd was asked for");
  });
});

describe("the README", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const lines = [.../```sh\n([\s\S]*?)```/.exec(readme)![1]!.matchAll(/^nn ([^#\n]*)/gm)].map((m) => m[1]!.trim());
  it.each(lines)("knows what `nn %s` uses", async (line) => {
    const words = line.split(" ");
    const command = words.slice(0, words[0] === "data" ? 2 : 1);
    const { stdout, code } = await nn(...command, "--help");
    expect(code).toBe(0);
    for (const option of words.filter((w) => w.startsWith("--"))) expect(stdout).toContain(option);
  });
});

describe("nn data get", () => {
  /** Serves the four files of a small set, counting requests; `break` cuts the first answer to a file short. */
  const serve = (dir: string, { cut = "" } = {}): Promise<{ server: Server; url: string; ranges: string[] }> =>
    new Promise((ready) => {
      const ranges: string[] = [];
      let toCut = cut;
      const server = createServer((request, response) => {
        const name = request.url!.slice(1);
        let file = readFileSync(join(dir, name));
        const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
        if (request.headers.range) ranges.push(`${name} ${from}`);
        response.statusCode = from > 0 ? 206 : 200;
        if (from > 0) response.setHeader("content-range", `bytes ${from}-${file.length - 1}/${file.length}`);
        file = file.subarray(from);
        response.setHeader("content-length", file.length);
        if (name === toCut) {
          toCut = "";
          response.write(file.subarray(0, file.length >> 1), () => response.destroy());
        } else response.end(file);
      });
      server.listen(0, "127.0.0.1", () => ready({ server, ranges, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }));
    });

  it("refuses files whose checksum differs, and leaves nothing that looks whole", async () => {
    const { server, url } = await serve(data);
    const dir = folder();
    const result = await nn("data", "get", "fashion-mnist", "--dir", dir, "--base-url", url);
    server.close();
    expect(result).toMatchObject({ code: 3, stdout: "" });
    expect(result.stderr).toMatch(/SHA-256|checksum|bytes/);
    expect(readdirSync(dir).filter((f) => f.endsWith(".gz"))).toEqual([]);
  });

  it("names near data sets", async () => {
    expect(await nn("data", "get", "fashon-mnist")).toMatchObject({ code: 2, stderr: expect.stringContaining("did you mean 'fashion-mnist'?") as string });
    expect(await nn("data", "get", "toString")).toMatchObject({ code: 2, stderr: expect.stringContaining("known: fashion-mnist") as string });
  });

  it("refuses a place that is no URL, and a folder that is a file", async () => {
    expect(await nn("data", "get", "fashion-mnist", "--dir", folder(), "--base-url", "here")).toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: --base-url: 'here' is not a URL\n/) as string });
    const file = picture();
    expect(await nn("data", "get", "fashion-mnist", "--dir", file, "--base-url", "http://127.0.0.1:9999/")).toMatchObject({ code: 3, stderr: `error: ${file} exists, and is not a folder\n` });
  });

  const full = join(import.meta.dirname, "../../../../shared/data/fashion-mnist");
  const present = (() => {
    try {
      return Object.values(remoteDatasets["fashion-mnist"].files).every(({ name, sha256 }) => createHash("sha256").update(readFileSync(join(full, name))).digest("hex") === sha256);
    } catch {
      return false;
    }
  })();
  it.skipIf(!present)("gets the real files through an interruption, continuing where it broke (skipped without ../shared/data/fashion-mnist)", async () => {
    const { server, url, ranges } = await serve(full, { cut: "t10k-images-idx3-ubyte.gz" });
    const dir = folder();
    const result = await nn("data", "get", "fashion-mnist", "--dir", dir, "--base-url", url);
    server.close();
    expect(result.stderr).not.toMatch(/error/);
    expect(result).toMatchObject({ code: 0, stdout: `${dir}\n` });
    expect(readdirSync(dir).length).toBe(4);
    expect(ranges.some((r) => /^t10k-images-idx3-ubyte\.gz [1-9]/.test(r))).toBe(true);
  });
});
