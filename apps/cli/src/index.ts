/** Parts of the command that other programs may use. */
export { recipes, findRecipe } from "./recipes.ts";
