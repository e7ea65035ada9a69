/** `nn train <recipe>`: trains, evaluates, and leaves model, checkpoint and report in the output folder. */
import { accessSync, constants, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomicSync } from "@nn/io/node";
import { noGrad, type Tensor } from "@nn/tensor";
import { Progress, decodeCheckpoint, encodeModel, engineName, logitsOf, renderReport, startRun, type Callback, type EpochInfo, type LoadedCheckpoint, type Recipe, type RecipeData, type Run, type RunOptions } from "@nn/train";
import { CheckpointFile } from "@nn/train/node";
import { badInput, exit, usage } from "../errors.ts";
import { chooseEngine, resolve, type Settings } from "../options.ts";
import { findRecipe } from "../recipes.ts";
import { confusionTable, perClass, percent } from "../text.ts";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

export async function train(name: string, flags: Record<string, unknown>): Promise<void> {
  const recipe = await findRecipe(name);
  const settings = resolve(flags, { data: null, ...recipe.defaults, engine: "auto", threads: null, out: join("runs", recipe.name) });
  if (flags["printConfig"]) return void process.stdout.write(`${JSON.stringify(settings, null, 2)}\n`);
  chooseEngine(settings);
  const options: RunOptions = { epochs: settings.epochs, batch: settings.batch, lr: settings.lr, seed: settings.seed };
  const files = outputs(settings.out);
  const resume = flags["resume"] ? readCheckpoint(files.checkpoint, recipe, options) : null;
  const data = await recipe.data(settings.data);
  say(`${recipe.name}: ${data.train.length} training and ${data.test.length} test images · ${engineName()}, ${settings.threads ?? "all"} threads`);

  const checkpoint = new CheckpointFile(files.checkpoint, { recipe: recipe.name, options: { ...options } }, seconds(flags["checkpointEvery"]));
  const validate: Callback = {
    async onEpoch(info: EpochInfo & Record<string, number>) {
      const { accuracy, loss } = await run.evaluate();
      Object.assign(info, { "test loss": loss, "test accuracy": accuracy });
    },
  };
  const live = process.stderr.isTTY === true;
  const progress = new Progress({ write: (text) => process.stderr.write(text), live });
  const run = startRun(recipe, data, options, { callbacks: [validate, progress, checkpoint], ...(resume && { resume: resume.state }) });
  if (!(await fitUnlessInterrupted(run, checkpoint, live))) return;
  await finish(recipe, data, run, settings, options, files, flags["json"] === true);
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
  // Training works for long stretches without a pause: let signals through after each batch.
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

/** Makes the folder and finds out now, not after an hour, that it cannot be written. */
function outputs(folder: string): Files {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw badInput(`cannot write to ${folder}: ${(error as NodeJS.ErrnoException).code}`, "choose another folder with --out");
  }
  return { model: join(folder, "model.safetensors"), checkpoint: join(folder, "checkpoint"), report: join(folder, "report.html") };
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

async function finish(recipe: Recipe, data: RecipeData, run: Run, settings: Settings, options: RunOptions, files: Files, json: boolean): Promise<void> {
  const evaluation = await run.evaluate();
  writeFileAtomicSync(files.model, encodeModel(run.model, recipe, options));
  const [, weights] = [...run.model.stateDict()].find(([, t]) => t.rank === 4) ?? [null, null];
  const report = await renderReport({
    title: recipe.name,
    description: recipe.description,
    classes: recipe.classes,
    options: { ...options, data: settings.data ?? "bundled", engine: engineName() },
    history: run.trainer.history,
    evaluation,
    filters: weights ? { data: weights.dataSync(), shape: weights.shape } : { data: [], shape: [0, 1, 1, 1] },
    pictures: data.pictures,
    predictions: await predictions(data, run, Math.min(40, data.test.length)),
  });
  writeFileAtomicSync(files.report, report);
  if (json) {
    process.stdout.write(`${JSON.stringify({ recipe: recipe.name, ...options, engine: engineName(), accuracy: evaluation.accuracy, loss: evaluation.loss, perClass: Object.fromEntries(recipe.classes.map((c, k) => [c, evaluation.confusion.perClass()[k]])), history: run.trainer.history, files })}\n`);
  } else {
    process.stdout.write(`test accuracy: ${percent(evaluation.accuracy)}\n\naccuracy per class:\n${perClass(evaluation, recipe.classes)}\n\nconfusion matrix (rows: true, columns: predicted):\n${confusionTable(evaluation, recipe.classes)}\n`);
  }
  say(`\nmodel       ${files.model}\ncheckpoint  ${files.checkpoint}\nreport      ${files.report}  (open it in a browser)`);
  say(`\ntry next:\n  npx nn predict ${files.model} picture.png\n  npx nn inspect ${files.model}${settings.data === null && recipe.name === "alexnet-fashion" ? "\n  npx nn data get fashion-mnist   then   npx nn train alexnet-fashion --data data/fashion-mnist   for all 60,000 images" : ""}`);
}

/** Class and probability of the first `count` test images. */
async function predictions({ test }: RecipeData, run: Run, count: number) {
  const { Subset, DataLoader } = await import("@nn/data");
  const out: { predicted: number; probability: number }[] = [];
  run.model.eval();
  for await (const [x] of new DataLoader(new Subset(test, Array.from({ length: count }, (_, i) => i)), { batchSize: count, seed: 0 })) {
    const { indices, values } = noGrad(() => logitsOf(run.model, x as Tensor).softmax(1).topk(1, 1));
    for (let i = 0; i < count; i++) out.push({ predicted: indices.dataSync()[i]!, probability: values.dataSync()[i]! });
  }
  return out;
}

