/** `nn train <recipe>`: trains, evaluates, and leaves model, checkpoint and report in the output folder. */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomicSync } from "@nn/io/node";
import { StateDictError } from "@nn/layers";
import { ArgumentError, getEngine, noGrad, type Tensor } from "@nn/tensor";
import { GradientWatch, Progress, decodeCheckpoint, encodeModel, engineName, logitsOf, renderReport, startRun, type Callback, type EpochInfo, type Evaluation, type LoadedCheckpoint, type Recipe, type RecipeData, type Run, type RunOptions } from "@nn/train";
import { CheckpointFile } from "@nn/train/node";
import { about, badInput, exit, usage } from "../errors.ts";
import { chooseEngine, resolve, type Settings } from "../options.ts";
import { findRecipe } from "../recipes.ts";
import { confusionText, perClass, percent } from "../text.ts";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

export async function train(name: string, flags: Record<string, unknown>): Promise<void> {
  const recipe = await findRecipe(name);
  const settings = resolve(flags, { data: null, ...recipe.defaults, engine: "auto", threads: null, out: join("runs", recipe.name) });
  if (flags["printConfig"]) return void process.stdout.write(`${JSON.stringify(settings, null, 2)}\n`);
  const everySeconds = seconds(flags["checkpointEvery"]);
  chooseEngine(settings);
  const options: RunOptions = { epochs: settings.epochs, batch: settings.batch, lr: settings.lr, seed: settings.seed };
  const files = { model: join(settings.out, "model.safetensors"), checkpoint: join(settings.out, "checkpoint"), report: join(settings.out, "report.html") };
  // All that can be wrong is found before the first file is written.
  const resume = flags["resume"] ? await about(files.checkpoint, () => readCheckpoint(files.checkpoint, recipe, options)) : null;
  const data = await recipe.data(settings.data);
  for (const part of ["train", "test"] as const) if (data[part].length === 0) throw badInput(`${settings.data ?? recipe.name}: the ${part} set has no images`);
  prepareFolder(settings.out, Object.values(files));
  const { threads } = getEngine();
  say(`${recipe.name}: ${data.train.length} training and ${data.test.length} test images · ${engineName()}, ${threads} thread${threads === 1 ? "" : "s"}`);

  const checkpoint = new CheckpointFile(files.checkpoint, { recipe: recipe.name, options: { ...options } }, everySeconds);
  let last: Evaluation | null = null;
  const validate: Callback = {
    async onEpoch(info: EpochInfo & Record<string, number>) {
      last = await run.evaluate();
      Object.assign(info, { "test loss": last.loss, "test accuracy": last.accuracy });
    },
  };
  const live = process.stderr.isTTY === true;
  const progress = new Progress({ write: (text) => process.stderr.write(text), live, columns: () => process.stderr.columns });
  const watch = new GradientWatch();
  const run = start(recipe, data, options, [watch, validate, progress, checkpoint], resume, files.checkpoint);
  if (!(await fitUnlessInterrupted(run, checkpoint, live))) return;
  await finish(recipe, data, run, last ?? (await run.evaluate()), watch, settings, options, files, flags["json"] === true);
}

/** @throws CliError if the checkpoint does not fit this recipe's model, optimizer or data. */
function start(recipe: Recipe, data: RecipeData, options: RunOptions, callbacks: Callback[], resume: LoadedCheckpoint | null, path: string): Run {
  if (!resume) return startRun(recipe, data, options, { callbacks });
  try {
    return startRun(recipe, data, options, { callbacks, resume: resume.state });
  } catch (error) {
    if (error instanceof ArgumentError || error instanceof StateDictError) throw badInput(`${path} does not fit this run: ${error.message}`, "resume with the recipe and the --data it was made with");
    throw error;
  }
}

function seconds(text: unknown): number {
  if (text === undefined) return 10;
  const n = Number(text);
  if (!(n >= 0)) throw usage(`--checkpoint-every: expected a number of seconds, got '${String(text)}'`);
  return n;
}

/** False if a signal ended it: then a checkpoint was written and the exit code set. */
async function fitUnlessInterrupted(run: Run, checkpoint: CheckpointFile, live: boolean): Promise<boolean> {
  let code: number | null = null;
  const stop = (signalCode: number) => () => {
    if (code !== null) process.exit(signalCode); // asked twice: at once
    code = signalCode;
    run.trainer.stop();
  };
  const [onInterrupt, onTerminate] = [stop(exit.interrupted), stop(exit.terminated)];
  process.on("SIGINT", onInterrupt).on("SIGTERM", onTerminate);
  const whole = await run.trainer.fit();
  process.off("SIGINT", onInterrupt).off("SIGTERM", onTerminate);
  if (whole) return true;
  checkpoint.save(run.trainer);
  say(`${live ? "\n" : ""}interrupted; checkpoint in ${checkpoint.path}, go on with --resume`);
  process.exitCode = code ?? exit.failure;
  return false;
}

interface Files {
  readonly model: string;
  readonly checkpoint: string;
  readonly report: string;
}

/** Makes the folder and finds out now, not after an hour, that the files cannot be written. What killed runs were writing is removed. */
function prepareFolder(folder: string, files: readonly string[]): void {
  try {
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) {
      const pid = /^\.(?:model\.safetensors|checkpoint|report\.html)\.(\d+)-\d+\.tmp$/.exec(name)?.[1];
      if (pid !== undefined && !alive(Number(pid))) rmSync(join(folder, name), { force: true });
    }
    // By doing it: permission bits tell nothing to root, nor about what a file system allows.
    const probe = join(folder, `.checkpoint.${process.pid}-0.tmp`);
    writeFileSync(probe, "", { flag: "wx" });
    rmSync(probe);
  } catch (error) {
    throw badInput(`cannot write to ${folder}: ${(error as NodeJS.ErrnoException).code}`, "choose another folder with --out");
  }
  for (const path of files) if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw badInput(`${path} is a folder, not a file`, "choose another folder with --out");
}

/** Whether another process of that number runs. This one has written nothing yet: in a container a killed run often had the same number. */
function alive(pid: number): boolean {
  try {
    return pid !== process.pid && process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function readCheckpoint(path: string, recipe: Recipe, options: RunOptions): LoadedCheckpoint {
  if (!existsSync(path)) throw badInput(`nothing to resume: ${path} does not exist`, "train without --resume, or name the folder with --out");
  const loaded = decodeCheckpoint(readFileSync(path));
  if (loaded.recipe !== recipe.name) throw badInput(`${path} belongs to recipe '${loaded.recipe}', not '${recipe.name}'`);
  for (const [key, value] of Object.entries(options)) {
    if (loaded.options[key] !== value) throw badInput(`${path} was made with ${key} ${String(loaded.options[key])}, not ${value}`, `resume with --${key} ${String(loaded.options[key])}`);
  }
  if (loaded.engine !== engineName()) say(`warning: the checkpoint was made on ${loaded.engine}, this is ${engineName()}: results will differ in last bits`);
  say(`resuming at epoch ${loaded.state.loader.epoch + 1}, batch ${loaded.state.loader.batch}`);
  return loaded;
}

async function finish(recipe: Recipe, data: RecipeData, run: Run, evaluation: Evaluation, { looks }: GradientWatch, settings: Settings, options: RunOptions, files: Files, json: boolean): Promise<void> {
  writeFileAtomicSync(files.model, encodeModel(run.model, recipe, options));
  const { channels, height, width } = recipe.image;
  // A dense layer that reads the image shows as a picture too.
  const weights = [...run.model.stateDict().values()].find((t) => t.rank === 4 || (t.rank === 2 && t.shape[1] === channels * height * width));
  const report = await renderReport({
    title: recipe.name,
    description: recipe.description,
    classes: recipe.classes,
    options: { ...options, data: settings.data ?? "bundled", engine: engineName() },
    history: run.trainer.history,
    evaluation,
    filters: weights ? { data: weights.dataSync(), shape: weights.rank === 4 ? weights.shape : [weights.shape[0]!, channels, height, width] } : { data: [], shape: [0, 1, 1, 1] },
    ...(recipe.published && { published: recipe.published }),
    looks,
    pictures: data.pictures,
    predictions: await predictions(data, run, Math.min(40, data.test.length)),
  });
  writeFileAtomicSync(files.report, report);
  if (json) {
    process.stdout.write(`${JSON.stringify({ recipe: recipe.name, ...options, engine: engineName(), accuracy: evaluation.accuracy, loss: evaluation.loss, perClass: Object.fromEntries(recipe.classes.map((c, k) => [c, evaluation.confusion.perClass()[k]])), history: run.trainer.history, files })}\n`);
  } else {
    process.stdout.write(`test accuracy: ${percent(evaluation.accuracy)}\n\naccuracy per class:\n${perClass(evaluation, recipe.classes)}\n\n${confusionText(evaluation, recipe.classes)}\n`);
  }
  say(`\nmodel       ${files.model}\ncheckpoint  ${files.checkpoint}\nreport      ${files.report}  (open it in a browser)`);
  say(`\ntry next:\n  npx nn predict ${files.model} picture.png\n  npx nn inspect ${files.model}${settings.data === null && recipe.name.endsWith("-fashion") ? `\n  npx nn data get fashion-mnist   then   npx nn train ${recipe.name} --data data/fashion-mnist   for all 60,000 images` : ""}`);
}

/** Class and probability of the first `count` test images. */
async function predictions({ test }: RecipeData, run: Run, count: number) {
  const { Subset, DataLoader } = await import("@nn/data");
  const out: { predicted: number; probability: number }[] = [];
  run.model.eval();
  for await (const [x] of new DataLoader(new Subset(test, Array.from({ length: count }, (_, i) => i)), { batchSize: count, seed: 0 })) {
    const { indices, values } = noGrad(() => logitsOf(run.model, x as Tensor).softmax(1).topk(1, 1));
    for (let i = 0; i < indices.size; i++) out.push({ predicted: indices.dataSync()[i]!, probability: values.dataSync()[i]! });
  }
  return out;
}

