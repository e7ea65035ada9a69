/** Image models. */
export { AlexNetFashion } from "./alexnet-fashion.ts";
