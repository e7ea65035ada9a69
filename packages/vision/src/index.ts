/** Image models. */
export { AlexNet, alexnet, type AlexNetOptions, type AlexNetVariant } from "./alexnet.ts";
export { AlexNetFashion } from "./alexnet-fashion.ts";
export type { AlexNetFashionOptions } from "./alexnet-fashion.ts";
export { LeNet5, type LeNet5Options } from "./lenet5.ts";
export { AlexNetSmall } from "./alexnet-small.ts";
export { averageCrops } from "./crops.ts";
export { MeanImage } from "./mean-image.ts";
export { KrizhevskyCifar } from "./krizhevsky-cifar.ts";
export { LocallyConnected2d, type LocallyConnectedOptions } from "./locally-connected.ts";
