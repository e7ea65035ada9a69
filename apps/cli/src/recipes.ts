/** Recipes by name, or from a file of the user's. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { nearest } from "@nn/layers";
import type { Recipe } from "@nn/train";
import { alexnetFashion } from "./recipes/alexnet-fashion.ts";
import { alexnetImagenet, alexnetTiny } from "./recipes/alexnet-imagenet.ts";
import { lenet5Fashion, mlpFashion, softmaxFashion } from "./recipes/classics-fashion.ts";
import { type CliError, badInput, usage } from "./errors.ts";

export const recipes: ReadonlyMap<string, Recipe> = new Map([softmaxFashion, mlpFashion, lenet5Fashion, alexnetFashion, alexnetImagenet, alexnetTiny].map((r) => [r.name, r]));

/** A built-in recipe, or the one that a `.ts`, `.js` or `.mjs` file exports as `default` or `recipe`. */
export async function findRecipe(name: string): Promise<Recipe> {
  const known = recipes.get(name);
  if (known) return known;
  if (!/\.(ts|mts|js|mjs)$/.test(name)) {
    const near = nearest(name, recipes.keys());
    throw usage(`unknown recipe '${name}'`, near ? `did you mean '${near}'?` : `known: ${[...recipes.keys()].join(", ")}; or give a file like ./my-recipe.ts`);
  }
  const path = resolve(name);
  if (!existsSync(path)) throw badInput(`${name} does not exist`);
  const module = (await import(pathToFileURL(path).href).catch((error: unknown) => {
    throw unloadable(name, path, error);
  })) as { default?: Recipe; recipe?: Recipe };
  const recipe = module.recipe ?? module.default;
  if (typeof recipe !== "object" || recipe === null) throw badInput(`${name} exports no recipe`, "export const recipe = defineRecipe({ … })");
  const lacks = (Object.keys(parts) as (keyof typeof parts)[]).filter((part) => typeof recipe[part] !== parts[part]);
  if (lacks.length > 0) throw incomplete(name, lacks);
  const { defaults, classes, image } = recipe;
  const numbers = [
    ...(["epochs", "batch", "lr", "seed"] as const).map((key) => [`defaults.${key}`, defaults?.[key]] as const),
    ...(["channels", "height", "width"] as const).map((key) => [`image.${key}`, image?.[key]] as const),
    ["classes", Array.isArray(classes) ? classes.length : null] as const,
  ];
  const absent = numbers.filter(([, value]) => !Number.isFinite(value)).map(([key]) => key);
  if (absent.length > 0) throw incomplete(name, absent);
  return recipe;
}

const incomplete = (name: string, parts: readonly string[]): CliError => badInput(`the recipe of ${name} lacks ${parts.join(", ")}`, "defineRecipe({ … }) lets the editor check it");

/** What a recipe must have, and of which type. */
const parts = { name: "string", defaults: "object", classes: "object", image: "object", data: "function", prepare: "function", model: "function", optimizer: "function" } as const satisfies Partial<Record<keyof Recipe, string>>;

/** One line about a module that does not parse or throws, with the line of the user's file if it is known. */
function unloadable(name: string, path: string, error: unknown): CliError {
  const { message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  if ((error as NodeJS.ErrnoException)?.code === "ERR_UNKNOWN_FILE_EXTENSION") return badInput(`${name}: Node ${process.versions.node} reads no TypeScript`, "use Node 22.18 or newer, or write the recipe as .mjs");
  const line = stack.split(path)[1]?.match(/^:(\d+)/)?.[1];
  return badInput(`${name}${line === undefined ? "" : `:${line}`} cannot be loaded: ${message.split("\n")[0]}`);
}
