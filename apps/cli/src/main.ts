/** The `nn` command. Data goes to standard output, everything else to standard error. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { bench } from "./commands/bench.ts";
import { getData } from "./commands/data.ts";
import { experiment } from "./commands/experiment.ts";
import { doctor, inspect } from "./commands/inspect.ts";
import { evaluateModel, predict } from "./commands/model.ts";
import { train } from "./commands/train.ts";
import { completions } from "./completions.ts";
import { exit, explain } from "./errors.ts";
import { experiments } from "./experiments.ts";
import { networks } from "./networks.ts";
import { recipes } from "./recipes.ts";
import { plain } from "./text.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
const program = new Command("nn")
  .version(version, "-V, --version", "print the version")
  .description("Train, evaluate and inspect neural networks.")
  .showSuggestionAfterError(true)
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text) });

/** Options of the engine, for every command that computes. */
const computing = (command: Command): Command =>
  command.option("--engine <kind>", "auto, native, wasm or wasm-simd").option("--threads <n>", "threads; results do not depend on them").option("--json", "print JSON");

computing(program.command("train"))
  .argument("<recipe>", `${[...recipes.keys()].join(", ")}, or a file like ./my-recipe.ts`)
  .description("train a recipe; writes model.safetensors, checkpoint and report.html")
  .option("--data <dir>", "folder with the data set; default: the data bundled with the recipe")
  .option("--epochs <n>", "passes over the training set")
  .option("--batch <n>", "images per update")
  .option("--lr <x>", "learning rate")
  .option("--seed <n>", "same seed, same model, bit for bit")
  .option("--out <dir>", "output folder; default: runs/<recipe>")
  .option("--checkpoint-every <seconds>", "how often the checkpoint is written; default: 10")
  .option("--resume", "go on from the checkpoint in the output folder")
  .option("--config <file>", "JSON file with settings; flags and NN_* variables win over it")
  .option("--print-config", "print the settings of this run and stop")
  .action(train);
computing(program.command("experiment"))
  .argument("<name>", [...experiments.keys()].join(", "))
  .description("compare networks or methods in many short runs; writes a page with table and plots, and goes on where it stopped")
  .option("--data <dir>", "folder with the data set")
  .option("--set <key=value>", "a setting of the experiment; may be repeated", (text: string, all: string[] = []) => [...all, text])
  .option("--out <dir>", "output folder; default: runs/<name>")
  .option("--record <dir>", "write the page and its plots there too")
  .option("--fresh", "forget the trials of earlier sittings")
  .action(experiment);
computing(program.command("eval"))
  .argument("<model>", "a model.safetensors of nn train")
  .description("accuracy of a model on the test images of a data set")
  .option("--data <dir>", "folder with the data set; default: the data bundled with the recipe")
  .option("--recipe <file>", "the recipe's file, if it is not built in")
  .action(evaluateModel);
computing(program.command("predict"))
  .argument("<model>", "a model.safetensors of nn train; with --network weights from elsewhere: .safetensors, .pt or .pth")
  .argument("<image...>", "PNG, PGM or PPM files, or folders of pictures; JPEG and WebP too where the recipe takes photographs")
  .description("the most probable classes of pictures")
  .option("--recipe <file>", "the recipe's file, if it is not built in")
  .option("--network <name>", `what the weights are of: ${[...networks.keys()].join(", ")}`)
  .option("--classes <file>", "with --network: names of the classes, one on each line")
  .action(predict);
program.command("inspect").argument("<file>", "a safetensors file or checkpoint").description("tensors and metadata of a file").option("--json", "print JSON").action(inspect);
computing(program.command("doctor")).description("which engine runs here, with how many threads, and why not more").action(doctor);
const data = program.command("data").description("data sets");
data.command("get").argument("<name>", "fashion-mnist").description("download a data set").option("--dir <dir>", "where to; default: data/<name>").option("--base-url <url>", "a mirror").action(getData);
program.command("bench").argument("[args...]").allowUnknownOption().helpOption(false).description("how fast it is here, beside other libraries; nn bench --help").action(bench);
program.command("completions").argument("<shell>", "bash, zsh or fish").description("print shell completions").action((shell: string) => void process.stdout.write(completions(shell, program)));

for (const command of [...program.commands, ...data.commands]) command.exitOverride().showSuggestionAfterError(true);

// A closed pipe (nn … | head) is a normal end.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exit.ok);
  throw error;
});

program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError) {
    // commander has printed its message; help and version are no errors.
    process.exitCode = error.exitCode === 0 ? exit.ok : exit.usage;
    return;
  }
  const { message, code } = explain(error);
  // Names in a message may come from a file.
  process.stderr.write(`error: ${message.split("\n").map(plain).join("\n")}\n`);
  process.exitCode = code;
});
