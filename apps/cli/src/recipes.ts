/** Recipes by name, or from a file of the user's. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { nearest } from "@nn/layers";
import type { Recipe } from "@nn/train";
import { alexnetFashion } from "./recipes/alexnet-fashion.ts";
import { badInput, usage } from "./errors.ts";

export const recipes: ReadonlyMap<string, Recipe> = new Map([alexnetFashion].map((r) => [r.name, r]));

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
  const module = (await import(pathToFileURL(path).href)) as { default?: Recipe; recipe?: Recipe };
  const recipe = module.recipe ?? module.default;
  if (typeof recipe?.model !== "function" || typeof recipe.name !== "string") throw badInput(`${name} exports no recipe`, "export const recipe = defineRecipe({ … })");
  return recipe;
}
