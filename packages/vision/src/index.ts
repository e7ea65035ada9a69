/** Image models. Recipes, which read files, are in `@nn/vision/node`. */
export { AlexNetFashion } from "./alexnet-fashion.ts";
