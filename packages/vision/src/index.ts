/** Image models. */
export { AlexNetFashion } from "./alexnet-fashion.ts";
export { LeNet5, type LeNet5Options } from "./lenet5.ts";
