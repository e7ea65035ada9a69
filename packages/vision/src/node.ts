/** Recipes: what `nn train <name>` runs. */
export { alexnetFashion } from "./recipes/alexnet-fashion.node.ts";
