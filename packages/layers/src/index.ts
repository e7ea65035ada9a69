/** Modules, layers, losses and initialisers; names and state dicts as in PyTorch. */
export { Module } from "./module.ts";
export { Parameter, Buffer, param, buffer } from "./parameter.ts";
export { StateDictError, loadInto, nearest, type LoadReport, type StateDict } from "./state-dict.ts";
export { Linear, type LinearOptions } from "./linear.ts";
export { Conv2d, type Conv2dOptions, type Pair } from "./conv2d.ts";
export { MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, type PoolOptions } from "./pool2d.ts";
export { ReLU, Sigmoid, Tanh, GELU, SiLU, LeakyReLU, type Activation, type FusesActivation } from "./activation.ts";
export { Dropout, dropout } from "./dropout.ts";
export { Flatten } from "./flatten.ts";
export { Sequential, sequential } from "./sequential.ts";
export { crossEntropy, mseLoss, maeLoss, halfSse, bceWithLogits, type LossOptions } from "./loss.ts";
export * as init from "./init.ts";
