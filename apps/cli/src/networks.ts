/** Networks whose weights `nn predict` takes from elsewhere: how a picture is prepared for them, and which names their weights have. */
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { compose, normalize, toFloat, type Transform } from "@nn/data";
import { loadSafetensors, loadTorch } from "@nn/io/node";
import { nearest, StateDictError, type Module } from "@nn/layers";
import type { Tensor } from "@nn/tensor";
import type { Recipe } from "@nn/train";
import { alexnet } from "@nn/vision";
import { about, badInput, usage } from "./errors.ts";
import { plain } from "./text.ts";

export interface Classifier {
  readonly classes: readonly string[];
  readonly image: Recipe["image"];
  readonly prepare: Transform;
  readonly model: Module;
}

interface Network extends Pick<Classifier, "image" | "prepare"> {
  /** Name of the tensor that has one number for each class. */
  readonly head: string;
  model(classes: number): Module;
}

export const networks: ReadonlyMap<string, Network> = new Map([
  ["torchvision-alexnet", {
    image: { channels: 3, height: 224, width: 224, square: 256 },
    prepare: compose(toFloat(), normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])),
    head: "classifier.6.bias",
    model: (classes) => alexnet({ variant: "torchvision", classes }),
  }],
]); // prettier-ignore

/** What the largest of these networks may unpack to: a compressed file of few bytes can claim any size. */
const MAX_WEIGHTS = 2 ** 30;

/**
 * The network called `name` with the weights of a `.safetensors` or PyTorch file, in evaluation mode.
 *
 * @param names file with a class name on each line; null: classes are called by their number
 * @throws CliError if there is no such network, or if file or names do not fit it
 */
export async function loadNetwork(path: string, name: string, names: string | null): Promise<Classifier> {
  const network = networks.get(name);
  if (!network) {
    const near = nearest(name, networks.keys());
    throw usage(`unknown network '${name}'`, near ? `did you mean '${near}'?` : `known: ${[...networks.keys()].join(", ")}`);
  }
  const tensors = await about(path, () => readWeights(path));
  const count = tensors.get(network.head)?.shape[0];
  if (count === undefined) throw badInput(`${path} has no '${network.head}', so it is not of a ${name}`, `nn inspect shows the names of a safetensors file`);
  const classes = names === null ? Array.from({ length: count }, (_, k) => `class ${k}`) : await readNames(names);
  if (classes.length !== count) throw badInput(`${names} names ${classes.length} classes, ${path} has ${count}`);
  const model = network.model(count).eval();
  try {
    model.loadStateDict(tensors);
  } catch (error) {
    if (error instanceof StateDictError) throw badInput(`${path} does not fit ${name}: ${error.message}`);
    throw error;
  }
  for (const t of tensors.values()) t.dispose();
  return { ...network, classes, model };
}

const readWeights = async (path: string): Promise<Map<string, Tensor>> =>
  (await ([".pt", ".pth"].includes(extname(path).toLowerCase()) ? loadTorch(path, { maxBytes: MAX_WEIGHTS }) : loadSafetensors(path))).tensors;

async function readNames(path: string): Promise<string[]> {
  const text = await about(path, () => readFile(path, "utf8"));
  return text.replace(/\r?\n$/, "").split(/\r?\n/).map(plain);
}
