/** Losses: functions from predictions and targets to a scalar (or, with reduction "none", one value per element). Names as in PyTorch. */
export type { LossOptions, Reduction } from "./reduce.ts";
export { halfMse, halfSse, huberLoss, maeLoss, mseLoss, smoothL1Loss } from "./regression.ts";
export {
  bceLoss, bceWithLogits, crossEntropy, hingeLoss, klDiv, multiMarginLoss, nllLoss,
  type BceWithLogitsOptions, type CrossEntropyOptions, type KlDivOptions, type MultiMarginOptions, type NllOptions,
} from "./classes.ts";
export { cosineEmbeddingLoss, tripletMarginLoss, type TripletMarginOptions } from "./embedding.ts";
