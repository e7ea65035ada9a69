import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createEngine } from "@nn/kernels";
import { decodeCheckpoint, decodeModel } from "@nn/train";
import { beforeAll, describe, expect, it } from "vitest";
import { folder, killAndResume, nn, picture, quick, smallData, start, startAndStep, temporary } from "./command.ts";

let data = "";
let trained = "";
beforeAll(async () => {
  data = smallData(128, 40);
  trained = folder();
  const { code, stderr } = await nn(...quick(data, trained));
  expect(stderr).toContain("try next");
  expect(code).toBe(0);
});
const model = () => join(trained, "model.safetensors");

const kinds = (["native", "wasm", "wasm-simd"] as const).filter((kind) => {
  try {
    createEngine({ kind, threads: 1 });
    return true;
  } catch {
    return false;
  }
});

describe("nn train", () => {
  it("prints accuracy, classes and confusion on stdout and leaves three files", async () => {
    const out = folder();
    const { stdout, code } = await nn(...quick(data, out));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^test accuracy: \d+\.\d %\n\naccuracy per class:\n {2}T-shirt\/top +\d/);
    expect(stdout).toMatch(/confusion matrix \(rows: true, columns: predicted\):\n/);
    expect(readdirSync(out).sort()).toEqual(["checkpoint", "model.safetensors", "report.html"]);
    expect(readFileSync(join(out, "report.html"), "utf8")).toContain("<h2>Confusion matrix</h2>");
    expect(readFileSync(join(out, "model.safetensors"))).toEqual(readFileSync(model()));
  });

  it("--json prints one object", async () => {
    const { stdout } = await nn(...quick(data, folder()), "--json");
    const result = JSON.parse(stdout) as { accuracy: number; history: unknown[] };
    expect(result.accuracy).toBeGreaterThanOrEqual(0);
    expect(result.history.length).toBe(2);
  });

  it.each(kinds)("gives the same bytes for 1, 2 and 3 threads on %s", async (engine) => {
    const files = [];
    for (const threads of ["1", "2", "3"]) {
      const out = folder();
      const { code } = await nn(...quick(data, out), "--engine", engine, "--threads", threads, "--epochs", "1");
      expect(code).toBe(0);
      files.push(readFileSync(join(out, "model.safetensors")));
    }
    expect(files[1]).toEqual(files[0]);
    expect(files[2]).toEqual(files[0]);
  });

  it("survives kill -9 at any moment and resumes to the same bytes", async () => {
    await killAndResume((out) => quick(data, out), readFileSync(model()), 3);
  });

  it("Ctrl-C writes a checkpoint and exits 130; resuming gives the same bytes", async () => {
    const out = folder();
    const { child, done } = await startAndStep(data, out);
    child.kill("SIGINT");
    const { code, stderr } = await done;
    expect(code).toBe(130);
    expect(stderr).toMatch(/interrupted; checkpoint in .*checkpoint, go on with --resume/);
    expect(decodeCheckpoint(readFileSync(join(out, "checkpoint"))).recipe).toBe("alexnet-fashion");
    expect(existsSync(join(out, "model.safetensors"))).toBe(false);
    expect((await nn(...quick(data, out), "--resume")).code).toBe(0);
    expect(readFileSync(join(out, "model.safetensors"))).toEqual(readFileSync(model()));
  });

  it("a second Ctrl-C ends at once what the first one waits for", async () => {
    const file = join(temporary(), "slow.mjs");
    writeFileSync(file, `import { recipes } from ${JSON.stringify(import.meta.resolve("@nn/cli"))};
      const base = recipes.get("alexnet-fashion");
      export const recipe = { ...base, name: "slow", async data(dir) {
        const data = await base.data(dir);
        return { ...data, test: { length: data.test.length, async get(i, context) {
          console.error("evaluating");
          await new Promise((done) => setTimeout(done, 50_000));
          return data.test.get(i, context);
        } } };
      } };`);
    const { child, done } = start(["train", file, "--data", data, "--out", folder(), "--epochs", "1"]);
    await new Promise<void>((ready) => child.stderr!.on("data", (text) => String(text).includes("evaluating") && ready()));
    child.kill("SIGINT");
    await new Promise((later) => setTimeout(later, 300));
    expect(child.exitCode).toBe(null);
    child.kill("SIGINT");
    const { code, stderr } = await done;
    expect(code).toBe(130);
    expect(stderr).not.toContain("interrupted");
  }, 20_000);

  it("a checkpoint of another engine is continued with a warning; what killed runs left is removed", async () => {
    const out = folder();
    const args = [...quick(data, out), "--epochs", "1"];
    expect((await nn(...args, "--engine", "wasm")).code).toBe(0);
    writeFileSync(join(out, ".checkpoint.999999999-0.tmp"), "half");
    const { code, stderr } = await nn(...args, "--engine", "wasm-simd", "--resume");
    expect(code).toBe(0);
    expect(stderr).toMatch(/warning: the checkpoint was made on wasm\/relaxed-simd, this is wasm\/simd128: results will differ in last bits/);
    expect(readdirSync(out).sort()).toEqual(["checkpoint", "model.safetensors", "report.html"]);
  });

  it("SIGTERM exits 143", async () => {
    const { child, done } = await startAndStep(data, folder());
    child.kill("SIGTERM");
    expect((await done).code).toBe(143);
  });

  it("settings: flags over environment over file over defaults", async () => {
    const config = join(temporary(), "run.json");
    writeFileSync(config, JSON.stringify({ epochs: 3, batch: 5, lr: 0.5 }));
    const { stdout } = await start(["train", "alexnet-fashion", "--config", config, "--batch", "7", "--print-config"], { NN_EPOCHS: "4", NN_BATCH: "9" }).done;
    expect(JSON.parse(stdout)).toMatchObject({ epochs: 4, batch: 7, lr: 0.5, seed: 1, engine: "auto" });
    writeFileSync(config, stdout);
    expect((await nn("train", "alexnet-fashion", "--config", config, "--print-config")).stdout).toBe(stdout);
    writeFileSync(config, JSON.stringify({ epoch: 3 }));
    expect(await nn("train", "alexnet-fashion", "--config", config)).toMatchObject({ code: 2, stderr: expect.stringContaining("did you mean 'epochs'?") as string });
  });

  it("runs a recipe of the user's from a file", async () => {
    const file = join(temporary(), "mine.mjs");
    writeFileSync(file, `import { recipes } from ${JSON.stringify(import.meta.resolve("@nn/cli"))};\nexport const recipe = { ...recipes.get("alexnet-fashion"), name: "mine" };
      import { writeFileSync } from "node:fs"; // what a killed run of the same process number was writing, as happens in containers
      if (process.argv[2] === "train") writeFileSync(\`\${process.argv[process.argv.indexOf("--out") + 1]}/.checkpoint.\${process.pid}-0.tmp\`, "half");\n`);
    const out = folder();
    expect(await nn("train", file, "--data", data, "--out", out, "--epochs", "1")).toMatchObject({ code: 0 });
    expect(readdirSync(out).sort()).toEqual(["checkpoint", "model.safetensors", "report.html"]);
    expect(decodeModel(readFileSync(join(out, "model.safetensors"))).recipe).toBe("mine");
    expect(await nn("predict", join(out, "model.safetensors"), picture())).toMatchObject({ code: 3, stderr: expect.stringContaining("not built in") as string });
    expect(await nn("predict", join(out, "model.safetensors"), picture(), "--recipe", file)).toMatchObject({ code: 0 });
  });
});

describe("nn train, bad input", () => {
  const fails = async (args: string[], code: number, message: RegExp) => {
    const result = await nn(...args);
    expect(result.stderr).toMatch(message);
    expect(result.code).toBe(code);
    expect(result.stdout).toBe("");
    expect(result.stderr.trim().split("\n").filter((l) => /^\s+at /.test(l))).toEqual([]); // no stack
  };
  const broken = (name: string, change: (file: Buffer) => Buffer) => {
    const dir = smallData(20, 10);
    writeFileSync(join(dir, name), change(readFileSync(join(dir, name))));
    return dir;
  };
  it.each([
    ["no such command", ["trian"], 2, /unknown command 'trian'\n\(Did you mean train\?\)/],
    ["no such option", ["train", "alexnet-fashion", "--epoch", "1"], 2, /unknown option '--epoch'\n\(Did you mean --epochs\?\)/],
    ["no such recipe", ["train", "alexnet-fashon"], 2, /unknown recipe 'alexnet-fashon'\n {2}hint: did you mean 'alexnet-fashion'\?/],
    ["no recipe", ["train"], 2, /missing required argument 'recipe'/],
    ["no number", ["train", "alexnet-fashion", "--lr", "fast"], 2, /--lr: expected a number above 0, got 'fast'/],
    ["no such engine", ["train", "alexnet-fashion", "--engine", "gpu"], 2, /--engine: unknown engine 'gpu'\n {2}hint: one of auto, native, wasm, wasm-simd/],
    ["no such seconds", ["train", "alexnet-fashion", "--checkpoint-every", "often"], 2, /--checkpoint-every: expected a number of seconds, got 'often'/],
    ["a surplus argument", ["train", "alexnet-fashion", "twice"], 2, /too many arguments/],
    ["no such recipe file", ["train", "./nowhere.ts"], 3, /\.\/nowhere\.ts does not exist/],
  ] as const)("%s", async (_, args, code, message) => fails([...args], code, message));

  it("data that is missing or damaged", async () => {
    const out = folder();
    const run = (dir: string) => ["train", "alexnet-fashion", "--out", out, "--data", dir];
    await fails(run("/no/such/folder"), 3, /\/no\/such\/folder.* does not exist/);
    await fails(run(broken("train-images-idx3-ubyte.gz", (f) => f.subarray(0, f.length >> 1))), 3, /train-images-idx3-ubyte/);
    await fails(run(broken("train-labels-idx1-ubyte.gz", () => Buffer.from([0, 0, 9, 9, 0, 0, 0, 0]))), 3, /train-labels-idx1-ubyte.*\n?.*/);
    const dir = smallData(20, 10);
    writeFileSync(join(dir, "train-labels-idx1-ubyte.gz"), readFileSync(join(smallData(19, 10), "train-labels-idx1-ubyte.gz")));
    await fails(run(dir), 3, /20 .*19|19 .*20/);
    await fails(run(smallData(0, 10)), 3, /the train set has no images/);
    await fails(run(smallData(10, 0)), 3, /the test set has no images/);
    expect(readdirSync(out)).toEqual([]);
    await fails(["train", "alexnet-fashion", "--out", join(out, "new"), "--data", "/no/such/folder"], 3, /does not exist/);
    expect(readdirSync(out)).toEqual([]);
  });

  it("recipe files that are none", async () => {
    const dir = temporary();
    const file = (name: string, text: string) => {
      writeFileSync(join(dir, name), text);
      return ["train", join(dir, name)];
    };
    await fails(file("broken.ts", "export const recipe = {"), 3, /broken\.ts:1 cannot be loaded: /);
    await fails(file("throws.ts", 'export const a = 1;\nthrow new Error("no luck");'), 3, /throws\.ts:2 cannot be loaded: no luck\n$/);
    await fails(file("imports.ts", 'import "nowhere";'), 3, /imports\.ts cannot be loaded: Cannot find package 'nowhere'/);
    await fails(file("empty.ts", "export const a = 1;"), 3, /empty\.ts exports no recipe/);
    await fails(file("partial.ts", 'export const recipe = { name: "x", model: () => 1 };'), 3, /the recipe of .*partial\.ts lacks defaults, classes, image, data, prepare, optimizer/);
    const base = `import { recipes } from ${JSON.stringify(import.meta.resolve("@nn/cli"))};\nconst base = recipes.get("alexnet-fashion");\n`;
    await fails(file("numbers.ts", `${base}export const recipe = { ...base, defaults: { epochs: 1, batch: "8", seed: 1 }, classes: {}, image: { ...base.image, width: NaN } };`), 3, /numbers\.ts lacks defaults\.batch, defaults\.lr, image\.width, classes\n/);
  });

  it.skipIf(process.getuid?.() === 0)("an output folder that cannot be written (skipped for root, who can write everywhere)", async () => {
    const out = folder();
    chmodSync(out, 0o500);
    await fails(["train", "alexnet-fashion", "--data", data, "--out", join(out, "x")], 3, /cannot write to/);
  });
  it("an output path that is a file", async () => {
    const file = join(temporary(), "file");
    writeFileSync(file, "");
    await fails(["train", "alexnet-fashion", "--data", data, "--out", join(file, "x")], 3, /cannot write to .*: ENOTDIR/);
  });
  it("output files that are folders, before training", async () => {
    for (const name of ["model.safetensors", "checkpoint", "report.html"]) {
      const out = folder();
      mkdirSync(join(out, name));
      await fails(quick(data, out), 3, new RegExp(`${name.replace(".", "\\.")} is a folder, not a file`));
      expect(readdirSync(out)).toEqual([name]);
    }
  });
  it.skipIf(process.platform !== "linux")("an output folder whose file system takes no files, before training (skipped without /proc)", async () => {
    await fails(quick(data, "/proc"), 3, /^error: cannot write to \/proc: [A-Z]+\n/);
  });

  it("nothing to resume, or another run's checkpoint", async () => {
    await fails([...quick(data, folder()), "--resume"], 3, /nothing to resume/);
    await fails([...quick(data, trained), "--resume", "--seed", "9"], 3, /was made with seed 1, not 9\n {2}hint: resume with --seed 1/);
    const out = folder();
    writeFileSync(join(out, "checkpoint"), readFileSync(model()));
    await fails([...quick(data, out), "--resume"], 3, /checkpoint: this safetensors file is not a checkpoint/);
    writeFileSync(join(out, "checkpoint"), readFileSync(join(trained, "checkpoint")).subarray(0, 100_000));
    await fails([...quick(data, out), "--resume"], 3, /safetensors: .*checkpoint: /);
    await fails([...quick(smallData(64, 40), trained), "--resume"], 3, /does not fit this run: .*128 samples.*64/);
    expect(readFileSync(join(trained, "model.safetensors")).length).toBeGreaterThan(0);
  });
});
