/** Every op record; the names of the ops are the keys of this file. */
export * from "./elementwise.ts";
export { reshape, contiguous, permute, slice, unslice, expand, flip, pad, concat } from "./movement.ts";
export { sum, prod, max, min, argmax, argmin, cumsum } from "./reduce.ts";
export { gather, gatherGrad, indexSelect, indexSelectGrad, oneHot, sort, topk } from "./indexing.ts";
export { activationGrad } from "./activation.ts";
export { matmul, linear } from "./matmul.ts";
export { conv2d, conv2dInputGrad, conv2dWeightGrad } from "./conv2d.ts";
export { maxPool2d, maxPool2dGrad, poolGather, avgPool2d, avgPool2dGrad } from "./pool2d.ts";
export { recurrent, recurrentGrad } from "./recurrent.ts";
export { softmax, logSoftmax, softmaxGrad, softmaxCrossEntropy, softmaxCrossEntropyGrad } from "./softmax.ts";
export { localResponseNorm, localResponseNormGrad } from "./lrn.ts";
export { layerNorm, rmsNorm, normGrad } from "./norm.ts";
export { batchNorm, batchNormGrad } from "./batch-norm.ts";
export { attention, attentionGrad, attentionQkv, attentionQkvGrad } from "./attention.ts";
