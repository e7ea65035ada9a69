/** `nn eval` and `nn predict`: a trained model at work. */
import { Random, fromTyped, noGrad } from "@nn/tensor";
import { readBytes } from "@nn/io/node";
import { decodeModel, evaluateRecipe, logitsOf, type ModelFile, type Recipe } from "@nn/train";
import { StateDictError, type Module } from "@nn/layers";
import { about, badInput, usage } from "../errors.ts";
import { picturesIn, readImage } from "../images.ts";
import { loadNetwork, type Classifier } from "../networks.ts";
import { chooseEngine, fallbacks, resolve } from "../options.ts";
import { findRecipe, recipes } from "../recipes.ts";
import { confusionText, perClass, percent, plain } from "../text.ts";

/** The model of a file, in evaluation mode. `--recipe` names the file of a recipe that is not built in. */
async function load(path: string, flags: Record<string, unknown>): Promise<{ file: ModelFile; recipe: Recipe; model: Module }> {
  const file = await about(path, async () => decodeModel(await readBytes(path)));
  const named = typeof flags["recipe"] === "string" ? flags["recipe"] : file.recipe;
  if (named === file.recipe && !recipes.has(named)) throw badInput(`${path} was made by recipe '${plain(file.recipe)}', which is not built in`, "give its file with --recipe ./my-recipe.ts");
  const recipe = await findRecipe(named);
  if (file.classes.length !== recipe.classes.length) throw badInput(`${path} has ${file.classes.length} classes, recipe '${recipe.name}' ${recipe.classes.length}`);
  const model = recipe.model().eval();
  try {
    model.loadStateDict(file.tensors);
  } catch (error) {
    if (error instanceof StateDictError) throw badInput(`${path} does not fit recipe '${recipe.name}': ${error.message}`);
    throw error;
  }
  for (const t of file.tensors.values()) t.dispose();
  return { file: { ...file, classes: file.classes.map(plain) }, recipe, model };
}

/** A model of `nn train`, or with `--network` weights from elsewhere. */
async function classifier(path: string, flags: Record<string, unknown>): Promise<Classifier> {
  const [network, names] = [flags["network"], flags["classes"]] as (string | undefined)[];
  if (network !== undefined) return loadNetwork(path, network, names ?? null);
  if (names !== undefined) throw usage("--classes goes with --network: a model of nn train knows its classes");
  const { file: { classes }, recipe: { image, prepare }, model } = await load(path, flags); // prettier-ignore
  return { classes, image, prepare, model };
}

export async function evaluateModel(path: string, flags: Record<string, unknown>): Promise<void> {
  const settings = resolve(flags, fallbacks);
  chooseEngine(settings);
  const { file, recipe, model } = await load(path, flags);
  const data = await recipe.data(settings.data);
  if (data.test.length === 0) throw badInput(`${settings.data ?? recipe.name}: no test images`);
  const evaluation = await evaluateRecipe(recipe, data, model);
  const { accuracy, loss, top5Error, confusion } = evaluation;
  if (flags["json"]) process.stdout.write(`${JSON.stringify({ model: path, recipe: file.recipe, accuracy, loss, top5Error, images: confusion.total, perClass: Object.fromEntries(file.classes.map((c, k) => [c, confusion.perClass()[k]])) })}\n`);
  else process.stdout.write(`test accuracy: ${percent(accuracy)}${file.classes.length > 10 ? `, top-5 error ${percent(top5Error)}` : ""}\n\naccuracy per class:\n${perClass(evaluation, file.classes)}\n\n${confusionText(evaluation, file.classes)}\n`);
}

export async function predict(path: string, images: readonly string[], flags: Record<string, unknown>): Promise<void> {
  if (images.length === 0) throw usage("predict needs at least one image", "nn predict model.safetensors picture.png");
  chooseEngine(resolve(flags, fallbacks));
  const { classes, image: wanted, prepare, model } = await classifier(path, flags);
  const top = Math.min(classes.length > 10 ? 5 : 3, classes.length);
  const paths = (await Promise.all(images.map(picturesIn))).flat();
  // All pictures are read before the first line is printed.
  const inputs = await Promise.all(paths.map((path) => readImage(path, wanted)));
  inputs.forEach((image, i) => {
    const { data, shape } = prepare(image, new Random(0));
    const ranked = noGrad(() => {
      const { values, indices } = logitsOf(model, fromTyped(data, [1, ...shape], "f32", "predict")).softmax(1).topk(top, 1);
      return Array.from(indices.dataSync(), (k, j) => ({ class: classes[k]!, probability: values.dataSync()[j]! }));
    });
    if (flags["json"]) process.stdout.write(`${JSON.stringify({ image: paths[i], predictions: ranked })}\n`);
    else process.stdout.write(`${paths[i]}: ${ranked.map((r) => `${r.class} ${percent(r.probability)}`).join(", ")}\n`);
  });
}
