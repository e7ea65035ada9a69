/**
 * The network that ships with the page: the recipe of the command, half as wide and with filters that are large enough to look at.
 *
 *     nn train apps/alexnet-demo/pretrained/recipe.ts --out out/pretrained
 *     node --conditions=@nn/source apps/alexnet-demo/pretrained/halve.ts out/pretrained/model.safetensors
 */
import { findRecipe } from "@nn/cli";
import { defineRecipe } from "@nn/train";
import { AlexNetFashion } from "@nn/vision";

export default defineRecipe({
  ...(await findRecipe("alexnet-fashion")),
  name: "alexnet-fashion-16",
  description: "alexnet-fashion with 16 first filters of 5×5, for the demo",
  model: () => new AlexNetFashion({ width: 16, kernel: 5 }),
});
